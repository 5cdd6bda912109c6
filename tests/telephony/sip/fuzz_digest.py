"""Fuzz target: credentials and challenges from anybody are refused or not understood, and nothing else happens."""

from contextlib import suppress

from tallylight.telephony.sip.digest import DigestServer, DigestUnsupported, Refused, answer_challenge, is_stale


def fuzz_one(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    server = DigestServer("fuzz", {"user": "password"}, b"secret")
    assert isinstance(server.verify(text, method="INVITE", uri="sip:a@b", body=data, now_ms=0), Refused)
    is_stale(text)
    with suppress(DigestUnsupported):
        answer_challenge(
            text, method="INVITE", uri="sip:a@b", username="user", password="password", body=data, cnonce="c", nc=1
        )
