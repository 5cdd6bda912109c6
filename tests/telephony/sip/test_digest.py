"""Digest authentication: the RFCs' own examples, our two sides against each other, and all that must be refused."""

import re

import pytest
from aiosipua.auth import SipDigestAuth, build_credentials
from aiosipua.headers import parse_auth, stringify_auth
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.sip.digest import (
    Algorithm,
    DigestServer,
    DigestUnsupported,
    Ha1,
    Reason,
    Refused,
    Verified,
    answer_challenge,
    is_stale,
    make_ha1,
)
from tests.telephony.sip.fuzz_digest import fuzz_one

NOW = 1_790_000_000_000
URI = "sip:agent@example.org"
BODY = b"v=0\r\n"
LIFE_MS = 300_000
BOTH = (Algorithm.SHA_256, Algorithm.MD5)

names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


def make_server(**users: str | Ha1) -> DigestServer:
    return DigestServer("tallylight", users or {"alice": "wonder land"}, b"k" * 32, algorithms=BOTH)


def sign(
    challenges: tuple[str, ...] | str,
    *,
    method: str = "INVITE",
    uri: str = URI,
    username: str = "alice",
    password: str = "wonder land",
    body: bytes = BODY,
    nc: int = 1,
) -> str:
    return answer_challenge(
        challenges, method=method, uri=uri, username=username, password=password, body=body, cnonce="0a4f113b", nc=nc
    )


def judge(
    server: DigestServer, header: str, *, method: str = "INVITE", uri: str = URI, body: bytes = BODY, now_ms: int = NOW
) -> Verified | Refused:
    return server.verify(header, method=method, uri=uri, body=body, now_ms=now_ms)


def refusal(verdict: Verified | Refused) -> tuple[bool, Reason]:
    assert isinstance(verdict, Refused), "should have been refused"
    return verdict.stale, verdict.reason


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    challenge = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        f"algorithm={algorithm}, "
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    header = answer_challenge(
        challenge,
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle of Life",
        body=b"",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        nc=1,
    )
    assert f'response="{response}"' in header
    assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in header
    assert "qop=auth, nc=00000001" in header


def test_a_server_of_rfc_2069_without_qop_is_still_answered() -> None:
    """RFC 2617 section 3.5's user at a server that offers no qop; digest by hand: MD5(HA1:nonce:HA2)."""
    header = answer_challenge(
        'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
        method="GET",
        uri="/dir/index.html",
        username="Mufasa",
        password="Circle Of Life",
        body=b"",
        cnonce="unused",
        nc=1,
    )
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in header
    assert "qop" not in header
    assert "cnonce" not in header
    assert "algorithm" not in header


@pytest.mark.parametrize("algorithm", [Algorithm.MD5, Algorithm.SHA_256])
@pytest.mark.parametrize("qop", ["auth", "auth-int"])
def test_a_password_proven_is_verified(algorithm: Algorithm, qop: str) -> None:
    server = make_server()
    (challenge,) = (value for value in server.challenge(NOW) if f"algorithm={algorithm.value}," in value)
    header = sign(challenge.replace('qop="auth"', f'qop="{qop}"'))
    assert f"qop={qop}" in header
    assert judge(server, header, now_ms=NOW + 100) == Verified(user="alice")


def test_md5_alone_is_offered_unless_told_otherwise() -> None:
    """Debian 12's baresip fails a call whose challenges hold SHA-256 at all, its sipp where it stands first."""
    server = DigestServer("tallylight", {"alice": "wonder land"}, b"k")
    (only,) = server.challenge(NOW)
    assert "algorithm=MD5" in only
    assert judge(server, sign(only)) == Verified(user="alice")
    assert refusal(judge(server, sign(make_server().challenge(NOW)))) == (False, Reason.ALGORITHM)


def test_sha_256_comes_first_and_both_share_a_nonce() -> None:
    first, second = make_server().challenge(NOW)
    assert first.startswith('Digest realm="tallylight", nonce="')
    assert "algorithm=SHA-256" in first
    assert "algorithm=MD5" in second
    assert re.findall('nonce="(.*?)"', first) == re.findall('nonce="(.*?)"', second)
    assert "algorithm=SHA-256" in sign((first, second))


def test_another_implementation_signs_what_we_verify() -> None:
    server = make_server()
    for nc, value in enumerate(server.challenge(NOW), 1):
        credentials = build_credentials(
            SipDigestAuth("alice", "wonder land"), parse_auth(value), "INVITE", URI, nonce_count=nc
        )
        assert credentials is not None
        assert judge(server, stringify_auth(credentials)) == Verified(user="alice")


