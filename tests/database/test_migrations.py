"""The migration chain makes exactly the tables that the rooms declare."""

import importlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

import tallylight
from tallylight.database.engine import read_only
from tallylight.database.errors import SchemaUnknown
from tallylight.database.metadata import metadata
from tallylight.database.schema import HEAD, migrate
from tallylight.ids import DEFAULT_WORKSPACE

ROOMS = sorted(path.parent.name for path in Path(tallylight.__file__).parent.glob("*/tables.py"))


def test_the_migrated_schema_is_what_all_rooms_declare(engine: Engine) -> None:
    for room in ROOMS:
        importlib.import_module(f"tallylight.{room}.tables")
    with read_only(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
        inspector = inspect(connection)
        for table in metadata.tables.values():
            declared = {column.name: column.nullable for column in table.columns}
            assert {column["name"]: column["nullable"] for column in inspector.get_columns(table.name)} == declared
            assert inspector.get_pk_constraint(table.name)["constrained_columns"] == list(
                table.primary_key.columns.keys()
            )
            predicates = {
                str(index["name"]): index.get("dialect_options", {}).get(f"{engine.dialect.name}_where") is not None
                for index in inspector.get_indexes(table.name)
                if not index.get("duplicates_constraint")
            }
            assert predicates == {
                str(index.name): index.dialect_options[engine.dialect.name]["where"] is not None
                for index in table.indexes
            }


def test_the_workspace_is_in_every_table_key_and_index(engine: Engine) -> None:
    with read_only(engine) as connection:
        inspector = inspect(connection)
        for name in inspector.get_table_names():
            if name in ("alembic_version", "workspace"):
                continue
            assert inspector.get_pk_constraint(name)["constrained_columns"][0] == "workspace", name
            for index in inspector.get_indexes(name):
                assert index["column_names"][0] == "workspace", index["name"]


def test_head_names_the_newest_revision() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(tallylight.__file__).parent / "database" / "migrations"))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_fresh_database_has_the_default_workspace(engine: Engine) -> None:
    with read_only(engine) as connection:
        assert connection.execute(text("SELECT id FROM workspace")).scalars().all() == [DEFAULT_WORKSPACE]


def test_migrating_again_changes_nothing(engine: Engine) -> None:
    migrate(engine)
    with read_only(engine) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]


def test_a_start_with_nothing_to_migrate_does_not_load_alembic(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from tallylight.database.engine import open_database
        from tallylight.database.schema import migrate
        migrate(open_database(Path(sys.argv[1])))
        sys.stdout.write(str("alembic" in sys.modules))
        """
    )
    outputs = [
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert outputs == ["True", "False"]


def test_processes_that_start_together_migrate_once(engine: Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        for name in [*reversed(inspect(connection).get_table_names())]:
            connection.execute(text(f'DROP TABLE "{name}"{" CASCADE" if engine.dialect.name == "postgresql" else ""}'))
    where = (
        str(tmp_path / "data") if engine.dialect.name == "sqlite" else engine.url.render_as_string(hide_password=False)
    )
    script = textwrap.dedent(
        """
        import sys
        from tallylight.database.engine import open_database
        from tallylight.database.schema import migrate
        sys.stdin.read()
        migrate(open_database(sys.argv[1]))
        """
    )
    children = [subprocess.Popen([sys.executable, "-c", script, where], stdin=subprocess.PIPE) for _ in range(2)]
    for child in children:
        assert child.stdin is not None
        child.stdin.close()
    assert [child.wait(60) for child in children] == [0, 0]
    with read_only(engine) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]


def test_a_newer_database_is_refused_in_words(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaUnknown, match="Install the newer program again"):
        migrate(engine)
