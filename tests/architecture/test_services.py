"""The fixtures of the root conftest keep their promises."""

from __future__ import annotations

import psycopg
import pytest


def _databases(server: str) -> set[str]:
    with psycopg.connect(server) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_a_fresh_database_can_be_written(postgresql_url):
    """A test gets an empty database that is its own."""
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE t (x int)")
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_a_fresh_database_is_dropped(require_postgresql):
    """A database that a test received does not outlive it."""
    from conftest import _fresh_database

    databases = _fresh_database(require_postgresql)
    name = next(databases).rsplit("/", 1)[1]
    assert name in _databases(require_postgresql)
    databases.close()
    assert name not in _databases(require_postgresql)


def test_a_missing_service_fails_where_it_was_promised(monkeypatch):
    """With FORGEKIT_REQUIRE_SERVICES=1 a missing service is a failure, otherwise a skip."""
    from conftest import _unavailable

    monkeypatch.setenv("FORGEKIT_REQUIRE_SERVICES", "1")
    with pytest.raises(pytest.fail.Exception, match="no such service"):
        _unavailable("no such service")
    monkeypatch.delenv("FORGEKIT_REQUIRE_SERVICES")
    with pytest.raises(pytest.skip.Exception):
        _unavailable("no such service")