def test_stored_hashes_serve_instead_of_passwords() -> None:
    hashed = make_ha1("alice", "tallylight", "wonder land", Algorithm.MD5)
    server = make_server(alice=Ha1(md5=hashed))
    sha256, md5 = server.challenge(NOW)
    assert judge(server, sign(md5)) == Verified(user="alice")
    assert refusal(judge(server, sign(sha256))) == (False, Reason.WRONG)


def test_a_nonce_expires_and_says_so_only_to_who_knows_the_password() -> None:
    server = make_server()
    header = sign(server.challenge(NOW))
    assert judge(server, header, now_ms=NOW + LIFE_MS - 1) == Verified(user="alice")
    late = sign(server.challenge(NOW), nc=2)
    assert refusal(judge(server, late, now_ms=NOW + LIFE_MS)) == (True, Reason.EXPIRED)
    guess = sign(server.challenge(NOW), password="wrong")
    assert refusal(judge(server, guess, now_ms=NOW + LIFE_MS)) == (False, Reason.WRONG)
    assert refusal(judge(server, late, now_ms=NOW - 1)) == (True, Reason.EXPIRED)


def test_a_nonce_count_serves_once() -> None:
    server = make_server()
    challenge = server.challenge(NOW)
    third = sign(challenge, nc=3)
    assert judge(server, third) == Verified(user="alice")
    assert refusal(judge(server, third)) == (True, Reason.REPLAYED)
    assert refusal(judge(server, sign(challenge, nc=2))) == (True, Reason.REPLAYED)
    assert judge(server, sign(challenge, nc=4)) == Verified(user="alice")
    assert refusal(judge(server, sign(server.challenge(NOW), nc=0))) == (True, Reason.REPLAYED)


def test_a_wrong_guess_does_not_use_up_a_count() -> None:
    server = make_server()
    challenge = server.challenge(NOW)
    assert refusal(judge(server, sign(challenge, nc=9, password="x"))) == (False, Reason.WRONG)
    assert judge(server, sign(challenge, nc=1)) == Verified(user="alice")


def test_the_table_of_counts_is_bounded_and_a_forgotten_count_is_no_second_chance() -> None:
    server = DigestServer("tallylight", {"alice": "wonder land"}, b"k", max_nonces=3)
    headers = [sign(server.challenge(NOW + i)) for i in range(5)]
    for header in headers:
        assert judge(server, header, now_ms=NOW + 10) == Verified(user="alice")
    assert [refusal(judge(server, header, now_ms=NOW + 10))[1] for header in headers] == [
        Reason.EXPIRED,
        Reason.EXPIRED,
        Reason.REPLAYED,
        Reason.REPLAYED,
        Reason.REPLAYED,
    ]


def test_nonces_of_another_process_are_stale() -> None:
    other = DigestServer("tallylight", {"alice": "wonder land"}, b"other secret")
    assert refusal(judge(make_server(), sign(other.challenge(NOW)))) == (True, Reason.FOREIGN_NONCE)
    made_up = sign('Digest realm="tallylight", nonce="0", qop="auth"')
    assert refusal(judge(make_server(), made_up)) == (True, Reason.FOREIGN_NONCE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('username="alice"', 'username="bob"'), Reason.WRONG),
        (('username="alice"', 'username="nobody"'), Reason.WRONG),
        (('realm="tallylight"', 'realm="elsewhere"'), Reason.OTHER_REALM),
        ((f'uri="{URI}"', 'uri="sip:boss@example.org"'), Reason.OTHER_URI),
        ((f'uri="{URI}"', f'uri="{URI};x=1"'), Reason.WRONG),
        (('cnonce="0a4f113b"', 'cnonce="0a4f113c"'), Reason.WRONG),
        (('cnonce="0a4f113b"', 'cnonce=""'), Reason.MALFORMED),
        (("nc=00000001", "nc=00000002"), Reason.WRONG),
        (("nc=00000001", "nc=1"), Reason.MALFORMED),
        (("qop=auth", "qop=auth-int"), Reason.WRONG),
        (("qop=auth", "qop=none"), Reason.NO_QOP),
        ((", qop=auth", ""), Reason.NO_QOP),
        (("algorithm=SHA-256", "algorithm=MD5"), Reason.WRONG),
        (("algorithm=SHA-256", "algorithm=SHA-512-256"), Reason.ALGORITHM),
        (("algorithm=SHA-256", "algorithm=SHA-256-sess"), Reason.ALGORITHM),
        (('response="', 'response="0'), Reason.WRONG),
        (('response="', 'response="\N{LATIN SMALL LETTER E WITH ACUTE}'), Reason.WRONG),
        (("Digest ", "Basic "), Reason.MALFORMED),
        (("Digest ", "Digest username=x, "), Reason.MALFORMED),
        (("Digest ", 'Digest realm="tallylight", Digest '), Reason.MALFORMED),
        (("Digest ", ""), Reason.MALFORMED),
        (("nonce=", "once="), Reason.MALFORMED),
    ],
)
def test_a_changed_credential_is_refused(change: tuple[str, str], reason: Reason) -> None:
    server = make_server(alice="wonder land", bob="builder")
    header = sign(server.challenge(NOW))
    changed = header.replace(*change, 1)
    assert changed != header
    assert refusal(judge(server, changed)) == (False, reason)
    assert judge(server, header) == Verified(user="alice")


