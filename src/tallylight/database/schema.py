"""Bringing a database to this program's schema: the one migration chain, shipped in the package."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from tallylight.database.errors import SchemaUnknown

HEAD = "0005"
"""The newest revision in migrations/versions."""

_LOCK = 0x74616C6C79
"""PostgreSQL advisory lock: one process migrates at a time."""


def migrate(engine: Engine) -> None:
    """Bring the database to `HEAD`, in one transaction. Costs one look where nothing is to be done.

    SchemaUnknown where the database is newer than the program.
    """
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if _revision(connection) != HEAD:
            _upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _upgrade(connection: Connection) -> None:
    # Imported here: alembic costs a tenth of a second, and a start with nothing to migrate does not need it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    revision = _revision(connection)
    if revision is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(revision)
        except CommandError:
            raise SchemaUnknown(
                f"The database has schema {revision}, this program knows up to {HEAD}. Install the newer program again."
            ) from None
    command.upgrade(config, HEAD)
