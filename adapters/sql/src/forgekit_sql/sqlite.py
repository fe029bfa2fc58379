"""SQLite: a file in WAL mode, one writer a process."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

from forgekit.errors import ConfigurationError, ForeignConnection, StorageBusy, StorageError, UsageError
from forgekit_sql.faults import RETRY_SECONDS, pool_errors, translate_errors
from forgekit_sql.join import Borrowed, kind

_TIMEOUT_SECONDS = 10.0
_CACHED_STATEMENTS = 512


class _WriteLocks:
    """One lock a database file, shared by everything in this process that writes to it.

    SQLite itself lets writers poll for their turn; waiting on a lock hands the turn over at once.
    """

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget every lock: a child process must not wait for a thread that only its parent has."""
        self._guard = threading.Lock()
        self._locks: weakref.WeakValueDictionary[str, _WriteLock] = weakref.WeakValueDictionary()

    def lock(self, path: str) -> _WriteLock:
        with self._guard:
            return self._locks.setdefault(os.path.realpath(path), _WriteLock())


class _WriteLock:
    """A lock that can be referred to weakly, with a timeout that is an error of ours."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def held(self, timeout: float) -> Iterator[None]:
        if not self._lock.acquire(timeout=timeout):
            raise StorageBusy("Another thread of this process is still writing.", retry_after=RETRY_SECONDS)
        try:
            yield
        finally:
            self._lock.release()


_write_locks = _WriteLocks()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_write_locks.clear)


class Sqlite:
    """A SQLite database file, or one of this object alone that is gone when it is closed."""

    def __init__(self, url: URL) -> None:
        """Prepare the engine; the file is opened by the first transaction.

        ``sqlite://`` is a temporary file, because SQLite's memory databases make readers wait for writers and would let code pass
        tests that a file would not.

        Raises:
            ConfigurationError: The URL has parts that SQLite has no use for.

        """
        self._timeout = _timeout(url)
        self._temporary = None if _names_a_file(url) else _TemporaryDirectory()
        self.path = str(Path(url.database or "").resolve() if self._temporary is None else self._temporary.path / "forgekit.db")
        self._write_lock = _write_locks.lock(self.path)
        self.engine = self._engine()

    def _engine(self) -> Engine:
        engine = create_engine(
            URL.create("sqlite+pysqlite", database=self.path),
            # No implicit transactions: `begin` says what it opens.
            connect_args={"isolation_level": None, "timeout": self._timeout, "cached_statements": _CACHED_STATEMENTS},
            pool_size=8,
            max_overflow=-1,
            hide_parameters=True,
        )
        event.listen(engine, "connect", self._prepare)
        translate_errors(engine)
        return engine

    def _prepare(self, connection: Any, _record: object) -> None:
        # An acknowledged commit survives a loss of power; what lives in a temporary file does not outlive the process anyway.
        synchronous = "FULL" if self._temporary is None else "OFF"
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def begin(self, *, write: bool) -> Iterator[Connection]:
        """Open a transaction: IMMEDIATE for writing, since a reader that turns writer fails at once when another was faster."""
        if not write:
            with self._begun("BEGIN") as connection:
                yield connection
            return
        with self._write_lock.held(self._timeout), self._begun("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _begun(self, statement: str) -> Iterator[Connection]:
        with pool_errors(), self.engine.connect() as connection:
            connection.exec_driver_sql(statement)
            yield connection
            connection.commit()

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a transaction with foreign keys off, and check them all before it is committed.

        A table is changed by making a new one and dropping the old, which with foreign keys on deletes or refuses what refers to
        it; the switch has no effect inside a transaction. https://www.sqlite.org/lang_altertable.html#otheralter
        """
        with self._write_lock.held(self._timeout), self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    tables = ", ".join(sorted({row[0] for row in broken}))
                    raise StorageError(f"The migration would have left rows without what they refer to, in: {tables}.")
                connection.commit()
            finally:
                connection.rollback()
                connection.exec_driver_sql("PRAGMA foreign_keys = ON")

    def guest_engine(self, creator: Callable[[], Any]) -> Engine:
        """Return an engine on connections of hosts."""
        engine = create_engine("sqlite+pysqlite://", creator=creator, poolclass=NullPool, pool_reset_on_return=None, hide_parameters=True)
        translate_errors(engine)
        return engine

    @contextmanager
    def borrow(self, connection: Any) -> Iterator[Borrowed]:
        """Lend a host's connection out, with plain rows and texts while it is."""
        if not isinstance(connection, sqlite3.Connection):
            raise ForeignConnection(f"This forge is on SQLite through sqlite3, and the connection is a {kind(connection)}.")
        if not connection.in_transaction and _autocommits(connection):
            raise UsageError("The SQLite connection has no transaction open and commits each statement by itself: BEGIN, then join.")
        text_factory, connection.text_factory = connection.text_factory, str
        try:
            yield Borrowed(connection, _plain_cursor)
        finally:
            connection.text_factory = text_factory

    def accept(self, guest: Connection, connection: Any, /) -> None:
        """Check that a host's connection is to this file, and begin the transaction that sqlite3 has only put off."""
        paths = {name: path for _, name, path in guest.exec_driver_sql("PRAGMA database_list")}
        theirs = paths["main"]
        if not theirs or not Path(theirs).samefile(self.path):
            raise ForeignConnection(f"The connection is to {theirs or 'a database in memory'}, and this forge to {self.describe()}.")
        if not connection.in_transaction:
            guest.exec_driver_sql("BEGIN IMMEDIATE")

    def describe(self) -> str:
        """Return the file's path."""
        return f"SQLite file {self.path}" if self._temporary is None else "SQLite in a temporary file"

    def close(self) -> None:
        """Close every connection; delete a temporary database."""
        self.engine.dispose()
        if self._temporary is not None:
            self._temporary.remove()


def _plain_cursor(connection: sqlite3.Connection) -> sqlite3.Cursor:
    cursor = sqlite3.Cursor(connection)
    cursor.row_factory = None
    return cursor


def _autocommits(connection: sqlite3.Connection) -> bool:
    """Tell whether each statement of a connection commits itself; since Python 3.12 there are two ways to say so."""
    autocommit = getattr(connection, "autocommit", None)
    return autocommit is True or (autocommit is not False and connection.isolation_level is None)


class _TemporaryDirectory:
    """A directory that goes with this process, and not with a child that was forked from it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="forgekit-"))
        self.remove = weakref.finalize(self, _remove, self.path, os.getpid())


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(path, ignore_errors=True)


def _names_a_file(url: URL) -> bool:
    return url.database not in {None, "", ":memory:"}


def _timeout(url: URL) -> float:
    """Return the seconds that a writer waits for its turn (``?timeout=``)."""
    unknown = sorted(set(url.query) - {"timeout"})
    if unknown:
        raise ConfigurationError(f"A SQLite URL takes only ?timeout=, not {', '.join(unknown)}.")
    if url.host or url.username or url.password or url.port:
        raise ConfigurationError("A SQLite URL names a file: sqlite:///relative.db or sqlite:////absolute/path.db.")
    try:
        return float(str(url.query.get("timeout", _TIMEOUT_SECONDS)))
    except ValueError:
        raise ConfigurationError("A SQLite URL's timeout is a number of seconds.") from None
