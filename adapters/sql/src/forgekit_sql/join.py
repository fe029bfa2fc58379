"""Joining a host's transaction: SQLAlchemy Core over the host's own DBAPI connection, which stays the host's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from forgekit_sql.database import Database

_SAVEPOINT = "forgekit_join"


class Borrowed:
    """A host's DBAPI connection without everything that would end its transaction or change it for the host."""

    def __init__(self, connection: Any, cursor: Callable[[Any], Any]) -> None:
        """Lend ``connection`` out; ``cursor`` makes a cursor on it that is not shaped by the host's factories."""
        object.__setattr__(self, "_connection", connection)
        object.__setattr__(self, "_cursor", cursor)

    def cursor(self, *_args: object, **_options: object) -> Any:
        """Return a plain cursor."""
        return self._cursor(self._connection)

    def _leave(self, *_args: object, **_options: object) -> None:
        """Do nothing: this is for the host to decide."""

    commit = rollback = close = create_function = add_notice_handler = set_autocommit = set_isolation_level = _leave

    def __getattr__(self, name: str) -> Any:
        """Return anything else from the host's connection."""
        return getattr(self._connection, name)

    def __setattr__(self, name: str, value: object) -> None:
        """Leave the host's connection as it is."""


def kind(connection: object) -> str:
    """Return a connection's class for people, its driver included."""
    return f"{type(connection).__module__}.{type(connection).__qualname__}"


class Joins:
    """Opens guests' connections on hosts' connections. Thread-safe."""

    def __init__(self, database: Database) -> None:
        """Prepare an engine whose connections are all borrowed."""
        self._database = database
        self._thread = threading.local()
        self._engine = database.guest_engine(lambda: self._thread.lent)

    @contextmanager
    def joined(self, connection: Any) -> Iterator[Connection]:
        """Open a guest's connection on a host's DBAPI connection.

        The block is a savepoint of the host's transaction: one that fails leaves nothing behind, even if the host goes on.

        Raises:
            ForeignConnection: It is not to this database.
            UsageError: It has no transaction open.

        """
        with self._database.borrow(connection) as lent:
            self._thread.lent = lent
            with self._engine.connect() as guest:
                self._database.accept(guest, connection)
                with _savepoint(guest):
                    yield guest

    def close(self) -> None:
        """Release what the engine keeps."""
        self._engine.dispose()


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    connection.exec_driver_sql(f"SAVEPOINT {_SAVEPOINT}")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        raise
    finally:
        connection.exec_driver_sql(f"RELEASE SAVEPOINT {_SAVEPOINT}")
