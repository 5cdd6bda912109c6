"""The live log's record on bytes: every tear and every flipped bit is seen for what it is."""

import dataclasses
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.vault.errors import KeyForgottenError, RecordError
from tallylight.vault.frame import MAX_MS, SOURCE_OURS, Frame
from tallylight.vault.record import (
    HEADER,
    MAX_BODY,
    Damaged,
    Located,
    RecordStream,
    open_record,
    parse_header,
    walk,
)
from tests.vault import fuzz_record
from tests.vault.making import epoch, mark, media, ring
from tests.vault.test_frame import frames as any_frame

KEYS = ring()


def _log(count: int) -> tuple[bytes, list[int], list[list[Frame]]]:
    """Records of two tracks by turns: the bytes, where each ends, what each holds."""
    streams = [RecordStream(epoch(KEYS)), RecordStream(epoch(KEYS))]
    data = b""
    ends = []
    held = []
    for number in range(count):
        frames = [media(number * 20, 20, fill=number)]
        data += streams[number % 2].seal(frames)[0]
        ends.append(len(data))
        held.append(frames)
    return data, ends, held


@given(st.lists(any_frame, max_size=4), st.booleans())
def test_what_is_sealed_is_opened(frames: list[Frame], last: bool) -> None:
    made = epoch(KEYS)
    data, header = RecordStream(made).seal(frames, last=last)
    assert parse_header(data) == header
    assert header.size == len(data)
    assert header.last is last
    assert open_record(made, data) == frames


def test_the_header_says_in_clear_what_is_durable() -> None:
    made = epoch(KEYS)
    frames = [media(1000, 400), media(1600, 100), mark(1400, 200), media(900, 50, source=SOURCE_OURS)]
    header = RecordStream(made).seal(frames)[1]
    assert (header.start_ms, header.end_ms, header.party_ms, header.ours_ms) == (900, 1700, 500, 50)
    assert (header.track, header.epoch, header.index) == (made.track, made.id, 0)


def test_the_sound_is_nowhere_in_clear() -> None:
    data = RecordStream(epoch(KEYS)).seal([media(0, 1000, fill=0x41)])[0]
    assert b"A" * 8 not in data


def test_a_log_torn_at_any_byte_keeps_exactly_its_whole_records() -> None:
    data, ends, _ = _log(5)
    for cut in range(len(data)):
        found = list(walk(data[:cut]))
        whole = [end for end in ends if end <= cut]
        torn = cut - (whole[-1] if whole else 0)
        assert [item.offset + item.header.size for item in found if isinstance(item, Located)] == whole
        expected = [Damaged(offset=cut - torn, length=torn, torn_tail=True)] if torn else []
        assert [item for item in found if isinstance(item, Damaged)] == expected


def test_every_flipped_bit_is_found_at_its_record_and_costs_only_that_one() -> None:
    data, ends, _ = _log(4)
    chance = random.Random(7)
    for _ in range(2000):
        bit = chance.randrange(len(data) * 8)
        hit = next(number for number, end in enumerate(ends) if bit // 8 < end)
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        found = list(walk(bytes(changed)))
        whole = [item.offset + item.header.size for item in found if isinstance(item, Located)]
        assert whole == [end for number, end in enumerate(ends) if number != hit]
        begin = ends[hit - 1] if hit else 0
        assert [item for item in found if isinstance(item, Damaged)] == [
            Damaged(offset=begin, length=ends[hit] - begin, torn_tail=hit == len(ends) - 1)
        ]


def test_a_forged_header_or_body_is_refused_even_with_a_right_crc() -> None:
    made = epoch(KEYS)
    data = RecordStream(made).seal([media(0, 20)])[0]
    for at in range(8, len(data)):
        if HEADER.size - 4 <= at < HEADER.size:
            continue
        changed = bytearray(data)
        changed[at] ^= 0x01
        with pytest.raises(RecordError, match=r"not authentic|belongs to"):
            open_record(made, _with_crc(bytes(changed)))


def _with_crc(data: bytes) -> bytes:
    crc = zlib.crc32(data[HEADER.size :], zlib.crc32(data[: HEADER.size - 4]))
    return data[: HEADER.size - 4] + crc.to_bytes(4, "big") + data[HEADER.size :]


def test_a_record_of_another_epoch_or_key_is_refused() -> None:
    one, other = epoch(KEYS), epoch(KEYS)
    data = RecordStream(one).seal([media(0, 20)])[0]
    with pytest.raises(RecordError, match="belongs to epoch") as caught:
        open_record(other, data)
    assert caught.value.code == "vault_record"


def test_a_forgotten_key_seals_nothing_more() -> None:
    made = epoch(KEYS)
    stream = RecordStream(made)
    stream.seal([media(0, 20)])
    made.forget()
    with pytest.raises(KeyForgottenError):
        stream.seal([media(20, 20)])


def test_an_oversized_record_is_refused() -> None:
    frames = [media(0, 100_000), media(100_000, 100_000), media(200_000, 100_000)]
    with pytest.raises(RecordError, match=f"longer than {MAX_BODY}"):
        RecordStream(epoch(KEYS)).seal(frames)


def test_frames_whose_times_do_not_fit_are_refused() -> None:
    frame = media(0, 1)
    long = dataclasses.replace(frame, duration_ms=MAX_MS)
    with pytest.raises(RecordError, match="check their times"):
        RecordStream(epoch(KEYS)).seal([long, long])


@given(st.binary(max_size=300), st.integers(0, 400), st.binary(max_size=300))
def test_any_bytes_are_walked_to_their_end(before: bytes, cut: int, after: bytes) -> None:
    fuzz_record.fuzz_one(before)
    whole = RecordStream(epoch(KEYS)).seal([media(0, 20)])[0]
    fuzz_record.fuzz_one(before + whole[:cut] + whole + after)
