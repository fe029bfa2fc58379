"""Both databases, and statements counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import Engine, event

from forgekit.testing import FakeClock
from forgekit.work.models import Project
from forgekit_sql import open_postgresql, open_sqlite
from forgekit_sql.tables import metadata


class StatementCounter:
    """Counts what is sent to any database, a statement with many parameter sets once."""

    def __init__(self) -> None:
        self.executed: list[tuple[str, object]] = []

    @property
    def count(self) -> int:
        return len(self.executed)

    @contextmanager
    def counting(self) -> Iterator[StatementCounter]:
        def hear(_connection, _cursor, statement, parameters, _context, _many):
            self.executed.append((statement, parameters))

        self.executed.clear()
        event.listen(Engine, "before_cursor_execute", hear)
        try:
            yield self
        finally:
            event.remove(Engine, "before_cursor_execute", hear)


@pytest.fixture
def counter() -> StatementCounter:
    """Counts statements."""
    return StatementCounter()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def emptied_postgresql_url(shared_postgresql_url) -> str:
    """The URL of a PostgreSQL database with the schema in place and no rows: much faster to have than a new one."""
    with closing(open_postgresql(shared_postgresql_url, FakeClock())) as storage:
        storage.upgrade()
    tables = ", ".join(sorted(metadata.tables))
    with psycopg.connect(shared_postgresql_url, autocommit=True) as connection:
        # What a failed test left open would keep the tables locked for the next one.
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE; DROP TABLE IF EXISTS hosted")
    return shared_postgresql_url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """The URL of a database of each kind, without rows."""
    if request.param == "postgresql":
        return request.getfixturevalue("emptied_postgresql_url")
    return f"sqlite:///{tmp_path}/forge.db"


def _opened(url, clock):
    """Return a storage with its schema in place, to be closed."""
    storage = open_sqlite(url, clock) if url.startswith("sqlite") else open_postgresql(url, clock)
    storage.upgrade()
    return closing(storage)


@pytest.fixture
def storage(url, clock):
    """A storage on each kind of database."""
    with _opened(url, clock) as storage:
        yield storage


def _add_project(storage, tx, key, log=None):
    storage.work(tx).add_project(Project(id=key, key=key, name=key, repository=None, created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    if log is not None:
        tx.after_commit(lambda: log.append(key))


def _keys(storage):
    with storage.transaction(write=False) as tx:
        return [project.key for project in storage.work(tx).projects()]


@pytest.fixture
def add_project():
    """Writes a project, and logs the signal of its commit."""
    return _add_project


@pytest.fixture
def keys():
    """Tells which projects are committed."""
    return _keys


@pytest.fixture
def open_storage(clock):
    """Opens a storage with its schema in place, to be closed."""
    return lambda url: _opened(url, clock)
