"""What is PostgreSQL's own."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from sqlalchemy import exc, text

from forgekit.errors import ConfigurationError, StorageBusy, StorageError
from forgekit_sql import open_postgresql
from forgekit_sql.faults import pool_errors


def test_a_password_is_never_told(clock):
    """Neither the description nor a failing connection repeats the password."""
    with closing(open_postgresql("postgresql://me:sekret@127.0.0.1:1/forge?connect_timeout=2", clock)) as storage:
        assert storage.describe() == "PostgreSQL database forge at 127.0.0.1:1"
        with pytest.raises(StorageError) as caught, storage.transaction():
            pass
    assert "sekret" not in f"{caught.value}{caught.value.__cause__}{storage!r}"


def test_the_connection_says_who_it_is(open_storage, emptied_postgresql_url):
    """An operator sees forgekit's connections by name, with limits on how long they may wait."""
    with open_storage(emptied_postgresql_url) as storage, storage.transaction() as tx:
        shown = [tx.connection.execute(text(f"SHOW {name}")).scalar() for name in ("application_name", "lock_timeout", "statement_timeout")]
    assert shown == ["forgekit", "10s", "1min"]


def test_a_lock_that_is_not_given_is_busy(open_storage, emptied_postgresql_url, add_project):
    """Who waits too long for a row is told to come again."""
    with open_storage(f"{emptied_postgresql_url}?options=-c%20lock_timeout%3D100ms") as storage:
        with storage.transaction() as tx:
            add_project(storage, tx, "a")
        refused = []

        def write():
            try:
                with storage.transaction() as tx:
                    storage.work(tx).lock_project("a")
            except StorageBusy as error:
                refused.append(error.retryable)

        with storage.transaction() as tx:
            storage.work(tx).lock_project("a")
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
        assert refused == [True]


def test_a_lost_connection_is_an_error_of_storage(open_storage, emptied_postgresql_url, keys):
    """A server that hangs up is told as such, and the next transaction has a new connection."""
    with open_storage(emptied_postgresql_url) as storage:
        with pytest.raises(StorageError), storage.transaction() as tx:
            tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
            storage.work(tx).projects()
        assert keys(storage) == []


def test_a_closed_connection_is_an_error_of_storage(open_storage, emptied_postgresql_url):
    """A connection that broke between two statements is told as lost."""
    with open_storage(emptied_postgresql_url) as storage, pytest.raises(StorageError, match="was lost"), storage.transaction() as tx:
        tx.connection.connection.dbapi_connection.close()
        storage.work(tx).projects()


def test_a_text_that_postgresql_cannot_hold_is_refused(open_storage, emptied_postgresql_url, add_project):
    """A NUL is none of PostgreSQL's characters: a wrong value, not a fault of the storage."""
    with (
        open_storage(emptied_postgresql_url) as storage,
        pytest.raises(Exception, match="cannot hold") as caught,
        storage.transaction() as tx,
    ):
        add_project(storage, tx, "nul \x00")
    assert caught.value.code == "invalid_input"


def test_a_missing_table_is_an_error_of_storage(open_storage, emptied_postgresql_url):
    """A statement that the database refuses is told in its first sentence alone."""
    with open_storage(emptied_postgresql_url) as storage, pytest.raises(StorageError, match="nowhere"), storage.transaction() as tx:
        tx.connection.execute(text("SELECT * FROM nowhere"))


def test_an_exhausted_pool_is_busy():
    """Who finds no free connection is told to come again."""
    with pytest.raises(StorageBusy), pool_errors():
        raise exc.TimeoutError


def test_a_missing_driver_is_told(clock, monkeypatch):
    """Without psycopg the message says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"forgekit-sql\[postgresql\]"):
        open_postgresql("postgresql://localhost/x", clock)
