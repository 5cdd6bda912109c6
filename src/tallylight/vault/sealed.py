"""The sealed object: Tink's streaming format AES256_GCM_HKDF_1MB, written and read at random without Tink.

    header: length 40 u8 | salt 32 B | nonce prefix 7 B
    segment i: AES-256-GCM, nonce = prefix | i u32 | 1 if last else 0, no associated data of its own

The segments' key is HKDF-SHA256(ikm = data key, salt, info = associated data). A segment is 1 MiB of ciphertext with
its tag; the first is 40 bytes shorter, for the header. Where a segment begins is arithmetic, so a range can be fetched
alone; the last flag refuses a truncated object. Format and proofs: "Tink, AES-GCM-HKDF streaming AEAD".
"""

import os
import struct
from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tallylight.vault.errors import SealedError

SEGMENT_BYTES = 1 << 20
HEADER_BYTES = 40
SALT_BYTES = 32
PREFIX_BYTES = 7
TAG_BYTES = 16
_NONCE = struct.Struct(">7sIB")


def _segment_cipher(key: bytes, salt: bytes, associated: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=associated).derive(key))


def encrypt(
    key: bytes, associated: bytes, pieces: Iterable[bytes], *, segment_bytes: int = SEGMENT_BYTES
) -> Iterator[bytes]:
    """The object's bytes, segment by segment, for plaintext that comes in pieces of any size. `key` is 32 bytes."""
    salt, prefix = os.urandom(SALT_BYTES), os.urandom(PREFIX_BYTES)
    cipher = _segment_cipher(key, salt, associated)
    header = bytes([HEADER_BYTES]) + salt + prefix
    room = segment_bytes - HEADER_BYTES - TAG_BYTES
    index = 0
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        # A full segment waits for one byte more, because only then it is known not to be the last.
        while len(waiting) > room:
            yield header + cipher.encrypt(_NONCE.pack(prefix, index, 0), bytes(waiting[:room]), None)
            del waiting[:room]
            header = b""
            index += 1
            room = segment_bytes - TAG_BYTES
    yield header + cipher.encrypt(_NONCE.pack(prefix, index, 1), bytes(waiting), None)


Fetch = Callable[[int, int], bytes]
"""Bytes of the object: offset, length."""


class SealedReader:
    """Reads any part of one object, authenticating each segment it touches. Not thread-safe."""

    def __init__(
        self, key: bytes, associated: bytes, size: int, fetch: Fetch, *, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        """`size` is the object's bytes. Raises SealedError where there cannot be an object of this format."""
        if size < HEADER_BYTES + TAG_BYTES:
            raise SealedError(f"An object of {size} bytes is cut off: restore it from another copy.")
        header = fetch(0, HEADER_BYTES)
        if len(header) != HEADER_BYTES or header[0] != HEADER_BYTES:
            raise SealedError("The object's header is not of this format: restore it from another copy.")
        self._prefix = header[1 + SALT_BYTES :]
        self._cipher = _segment_cipher(key, header[1 : 1 + SALT_BYTES], associated)
        self._fetch = fetch
        self._segment_bytes = segment_bytes
        self._segments = -(-size // segment_bytes)
        self._object_bytes = size
        last_begin = max(HEADER_BYTES, (self._segments - 1) * segment_bytes)
        if size - last_begin < TAG_BYTES:
            raise SealedError(f"The object's last segment is cut off after {size} bytes: restore another copy.")
        self.size = size - HEADER_BYTES - self._segments * TAG_BYTES
        """Bytes of plaintext, as the object's size claims; proved once the last byte has been read."""
        self._cached: tuple[int, bytes] | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Plaintext [offset, offset + length), shorter at the end. Raises SealedError where it is not authentic."""
        pieces = []
        until = min(offset + length, self.size)
        while offset < until:
            index, begin = self._segment_at(offset)
            piece = self._segment(index)[begin : begin + until - offset]
            pieces.append(piece)
            offset += len(piece)
        return b"".join(pieces)

    def pieces(self) -> Iterator[bytes]:
        """All the plaintext, segment by segment; when it has ended, the object is proved whole."""
        for index in range(self._segments):
            yield self._segment(index)

    def _segment_at(self, offset: int) -> tuple[int, int]:
        """Which segment holds a byte of plaintext, and where in it."""
        index, begin = divmod(offset + HEADER_BYTES, self._segment_bytes - TAG_BYTES)
        return (0, offset) if index == 0 else (index, begin)

    def _segment(self, index: int) -> bytes:
        if self._cached is not None and self._cached[0] == index:
            return self._cached[1]
        begin = HEADER_BYTES if index == 0 else index * self._segment_bytes
        end = min(self._object_bytes, (index + 1) * self._segment_bytes)
        nonce = _NONCE.pack(self._prefix, index, 1 if index == self._segments - 1 else 0)
        try:
            plain = self._cipher.decrypt(nonce, self._fetch(begin, end - begin), None)
        except InvalidTag:
            raise SealedError(
                f"Segment {index} of the object is not authentic: it is truncated, changed, or of another track. "
                "Restore it from another copy."
            ) from None
        self._cached = (index, plain)
        return plain
