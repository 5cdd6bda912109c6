"""Digest on both sides of a call."""

from ipaddress import ip_network

import pytest

from tallylight.telephony.sip.admission import Admission
from tallylight.telephony.sip.board import Credentials
from tallylight.telephony.sip.digest import DigestServer
from tests.telephony.sip.making import ANSWER, SECOND_ANSWER, SECOND_OFFER, Phone, World

ANNA, BOB, RAW = "192.0.2.1", "192.0.2.2", "192.0.2.9"
RIGHT = Credentials(username="anna", password="secret")
WRONG = Credentials(username="anna", password="guess")


def guarded(transport: str = "udp") -> tuple[World, Phone, Phone]:
    world = World()
    digest = DigestServer(realm="tallylight", credentials={"anna": "secret"}, secret=b"s" * 32)
    bob = world.phone(BOB, admission=Admission([ip_network("198.51.100.0/24")], digest))
    return world, world.phone(ANNA), bob


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_challenged_call_is_signed_and_its_caller_known(transport: str) -> None:
    world, anna, bob = guarded()
    call = anna.dial(f"sip:bob@{BOB};transport={transport}", credentials=RIGHT)
    world.pass_time()
    assert anna.heard.names == ["ringing", "answered"]
    (incoming,) = bob.calls
    assert (incoming.identity, incoming.trusted) == ("anna", False)
    call.reoffer(SECOND_OFFER)
    call.bye()
    world.pass_time(60)
    assert bob.heard.names[-1] == "ended"
    assert world.quiet()


@pytest.mark.parametrize("credentials", [None, WRONG])
def test_without_the_right_password_the_call_fails(credentials: Credentials | None) -> None:
    world, anna, bob = guarded()
    anna.dial(f"sip:bob@{BOB}", credentials=credentials)
    world.pass_time(60)
    assert anna.heard.events == [("failed", 401, "Unauthorized")]
    assert bob.calls == []
    sent = [sent for sent in world.internet.sent if sent.data.startswith(b"INVITE")]
    assert len(sent) == (1 if credentials is None else 2)


CHALLENGE = 'Proxy-Authenticate: Digest realm="p", nonce="{nonce}", algorithm=MD5, qop="auth"{stale}\r\n'


def test_a_proxys_challenge_is_answered_once_and_once_more_where_stale() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    anna.dial(f"sip:x@{RAW}", credentials=RIGHT)
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 407, extra=CHALLENGE.format(nonce="1", stale=""))
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 407, extra=CHALLENGE.format(nonce="2", stale=", stale=true"))
    world.pass_time(0.1)
    invites = [message for message in raw.requests if message.method == "INVITE"]
    assert [message.cseq for message in invites] == [1, 2, 3]
    assert len({message.via.branch for message in invites}) == 3
    assert len({(message.call_id, message.from_tag) for message in invites}) == 1
    assert 'nonce="2"' in invites[-1].headers.get("proxy-authorization")[0]
    raw.reply(invites[-1], 200, body=ANSWER)
    world.pass_time(0.1)
    ack = raw.requests[-1]
    # Section 22.1: the ACK bears the same credentials as its INVITE, because it cannot be challenged.
    assert ack.method == "ACK"
    assert ack.headers.get("proxy-authorization") == invites[-1].headers.get("proxy-authorization")


def test_a_third_challenge_is_a_refusal() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    anna.dial(f"sip:x@{RAW}", credentials=RIGHT)
    for nonce in range(3):
        world.pass_time(0.1)
        raw.reply(raw.requests[-1], 407, extra=CHALLENGE.format(nonce=nonce, stale=", stale=true"))
    world.pass_time(0.1)
    assert anna.heard.events == [("failed", 407, "Whatever")]


def test_a_challenge_we_cannot_answer_is_a_refusal() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    anna.dial(f"sip:x@{RAW}", credentials=RIGHT)
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 401, extra='WWW-Authenticate: Bearer realm="x"\r\n')
    world.pass_time(0.1)
    assert anna.heard.events == [("failed", 401, "Whatever")]


def test_a_proxy_and_its_callee_may_both_ask() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    anna.dial(f"sip:x@{RAW}", credentials=RIGHT)
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 407, extra=CHALLENGE.format(nonce="1", stale=""))
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 401, extra='WWW-Authenticate: Digest realm="c", nonce="2"\r\n')
    world.pass_time(0.1)
    invite = raw.requests[-1]
    assert invite.method == "INVITE"
    assert invite.headers.get("proxy-authorization")
    assert invite.headers.get("authorization")


def test_requests_within_the_call_are_signed_too() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    call = anna.dial(f"sip:x@{RAW}", credentials=RIGHT)
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 200, body=ANSWER)
    world.pass_time(0.1)
    answers: list[object] = []
    call.reoffer(SECOND_OFFER, answers.append)
    world.pass_time(0.1)
    raw.reply(raw.requests[-1], 407, extra=CHALLENGE.format(nonce="9", stale=""))
    world.pass_time(0.1)
    signed = raw.requests[-1]
    assert (signed.method, signed.cseq) == ("INVITE", 3)
    raw.reply(signed, 200, body=SECOND_ANSWER)
    world.pass_time(0.1)
    assert answers == [SECOND_ANSWER]


def test_a_cancelled_call_answers_no_challenge() -> None:
    world = World()
    anna, raw = world.phone(ANNA), world.raw(RAW)
    call = anna.dial(f"sip:x@{RAW}", credentials=RIGHT)
    world.pass_time(0.1)
    call.cancel()
    raw.reply(raw.requests[-1], 407, extra=CHALLENGE.format(nonce="1", stale=""))
    world.pass_time(0.1)
    assert anna.heard.events == [("failed", 487, "Request Terminated")]
    assert [message.method for message in raw.requests] == ["INVITE", "ACK"]


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(RIGHT)
