"""Settings, law packs and reasonings, kept by their hash for as long as a conversation names them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import get_args, get_type_hints

import sqlalchemy as sa

from tallylight.catalogue.errors import CatalogueError, PackUnknownError
from tallylight.catalogue.statements import KEEP_REASONING
from tallylight.catalogue.tables import conversation, pack_version, settings_version
from tallylight.catalogue.tables import reasoning as reasonings
from tallylight.consent.purposes import OwnPurpose
from tallylight.ids import WorkspaceId
from tallylight.law.errors import LawError
from tallylight.law.pack import Pack, default_pack, load
from tallylight.law.vocabulary import Purpose
from tallylight.policy.settings import Settings


def keep_settings(connection: sa.Connection, workspace: WorkspaceId, settings: Settings) -> None:
    """Store a settings version unless it is there. Before the first conversation under it."""
    content = json.dumps(asdict(settings), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    _keep(connection, settings_version, workspace, settings.version, content)


def keep_pack(connection: sa.Connection, workspace: WorkspaceId, files: Mapping[str, bytes]) -> None:
    """Store a law pack's files unless they are there. Before the first conversation under it."""
    content = {name: data.decode() for name, data in sorted(files.items())}
    _keep(connection, pack_version, workspace, load(files).hash, json.dumps(content, ensure_ascii=False))


def keep_reasonings(connection: sa.Connection, workspace: WorkspaceId, contents: Mapping[str, str]) -> None:
    """Store the reasonings that are not there yet. In the unit of work that stores the decisions which name them."""
    if contents:
        KEEP_REASONING.run(
            connection,
            [{"workspace": workspace, "hash": key, "content": content} for key, content in contents.items()],
        )


def read_reasonings(connection: sa.Connection, workspace: WorkspaceId, wanted: Iterable[str]) -> Mapping[str, str]:
    """The contents by their hash. Raises CatalogueError where one was never kept."""
    keys = sorted(set(wanted))
    found: dict[str, str] = {}
    for start in range(0, len(keys), 500):
        query = sa.select(reasonings.c.hash, reasonings.c.content).where(
            reasonings.c.workspace == workspace, reasonings.c.hash.in_(keys[start : start + 500])
        )
        found.update({row.hash: row.content for row in connection.execute(query)})
    for key in keys:
        if key not in found:
            raise _not_kept("reasoning", key)
    return found


def read_settings(connection: sa.Connection, workspace: WorkspaceId, version: str) -> Settings:
    """The settings of one version. Raises CatalogueError where it was never kept, or is not what its hash says."""
    content = json.loads(_read(connection, settings_version, workspace, version, "settings version"))
    hints = get_type_hints(Settings)
    known = {field.name for field in fields(Settings)}
    values = {name: _value(hints[name], value) for name, value in content.items() if name in known}
    settings = Settings(**values)  # type: ignore[arg-type]
    if settings.version != version:
        raise CatalogueError(
            f"Settings version {version[:12]} is not what it was: read it with the version that wrote it."
        )
    return settings


def _value(hint: object, value: object) -> object:
    """A stored value as a field of this type; of `X | None`, as X."""
    if isinstance(value, dict):
        return OwnPurpose(**{**value, "judged_as": Purpose(value["judged_as"])})
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and issubclass(kind, StrEnum) and isinstance(value, str):
            return kind(value)
    return value


def read_pack(connection: sa.Connection, workspace: WorkspaceId, pack_hash: str) -> Pack:
    """One law pack. Raises CatalogueError where it was never kept, or is not what its hash says."""
    if default_pack().hash == pack_hash:
        return default_pack()
    content = json.loads(_read(connection, pack_version, workspace, pack_hash, "law pack"))
    try:
        pack = load({name: text.encode() for name, text in content.items()})
    except LawError as error:
        raise CatalogueError(
            f"Law pack {pack_hash[:12]} cannot be read by this version ({error.message}): use the one that wrote it."
        ) from None
    if pack.hash != pack_hash:
        raise CatalogueError(f"Law pack {pack_hash[:12]} is not what it was: restore it from a backup.")
    return pack


SHORTEST_PREFIX = 8
"""Hex digits that name a law pack; fewer name one by chance."""


