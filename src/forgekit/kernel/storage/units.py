"""One way to write ``tx: Transaction | None``: use the one given, or open one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forgekit.kernel.storage.ports import TransactionSource
    from forgekit.kernel.storage.transaction import Transaction


@contextmanager
def writing(source: TransactionSource, tx: Transaction | None) -> Iterator[Transaction]:
    """Yield ``tx`` after checking that it may write here and now, or a transaction of our own.

    Raises:
        WrongThread: ``tx`` belongs to another thread.
        TransactionOver: ``tx`` has ended.
        UsageError: ``tx`` is for reading only.

    """
    if tx is not None:
        tx.check(writing=True)
        yield tx
        return
    with source.transaction(write=True) as own:
        yield own


@contextmanager
def reading(source: TransactionSource, tx: Transaction | None = None) -> Iterator[Transaction]:
    """Yield ``tx`` after checking that it may be used here and now, or a read transaction of our own."""
    if tx is not None:
        tx.check()
        yield tx
        return
    with source.transaction(write=False) as own:
        yield own
