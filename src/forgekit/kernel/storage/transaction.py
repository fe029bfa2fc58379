"""The unit of work: explicit, bound to one thread, never ambient."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from forgekit.errors import NetworkInTransaction, TransactionOver, UsageError, WrongThread

if TYPE_CHECKING:
    from collections.abc import Iterator

_log = logging.getLogger(__name__)


class _OpenWrites(threading.local):
    """How many write transactions this thread holds open."""

    count = 0


_open_writes = _OpenWrites()


def forbid_network() -> None:
    """Refuse to leave the process while this thread holds a write transaction.

    A slow answer from outside would keep every other writer waiting: fetch first, then write.

    Raises:
        NetworkInTransaction: A write transaction is open on this thread.

    """
    if _open_writes.count:
        raise NetworkInTransaction


class Transaction:
    """One unit of work, made by a storage engine and handed from verb to verb.

    Attributes:
        connection: The engine's own handle; only the engine's repositories look at it.
        writes: Whether this transaction may write.
        joined: Whether it lives inside a transaction of the host, which commits or rolls back.

    """

    def __init__(self, connection: Any, *, writes: bool, joined: bool = False) -> None:
        """Open the unit of work on the calling thread."""
        self.connection = connection
        self.writes = writes
        self.joined = joined
        self._thread = threading.get_ident()
        self._over = False
        self._callbacks: list[Callable[[], None]] = []

    def check(self, *, writing: bool = False) -> None:
        """Refuse a use that cannot be right.

        Raises:
            WrongThread: The calling thread did not open this transaction.
            TransactionOver: It has ended.
            UsageError: It was opened for reading, and this is a write.

        """
        if self._thread != threading.get_ident():
            raise WrongThread
        if self._over:
            raise TransactionOver
        if writing and not self.writes:
            message = "This transaction was opened for reading only."
            raise UsageError(message)

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once the transaction is committed, in order of registration; never after a rollback.

        An error in a callback is logged and reaches nobody: what must happen is a row, not a callback.
        """
        self.check()
        self._callbacks.append(callback)

    def close(self) -> Callable[[], None]:
        """End the transaction for its users and return what runs the callbacks (for the engine, after its commit)."""
        self._over = True
        callbacks, self._callbacks = self._callbacks, []

        def run() -> None:
            for callback in callbacks:
                try:
                    callback()
                except Exception:  # noqa: BLE001 - the commit has happened: nobody is left to be told
                    _log.exception("an after-commit callback failed")

        return run


@contextmanager
def counted_write() -> Iterator[None]:
    """Count a write transaction as open on this thread for the time of the block (for engines)."""
    _open_writes.count += 1
    try:
        yield
    finally:
        _open_writes.count -= 1
