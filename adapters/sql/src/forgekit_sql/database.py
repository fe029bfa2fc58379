"""What differs between the databases, behind one Protocol."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import Connection, Engine


class Database(Protocol):
    """One opened database.

    Attributes:
        engine: SQLAlchemy's engine for it.

    """

    engine: Engine

    def begin(self, *, write: bool) -> AbstractContextManager[Connection]:
        """Open a transaction; commit at the end of the block, roll back on an error."""
        ...

    def migrating(self) -> AbstractContextManager[Connection]:
        """Open a transaction in which the schema is changed, by one process at a time."""
        ...

    def guest_engine(self, creator: Callable[[], Any]) -> Engine:
        """Return an engine on connections of hosts, which ``creator`` hands out; it keeps and closes none of them."""
        ...

    def borrow(self, connection: Any) -> AbstractContextManager[Any]:
        """Lend a host's DBAPI connection out: nothing done to what is yielded ends or changes the host's transaction.

        Raises:
            ForeignConnection: It belongs to another driver.
            UsageError: It commits each statement by itself.

        """
        ...

    def accept(self, guest: Connection, connection: Any, /) -> None:
        """Check that ``guest``, opened on a host's ``connection``, is in this very database and in a transaction.

        Raises:
            ForeignConnection: It is in another database.

        """
        ...

    def describe(self) -> str:
        """Return the database for people, without credentials."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
