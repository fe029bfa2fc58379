"""What a host may hand over to be joined, and how to hear of its commit."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import attrs
from sqlalchemy import Connection, NestedTransaction, event, exc

from forgekit.errors import UsageError

Callback = Callable[[], None]


@attrs.frozen
class Host:
    """The host's side of a joined transaction.

    Attributes:
        connection: Its DBAPI connection.
        after_commit: Takes what is to be called after its commit.

    """

    connection: Any
    after_commit: Callable[[Callback], object]


def host_of(connection: Any, on_commit: Callable[[Callback], object] | None) -> Host:
    """Return the DBAPI connection behind what a host handed over.

    SQLAlchemy and Django tell of their commits themselves. With a bare DBAPI connection nobody does, so without ``on_commit``
    nothing is called after the commit; what must happen is in rows and happens all the same.

    Raises:
        UsageError: SQLAlchemy has no transaction open on it.

    """
    found = _sqlalchemy_connection(connection)
    if found is not None:
        if not found.in_transaction():
            raise UsageError("The SQLAlchemy connection has no transaction open: begin one, then join it.")
        return Host(found.connection.dbapi_connection, on_commit or _commits_of(found).after)
    if hasattr(connection, "ensure_connection"):
        connection.ensure_connection()
        return Host(connection.connection, on_commit or connection.on_commit)
    return Host(connection, on_commit or _never)


def _sqlalchemy_connection(connection: Any) -> Connection | None:
    """Return the connection that SQLAlchemy would use now; None for what is not SQLAlchemy's."""
    if isinstance(connection, Connection):
        return connection
    orm = sys.modules.get("sqlalchemy.orm")  # who has a Session has imported it
    if orm is None or not isinstance(connection, orm.Session | orm.scoped_session):
        return None
    connection = connection() if isinstance(connection, orm.scoped_session) else connection
    if not connection.in_transaction():
        raise UsageError("The SQLAlchemy session has no transaction open: begin one, then join it.")
    found: Connection = connection.connection()
    return found


def _never(_callback: Callback) -> None:
    pass


@attrs.define(eq=False)
class _Pending:
    """A callback, and the savepoint of the host that it stands or falls with."""

    callback: Callback
    savepoint: NestedTransaction | None


class _Commits:
    """What waits for the commit of one SQLAlchemy connection."""

    def __init__(self, connection: Connection) -> None:
        self._pending: list[_Pending] = []
        self._connection = weakref.ref(connection)
        event.listen(connection, "commit", self._commit)
        event.listen(connection, "rollback", self._rollback)
        event.listen(connection, "savepoint", self._savepoint)
        event.listen(connection, "rollback_savepoint", self._rollback_savepoint)

    def after(self, callback: Callback) -> None:
        connection = self._connection()
        if connection is not None:
            self._pending.append(_Pending(callback, connection.get_nested_transaction()))

    def _commit(self, connection: Connection) -> None:
        """Commit, then call.

        SQLAlchemy announces a commit before it makes it, and tells nobody afterwards. So it is made here, and the one that SQLAlchemy
        makes next finds nothing left to do.
        """
        pending, self._pending = self._pending, []
        if not pending:
            return
        dialect = connection.dialect
        try:
            dialect.do_commit(connection.connection)
        except dialect.loaded_dbapi.Error as error:
            raise exc.DBAPIError.instance(None, None, error, dialect.loaded_dbapi.Error, dialect=dialect) from error
        for entry in pending:
            entry.callback()

    def _rollback(self, _connection: Connection) -> None:
        self._pending.clear()

    def _savepoint(self, connection: Connection, _name: str | None) -> None:
        self._release(connection)

    def _rollback_savepoint(self, connection: Connection, _name: str, _context: None) -> None:
        self._release(connection)
        lost = connection.get_nested_transaction()
        self._pending = [entry for entry in self._pending if entry.savepoint is not lost]

    def _release(self, connection: Connection) -> None:
        """Hand what a released savepoint held on to the one around it: a savepoint's end is known only when the next one moves."""
        for entry in self._pending:
            if entry.savepoint is not None and not entry.savepoint.is_active:
                entry.savepoint = connection.get_nested_transaction()


_known: weakref.WeakKeyDictionary[Connection, _Commits] = weakref.WeakKeyDictionary()
_guard = threading.Lock()


def _commits_of(connection: Connection) -> _Commits:
    """Return the one listener of a connection: SQLAlchemy's listeners cannot be taken away while they are called."""
    with _guard:
        if connection not in _known:
            _known[connection] = _Commits(connection)
        return _known[connection]
