"""The two key tables. The only place where wrapped keys are stored: never in an object, a record or an event.

Rows are of one size and in the order of their making (an ordinary rowid table on SQLite, ids that sort by time), so
that with `secure_delete` a deleted key's bytes are overwritten where they lay.
"""

from collections.abc import Iterable

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    select,
)

from tallylight.database.metadata import metadata
from tallylight.database.statement import Row, Statement, Value
from tallylight.ids import DEFAULT_WORKSPACE, EpochId, TrackId, WorkspaceId
from tallylight.vault.keys import EpochKind, EpochRow, ProjectKeyRow

project_key = Table(
    "project_key",
    metadata,
    Column("workspace", Text, ForeignKey("workspace.id"), primary_key=True),
    Column("id", Text, primary_key=True),
    Column("project", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("project_key_version", "workspace", "project", "version", unique=True),
)

key = Table(
    "key",
    metadata,
    Column("workspace", Text, ForeignKey("workspace.id"), primary_key=True),
    Column("epoch", Text, primary_key=True),
    Column("track", Text, nullable=False),
    Column("project_key", Text, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Index("key_track", "workspace", "track"),
)


def insert_project_key(connection: Connection, row: ProjectKeyRow) -> None:
    """Store a project's new key."""
    connection.execute(
        insert(project_key).values(
            workspace=row.workspace, id=row.id, project=row.project, version=row.version, wrapped=row.wrapped
        )
    )


def read_project_keys(connection: Connection, workspace: WorkspaceId = DEFAULT_WORKSPACE) -> list[ProjectKeyRow]:
    """Every project key of a workspace, oldest version first."""
    found = connection.execute(
        select(project_key)
        .where(project_key.c.workspace == workspace)
        .order_by(project_key.c.project, project_key.c.version)
    )
    return [
        ProjectKeyRow(
            workspace=WorkspaceId(row.workspace),
            id=row.id,
            project=row.project,
            version=row.version,
            wrapped=row.wrapped,
        )
        for row in found
    ]


_COLUMNS = ("workspace", "epoch", "track", "project_key", "kind", "wrapped")
_HERE = and_(key.c.workspace == bindparam("workspace"), key.c.track == bindparam("track"))
_OF_KIND = and_(_HERE, key.c.kind == bindparam("kind"))

_INSERT = Statement(insert(key).values({name: bindparam(name) for name in _COLUMNS}))
_SELECT = {
    False: Statement(select(key).where(_HERE).order_by(key.c.epoch)),
    True: Statement(select(key).where(_OF_KIND).order_by(key.c.epoch)),
}
_DELETE = {False: Statement(delete(key).where(_HERE)), True: Statement(delete(key).where(_OF_KIND))}
"""By whether only one kind is meant."""


def insert_epoch(connection: Connection, row: EpochRow) -> None:
    """Store a data key: before the first record or object under it."""
    values = (row.workspace, row.epoch, row.track, row.project_key, int(row.kind), row.wrapped)
    _INSERT.run(connection, dict(zip(_COLUMNS, values, strict=True)))


def read_epochs(
    connection: Connection,
    track: TrackId,
    *,
    kind: EpochKind | None = None,
    workspace: WorkspaceId = DEFAULT_WORKSPACE,
) -> list[EpochRow]:
    """The data keys of one track, oldest first."""
    found = _SELECT[kind is not None].run(connection, _about(workspace, track, kind))
    return [_epoch_row(*row) for row in found.fetchall()]


def read_known_epochs(
    connection: Connection, epochs: Iterable[EpochId], *, workspace: WorkspaceId = DEFAULT_WORKSPACE
) -> dict[EpochId, EpochRow]:
    """Those of `epochs` that have a committed key. What recovery needs to know."""
    wanted = sorted(set(epochs))
    known: dict[EpochId, EpochRow] = {}
    for start in range(0, len(wanted), 500):
        query = select(key).where(key.c.workspace == workspace, key.c.epoch.in_(wanted[start : start + 500]))
        known.update((row.epoch, _epoch_row(*row)) for row in connection.execute(query))
    return known


def delete_epochs(
    connection: Connection,
    track: TrackId,
    *,
    kind: EpochKind | None = None,
    workspace: WorkspaceId = DEFAULT_WORKSPACE,
) -> int:
    """Destroy a track's data keys (of one kind, or all). Returns how many there were."""
    return _DELETE[kind is not None].run(connection, _about(workspace, track, kind)).rowcount


def _about(workspace: WorkspaceId, track: TrackId, kind: EpochKind | None) -> Row:
    row: dict[str, Value] = {"workspace": workspace, "track": track}
    return row if kind is None else row | {"kind": int(kind)}


def _epoch_row(workspace: str, epoch: str, track: str, project_key: str, kind: int, wrapped: bytes) -> EpochRow:
    return EpochRow(
        workspace=WorkspaceId(workspace),
        epoch=EpochId(epoch),
        track=TrackId(track),
        project_key=project_key,
        kind=EpochKind(kind),
        wrapped=bytes(wrapped),
    )
