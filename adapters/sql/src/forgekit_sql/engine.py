"""The storage engine: transactions, repositories and the schema of one database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from forgekit.errors import ConfigurationError, UsageError
from forgekit.kernel.clock import Clock
from forgekit.kernel.storage.transaction import Transaction, counted_write
from forgekit_sql.accounts import SqlAccounts
from forgekit_sql.build_imports import SqlBuildImports
from forgekit_sql.builds import SqlBuilds
from forgekit_sql.claims import SqlClaims
from forgekit_sql.database import Database
from forgekit_sql.hosts import host_of
from forgekit_sql.inbox import SqlInbox
from forgekit_sql.join import Joins
from forgekit_sql.migrations import Migrations
from forgekit_sql.postgresql import Postgresql
from forgekit_sql.settings import SqlBudgets, SqlSettings
from forgekit_sql.sprints import SqlSprints
from forgekit_sql.sqlite import Sqlite
from forgekit_sql.work import SqlWork


class SqlStorage:
    """Implements ``forgekit.hookspecs.StorageEngine``. Thread-safe; a transaction is one thread's."""

    def __init__(self, database: Database, clock: Clock, migrations: Migrations | None = None) -> None:
        """Serve from a database whose schema ``migrations`` keeps (our own when absent)."""
        self._database = database
        self._clock = clock
        self._migrations = migrations or Migrations()
        self._thread = threading.local()
        self._joins = Joins(database)

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Transaction]:
        """Open a transaction: commit at the end of the block, roll back on an error.

        Raises:
            UsageError: This thread has a write transaction open already: hand that one on as ``tx=``.
            StorageBusy: The database did not have its turn for us in time.

        """
        with self._one_writer() if write else _nothing(), self._database.begin(write=write) as connection:
            tx = Transaction(connection, writes=write)
            try:
                yield tx
            finally:
                after_commit = tx.close()
        after_commit()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Refuse a second write transaction on one thread, which on SQLite would wait for the first for ever."""
        if getattr(self._thread, "writes", False):
            raise UsageError("This thread has a write transaction open already: hand it on as tx= instead of opening another.")
        self._thread.writes = True
        try:
            with counted_write():
                yield
        finally:
            self._thread.writes = False

    @contextmanager
    def join(self, connection: object, *, on_commit: Callable[[Callable[[], None]], object] | None = None) -> Iterator[Transaction]:
        """Join the transaction that the host has open on ``connection``; the host commits or rolls back.

        The block is a savepoint: where it fails, the host's transaction is as it was before, and may go on.

        Args:
            connection: A SQLAlchemy ``Connection`` or ``Session``, Django's ``connection``, or a DBAPI connection (``sqlite3``,
                ``psycopg``), to this forge's database.
            on_commit: Takes a callback and calls it after the host's commit. Not needed with SQLAlchemy and Django; with a bare
                DBAPI connection and without it, after-commit signals of this block are not sent.

        Raises:
            ForeignConnection: The connection is to another database, or of another kind.
            UsageError: No transaction is open on it, or this thread has a write transaction of ours open.

        """
        host = host_of(connection, on_commit)
        with self._one_writer(), self._joins.joined(host.connection) as guest:
            tx = Transaction(guest, writes=True, joined=True)
            try:
                yield tx
            finally:
                after_commit = tx.close()
        host.after_commit(after_commit)

    def settings(self, tx: Transaction, /) -> SqlSettings:
        """Return the stored settings."""
        return SqlSettings(tx)

    def claims(self, tx: Transaction, /) -> SqlClaims:
        """Return the durable work."""
        return SqlClaims(tx, self._clock)

    def budgets(self, tx: Transaction, /) -> SqlBudgets:
        """Return the outgoing budgets."""
        return SqlBudgets(tx)

    def accounts(self, tx: Transaction, /) -> SqlAccounts:
        """Return the API keys."""
        return SqlAccounts(tx)

    def work(self, tx: Transaction, /) -> SqlWork:
        """Return projects, work items and test runs."""
        return SqlWork(tx)

    def sprints(self, tx: Transaction, /) -> SqlSprints:
        """Return sprints and their ties to a tracker."""
        return SqlSprints(tx)

    def builds(self, tx: Transaction, /) -> SqlBuilds:
        """Return builds, their timelines and their roll-ups."""
        return SqlBuilds(tx)

    def build_imports(self, tx: Transaction, /) -> SqlBuildImports:
        """Return imports of builds."""
        return SqlBuildImports(tx)

    def inbox(self, tx: Transaction, /) -> SqlInbox:
        """Return the incoming webhooks."""
        return SqlInbox(tx)

    def upgrade(self) -> Sequence[str]:
        """Bring the schema up to date; return the names of the revisions that were applied.

        Any number of processes may call this at once.

        Raises:
            SchemaNewer: The schema is newer than this code.

        """
        return self._migrations.upgrade(self._database)

    def check_schema(self) -> None:
        """Refuse a schema that this code does not know.

        Raises:
            SchemaStale: It is older.
            SchemaNewer: It is newer.

        """
        self._migrations.check(self._database)

    def describe(self) -> str:
        """Return the database for people, without credentials."""
        return self._database.describe()

    def __repr__(self) -> str:
        """Name the database."""
        return f"<SqlStorage {self.describe()}>"

    def close(self) -> None:
        """Release every connection."""
        self._joins.close()
        self._database.close()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def open_sqlite(url: str, clock: Clock) -> SqlStorage:
    """Open a SQLite database and bring its schema up to date.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, or ``sqlite://`` for a database that lives as long as the
            storage is open. ``?timeout=`` is how many seconds a writer waits for its turn, 10 when absent.
        clock: Tells when work was settled.

    Raises:
        ConfigurationError: The URL cannot be used.
        SchemaNewer: The file was written by a newer version.

    """
    storage = SqlStorage(Sqlite(_parse(url)), clock)
    return _opened(storage, storage.upgrade)


def open_postgresql(url: str, clock: Clock) -> SqlStorage:
    """Open a PostgreSQL database. Its schema is brought up to date by ``upgrade()`` only (``forgekit db upgrade``).

    Args:
        url: ``postgresql://user:password@host:port/database``; libpq's parameters may follow as a query.
        clock: Tells when work was settled.

    Raises:
        ConfigurationError: The URL cannot be used, or psycopg is not installed.

    """
    return SqlStorage(Postgresql(_parse(url)), clock)


def _opened(storage: SqlStorage, prepare: Callable[[], object]) -> SqlStorage:
    try:
        prepare()
    except BaseException:
        storage.close()
        raise
    return storage


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # The URL itself may hold a password: it is not repeated.
        raise ConfigurationError("The database URL cannot be read; it looks like sqlite:///forge.db or postgresql://host/name.") from None
