"""The proof by search: after an erasure no file may hold the bytes that were stored, nor the person in plain text.

Searched are the database file, its write-ahead log and the text logs, byte for byte. A wrapped key and an encrypted
column are looked for by their nonce and by their tag, each of which is in any whole copy of them; the blind index by all
its 16 bytes.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from tallylight.database.engine import database_files
from tallylight.database.hygiene import Hit, checkpoint_wal, raw_search, vacuum
from tallylight.vault.wrapping import NONCE_BYTES, TAG_BYTES

CHECKPOINT_TIMEOUT_S = 10.0

_HELD = "the write-ahead log: a reader held it; repeat when it has finished"


class NeedleKind(StrEnum):
    WRAPPED_KEY = "wrapped key"
    ENCRYPTED_ADDRESS = "encrypted address"
    BLIND_INDEX = "blind index"
    PLAIN_IDENTIFIER = "plain identifier"


@dataclass(frozen=True, kw_only=True)
class Needle:
    kind: NeedleKind
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a search saw. `remains` is empty where nothing was found."""

    remains: tuple[str, ...]
    method: tuple[str, ...]
    """What was done, for the certificate."""


class Evidence(Protocol):
    """Looks for what should be gone."""

    def search(self, needles: Sequence[Needle]) -> Findings:
        """Make the stores forget what they can, then search them."""


def sealed_fragments(kind: NeedleKind, sealed: bytes) -> tuple[Needle, ...]:
    """The nonce and the tag of `nonce | ciphertext | tag`: they find it and open nothing."""
    return (
        Needle(kind=kind, value=sealed[:NONCE_BYTES]),
        Needle(kind=kind, value=sealed[-TAG_BYTES:]),
    )


class RawSearch:
    """Searches this installation's own files. `logs` names the text logs at the time of asking."""

    def __init__(
        self, engine: sa.Engine, *, logs: Callable[[], Sequence[Path]], timeout_s: float = CHECKPOINT_TIMEOUT_S
    ) -> None:
        self._engine = engine
        self._logs = logs
        self._timeout_s = timeout_s

    def search(self, needles: Sequence[Needle]) -> Findings:
        database = database_files(self._engine)
        logs = tuple(self._logs())
        method = []
        if database or logs:
            method.append(f"searched byte for byte: {', '.join(path.name for path in (*database, *logs))}")
        if not database:
            method.append("rows deleted in PostgreSQL, whose own files, archives and backups were not searched")
        values = [needle.value for needle in needles]
        if not checkpoint_wal(self._engine, self._timeout_s):
            return Findings(remains=(_HELD,), method=tuple(method))
        found = self._found(database, needles, values)
        if found:
            # Splitting a page can leave a copy of a row in its unused part: only a rewritten file is free of it.
            method.append("database rewritten (VACUUM)")
            vacuum(self._engine)
            if not checkpoint_wal(self._engine, self._timeout_s):
                return Findings(remains=(_HELD,), method=tuple(method))
            found = self._found(database, needles, values)
        found += self._found(logs, needles, values)
        remains = tuple(dict.fromkeys(f"{needles[hit.needle].kind} in {hit.path.name}" for hit in found))
        return Findings(remains=remains, method=tuple(method))

    def _found(self, paths: Sequence[Path], needles: Sequence[Needle], values: Sequence[bytes]) -> list[Hit]:
        return [
            hit
            for hit in raw_search(paths, values)
            if needles[hit.needle].kind is not NeedleKind.PLAIN_IDENTIFIER or not _is_chance(hit, values[hit.needle])
        ]


_CONTEXT = 72
_LONGER_TOKENS = re.compile(
    rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # an id
    rb"|(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])"  # a SHA-256
    rb"|(?<![0-9])1[0-9]{12}(?![0-9])"  # ms since 1970, for the years 2001 to 2033
)


def _is_chance(hit: Hit, value: bytes) -> bool:
    """Whether digits that look like the number are part of an id, a hash or a time."""
    if not value.isdigit():
        return False
    start = max(0, hit.offset - _CONTEXT)
    try:
        with hit.path.open("rb") as file:
            file.seek(start)
            around = file.read(hit.offset - start + len(value) + _CONTEXT)
    except FileNotFoundError:
        return True
    at = hit.offset - start
    if around[at : at + len(value)] != value:
        return False  # it moved while it was looked at: not known to be harmless
    return any(
        token.start() <= at and at + len(value) <= token.end() and token.end() - token.start() > len(value)
        for token in _LONGER_TOKENS.finditer(around)
    )
