"""Identifiers: UUID version 7 (RFC 9562 section 5.7) in canonical text, one NewType per noun."""

import os
import uuid
from collections.abc import Callable
from typing import NewType

WorkspaceId = NewType("WorkspaceId", str)
ProjectId = NewType("ProjectId", str)
ConversationId = NewType("ConversationId", str)
PartyId = NewType("PartyId", str)
TrackId = NewType("TrackId", str)
EpochId = NewType("EpochId", str)
DecisionId = NewType("DecisionId", str)

DEFAULT_WORKSPACE = WorkspaceId("00000000-0000-7000-8000-000000000001")
"""The one workspace (controller, Art. 4(7) GDPR) of a fresh installation; in every table, key and index."""


def new_id(wall_ms: int, random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """A UUIDv7 for the instant `wall_ms` (ms UTC): sorts by time, 74 random bits."""
    value = (wall_ms & (1 << 48) - 1) << 80 | int.from_bytes(random_bytes(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def id_bytes(identifier: str) -> bytes:
    """The 16 bytes of an identifier."""
    return uuid.UUID(identifier).bytes


def id_text(value: bytes) -> str:
    """The canonical text of 16 identifier bytes. By hand, as a restart asks it for every record of the log."""
    if len(value) != 16:
        raise ValueError(f"an identifier has 16 bytes, not {len(value)}")
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