@dataclass(frozen=True, kw_only=True)
class KeptPack:
    """A law pack that is kept, and the conversations that keep it."""

    hash: str
    conversations: int
    first_ms: int | None
    """When the first of them started: ms UTC; None: none has."""
    last_ms: int | None


def list_packs(connection: sa.Connection, workspace: WorkspaceId) -> tuple[KeptPack, ...]:
    """Every law pack that is kept, by its first conversation; last those that have none yet."""
    found = connection.execute(_used(pack_version, conversation.c.pack, workspace))
    packs = [KeptPack(hash=row.hash, conversations=row.used, first_ms=row.first, last_ms=row.last) for row in found]
    return tuple(sorted(packs, key=lambda pack: (pack.first_ms is None, pack.first_ms or 0, pack.hash)))


@dataclass(frozen=True, kw_only=True)
class KeptSettings:
    """A settings version that is kept, and the conversations that keep it."""

    version: str
    project: str
    conversations: int
    first_ms: int | None
    """When the first of them started: ms UTC; None: none has."""
    last_ms: int | None


def list_settings(connection: sa.Connection, workspace: WorkspaceId) -> tuple[KeptSettings, ...]:
    """Every settings version that is kept, the one used last first; last those that no conversation has used."""
    found = connection.execute(_used(settings_version, conversation.c.settings, workspace))
    kept = [
        KeptSettings(
            version=row.hash,
            project=json.loads(row.content)["project"],
            conversations=row.used,
            first_ms=row.first,
            last_ms=row.last,
        )
        for row in found
    ]
    return tuple(sorted(kept, key=lambda each: (each.last_ms is None, -(each.last_ms or 0), each.version)))


def _used(table: sa.Table, named: sa.Column[str], workspace: WorkspaceId) -> sa.Select[tuple[str, str, int, int, int]]:
    """What a table keeps by its hash, with how many conversations have named it, and from when to when."""
    started = conversation.c.started_ms
    return (
        sa.select(
            table.c.hash,
            table.c.content,
            sa.func.count(started).label("used"),
            sa.func.min(started).label("first"),
            sa.func.max(started).label("last"),
        )
        .select_from(
            table.outerjoin(conversation, sa.and_(conversation.c.workspace == table.c.workspace, named == table.c.hash))
        )
        .where(table.c.workspace == workspace)
        .group_by(table.c.hash, table.c.content)
    )


def find_pack(connection: sa.Connection, workspace: WorkspaceId, prefix: str) -> Pack:
    """The kept law pack whose SHA-256 begins with `prefix`, at least 8 hex digits.

    Raises PackUnknownError, which names those that are kept, and CatalogueError as `read_pack`.
    """
    kept = connection.execute(
        sa.select(pack_version.c.hash).where(pack_version.c.workspace == workspace).order_by(pack_version.c.hash)
    ).scalars()
    wanted, hashes = prefix.lower(), list(kept)
    found = [each for each in hashes if each.startswith(wanted)]
    if len(wanted) >= SHORTEST_PREFIX and len(found) == 1:
        return read_pack(connection, workspace, found[0])
    if len(wanted) < SHORTEST_PREFIX:
        why = f"{prefix} is too short to name a law pack: give at least {SHORTEST_PREFIX} hex digits of its SHA-256"
    elif found:
        why, hashes = f"Several law packs begin with {prefix}: give more of the SHA-256", found
    else:
        why = f"No law pack {prefix} is kept here"
    raise PackUnknownError(f"{why}. Kept: {', '.join(hashes) or 'none'}.")


def _keep(connection: sa.Connection, table: sa.Table, workspace: WorkspaceId, key: str, content: str) -> None:
    present = sa.exists().where(table.c.workspace == workspace, table.c.hash == key)
    row = sa.select(sa.literal(workspace), sa.literal(key), sa.literal(content)).where(~present)
    connection.execute(sa.insert(table).from_select(["workspace", "hash", "content"], row))


def _read(connection: sa.Connection, table: sa.Table, workspace: WorkspaceId, key: str, what: str) -> str:
    found = connection.execute(
        sa.select(table.c.content).where(table.c.workspace == workspace, table.c.hash == key)
    ).scalar_one_or_none()
    if found is None:
        raise _not_kept(what, key)
    return str(found)


def _not_kept(what: str, key: str) -> CatalogueError:
    return CatalogueError(f"No {what} {key[:12]} is kept here: restore it from a backup.")
