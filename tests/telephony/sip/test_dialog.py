"""Dialogs against a raw peer: tags, CSeq, routes, targets, forks."""

import pytest

from tallylight.telephony.sip.codec import Request
from tallylight.telephony.sip.observer import EndCause
from tests.telephony.sip.making import (
    ANSWER,
    OFFER,
    SECOND_ANSWER,
    SECOND_OFFER,
    Phone,
    RawPeer,
    World,
    request,
)

ANNA, BOB, RAW, PROXY = "192.0.2.1", "192.0.2.2", "192.0.2.9", "192.0.2.50"


def answered(*, extra: str = "", body: bytes = OFFER) -> tuple[World, Phone, RawPeer, str]:
    """A call from the raw peer that Bob answered, acknowledged; Bob's tag."""
    world = World()
    bob = world.phone(BOB)
    raw = world.raw(RAW)
    raw.send(request(extra=extra, body=body), BOB)
    world.pass_time(0.1)
    tag = raw.responses[-1].to_tag
    if body:
        raw.send(request("ACK", to_tag=tag, branch="z9hG4bKack"), BOB)
        world.pass_time(0.1)
    return world, bob, raw, tag


def called(world: World, anna: Phone, raw: RawPeer) -> Request:
    """An INVITE of Anna's at the raw peer."""
    anna.dial(f"sip:raw@{RAW}")
    world.pass_time(0.1)
    return raw.requests[-1]


def test_a_request_with_an_old_cseq_is_500() -> None:
    _, bob, raw, tag = answered()
    statuses = [
        raw.ask(request("INFO", to_tag=tag, cseq=cseq, branch=f"z9hG4bKi{index}"), BOB)[0].status
        for index, cseq in enumerate([5, 5, 4, 6])
    ]
    assert statuses == [200, 500, 500, 200]
    assert bob.heard.names.count("info") == 2


def test_methods_within_a_call() -> None:
    _, bob, raw, tag = answered()
    found = {
        method: raw.ask(request(method, to_tag=tag, cseq=10 + index, branch=f"z9hG4bK{method}"), BOB)[0].status
        for index, method in enumerate(["OPTIONS", "UPDATE", "PRACK", "REFER", "NOTIFY", "DANCE", "BYE"])
    }
    assert found == {"OPTIONS": 200, "UPDATE": 405, "PRACK": 405, "REFER": 405, "NOTIFY": 405, "DANCE": 501, "BYE": 200}
    assert bob.heard.events[-1] == ("ended", EndCause.REMOTE)
    assert raw.ask(request("INFO", to_tag=tag, cseq=30, branch="z9hG4bKlate"), BOB)[0].status == 481


def test_a_re_invite_with_unknown_extension_or_body_is_refused() -> None:
    _, bob, raw, tag = answered()
    (first,) = raw.ask(request(to_tag=tag, cseq=2, branch="z9hG4bK2", extra="Require: siprec\r\n"), BOB)
    (second,) = raw.ask(request(to_tag=tag, cseq=3, branch="z9hG4bK3", body=b"<x/>", content_type="text/xml"), BOB)
    assert (first.status, second.status) == (420, 415)
    assert "reoffered" not in bob.heard.names


def test_a_late_offer_is_answered_in_the_ack() -> None:
    world, bob, raw, tag = answered(body=b"")
    assert bob.calls[0].remote_sdp is None
    assert raw.responses[-1].body == ANSWER
    raw.send(request("ACK", to_tag=tag, branch="z9hG4bKa", body=OFFER), BOB)
    world.pass_time(0.1)
    assert bob.heard.events == [("acknowledged", OFFER)]
    assert bob.calls[0].remote_sdp == OFFER


def test_a_late_re_offer_is_answered_in_the_ack_and_blocks_other_offers() -> None:
    world, bob, raw, tag = answered()
    (response,) = raw.ask(request(to_tag=tag, cseq=2, branch="z9hG4bK2"), BOB)
    assert (response.status, response.body) == (200, SECOND_ANSWER)
    assert raw.ask(request(to_tag=tag, cseq=3, branch="z9hG4bK3", body=SECOND_OFFER), BOB)[-1].status == 491
    bob.calls[0].reoffer(OFFER)
    world.pass_time(0.2)
    assert raw.requests == []
    raw.send(request("ACK", to_tag=tag, cseq=2, branch="z9hG4bKa2", body=SECOND_OFFER), BOB)
    world.pass_time(0.1)
    assert bob.heard.events[1:] == [("reoffered", None), ("acknowledged", SECOND_OFFER)]
    assert [(message.method, message.body) for message in raw.requests] == [("INVITE", OFFER)]


