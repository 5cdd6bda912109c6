"""The codec: what is read, what is refused with which status, what is dropped."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.sip.codec import (
    MAX_BODY,
    MAX_HEAD,
    Malformed,
    Request,
    Response,
    parse,
    request_bytes,
    response_bytes,
)
from tallylight.telephony.sip.errors import SipError
from tests import needs
from tests.telephony.sip import fuzz_codec
from tests.telephony.sip.making import OFFER, request

RESPONSE = (
    b"SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK7\r\nFrom: <sip:a@x>;tag=f\r\n"
    b"To: <sip:b@y>;tag=t\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
)


def read(data: bytes, *, framed: bool = False) -> Request:
    message = parse(data, framed=framed)
    assert isinstance(message, Request)
    return message


def status_of(data: bytes, *, framed: bool = False) -> tuple[int, bool]:
    """The refusal's status, and whether it can be addressed."""
    with pytest.raises(Malformed) as caught:
        parse(data, framed=framed)
    return caught.value.status, caught.value.request is not None


def test_a_request_is_read() -> None:
    message = read(request(body=OFFER, to_tag="there"))
    assert (message.method, message.uri, message.cseq) == ("INVITE", "sip:bob@192.0.2.2", 1)
    assert (message.call_id, message.from_tag, message.to_tag) == ("call-1", "fromraw", "there")
    assert (message.via.host, message.via.port, message.via.branch) == ("192.0.2.9", 5060, "z9hG4bKraw1")
    assert message.via.wants_rport
    assert message.body == OFFER


def test_a_response_is_read() -> None:
    message = parse(RESPONSE)
    assert isinstance(message, Response)
    assert (message.status, message.phrase, message.method, message.branch) == (180, "Ringing", "INVITE", "z9hG4bK7")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(OFFER, b"").replace(b"\r\n", b"\n") + OFFER,
        lambda data: data.replace(b"SIP/2.0\r\nVia", b"sip/2.0\r\nVia"),
        lambda data: b"\r\n\r\n" + data,
        lambda data: data.replace(b"Max-Forwards: 70\r\n", b""),
        lambda data: (
            data.replace(b"Via:", b"v:").replace(b"From:", b"f:").replace(b"To:", b"t:").replace(b"Call-ID", b"i")
        ),
        lambda data: data.replace(b"Content-Length:", b"l:").replace(b"Content-Type", b"c"),
        lambda data: data.replace(b"Content-Length: ", b"Content-Length:\r\n  "),
        lambda data: data.replace(b"CSeq: 1 INVITE", b"CSEQ :\t1\r\n  INVITE"),
        lambda data: data.replace(b"SIP/2.0/UDP ", b"SIP / 2.0 / UDP\r\n   "),
        lambda data: re.sub(rb"Content-Length: [0-9]+\r\n", b"", data),
        lambda data: data.replace(b"From: <", b'From: "A, \\"B\\" <x>;tag=no" <'),
        lambda data: data.replace(b"From: <", b"From: J\xfcrgen <"),
        lambda data: data.replace(b"From: <", "From: Jürgen <".encode()),
        lambda data: data + b"\r\n\r\nmore than Content-Length",
    ],
    ids=[
        "bare LF",
        "sip/2.0",
        "CRLF before",
        "no Max-Forwards",
        "compact",
        "compact body",
        "folded length",
        "folded CSeq",
        "blanks in Via",
        "no length on UDP",
        "quotes",
        "Latin-1",
        "UTF-8",
        "longer datagram",
    ],
)
def test_unusual_spelling_is_accepted(change: Callable[[bytes], bytes]) -> None:
    plain = read(request(body=OFFER))
    odd = read(change(request(body=OFFER)))
    assert (odd.method, odd.uri, odd.call_id, odd.cseq) == (plain.method, plain.uri, plain.call_id, plain.cseq)
    assert (odd.from_tag, odd.via.branch, odd.via.host) == (plain.from_tag, plain.via.branch, plain.via.host)
    assert odd.body == OFFER


def test_a_missing_reason_phrase_is_filled_in() -> None:
    for line in (b"SIP/2.0 180\r\n", b"SIP/2.0 180 \r\n", b"sip/2.0 180\r\n"):
        message = parse(RESPONSE.replace(b"SIP/2.0 180 Ringing\r\n", line))
        assert isinstance(message, Response)
        assert (message.status, message.phrase) == (180, "Ringing")


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia", 505),
        (b"SIP/2.0\r\nVia", b"HTTP/1.1\r\nVia", 400),
        (b"INVITE sip:bob@192.0.2.2 ", b"INVITE <sip:bob@192.0.2.2> ", 400),
        (b"INVITE sip:bob@192.0.2.2 ", b"INVITE ", 400),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE", 400),
        (b"CSeq: 1 INVITE", b"CSeq: 2147483648 INVITE", 400),
        (b"CSeq: 1 INVITE", b"CSeq: one INVITE", 400),
        (b"CSeq: 1 INVITE", b"CSeq: -1 INVITE", 400),
        (b"Call-ID: call-1", b"Call-ID:", 400),
        (b"Max-Forwards: 70", b"Max-Forwards: many", 400),
        (b"Max-Forwards: 70", b"Max-Forwards: 256", 400),
        (b"Content-Length: 47", b"Content-Length: x", 400),
        (b"Content-Length: 47", b"Content-Length: -1", 400),
        (b"Content-Length: 47", b"Content-Length: 48", 400),
        (b"Content-Length: 47", b"Content-Length: 47\r\nContent-Length: 2", 400),
        (b"Content-Length: 47", b"Content-Length: 999999", 413),
    ],
)
def test_what_is_wrong_is_refused_with_its_status(old: bytes, new: bytes, status: int) -> None:
    data = request(body=OFFER)
    assert old in data
    assert status_of(data.replace(old, new, 1)) == (status, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Via: ", b"Pia: "),
        (b"From: ", b"Drom: "),
        (b"To: ", b"Do: "),
        (b"Call-ID: call-1\r\n", b""),
        (b"Call-ID: call-1\r\n", b"Call-ID: call-1\r\nCall-ID: call-2\r\n"),
        (b"CSeq: 1 INVITE\r\n", b""),
        (b"CSeq: 1 INVITE\r\n", b"CSeq: 1 INVITE\r\nCSeq: 1 INVITE\r\n"),
        (b"Via: SIP/2.0/UDP", b"Via: nonsense"),
        (b"192.0.2.9:5060;branch", b"192.0.2.9:99999;branch"),
    ],
)
def test_what_cannot_be_answered_is_marked_so(old: bytes, new: bytes) -> None:
    data = request()
    assert old in data
    assert status_of(data.replace(old, new, 1)) == (400, False)


