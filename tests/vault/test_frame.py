"""The chunk frame on bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.ids import DecisionId, id_text
from tallylight.vault.errors import FrameError
from tallylight.vault.frame import (
    MAX_MS,
    MAX_PAYLOAD,
    Frame,
    FrameKind,
    MediaType,
    parse,
    parse_all,
    parse_stream,
    serialise,
    serialise_all,
)
from tests.vault import fuzz_frame
from tests.vault.making import DECISION, mark, media

_ids = st.binary(min_size=16, max_size=16).map(lambda value: DecisionId(id_text(value)))
_ms = st.integers(0, MAX_MS >> 3)
frames = st.one_of(
    st.builds(
        Frame,
        start_ms=_ms,
        duration_ms=_ms,
        media=st.sampled_from([MediaType.PCMU, MediaType.PCMA]),
        source=st.sampled_from([0, 1]),
        kind=st.just(FrameKind.MEDIA),
        decision=_ids,
        payload=st.binary(max_size=400),
    ),
    st.builds(
        Frame,
        start_ms=_ms,
        duration_ms=_ms,
        media=st.just(MediaType.NONE),
        source=st.sampled_from([0, 1]),
        kind=st.sampled_from([FrameKind.GAP, FrameKind.CLOSED, FrameKind.HOLD]),
        decision=_ids,
    ),
)


def test_the_bytes_are_the_documented_ones() -> None:
    data = serialise(Frame(start_ms=1, duration_ms=2, media=MediaType.PCMA, source=1, decision=DECISION, payload=b"ab"))
    assert data.hex() == "0000000100000002080100000190f3c200007000800000000000d0d0000000026162"


@given(st.lists(frames, max_size=5), st.integers(1, 50))
def test_what_is_written_is_read(written: list[Frame], step: int) -> None:
    data = serialise_all(written)
    assert parse_all(data) == written
    assert list(parse_stream(data[at : at + step] for at in range(0, len(data), step))) == written


@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_a_frame_error(data: bytes) -> None:
    fuzz_frame.fuzz_one(data)


@given(frames, st.integers(0, 31 * 8 + 7))
def test_a_flipped_bit_of_a_header_is_never_an_unknown_exception(frame: Frame, bit: int) -> None:
    data = bytearray(serialise(frame))
    data[bit // 8] ^= 1 << bit % 8
    fuzz_frame.fuzz_one(bytes(data))


def test_every_truncation_is_refused() -> None:
    data = serialise(media(0, 10))
    for length in range(1, len(data)):
        with pytest.raises(FrameError, match="cut off"):
            parse(data[:length])


def test_a_frame_without_a_decision_is_never_written() -> None:
    frame = Frame(start_ms=0, duration_ms=1, media=MediaType.PCMU, decision=DecisionId(""), payload=b"12345678")
    with pytest.raises(FrameError, match="nothing is stored without a decision"):
        serialise(frame)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (Frame(start_ms=-1, duration_ms=1, media=MediaType.PCMU, decision=DECISION), "does not fit"),
        (Frame(start_ms=MAX_MS + 1, duration_ms=1, media=MediaType.PCMU, decision=DECISION), "does not fit"),
        (Frame(start_ms=MAX_MS, duration_ms=1, media=MediaType.PCMU, decision=DECISION), "the end of media time"),
        (Frame(start_ms=0, duration_ms=1, media=MediaType.PCMU, source=2, decision=DECISION), "only 0"),
        (Frame(start_ms=0, duration_ms=1, media=MediaType.NONE, decision=DECISION), "either media"),
        (
            Frame(start_ms=0, duration_ms=1, media=MediaType.PCMU, kind=FrameKind.GAP, decision=DECISION),
            "either media",
        ),
        (
            Frame(start_ms=0, duration_ms=1, media=MediaType.PCMU, decision=DECISION, payload=bytes(MAX_PAYLOAD + 1)),
            "longer than",
        ),
        (Frame(start_ms=0, duration_ms=1, media=MediaType.PCMU, decision=DecisionId("no id")), "does not fit"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(frame: Frame, message: str) -> None:
    with pytest.raises(FrameError, match=message) as caught:
        serialise(frame)
    assert caught.value.code == "vault_frame"


def test_a_closed_stretch_has_no_payload() -> None:
    data = bytearray(serialise(mark(0, 500, FrameKind.CLOSED)))
    data[-1] = 1
    with pytest.raises(FrameError, match="either media"):
        parse_all(bytes(data) + b"x")