def test_a_re_invite_before_the_first_answer_is_500_with_a_time_to_come_back() -> None:
    world = World()
    bob = world.phone(BOB, on_call=lambda call: call.ring())
    raw = world.raw(RAW)
    raw.send(request(body=OFFER), BOB)
    world.pass_time(0.1)
    tag = raw.responses[-1].to_tag
    (response,) = raw.ask(request(to_tag=tag, cseq=2, branch="z9hG4bK2", body=OFFER), BOB)
    assert response.status == 500
    assert 0 <= int(response.headers.get("retry-after")[0]) <= 10
    assert not bob.calls[0].over


def test_a_caller_may_say_bye_before_the_answer() -> None:
    world = World()
    bob = world.phone(BOB, on_call=lambda call: call.ring())
    raw = world.raw(RAW)
    raw.send(request(body=OFFER), BOB)
    world.pass_time(0.1)
    tag = raw.responses[-1].to_tag
    responses = raw.ask(request("BYE", to_tag=tag, cseq=2, branch="z9hG4bK2"), BOB)
    assert sorted((response.method, response.status) for response in responses) == [("BYE", 200), ("INVITE", 487)]
    assert bob.heard.events == [("cancelled",)]


def test_an_ack_with_the_invites_own_branch_is_understood() -> None:
    world = World()
    bob = world.phone(BOB)
    raw = world.raw(RAW)
    raw.send(request(body=OFFER), BOB)
    world.pass_time(0.1)
    raw.send(request("ACK", to_tag=raw.responses[-1].to_tag), BOB)
    world.pass_time(3)
    assert bob.heard.events == [("acknowledged", None)]
    assert len(raw.responses) == 2


def test_the_callee_routes_by_record_route_in_its_order_and_answers_with_it() -> None:
    extra = f"Record-Route: <sip:{PROXY};lr>, <sip:inner.example;lr>\r\n"
    world, bob, raw, _ = answered(extra=extra)
    proxy = world.raw(PROXY)
    assert raw.responses[-1].headers.get("record-route") == [f"<sip:{PROXY};lr>", "<sip:inner.example;lr>"]
    bob.calls[0].bye()
    world.pass_time(0.1)
    (bye,) = proxy.requests
    assert bye.uri == f"sip:raw@{RAW}:5060"
    assert bye.headers.get("route") == [f"<sip:{PROXY};lr>", "<sip:inner.example;lr>"]


def test_the_caller_routes_by_record_route_reversed() -> None:
    world = World()
    anna, raw, proxy = world.phone(ANNA), world.raw(RAW), world.raw(PROXY)
    invite = called(world, anna, raw)
    raw.reply(
        invite, 200, extra=f"Record-Route: <sip:near.example;lr>\r\nRecord-Route: <sip:{PROXY};lr>\r\n", body=ANSWER
    )
    world.pass_time(0.1)
    anna.calls[0].bye()
    world.pass_time(0.1)
    assert [message.method for message in proxy.requests] == ["ACK", "BYE"]
    for message in proxy.requests:
        assert message.headers.get("route") == [f"<sip:{PROXY};lr>", "<sip:near.example;lr>"]
        assert message.uri == f"sip:raw@{RAW}:5060"


def test_a_strict_router_becomes_the_request_uri() -> None:
    world, bob, _, _ = answered(extra=f"Record-Route: <sip:{PROXY};x=y>, <sip:inner.example;lr>\r\n")
    proxy = world.raw(PROXY)
    bob.calls[0].bye()
    world.pass_time(0.1)
    (bye,) = proxy.requests
    assert bye.uri == f"sip:{PROXY};x=y"
    assert bye.headers.get("route") == ["<sip:inner.example;lr>", f"<sip:raw@{RAW}:5060>"]


