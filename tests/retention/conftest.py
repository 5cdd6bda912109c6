"""A whole house below: on SQLite, and, for what speaks SQL of its own, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tallylight.database.engine import open_database
from tallylight.database.schema import migrate
from tests.catalogue.house import House
from tests.databases import engine, postgresql_cluster

__all__ = ["each_house", "engine", "house", "postgresql_cluster"]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = open_database(tmp_path / "data")
    migrate(opened)
    built = House(tmp_path / "data", opened)
    yield built
    built.close()
    opened.dispose()


@pytest.fixture
def each_house(engine: Engine, tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path / "data", engine)
    yield built
    built.close()
