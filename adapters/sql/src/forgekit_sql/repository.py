"""What every repository does alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Any, Protocol, TypeVar

import attrs
from sqlalchemy import Connection

from forgekit.kernel.storage.transaction import Transaction

_T = TypeVar("_T")


class _Row(Protocol):
    """A row of a result, however many columns it has."""

    def _asdict(self) -> dict[str, Any]: ...


# Below the 32,766 variables of a SQLite statement (https://www.sqlite.org/limits.html) and the 65,535 of PostgreSQL.
_IDS_A_STATEMENT = 30_000


class Repository:
    """A cheap object that lives as long as its transaction."""

    def __init__(self, tx: Transaction) -> None:
        """Bind to a transaction; nothing is checked before the first use."""
        self._tx = tx

    @property
    def _reading(self) -> Connection:
        """The connection, after a check that it may be used here and now."""
        self._tx.check()
        connection: Connection = self._tx.connection
        return connection

    @property
    def _writing(self) -> Connection:
        """The connection, after a check that it may write here and now."""
        self._tx.check(writing=True)
        connection: Connection = self._tx.connection
        return connection


def record(instance: attrs.AttrsInstance) -> dict[str, Any]:
    """Return a model's fields as a row's values; the column types turn them into what the database holds."""
    return attrs.asdict(instance, recurse=False)


def load(model: Callable[..., _T], row: _Row | None) -> _T | None:
    """Return the model of a row whose columns are named like the model's fields."""
    return None if row is None else model(**row._asdict())


def load_all(model: Callable[..., _T], rows: Iterable[_Row]) -> list[_T]:
    """Return the models of rows, in their order."""
    return [model(**row._asdict()) for row in rows]


def batches(ids: Collection[_T]) -> Iterator[list[_T]]:
    """Cut ids into as few pieces as the databases allow in one statement."""
    remaining = iter(ids)
    while batch := list(islice(remaining, _IDS_A_STATEMENT)):
        yield batch
