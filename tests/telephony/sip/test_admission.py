"""The door: peers by address, others by credentials, and silence for whoever keeps knocking."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.sip.admission import (
    Admission,
    Admit,
    Challenge,
    Forbid,
    Judgement,
    Limits,
    Silence,
)
from tallylight.telephony.sip.digest import DigestServer, answer_challenge

NOW = 1_790_000_000_000
URI = "sip:agent@example.org"
STRANGER = "198.51.100.7"
LOCAL = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


def door(*, credentials: bool = False, limits: Limits | None = None) -> Admission:
    digest = DigestServer("tallylight", {"alice": "secret"}, b"k") if credentials else None
    return Admission(LOCAL, digest, limits)


def ask(admission: Admission, ip: str = STRANGER, authorization: str | None = None, now_ms: int = NOW) -> Judgement:
    return admission.judge(ip, method="INVITE", uri=URI, authorization=authorization, body=b"", now_ms=now_ms)


def sign(challenge: Judgement, *, password: str = "secret", nc: int = 1) -> str:
    assert isinstance(challenge, Challenge)
    return answer_challenge(
        challenge.headers,
        method="INVITE",
        uri=URI,
        username="alice",
        password=password,
        body=b"",
        cnonce="c",
        nc=nc,
    )


@pytest.mark.parametrize("ip", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_a_listed_address_comes_in(ip: str) -> None:
    assert ask(door(), ip) == Admit(identity=None, trusted=True)


@pytest.mark.parametrize("ip", [STRANGER, "::2", "::ffff:198.51.100.7"])
def test_an_unlisted_address_is_forbidden_where_there_are_no_credentials(ip: str) -> None:
    assert ask(door(), ip) == Forbid()
    assert ask(door(), ip, authorization='Digest username="alice"') == Forbid()


def test_an_address_that_is_none_gets_silence() -> None:
    assert ask(door(credentials=True), "not an address") == Silence()


def test_a_stranger_is_challenged_and_comes_in_with_the_password() -> None:
    admission = door(credentials=True)
    challenge = ask(admission)
    assert isinstance(challenge, Challenge)
    assert [header.partition(" ")[0] for header in challenge.headers] == ["Digest"]
    assert ask(admission, authorization=sign(challenge)) == Admit(identity="alice", trusted=False)


def test_a_wrong_password_is_challenged_anew_and_a_used_nonce_says_stale() -> None:
    admission = door(credentials=True)
    challenge = ask(admission)
    wrong = ask(admission, authorization=sign(challenge, password="guess"))
    assert isinstance(wrong, Challenge)
    assert "stale" not in wrong.headers[0]
    assert isinstance(ask(admission, authorization=sign(challenge)), Admit)
    replayed = ask(admission, authorization=sign(challenge))
    assert isinstance(replayed, Challenge)
    assert replayed.headers[0].endswith("stale=true")


def test_a_listed_peer_still_needs_the_password_for_what_only_a_user_may_ask() -> None:
    admission = door(credentials=True)

    def ask_as_user(authorization: str | None) -> Judgement:
        return admission.judge_credentials(
            "127.0.0.1", method="INVITE", uri=URI, authorization=authorization, body=b"", now_ms=NOW
        )

    challenge = ask_as_user(None)
    assert ask_as_user(sign(challenge)) == Admit(identity="alice", trusted=True)
    closed = door().judge_credentials("127.0.0.1", method="INVITE", uri=URI, authorization=None, body=b"", now_ms=NOW)
    assert closed == Forbid()


@pytest.mark.parametrize("credentials", [False, True])
def test_refusals_are_limited_per_address_and_then_there_is_silence(credentials: bool) -> None:
    admission = door(credentials=credentials, limits=Limits(burst=3, per_second=0.5))
    answers = [ask(admission) for _ in range(5)]
    assert [isinstance(answer, Silence) for answer in answers] == [False, False, False, True, True]
    assert admission.silenced == 2
    assert not isinstance(ask(admission, "198.51.100.8"), Silence), "another address is not punished"
    assert isinstance(ask(admission, now_ms=NOW + 1_999), Silence)
    assert not isinstance(ask(admission, now_ms=NOW + 2_000), Silence)
    assert isinstance(ask(admission, now_ms=NOW + 2_001), Silence)


def test_guessing_is_limited_even_when_the_guess_is_right() -> None:
    admission = door(credentials=True, limits=Limits(burst=2, per_second=0.001))
    challenge = ask(admission)
    ask(admission, authorization=sign(challenge, password="guess"))
    assert ask(admission, authorization=sign(challenge)) == Silence()


def test_who_signs_in_properly_never_runs_out() -> None:
    admission = door(credentials=True, limits=Limits(burst=2, per_second=0))
    for _ in range(20):
        assert isinstance(ask(admission, authorization=sign(ask(admission))), Admit)


def test_a_listed_address_is_never_limited() -> None:
    admission = door(limits=Limits(burst=1, per_second=0, overall_burst=1, overall_per_second=0))
    assert [ask(admission, "127.0.0.1") for _ in range(50)] == [Admit(identity=None, trusted=True)] * 50


def test_all_strangers_together_are_limited_too() -> None:
    """Forged source addresses: each is new, so only the limit over all keeps us from answering their victims."""
    admission = door(limits=Limits(overall_burst=5, overall_per_second=1))
    answers = [ask(admission, f"198.51.100.{host}") for host in range(20)]
    assert answers == [Forbid()] * 5 + [Silence()] * 15
    assert ask(admission, "203.0.113.1", now_ms=NOW + 1000) == Forbid()


def test_one_ipv6_network_is_one_address() -> None:
    admission = door(limits=Limits(burst=1, per_second=0))
    assert ask(admission, "2001:db8::1") == Forbid()
    assert ask(admission, "2001:db8::2") == Silence()
    assert ask(admission, "2001:db8:0:1::2") == Forbid()


def test_the_table_of_addresses_is_bounded_and_forgets_the_longest_unheard() -> None:
    admission = door(limits=Limits(burst=1, per_second=0, addresses=2))
    assert ask(admission, "198.51.100.1") == Forbid()
    assert ask(admission, "198.51.100.2") == Forbid()
    assert ask(admission, "198.51.100.1") == Silence()
    assert ask(admission, "198.51.100.3") == Forbid()
    assert ask(admission, "198.51.100.1") == Silence(), "still remembered"
    assert ask(admission, "198.51.100.2") == Forbid(), "forgotten, and so new again"


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3_000)), max_size=60),
    st.integers(1, 5),
    st.sampled_from([0.0, 0.5, 2.0]),
)
def test_no_address_ever_gets_more_answers_than_its_bucket(
    requests: list[tuple[int, int]], burst: int, per_second: float
) -> None:
    admission = door(limits=Limits(burst=burst, per_second=per_second))
    now_ms, answered = NOW, [0, 0, 0, 0]
    for host, passed_ms in requests:
        now_ms += passed_ms
        answered[host] += not isinstance(ask(admission, f"198.51.100.{host}", now_ms=now_ms), Silence)
    assert max(answered) <= burst + (now_ms - NOW) * per_second / 1000


@given(st.text(max_size=30), st.text(max_size=200))
def test_garbage_never_raises_and_never_comes_in(ip: str, authorization: str) -> None:
    admission = Admission([], DigestServer("tallylight", {"alice": "secret"}, b"k"))
    assert not isinstance(ask(admission, ip, authorization), Admit)
    assert isinstance(ask(admission, STRANGER, authorization), Challenge)
