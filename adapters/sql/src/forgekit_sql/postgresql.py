"""PostgreSQL through psycopg 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text

from forgekit.errors import ConfigurationError, ForeignConnection, UsageError
from forgekit_sql.faults import pool_errors, translate_errors
from forgekit_sql.join import Borrowed, kind

# A transaction of ours is short. One that waits longer than this for a lock has met a fault, and its caller should know.
_LIMITS = "-c lock_timeout=10s -c statement_timeout=60s -c idle_in_transaction_session_timeout=120s"

# "forgekit" on a telephone's keys: one number that every process takes before it changes the schema.
_MIGRATION_LOCK = 36743548


class Postgresql:
    """A PostgreSQL database."""

    def __init__(self, url: URL) -> None:
        """Prepare the engine; the first transaction connects.

        Raises:
            ConfigurationError: The driver is not installed.

        """
        self._url = url
        defaults = {"application_name": "forgekit", "connect_timeout": "10", "options": _LIMITS}
        query = {**defaults, **url.query}
        try:
            self.engine = create_engine(
                url.set(drivername="postgresql+psycopg", query=query),
                pool_size=5,
                max_overflow=15,
                pool_timeout=10,
                pool_pre_ping=True,
                hide_parameters=True,
                use_native_hstore=False,
            )
        except ImportError:
            raise ConfigurationError("PostgreSQL needs its driver: install forgekit-sql[postgresql].") from None
        translate_errors(self.engine)
        self._identity: tuple[str, int] | None = None
        # A reader sees one moment of the database, as on SQLite; this costs nothing and fails nobody.
        self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @contextmanager
    def begin(self, *, write: bool) -> Iterator[Connection]:
        """Open a transaction: READ COMMITTED for writing, one read-only snapshot for reading."""
        engine = self.engine if write else self._reading
        with pool_errors(), engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Open a transaction that holds the lock on migrations until its end."""
        with self.begin(write=True) as connection:
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            yield connection

    def guest_engine(self, creator: Callable[[], Any]) -> Engine:
        """Return an engine on connections of hosts."""
        engine = create_engine(
            "postgresql+psycopg://",
            creator=creator,
            poolclass=NullPool,
            pool_reset_on_return=None,
            hide_parameters=True,
            use_native_hstore=False,
        )
        translate_errors(engine)
        return engine

    @contextmanager
    def borrow(self, connection: Any) -> Iterator[Borrowed]:
        """Lend a host's connection out, with plain rows from it."""
        import psycopg
        from psycopg.pq import TransactionStatus

        if not isinstance(connection, psycopg.Connection):
            raise ForeignConnection(f"This forge is on PostgreSQL through psycopg 3, and the connection is a {kind(connection)}.")
        status = connection.info.transaction_status
        if status is TransactionStatus.IDLE and connection.autocommit:
            raise UsageError("The PostgreSQL connection has no transaction open and commits each statement by itself: BEGIN, then join.")
        if status is TransactionStatus.INERROR:
            raise UsageError("The host's transaction has failed already: roll it back before joining.")
        yield Borrowed(connection, _plain_cursor)

    def accept(self, guest: Connection, _connection: Any, /) -> None:
        """Check that a host's connection is to this database of this server."""
        theirs = _identity(guest)
        if theirs == self._identity:
            return
        with self.begin(write=False) as own:
            # Asked again on a difference: the server may have been restarted since.
            self._identity = _identity(own)
        if theirs != self._identity:
            raise ForeignConnection(
                f"The connection is to the database {theirs[0]!r} of its PostgreSQL server, and this forge to: {self.describe()}."
            )

    def describe(self) -> str:
        """Return where the database is, without user and password."""
        return f"PostgreSQL database {self._url.database} at {self._url.host or 'the local socket'}:{self._url.port or 5432}"

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _plain_cursor(connection: Any) -> Any:
    from psycopg import Cursor
    from psycopg.rows import tuple_row

    return Cursor(connection, row_factory=tuple_row)


def _identity(connection: Connection) -> tuple[str, int]:
    """Return a database's name and the moment its server started: together no other one's, and open to every user."""
    query = "SELECT current_database(), (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint"
    name, started = connection.exec_driver_sql(query).one()
    return name, started
