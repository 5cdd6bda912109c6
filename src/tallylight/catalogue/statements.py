"""The projections' statements, each compiled once.

Parameters are `at_COLUMN` for the row that is meant and `to_COLUMN` for what it becomes; an insert's are the columns.
"""

import functools
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from tallylight.catalogue.tables import conversation as conversations
from tallylight.catalogue.tables import track as tracks
from tallylight.database.statement import Row, Statement, Value


def _at(table: sa.Table, *names: str) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == sa.bindparam(f"at_{name}") for name in names))


def _to(*names: str) -> dict[str, sa.BindParameter[Value]]:
    return {name: sa.bindparam(f"to_{name}") for name in names}


ADMIT = Statement(
    sa.select(
        conversations.c.project,
        conversations.c.started_ms,
        conversations.c.settings,
        conversations.c.state,
        conversations.c.node,
    ).where(_at(conversations, "workspace", "conversation"))
)

SEAL = Statement(
    sa.update(tracks)
    .where(
        _at(tracks, "workspace", "track"),
        tracks.c.state != sa.literal_column("'erasing'"),
        tracks.c.state != sa.literal_column("'erased'"),
    )
    .values(_to("state", "expected_ms", "stored_ms", "path", "size"))
)
"""Changes nothing where the track is being erased, or is."""

EXTEND = Statement(
    sa.update(conversations)
    .where(_at(conversations, "workspace", "conversation"), conversations.c.deadline_ms < sa.bindparam("until_ms"))
    .values(_to("deadline_ms"))
)
"""Only later, and not where everybody is forgotten."""

KNOW_UNTIL = Statement(
    sa.update(conversations)
    .where(_at(conversations, "workspace", "conversation"), conversations.c.deadline_ms.is_not(None))
    .values(_to("deadline_ms"))
)

LAST_KEPT = Statement(
    sa.select(
        sa.func.max(tracks.c.deadline_ms).filter(tracks.c.purpose != sa.literal_column("'proof_of_consent'")),
        sa.func.max(tracks.c.floor_ms),
        sa.select(conversations.c.ended_ms).where(_at(conversations, "workspace", "conversation")).scalar_subquery(),
    ).where(
        _at(tracks, "workspace", "conversation"),
        tracks.c.state != sa.literal_column("'erasing'"),
        tracks.c.state != sa.literal_column("'erased'"),
    )
)
"""When the last talk of a conversation must be gone, until when law has any of it kept, and when it ended."""

ADD_COPY = Statement(
    sa.text(
        "INSERT INTO copy (workspace, track, location, state)"
        " VALUES (:workspace, :track, :location, :state) ON CONFLICT DO NOTHING"
    )
)

KEEP_REASONING = Statement(
    sa.text(
        "INSERT INTO reasoning (workspace, hash, content) VALUES (:workspace, :hash, :content) ON CONFLICT DO NOTHING"
    )
)


@functools.cache
def insert(table: sa.Table, columns: tuple[str, ...]) -> Statement:
    """A new row with these columns."""
    return Statement(sa.insert(table).values({name: sa.bindparam(name) for name in columns}))


@functools.cache
def update(table: sa.Table, key: tuple[str, ...], columns: tuple[str, ...]) -> Statement:
    """Set `columns` of the rows with this key."""
    return Statement(sa.update(table).where(_at(table, *key)).values(_to(*columns)))


def add(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows that have the same columns."""
    if rows:
        insert(table, tuple(rows[0])).run(connection, rows)


def change(connection: sa.Connection, table: sa.Table, rows: Iterable[tuple[Row, Row]]) -> None:
    """Update rows, each given as its key and what becomes of it; those that change the same columns go together."""
    alike: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Row]] = {}
    for key, values in rows:
        parameters: dict[str, Value] = {f"at_{name}": value for name, value in key.items()}
        parameters |= {f"to_{name}": value for name, value in values.items()}
        alike.setdefault((tuple(key), tuple(sorted(values))), []).append(parameters)
    for (names, columns), together in alike.items():
        update(table, names, columns).run(connection, together if len(together) > 1 else together[0])
