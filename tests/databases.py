"""Both databases for storage tests: SQLite in a temporary directory, and PostgreSQL on a cluster of the session's own.

In a room's conftest:

    from tests.databases import engine, postgresql_cluster

    __all__ = ["engine", "postgresql_cluster"]

and every test that takes `engine` runs on both; where PostgreSQL is missing, its half is skipped by name.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url

from tallylight.database.engine import open_database
from tallylight.database.schema import HEAD, migrate
from tallylight.ids import DEFAULT_WORKSPACE
from tests import needs

_OPTIONS = (
    "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c shared_buffers=16MB -c max_connections=40"
    " -c autovacuum=off -c unix_socket_permissions=0700"
)


class PostgresqlCluster:
    """A server reached by a socket in a directory that only its user may enter. `url` is a new, empty database."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # PostgreSQL refuses to run as root, and its user could not enter pytest's own directories.
        self._directory = Path(tempfile.mkdtemp(prefix="tallylight-pg-"))
        self._user, self._group = _unprivileged()
        self._numbers = itertools.count(1)
        self._free: list[str] = []
        os.chown(self._directory, self._user, self._group)
        try:
            self._run(
                "initdb", "-D", "data", "-U", "tallylight", "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8"
            )
            self._run("pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", f"{_OPTIONS} -k {self._directory}")
        except BaseException:
            shutil.rmtree(self._directory)
            raise

    def url(self) -> str:
        """The URL of a fresh, empty database."""
        name = f"test_{next(self._numbers)}"
        with self._connect("postgres") as server:
            server.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://tallylight@/{name}?host={self._directory}"

    def borrow(self) -> str:
        """The URL of a migrated database that holds nothing yet."""
        if self._free:
            return self._free.pop()
        url = self.url()
        engine = open_database(url)
        migrate(engine)
        engine.dispose()
        return url

    def give_back(self, url: str) -> None:
        """Empty a borrowed database for the next test: making one costs half a second. A damaged one is left alone."""
        with self._connect(make_url(url).database or "") as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            if server.execute("SELECT version_num FROM alembic_version").fetchall() != [(HEAD,)]:
                return
            tables = server.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchall()
            server.execute(("TRUNCATE " + ", ".join(f'"{name}"' for (name,) in tables)).encode())
            server.execute("INSERT INTO workspace (id, created_ms) VALUES (%s, 0)", (DEFAULT_WORKSPACE,))
        self._free.append(url)

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self._directory), user="tallylight", dbname=database, autocommit=True)

    def stop(self) -> None:
        """End the server and remove its directory."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", "data")
        shutil.rmtree(self._directory)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), *arguments],
            cwd=self._directory,
            user=self._user,
            group=self._group,
            extra_groups=[] if os.geteuid() == 0 else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )


@pytest.fixture(scope="session")
def postgresql_cluster() -> Iterator[PostgresqlCluster]:
    """One server for this test process."""
    programs = needs.postgresql_programs()
    assert programs is not None, "a test that needs PostgreSQL lacks the marker `needs.postgresql`"
    cluster = PostgresqlCluster(programs)
    yield cluster
    cluster.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs.postgresql)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        opened = open_database(tmp_path / "data")
        migrate(opened)
        yield opened
        opened.dispose()
        return
    cluster: PostgresqlCluster = request.getfixturevalue("postgresql_cluster")
    url = cluster.borrow()
    opened = open_database(url)
    yield opened
    opened.dispose()
    cluster.give_back(url)


def _unprivileged() -> tuple[int, int]:
    """The user and group to run the server as."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise RuntimeError("there is neither a user postgres nor a user nobody to run PostgreSQL as")
