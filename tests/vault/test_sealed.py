"""The sealed object's bytes, with Tink itself as the judge."""

import io
import os

import pytest
import tink
from hypothesis import given, settings
from hypothesis import strategies as st
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

from tallylight.vault.errors import SealedError
from tallylight.vault.sealed import HEADER_BYTES, SEGMENT_BYTES, TAG_BYTES, SealedReader, encrypt
from tests.vault import fuzz_sealed

streaming_aead.register()

FIRST = SEGMENT_BYTES - HEADER_BYTES - TAG_BYTES
"""Plaintext of a full first segment."""
NEXT = SEGMENT_BYTES - TAG_BYTES
BOUNDARIES = [0, 1, 8000, FIRST - 1, FIRST, FIRST + 1, FIRST + NEXT - 1, FIRST + NEXT, FIRST + NEXT + 1, 5_000_000]


class _Output(io.BytesIO):
    """Tink closes what it wrote; its bytes must outlive that."""

    data = b""

    def close(self) -> None:
        self.data = self.getvalue()
        super().close()


def _tink(key: bytes) -> streaming_aead.StreamingAead:
    parameters = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=SEGMENT_BYTES, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
    )
    value = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(version=0, params=parameters, key_value=key)
    keyset = tink_pb2.Keyset(
        primary_key_id=1,
        key=[
            tink_pb2.Keyset.Key(
                key_data=tink_pb2.KeyData(
                    type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
                    value=value.SerializeToString(),
                    key_material_type=tink_pb2.KeyData.SYMMETRIC,
                ),
                status=tink_pb2.ENABLED,
                key_id=1,
                output_prefix_type=tink_pb2.RAW,
            )
        ],
    )
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


def _reader(key: bytes, associated: bytes, data: bytes, segment_bytes: int = SEGMENT_BYTES) -> SealedReader:
    return SealedReader(
        key, associated, len(data), lambda start, length: data[start : start + length], segment_bytes=segment_bytes
    )


@pytest.mark.parametrize("size", BOUNDARIES)
def test_tink_reads_what_we_seal(size: int) -> None:
    key, plain = os.urandom(32), os.urandom(size)
    sealed = b"".join(encrypt(key, b"track", [plain[:100], plain[100:]]))
    with _tink(key).new_decrypting_stream(io.BytesIO(sealed), b"track") as stream:
        assert stream.read() == plain


@pytest.mark.parametrize("size", BOUNDARIES)
def test_we_read_what_tink_seals(size: int) -> None:
    key, plain = os.urandom(32), os.urandom(size)
    output = _Output()
    with _tink(key).new_encrypting_stream(output, b"track") as stream:
        stream.write(plain)
    reader = _reader(key, b"track", output.data)
    assert reader.size == size
    assert b"".join(reader.pieces()) == plain
    for offset in {0, size // 2, max(0, size - 3), max(0, FIRST - 2), size}:
        assert reader.read(offset, 8000) == plain[offset : offset + 8000]


SMALL = 128
KEY = bytes(range(32))


@given(st.binary(max_size=1000), st.integers(1, 300), st.integers(0, 1100), st.integers(0, 1100))
def test_any_part_of_any_object_is_read(plain: bytes, step: int, offset: int, length: int) -> None:
    pieces = [plain[at : at + step] for at in range(0, len(plain), step)]
    sealed = b"".join(encrypt(KEY, b"a", pieces, segment_bytes=SMALL))
    reader = _reader(KEY, b"a", sealed, SMALL)
    assert reader.size == len(plain)
    assert reader.read(offset, length) == plain[offset : offset + length]


def test_a_part_is_read_by_fetching_only_its_segments() -> None:
    sealed = b"".join(encrypt(KEY, b"", [bytes(1000)], segment_bytes=SMALL))
    fetched: list[tuple[int, int]] = []

    def fetch(start: int, length: int) -> bytes:
        fetched.append((start, length))
        return sealed[start : start + length]

    reader = SealedReader(KEY, b"", len(sealed), fetch, segment_bytes=SMALL)
    assert reader.read(300, 50) == bytes(50)
    assert fetched == [(0, HEADER_BYTES), (3 * SMALL, SMALL)]


PLAIN = bytes(range(256)) * 3
SEALED = b"".join(encrypt(KEY, b"track 1", [PLAIN], segment_bytes=SMALL))


def _open(data: bytes, associated: bytes = b"track 1", key: bytes = KEY) -> bytes:
    return b"".join(_reader(key, associated, data, SMALL).pieces())


def test_every_truncation_is_refused() -> None:
    assert _open(SEALED) == PLAIN
    for length in range(len(SEALED)):
        with pytest.raises(SealedError):
            _open(SEALED[:length])


def test_every_flipped_bit_is_refused() -> None:
    for at in range(len(SEALED) * 8):
        changed = bytearray(SEALED)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(SealedError):
            _open(bytes(changed))


def test_swapped_repeated_and_missing_segments_are_refused() -> None:
    segments = [SEALED[at : at + SMALL] for at in range(0, len(SEALED), SMALL)]
    assert len(segments) > 4
    for changed in (
        [segments[0], segments[2], segments[1], *segments[3:]],
        [*segments[:3], segments[2], *segments[3:]],
        [*segments[:2], *segments[3:]],
        [*segments, segments[-1]],
    ):
        with pytest.raises(SealedError, match=r"not authentic|cut off"):
            _open(b"".join(changed))


def test_a_splice_of_another_object_of_the_same_key_is_refused() -> None:
    other = b"".join(encrypt(KEY, b"track 1", [PLAIN], segment_bytes=SMALL))
    with pytest.raises(SealedError, match="not authentic"):
        _open(SEALED[:SMALL] + other[SMALL:])


def test_another_track_or_key_does_not_open() -> None:
    with pytest.raises(SealedError, match="of another track") as caught:
        _open(SEALED, b"track 2")
    assert caught.value.code == "vault_sealed"
    with pytest.raises(SealedError):
        _open(SEALED, key=bytes(32))


@given(st.binary(max_size=400))
@settings(max_examples=200)
def test_any_bytes_are_refused(data: bytes) -> None:
    fuzz_sealed.fuzz_one(data)
    fuzz_sealed.fuzz_one(bytes([HEADER_BYTES]) + data)