def test_a_credential_serves_its_own_request_only() -> None:
    server = make_server()
    header = sign(server.challenge(NOW)[0].replace('"auth"', '"auth-int"'))
    assert refusal(judge(server, header, method="BYE")) == (False, Reason.WRONG)
    assert refusal(judge(server, header, uri="sip:agent@example.com")) == (False, Reason.OTHER_URI)
    assert refusal(judge(server, header, body=BODY + b"a")) == (False, Reason.WRONG)
    assert judge(server, header, uri="sip:agent@EXAMPLE.org:5060;transport=tcp") == Verified(user="alice")


def test_a_credential_for_the_whole_server_serves_every_user_of_it() -> None:
    """sipp 3.6 signs for `sip:ADDRESS:PORT`."""
    server = make_server()
    assert judge(server, sign(server.challenge(NOW), uri="sip:192.0.2.1:5070")) == Verified(user="alice")


@given(
    field=st.sampled_from(["username", "realm", "nonce", "uri", "response", "algorithm", "qop", "nc", "cnonce"]),
    position=st.integers(0, 100),
    replacement=st.characters(exclude_categories=["Cs"]),
)
def test_any_one_character_of_any_value_changed_is_refused(field: str, position: int, replacement: str) -> None:
    server = make_server()
    header = sign(server.challenge(NOW)[1])
    value = re.search(f'{field}="?([^",]+)', header)
    assert value is not None
    position = value.start(1) + position % len(value[1])
    changed = header[:position] + replacement + header[position + 1 :]
    same = header[position].lower() == replacement.lower() if field == "algorithm" else header[position] == replacement
    assert isinstance(judge(server, changed), Verified if same else Refused)


@given(
    user=names,
    password=names,
    realm=names,
    body=st.binary(max_size=40),
    nc=st.integers(1, 0xFFFFFFFF),
    algorithm=st.sampled_from(list(Algorithm)),
)
def test_every_name_and_password_round_trips(
    user: str, password: str, realm: str, body: bytes, nc: int, algorithm: Algorithm
) -> None:
    server = DigestServer(realm, {user: password}, b"secret", algorithms=(algorithm,))
    for now_ms in (NOW, NOW + 1):
        (challenge,) = server.challenge(now_ms)
        header = sign(challenge, username=user, password=password, body=body, nc=nc)
        assert judge(server, header, body=body, now_ms=now_ms) == Verified(user=user)


@given(st.binary(max_size=300))
def test_garbage_never_raises(data: bytes) -> None:
    fuzz_one(data)
    fuzz_one(b"Digest " + data)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["username", "realm", "nonce", "uri", "response", "qop", "nc", "cnonce", "algorithm"]),
            st.one_of(names, st.sampled_from(["fuzz", "user", "auth", "00000001", "MD5", "MD5-sess"])),
        ),
        max_size=12,
    )
)
def test_nearly_well_formed_credentials_never_raise(fields: list[tuple[str, str]]) -> None:
    fuzz_one(("Digest " + ", ".join(f'{name}="{value}"' for name, value in fields)).encode())


def test_an_endless_header_is_malformed() -> None:
    verdict = judge(make_server(), sign(make_server().challenge(NOW)) + ", x=" + "a" * 5000)
    assert refusal(verdict) == (False, Reason.MALFORMED)


def test_a_peer_that_wants_something_else_is_reported() -> None:
    with pytest.raises(DigestUnsupported, match="Digest with MD5 or SHA-256") as caught:
        sign(("Basic realm=x", 'Digest realm="x", nonce="1", algorithm=AKAv1-MD5', 'Digest realm="x"'))
    assert caught.value.status == 401


def test_several_challenges_in_one_header_and_session_algorithms_are_answered() -> None:
    header = sign('Digest realm="a, Digest b", nonce="1", algorithm=X, Digest realm="r", nonce="2", algorithm=MD5-sess')
    assert 'realm="r"' in header
    assert 'cnonce="0a4f113b"' in header
    assert "algorithm=MD5-sess" in header


def test_a_client_sees_that_only_the_nonce_is_stale() -> None:
    server = make_server()
    assert is_stale(server.challenge(NOW, stale=True))
    assert not is_stale(server.challenge(NOW))
