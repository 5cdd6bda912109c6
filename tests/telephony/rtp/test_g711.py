"""G.711: transcoding and mixing."""

import audioop

from hypothesis import given
from hypothesis import strategies as st

from tallylight.telephony.rtp import g711
from tallylight.telephony.rtp.negotiated import Codec

EVERY_BYTE = bytes(range(256))


def _level(code: Codec, payload: bytes) -> list[int]:
    pcm = g711.decode(code, payload)
    return [audioop.getsample(pcm, 2, index) for index in range(len(payload))]


def test_the_tables_lead_to_the_nearest_level_of_the_other_law() -> None:
    for source, target in ((Codec.PCMU, Codec.PCMA), (Codec.PCMA, Codec.PCMU)):
        table = g711.table(source, target)
        assert table is not None
        levels = sorted(set(_level(target, EVERY_BYTE)))
        for wanted, got in zip(_level(source, EVERY_BYTE), _level(target, EVERY_BYTE.translate(table)), strict=True):
            nearest = min(abs(level - wanted) for level in levels)
            assert abs(got - wanted) <= max(2 * nearest, 8, abs(wanted) // 30)


def test_nothing_is_to_do_within_one_law() -> None:
    assert g711.table(Codec.PCMU, Codec.PCMU) is None
    assert g711.table(Codec.PCMA, Codec.PCMA) is None


def test_silence_is_nearest_to_zero() -> None:
    for codec in Codec:
        assert abs(_level(codec, g711.SILENCE[codec])[0]) <= 8


@given(st.sampled_from(Codec), st.binary(min_size=160, max_size=160))
def test_mixing_with_silence_changes_nothing_to_speak_of(codec: Codec, payload: bytes) -> None:
    mixed = g711.mix(codec, payload, g711.SILENCE[codec] * 160)
    for before, after in zip(_level(codec, payload), _level(codec, mixed), strict=True):
        assert abs(before - after) <= max(16, abs(before) // 16)


@given(st.sampled_from(Codec), st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_mixing_is_the_sum_and_saturates(codec: Codec, one: bytes, other: bytes) -> None:
    mixed = g711.mix(codec, one, other)
    assert mixed == g711.mix(codec, other, one)
    for a, b, c in zip(_level(codec, one), _level(codec, other), _level(codec, mixed), strict=True):
        wanted = max(-32_768, min(32_767, a + b))
        assert abs(c - wanted) <= max(16, abs(wanted) // 16)
