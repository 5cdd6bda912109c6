"""What a leaf says: everything about an entry except its payload, which it only commits to.

The commitment is HMAC-SHA256(salt, canonical payload): with the 32 random bytes of salt gone, nobody can test a guess
against it, so a payload and its salt can be erased while the leaf, and every root above it, stays.
"""

import hmac
import json
import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from tallylight.ledger.errors import PayloadError

SALT_SIZE = 32

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"

_FORMAT = b"\x01"
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_U16 = struct.Struct(">H")
_HEAD = struct.Struct(">cQ")
_MIDDLE = struct.Struct(">Q")
_TAIL = struct.Struct(">Iqq")


def canonical_json(payload: Mapping[str, JsonValue]) -> str:
    """The one text of a payload: keys sorted by code point, no white space, nothing but UTF-8 encodable characters.

    PayloadError for NaN, infinities, lone surrogates, keys that are not text, and values JSON does not know.
    """
    try:
        text = _encoder.encode(payload)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise PayloadError(
            f"The payload cannot be written as JSON ({error}). Store text, whole numbers, lists and maps."
        ) from None
    return text


def commit(salt: bytes, payload: bytes) -> bytes:
    """HMAC-SHA256(salt, payload), 32 bytes."""
    return hmac.digest(salt, payload, "sha256")


def encode_leaf(
    *,
    leaf: int,
    stream: str,
    sequence: int,
    type: str,
    version: int,
    occurred_ms: int,
    recorded_ms: int,
    actor: str,
    commitment: bytes,
) -> bytes:
    """The leaf's bytes, in this order, all numbers big-endian: format 0x01, leaf u64, stream, sequence u64, type,
    version u32, occurred_ms i64, recorded_ms i64, actor, commitment (32 B). A text is u16 length and UTF-8 bytes.
    """
    try:
        return b"".join(
            (
                _HEAD.pack(_FORMAT, leaf),
                _text(stream),
                _MIDDLE.pack(sequence),
                _text(type),
                _TAIL.pack(version, occurred_ms, recorded_ms),
                _text(actor),
                commitment,
            )
        )
    except (struct.error, UnicodeEncodeError) as error:
        raise PayloadError(
            f"The entry does not fit a ledger leaf ({error}). Shorten its stream, type or actor."
        ) from None


def _text(value: str) -> bytes:
    encoded = value.encode()
    return _U16.pack(len(encoded)) + encoded
