"""Requests that are answered without a call, or not at all: RFC 3261 section 8.2 against a raw peer."""

from ipaddress import ip_network

import pytest

from tallylight.telephony.sip.admission import Admission, Limits
from tallylight.telephony.sip.codec import MAX_BODY
from tallylight.telephony.sip.digest import DigestServer
from tallylight.telephony.sip.network import Transport
from tests.telephony.sip.making import ANSWER, OFFER, Phone, RawPeer, World, request

BOB, RAW = "192.0.2.2", "192.0.2.9"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def bob(world: World) -> Phone:
    return world.phone(BOB, on_call=lambda call: call.ring())


@pytest.fixture
def raw(world: World) -> RawPeer:
    return world.raw(RAW)


def statuses(raw: RawPeer, data: bytes, transport: Transport = Transport.UDP) -> list[int]:
    return [response.status for response in raw.ask(data, BOB, transport)]


@pytest.mark.parametrize(
    "method", ["REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "MESSAGE", "UPDATE", "PRACK"]
)
def test_methods_of_the_registry_are_not_allowed(bob: Phone, raw: RawPeer, method: str) -> None:
    (response,) = raw.ask(request(method), BOB)
    assert response.status == 405
    assert response.headers.get("allow") == ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO"]


def test_foreign_methods_are_not_implemented(bob: Phone, raw: RawPeer) -> None:
    assert statuses(raw, request("DANCE")) == [501]


@pytest.mark.parametrize("method", ["BYE", "INFO", "CANCEL"])
def test_what_needs_a_call_is_481_without_one(bob: Phone, raw: RawPeer, method: str) -> None:
    assert statuses(raw, request(method)) == [481]


@pytest.mark.parametrize("method", ["INVITE", "BYE", "OPTIONS", "DANCE"])
def test_an_unknown_dialog_is_481(bob: Phone, raw: RawPeer, method: str) -> None:
    assert statuses(raw, request(method, to_tag="gone")) == [481]


def test_an_ack_to_nothing_is_dropped(bob: Phone, raw: RawPeer) -> None:
    assert statuses(raw, request("ACK", to_tag="gone")) == []
    assert bob.agent.counters.dropped["stray_ack"] == 1


def test_options_says_what_we_speak(bob: Phone, raw: RawPeer) -> None:
    (response,) = raw.ask(request("OPTIONS"), BOB)
    assert response.status == 200
    assert response.headers.get("allow") == ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO"]
    assert "application/sdp" in response.headers.get("accept")
    # Empty, because there is no extension we speak; the reader drops it.
    assert b"\r\nSupported: \r\n" in raw.world.internet.sent[-1].data
    assert response.headers.get("contact") == [f"<sip:{BOB}:5060>"]


def test_a_required_extension_is_named_as_unsupported(bob: Phone, raw: RawPeer) -> None:
    (response,) = raw.ask(request(extra="Require: 100rel, timer\r\n"), BOB)
    assert response.status == 420
    assert response.headers.get("unsupported") == ["100rel", "timer"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"uri": "sips:bob@192.0.2.2"}, 416),
        ({"uri": "http://192.0.2.2"}, 416),
        ({"uri": "sip:@192.0.2.2"}, 400),
        ({"body": b"<x/>", "content_type": "text/xml"}, 415),
        ({"body": OFFER, "extra": "Content-Encoding: gzip\r\n"}, 415),
        ({"extra": "Contact: <sip:a@x>, <sip:b@x>\r\n"}, 400),
        ({"extra": "Contact: <sips:a@x>\r\n"}, 400),
        ({"extra": "Contact: <sip:a@x;transport=tls>\r\n"}, 416),
        ({"extra": "Record-Route: <nonsense>\r\n"}, 400),
        ({"cseq_method": "BYE"}, 400),
        ({"body": OFFER, "extra": "Content-Length: 900\r\n"}, 400),
    ],
)
def test_an_invite_that_makes_no_call(bob: Phone, raw: RawPeer, change: dict[str, str], status: int) -> None:
    assert statuses(raw, request(**change)) == [status]  # type: ignore[arg-type]
    assert bob.calls == []
    assert not bob.agent.calls


def test_an_invite_without_contact_is_refused(bob: Phone, raw: RawPeer) -> None:
    data = request().replace(f"Contact: <sip:raw@{RAW}:5060>\r\n".encode(), b"")
    assert statuses(raw, data) == [400]


def test_an_optional_foreign_body_is_passed_over(bob: Phone, raw: RawPeer) -> None:
    extra = "Content-Disposition: x; handling=optional\r\n"
    assert statuses(raw, request(body=b"<x/>", content_type="text/xml", extra=extra)) == [180]
    assert bob.calls[0].remote_sdp is None


def test_a_call_with_no_hops_left_is_483_and_options_is_answered(bob: Phone, raw: RawPeer) -> None:
    assert statuses(raw, request().replace(b"Max-Forwards: 70", b"Max-Forwards: 0")) == [483]
    assert statuses(raw, request("OPTIONS", branch="z9hG4bKo").replace(b"Max-Forwards: 70", b"Max-Forwards: 0")) == [
        200
    ]


def test_sizes(bob: Phone, raw: RawPeer) -> None:
    too_long = request(body=b"x" * (MAX_BODY + 1), transport="TCP")
    assert statuses(raw, too_long, Transport.TCP) == [413]


def test_a_request_that_came_by_two_ways_is_482_on_the_second(bob: Phone, raw: RawPeer) -> None:
    assert statuses(raw, request(branch="z9hG4bKone")) == [180]
    assert statuses(raw, request(branch="z9hG4bKtwo")) == [482]
    assert len(bob.calls) == 1


