"""A track at call end: tidy frames, one object, and the sound that comes out again."""

import array
import audioop
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.ids import DecisionId, EpochId, TrackId, WorkspaceId
from tallylight.vault.alarm import Alarm
from tallylight.vault.errors import KeyForgottenError, ObjectError, SealedError, VaultError
from tallylight.vault.frame import SOURCE_OURS, SOURCE_PARTY, Frame, FrameKind, MediaType
from tallylight.vault.keys import Epoch, EpochKind
from tallylight.vault.live_log import LiveLog
from tallylight.vault.objects import LocalObjects, MemoryObjects
from tallylight.vault.seal import CHUNK_MS, arrange, object_path, read_object, render_pcm, seal
from tests.vault.making import DECISION, epoch, fresh, mark, media, ring

KEYS = ring()


def test_a_sealed_track_is_read_back_and_counted() -> None:
    objects = MemoryObjects()
    made = epoch(KEYS, kind=EpochKind.SEALED)
    frames = [media(2000, 500), media(0), media(1000, 500), mark(1500, 500), media(0, 3000, source=SOURCE_OURS)]
    sealed = seal(frames, made, objects)
    assert sealed.path == object_path(made.row)
    assert sealed.size == objects.size(sealed.path)
    assert sealed.stored_ms == 2000
    assert sealed.payload_bytes == {SOURCE_PARTY: 16_000, SOURCE_OURS: 24_000}
    assert list(read_object(objects, sealed.path, made)) == arrange(frames)


def test_the_system_track_counts_our_own_voice() -> None:
    sealed = seal(
        [media(0, 1500, source=SOURCE_OURS)],
        epoch(KEYS, kind=EpochKind.SEALED),
        MemoryObjects(),
        own_source=SOURCE_OURS,
    )
    assert sealed.stored_ms == 1500


def test_an_empty_track_is_an_object_too() -> None:
    objects = MemoryObjects()
    made = epoch(KEYS, kind=EpochKind.SEALED)
    sealed = seal([], made, objects)
    assert sealed.stored_ms == 0
    assert list(read_object(objects, sealed.path, made)) == []


def test_from_the_live_log_to_an_object_on_disk(tmp_path: Path) -> None:
    alarms: list[Alarm] = []
    log = LiveLog(tmp_path / "live", on_alarm=alarms.append)
    live = epoch(KEYS)
    written = [media(second * 1000, fill=second % 256) for second in range(200)]
    for frame in written:
        log.write(live, [frame])
    objects = LocalObjects(tmp_path / "objects")
    target = epoch(KEYS, live.track, EpochKind.SEALED)
    sealed = seal(log.read(live), target, objects)
    log.release(live.track)
    assert log.close()
    assert sealed.stored_ms == 200_000
    assert sealed.size > 1 << 20
    assert list(read_object(objects, sealed.path, target)) == written
    assert b"\x07" * 64 not in (tmp_path / "objects" / sealed.path).read_bytes()
    assert alarms == []


def test_an_object_opens_only_as_the_track_it_is() -> None:
    objects = MemoryObjects()
    one, other = (epoch(KEYS, kind=EpochKind.SEALED) for _ in range(2))
    path = seal([media(0)], one, objects).path
    with pytest.raises(SealedError):
        list(read_object(objects, path, other))
    assert list(read_object(objects, path, one)) == [media(0)]
    for change in ({"track": TrackId(fresh())}, {"epoch": EpochId(fresh())}, {"workspace": WorkspaceId(fresh())}):
        with pytest.raises(SealedError, match="of another track"):
            list(read_object(objects, path, Epoch(dataclasses.replace(one.row, **change), one.key)))


def test_keys_are_for_one_use_and_forgotten_ones_for_none() -> None:
    objects = MemoryObjects()
    with pytest.raises(VaultError, match="kind SEALED"):
        seal([], epoch(KEYS), objects)
    made = epoch(KEYS, kind=EpochKind.SEALED)
    path = seal([media(0)], made, objects).path
    KEYS.forget(made.id)
    with pytest.raises(KeyForgottenError):
        read_object(objects, path, made)
    with pytest.raises(KeyForgottenError):
        seal([], made, objects)
    with pytest.raises(ObjectError, match="There is no object"):
        read_object(objects, "no/such/object", epoch(KEYS, kind=EpochKind.SEALED))


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([media(20, 20), media(0, 20)], [(0, 40)]),
        ([media(0, 20), media(0, 20)], [(0, 20)]),
        ([media(0, 20), media(10, 20)], [(0, 30)]),
        ([media(0, 20), media(40, 20)], [(0, 20), (40, 20)]),
        ([media(0, 100), media(20, 20)], [(0, 100)]),
        ([media(0, 600), media(600, 600)], [(0, 600), (600, 600)]),
        ([media(0, 500), media(500, 500)], [(0, 1000)]),
        ([media(0, 20), mark(20, 20), media(40, 20)], [(0, 20), (20, 20), (40, 20)]),
        ([mark(5, 5), mark(5, 5), mark(5, 5, FrameKind.HOLD)], [(5, 5), (5, 5)]),
        ([media(0, 20), media(0, 20, source=SOURCE_OURS)], [(0, 20), (0, 20)]),
        ([], []),
    ],
)
def test_frames_are_sorted_freed_of_repetitions_and_joined(
    frames: list[Frame], expected: list[tuple[int, int]]
) -> None:
    assert [(frame.start_ms, frame.duration_ms) for frame in arrange(iter(frames))] == expected