def test_a_broken_ack_is_never_answered() -> None:
    assert status_of(request("ACK", cseq_method="BYE")) == (400, False)


def test_a_stream_needs_content_length() -> None:
    data = re.sub(rb"Content-Length: [0-9]+\r\n", b"", request())
    assert parse(data)
    assert status_of(data, framed=True) == (400, True)


def test_sizes_are_bounded() -> None:
    assert status_of(request(extra="X: " + "y" * MAX_HEAD + "\r\n")) == (513, True)
    assert status_of(request(body=b"x" * (MAX_BODY + 1))) == (413, True)
    assert status_of(request(extra="".join(f"X{number}: y\r\n" for number in range(300)))) == (400, False)


@pytest.mark.parametrize(
    "data", [b"", b"\r\n\r\n", b"\0" * 40, b"GET / HTTP/1.1\r\n\r\n", b"\xff\xfe" * 30, b"SIP/2.0"]
)
def test_noise_is_malformed(data: bytes) -> None:
    assert status_of(data) == (400, False)


@pytest.mark.parametrize("line", [b"SIP/2.0 99 Low", b"SIP/2.0 700 High", b"SIP/2.0 20 Short", b"SIP/1.0 200 Old"])
def test_a_response_out_of_range_is_malformed(line: bytes) -> None:
    assert status_of(RESPONSE.replace(b"SIP/2.0 180 Ringing", line)) == (400, False)


def test_what_we_write_cannot_smuggle_headers() -> None:
    with pytest.raises(SipError, match="line break"):
        request_bytes("INFO", "sip:x@y", [("Subject", "a\r\nVia: b")], b"")
    with pytest.raises(SipError, match="not Unicode"):
        response_bytes(200, "\ud800", [], b"")


def test_several_values_in_one_line_keep_their_order() -> None:
    message = read(request(extra="Record-Route: <sip:p1;lr>, <sip:p2;lr>\r\nRecord-Route: <sip:p3;lr>\r\n"))
    assert message.headers.get("record-route") == ["<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"]


@needs.shared("samples", "siprec")
def test_messages_of_real_recording_clients_are_read() -> None:
    folder = needs.SHARED / "samples" / "siprec"
    fill = {
        b"[transport]": b"UDP",
        b"[branch]": b"z9hG4bK1",
        b"[call_id]": b"1@192.0.2.1",
        b"[cseq]": b"1",
        b"[peer_tag_param]": b";tag=peer",
    }
    read_so_far = 0
    for path in sorted(folder.rglob("*.txt")):
        data = path.read_bytes()
        if not re.match(rb"[A-Z]+ sip:", data):
            continue
        for name, value in fill.items():
            data = data.replace(name, value)
        data = re.sub(rb"\[[a-z_]*port[^\]]*\]", b"5062", data)
        data = re.sub(rb"\[[a-z_]*ip\]", b"192.0.2.1", data)
        data = re.sub(rb"\[[^\]\s]*\]", b"7", data)
        # The length of a body whose placeholders were filled in is no longer the template's.
        data = re.sub(rb"(?im)^Content-Length: ?7\n", b"", data, count=1)
        for spelling in (data, data.replace(b"\n", b"\r\n")):
            message = read(spelling)
            assert message.method in ("INVITE", "UPDATE"), path.name
            assert message.body, path.name
            read_so_far += 1
    assert read_so_far >= 36


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_malformed(data: bytes) -> None:
    fuzz_codec.fuzz_one(data)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 700), st.one_of(st.binary(max_size=6), st.sampled_from([b"\r\n", b";", b",", b"<", b'"']))
        ),
        max_size=6,
    ),
    st.sampled_from([request(body=OFFER), request("BYE", to_tag="x"), RESPONSE]),
)
def test_a_damaged_message_is_read_or_malformed(damage: list[tuple[int, bytes]], message: bytes) -> None:
    for position, noise in damage:
        position %= len(message)
        message = message[:position] + noise + message[position + len(noise) // 2 :]
    fuzz_codec.fuzz_one(message)