def test_a_request_is_merged_only_while_the_first_is_being_served(bob: Phone, raw: RawPeer) -> None:
    assert statuses(raw, request("OPTIONS", branch="z9hG4bKone")) == [200]
    raw.world.pass_time(33)
    assert statuses(raw, request("OPTIONS", branch="z9hG4bKtwo")) == [200]


def test_a_repeated_invite_makes_no_second_call_even_after_its_2xx(bob: Phone, raw: RawPeer, world: World) -> None:
    assert statuses(raw, request()) == [180]
    assert statuses(raw, request()) == [180]
    bob.calls[0].answer(ANSWER)
    world.pass_time(0.1)
    raw.send(request("ACK", to_tag=raw.responses[-1].to_tag, branch="z9hG4bKack"), BOB)
    world.pass_time(20)
    assert statuses(raw, request()) == []
    assert len(bob.calls) == 1


def test_malformed_messages_of_admitted_peers_are_answered_and_noise_is_dropped(bob: Phone, raw: RawPeer) -> None:
    assert statuses(raw, request(cseq_method="BYE")) == [400]
    assert statuses(raw, request().replace(b"bob@192.0.2.2 SIP/2.0", b"bob@192.0.2.2 SIP/7.0")) == [505]
    raw.send(b"\x00\x01 what is this\r\n\r\n", BOB)
    raw.send(request().replace(b"Via", b"Pia"), BOB)
    raw.world.pass_time(0.1)
    assert bob.agent.counters.dropped["malformed"] == 2


def test_a_stray_response_is_dropped(bob: Phone, raw: RawPeer) -> None:
    raw.send(
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK7\r\nFrom: <sip:a@x>;tag=f\r\n"
        b"To: <sip:b@y>;tag=t\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
        BOB,
    )
    raw.world.pass_time(0.1)
    assert bob.agent.counters.dropped["stray_response"] == 1


def test_answers_go_where_the_request_came_from(bob: Phone, world: World) -> None:
    behind_nat = world.raw("198.51.100.7")
    (response,) = behind_nat.ask(request("OPTIONS", via="SIP/2.0/UDP 10.0.0.3:5099;rport;branch=z9hG4bKn"), BOB)
    assert response.headers.get("via") == ["SIP/2.0/UDP 10.0.0.3:5099;branch=z9hG4bKn;received=198.51.100.7;rport=5060"]
    # Without rport the answer goes to the port in Via (RFC 3261 section 18.2.2), here to nobody.
    assert behind_nat.ask(request("OPTIONS", via="SIP/2.0/UDP 10.0.0.3:5099;branch=z9hG4bKm"), BOB) == []
    assert world.internet.sent[-1].target == ("198.51.100.7", 5099)


# The door


def guarded(world: World, *, credentials: dict[str, str] | None = None, limits: Limits | None = None) -> Phone:
    digest = None
    if credentials is not None:
        digest = DigestServer(realm="tallylight", credentials=credentials, secret=b"s" * 32)
    admission = Admission([ip_network("192.0.2.1")], digest, limits)
    return world.phone(BOB, admission=admission, on_call=lambda call: call.ring())


@pytest.mark.parametrize("data", [request(), request("OPTIONS"), request("DANCE"), request("BYE", to_tag="gone")])
def test_an_unlisted_address_is_forbidden_and_then_met_with_silence(world: World, raw: RawPeer, data: bytes) -> None:
    bob = guarded(world, limits=Limits(burst=2, per_second=0.001))
    assert [statuses(raw, data) for _ in range(4)] == [[403], [403], [], []]
    assert bob.agent.counters.dropped["silence"] == 2
    assert bob.calls == []
    assert not bob.agent.transactions_alive


def test_an_unlisted_address_is_challenged_where_there_are_credentials(world: World, raw: RawPeer) -> None:
    bob = guarded(world, credentials={"anna": "secret"})
    first, second = raw.ask(request(), BOB), raw.ask(request(), BOB)
    assert [response.status for response in first + second] == [401, 401]
    assert first[0].headers.get("www-authenticate")[0].startswith("Digest ")
    # Without a transaction: the same copy gets the same tag, and the ACK to it is absorbed.
    assert first[0].to_tag == second[0].to_tag
    assert statuses(raw, request("ACK", to_tag=first[0].to_tag)) == []
    assert not bob.agent.transactions_alive


def test_strangers_hear_nothing_of_their_broken_messages_and_cancels(world: World, raw: RawPeer) -> None:
    bob = guarded(world)
    assert statuses(raw, request(cseq_method="BYE")) == []
    assert statuses(raw, request("CANCEL")) == []
    assert bob.agent.counters.dropped == {"malformed": 1, "stray_cancel": 1}


def test_within_an_established_call_nobody_is_challenged(world: World, raw: RawPeer) -> None:
    bob = guarded(world)
    listed = world.raw("192.0.2.1")
    listed.send(request(host="192.0.2.1", body=OFFER), BOB)
    world.pass_time(0.1)
    bob.calls[0].answer(ANSWER)
    world.pass_time(0.1)
    tag = listed.responses[-1].to_tag
    raw.send(request("ACK", to_tag=tag, branch="z9hG4bKa"), BOB)
    assert statuses(raw, request("BYE", to_tag=tag, cseq=2, branch="z9hG4bKb")) == [200]
    assert bob.heard.names == ["acknowledged", "ended"]
