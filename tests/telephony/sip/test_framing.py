"""Messages out of a byte stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.sip.codec import MAX_BODY, MAX_HEAD, Malformed, parse
from tallylight.telephony.sip.framing import PING, Framer
from tests.telephony.sip.making import OFFER, request

MESSAGES = [request(body=OFFER), request("BYE", to_tag="x"), request("INFO", body=b"\r\n\r\nBYE x\r\n\r\n", to_tag="x")]


@given(st.lists(st.sampled_from([*MESSAGES, PING]), max_size=6), st.lists(st.integers(1, 300), min_size=1, max_size=40))
def test_any_cut_gives_the_same_messages(parts: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(parts)
    framer = Framer()
    found: list[bytes] = []
    position = index = 0
    while position < len(stream):
        size = sizes[index % len(sizes)]
        found += framer.feed(stream[position : position + size])
        position, index = position + size, index + 1
    assert found == [part for part in parts if part != PING]
    assert framer.pings == parts.count(PING)
    assert not framer.waiting
    assert not framer.broken


def test_a_single_line_end_between_messages_is_no_ping() -> None:
    framer = Framer()
    assert framer.feed(MESSAGES[0] + b"\r\n" + MESSAGES[1] + b"\r\n") == MESSAGES[:2]
    assert framer.pings == 0
    assert not framer.waiting


@pytest.mark.parametrize(
    "data",
    [
        MESSAGES[0].replace(b"Content-Length", b"Content-Width"),
        MESSAGES[0].replace(b"Content-Length: 47", b"Content-Length: 47\r\nl: 3"),
        MESSAGES[0].replace(b"Content-Length: 47", b"Content-Length: x"),
        MESSAGES[0].replace(b"Content-Length: 47", b"Content-Length: %d" % (MAX_BODY + 1)),
        MESSAGES[0].replace(b"Max-Forwards: 70", b"X: " + b"y" * MAX_HEAD),
        b"z" * (MAX_HEAD + 1),
    ],
    ids=["no length", "two lengths", "no number", "body too long", "head too long", "noise"],
)
def test_a_stream_that_cannot_be_framed_is_broken_and_what_stands_there_is_malformed(data: bytes) -> None:
    framer = Framer()
    (rest,) = framer.feed(data)
    assert framer.broken
    assert framer.feed(MESSAGES[0]) == []
    with pytest.raises(Malformed):
        parse(rest, framed=True)


def test_what_waits_is_known() -> None:
    framer = Framer()
    assert framer.feed(MESSAGES[0][:50]) == []
    assert framer.waiting
    assert framer.feed(MESSAGES[0][50:]) == [MESSAGES[0]]
    assert not framer.waiting
