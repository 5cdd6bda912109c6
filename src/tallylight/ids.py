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
    return str(uuid.UUID(int=value))


def id_bytes(identifier: str) -> bytes:
    """The 16 bytes of an identifier."""
    return uuid.UUID(identifier).bytes


def id_text(value: bytes) -> str:
    """The canonical text of 16 identifier bytes."""
    return str(uuid.UUID(bytes=value))
