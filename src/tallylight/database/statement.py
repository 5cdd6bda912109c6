"""One statement in the driver's own spelling, compiled once and run by the driver's own cursor.

For what every call does many times: through SQLAlchemy a statement costs ten to twenty times as much as it does in the
database. Values must be of the types that the drivers take as they are.
"""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine.interfaces import DBAPICursor, Dialect

Value = str | int | bytes | None
Row = Mapping[str, Value]


class Statement:
    """One statement for either database."""

    def __init__(self, text: sa.ClauseElement) -> None:
        self._text = text
        self._spelled: dict[str, tuple[str, tuple[str, ...] | None]] = {}

    def run(self, connection: sa.Connection, rows: Row | Sequence[Row]) -> DBAPICursor:
        """Run it for one row of parameters, or for each of several, in the connection's transaction. Returns the
        cursor, for its rows and its count. Raises what SQLAlchemy would."""
        spelled = self._spelled.get(connection.dialect.name)
        if spelled is None:
            spelled = self._spelled[connection.dialect.name] = self._spell(connection.dialect)
        text, order = spelled
        cursor = connection.connection.cursor()
        driver = connection.dialect.loaded_dbapi
        try:
            if isinstance(rows, Mapping):
                cursor.execute(text, rows if order is None else _ordered(rows, order))
            elif order is None:
                cursor.executemany(text, rows)
            else:
                cursor.executemany(text, [_ordered(row, order) for row in rows])
        except driver.Error as error:
            raise exc.DBAPIError.instance(
                text, None, error, driver.Error, hide_parameters=True, dialect=connection.dialect
            ) from error
        return cursor

    def _spell(self, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
        """The text, and the order of its parameters where they have no names."""
        compiled = self._text.compile(dialect=dialect)
        order = getattr(compiled, "positiontup", None)
        return str(compiled), None if order is None else tuple(order)


def _ordered(row: Row, order: tuple[str, ...]) -> tuple[Value, ...]:
    return tuple([row[name] for name in order])