def test_frames_of_another_decision_or_codec_stay_apart() -> None:
    one = media(0, 20)
    other = dataclasses.replace(media(20, 20), decision=DecisionId(fresh()))
    codec = dataclasses.replace(media(40, 20), media=MediaType.PCMA, decision=other.decision)
    assert arrange([codec, other, one]) == [one, other, codec]


_packets = st.lists(
    st.builds(
        lambda at, length, fill, source: media(at * 10, length * 10, fill=fill, source=source),
        st.integers(0, 40),
        st.integers(1, 6),
        st.integers(0, 255),
        st.sampled_from([SOURCE_PARTY, SOURCE_OURS]),
    ),
    max_size=30,
)


@given(_packets)
def test_no_instant_of_a_source_is_stored_twice_and_none_is_lost(packets: list[Frame]) -> None:
    arranged = arrange(packets)
    for source in (SOURCE_PARTY, SOURCE_OURS):
        given_ms = {ms for frame in packets if frame.source == source for ms in range(frame.start_ms, frame.end_ms)}
        kept_ms = [ms for frame in arranged if frame.source == source for ms in range(frame.start_ms, frame.end_ms)]
        assert sorted(kept_ms) == sorted(given_ms)
    assert all(len(frame.payload) == frame.duration_ms * 8 for frame in arranged)
    assert all(frame.duration_ms <= CHUNK_MS for frame in arranged)
    assert arrange(arranged) == arranged
    sealed = seal(packets, epoch(KEYS, kind=EpochKind.SEALED), MemoryObjects())
    assert sealed.stored_ms == sum(frame.duration_ms for frame in arranged if frame.source == SOURCE_PARTY)


def _samples(pcm: bytes) -> list[int]:
    return array.array("h", pcm).tolist()


def test_gaps_are_silence_and_time_is_true() -> None:
    pcm = _samples(render_pcm([media(10, 10, fill=0), media(30, 10, fill=0)], 50))
    loud = _samples(audioop.ulaw2lin(b"\x00", 2))[0]
    assert len(pcm) == 400
    assert pcm == [0] * 80 + [loud] * 80 + [0] * 80 + [loud] * 80 + [0] * 80


def test_both_codecs_are_decoded() -> None:
    pcma = Frame(start_ms=1, duration_ms=1, media=MediaType.PCMA, decision=DECISION, payload=b"\x2a" * 8)
    pcm = render_pcm([media(0, 1, fill=0x12), pcma])
    assert pcm == audioop.ulaw2lin(b"\x12" * 8, 2) + audioop.alaw2lin(b"\x2a" * 8, 2)


def test_sources_are_added_and_clipped_and_repetitions_are_not_doubled() -> None:
    quiet, loud = 0xF0, 0x00
    one = _samples(audioop.ulaw2lin(bytes([quiet]), 2))[0]
    peak = _samples(audioop.ulaw2lin(bytes([loud]), 2))[0]
    twice = [media(0, 10, fill=quiet), media(0, 10, fill=quiet), media(0, 10, fill=quiet, source=SOURCE_OURS)]
    assert _samples(render_pcm(twice)) == [2 * one] * 80
    assert peak < -32_000
    clipped = [media(0, 10, fill=loud), media(0, 10, fill=loud, source=SOURCE_OURS)]
    assert _samples(render_pcm(clipped)) == [-32_768] * 80


def test_the_sound_is_cut_or_filled_to_the_length_asked_for() -> None:
    frames = [media(0, 10, fill=0), media(100_000_000, 10)]
    assert len(render_pcm(frames, 5)) == 5 * 16
    assert len(render_pcm(frames, 20)) == 20 * 16
    assert render_pcm([], 3) == bytes(48)
    assert render_pcm([]) == b""
    assert len(render_pcm([mark(0, 30)])) == 30 * 16