def test_a_re_invite_moves_the_peer() -> None:
    world, bob, raw, tag = answered()
    moved = world.raw("192.0.2.77")
    (response,) = raw.ask(
        request(to_tag=tag, cseq=2, branch="z9hG4bK2", body=OFFER, extra="Contact: <sip:raw@192.0.2.77>\r\n"), BOB
    )
    assert response.status == 200
    raw.send(request("ACK", to_tag=tag, cseq=2, branch="z9hG4bKa2"), BOB)
    world.pass_time(0.1)
    assert bob.calls[0].peer_host == "192.0.2.77"
    bob.calls[0].bye()
    world.pass_time(0.1)
    assert [message.method for message in moved.requests] == ["BYE"]


@pytest.mark.parametrize(
    "contact", ["Contact: <sips:x@y>\r\n", "Contact: <sip:a@b>, <sip:c@d>\r\n", "X-Contact: none\r\n"]
)
def test_a_2xx_with_a_useless_contact_is_acknowledged_at_the_target_that_was_called(contact: str) -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    raw.reply(called(world, anna, raw), 200, extra=contact, body=ANSWER)
    world.pass_time(0.1)
    assert [message.method for message in raw.requests] == ["INVITE", "ACK"]
    assert anna.heard.events == [("answered", ANSWER)]


def test_the_first_fork_to_answer_wins_and_the_others_are_ended() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    invite = called(world, anna, raw)
    for tag in ("one", "two"):
        raw.reply(invite, 183, tag=tag, body=tag.encode())
    raw.reply(invite, 200, tag="two", body=ANSWER)
    raw.reply(invite, 200, tag="one", body=SECOND_ANSWER)
    world.pass_time(0.1)
    raw.reply(invite, 200, tag="one", body=SECOND_ANSWER)
    raw.reply(invite, 200, tag="two", body=ANSWER)
    world.pass_time(0.1)
    assert anna.heard.events == [("ringing", 183, b"one"), ("ringing", 183, b"two"), ("answered", ANSWER)]
    sent = [(message.method, message.to_tag) for message in raw.requests if message is not invite]
    # Each copy of a 2xx gets its ACK again, each lost fork one BYE.
    assert sorted(sent) == [("ACK", "one"), ("ACK", "one"), ("ACK", "two"), ("ACK", "two"), ("BYE", "one")]
    assert all(message.via.branch != invite.via.branch for message in raw.requests[1:])
    assert not anna.calls[0].over


def test_a_2xx_without_sdp_takes_the_one_that_came_early_or_ends() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    invite = called(world, anna, raw)
    raw.reply(invite, 183, body=ANSWER)
    raw.reply(invite, 200)
    world.pass_time(0.1)
    bare = called(world, anna, raw)
    raw.reply(bare, 200)
    world.pass_time(0.1)
    assert anna.heard.events[1:] == [("answered", ANSWER), ("failed", 488, "Not Acceptable Here")]
    assert [message.method for message in raw.requests[-2:]] == ["ACK", "BYE"]


def test_the_peer_that_forgot_the_call_ends_it() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    raw.reply(called(world, anna, raw), 200, body=ANSWER)
    world.pass_time(0.1)
    anna.calls[0].info("application/dtmf", b"1")
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 481)
    world.pass_time(0.1)
    assert anna.heard.events[-1] == ("ended", EndCause.LOST)


def test_a_cancelled_invite_nobody_ends_is_given_up_after_32_s() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    raw.reply(called(world, anna, raw), 180)
    world.pass_time(0.1)
    anna.calls[0].cancel()
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 200)
    world.pass_time(33)
    assert anna.heard.events[-1] == ("failed", 487, "Request Terminated")
    world.pass_time(10)
    assert world.quiet()


def test_a_wandering_caller_is_known_by_both_tags_only() -> None:
    _, bob, raw, tag = answered()
    assert raw.ask(request("BYE", to_tag=tag, from_tag="other", cseq=2, branch="z9hG4bK2"), BOB)[0].status == 481
    assert raw.ask(request("BYE", to_tag="other", cseq=2, branch="z9hG4bK3"), BOB)[0].status == 481
    assert raw.ask(request("BYE", to_tag=tag, call_id="other", cseq=2, branch="z9hG4bK4"), BOB)[0].status == 481
    assert not bob.calls[0].over
