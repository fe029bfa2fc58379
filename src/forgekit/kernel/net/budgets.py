"""Budgets of outgoing calls: one durable row a credential, shared by threads and processes, people first."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from forgekit.errors import BudgetExhausted, ForgeClosed
from forgekit.kernel.clock import Clock
from forgekit.kernel.net.models import BudgetPolicy, Granted, Ledger, Priority, Wait
from forgekit.kernel.net.rules import MAX_BLOCK, backoff, read_ledger, reserve, strike, write_ledger
from forgekit.kernel.storage.ports import BudgetRepository
from forgekit.kernel.storage.transaction import Transaction, forbid_network

__all__ = ["BudgetPolicy", "BudgetStore", "BudgetTicket", "Budgets", "MemoryBudgets", "Priority"]

_log = logging.getLogger(__name__)

# Refused without a Retry-After: seconds of the first wait, and of the longest.
_FIRST_BLOCK = 2.0
_LONGEST_BLOCK = 300.0

_PIECE = 1.0
"""Seconds that are waited in one piece. A Ctrl-C that comes just as the main thread begins to wait is heard only at the end of that."""


class BudgetStore(Protocol):
    """Where budgets are kept; every storage engine is one."""

    def transaction(self, *, write: bool = True) -> AbstractContextManager[Transaction]:
        """Open a transaction of its own."""
        ...

    def budgets(self, tx: Transaction, /) -> BudgetRepository:
        """Return the budgets, bound to a transaction."""
        ...


class MemoryBudgets:
    """Budgets of this process alone, for scripts without a storage. Thread-safe."""

    def __init__(self) -> None:
        """Start with no calls made."""
        self._lock = threading.Lock()
        self._rows: dict[str, tuple[str, datetime | None]] = {}

    @contextmanager
    def transaction(self, *, write: bool = True) -> Iterator[Transaction]:
        """Keep other threads out for the time of the block; an error in it undoes nothing."""
        with self._lock:
            tx = Transaction(None, writes=write)
            yield tx
            tx.close()

    def budgets(self, tx: Transaction, /) -> BudgetRepository:
        """Return the rows."""
        tx.check(writing=True)
        return self

    def lock(self, credential: str) -> tuple[str, datetime | None]:
        """Return a row; see ``BudgetRepository``."""
        return self._rows.get(credential, ("", None))

    def save(self, credential: str, ledger: str, blocked_until: datetime | None) -> None:
        """Keep a row; see ``BudgetRepository``."""
        self._rows[credential] = (ledger, blocked_until)


class Budgets:
    """Hands out tickets for outgoing calls. Thread-safe."""

    def __init__(
        self,
        store: BudgetStore,
        clock: Clock,
        *,
        sleep: Callable[[float], object] | None = None,
        noise: Callable[[], float] = random.random,
    ) -> None:
        """Keep the parts.

        Args:
            store: Where the rows are.
            clock: The clock that the ledgers are kept by.
            sleep: Waits for so many seconds; by default one that ``close`` interrupts.
            noise: Returns a number from 0 to 1, for jitter.

        """
        self._store = store
        self._clock = clock
        self._closing = threading.Event()
        self._sleep = sleep if sleep is not None else self._wait_in_pieces
        self._noise = noise

    def ticket(self, credential: str, policy: BudgetPolicy, priority: Priority) -> BudgetTicket:
        """Return the right to ask for calls.

        Args:
            credential: Names the credential without giving it away: its SHA-256 in hex.
            policy: How many calls it has.
            priority: Who asks.

        """
        return BudgetTicket(self, credential, policy, priority)

    def reserve(self, credential: str, policy: BudgetPolicy, priority: Priority) -> Granted | Wait:
        """Ask for one call now, in a short transaction of its own."""
        with self._store.transaction(write=True) as tx:
            repository = self._store.budgets(tx)
            ledger, blocked_until = _read(repository, credential)
            outcome = reserve(ledger, self._clock.now(), policy, priority, blocked_until)
            repository.save(credential, write_ledger(outcome.ledger), blocked_until)
        return outcome

    def block(self, credential: str, policy: BudgetPolicy, seconds: float | None) -> float:
        """Let nobody call for a while, because the outside system said so.

        Args:
            credential: As for ``ticket``.
            policy: As for ``ticket``.
            seconds: For how long, at most an hour; None where it did not say: then longer each time in a row, with jitter.

        Returns:
            For how many seconds from now calls are blocked.

        """
        with self._store.transaction(write=True) as tx:
            repository = self._store.budgets(tx)
            ledger, blocked_until = _read(repository, credential)
            now = self._clock.now()
            if seconds is None:
                ledger = strike(ledger, now, policy, blocked_until)
                seconds = backoff(ledger.strikes, base=_FIRST_BLOCK, cap=_LONGEST_BLOCK, noise=self._noise())
            until = now + timedelta(seconds=min(max(seconds, 0.0), MAX_BLOCK))
            until = until if blocked_until is None else max(until, blocked_until)
            repository.save(credential, write_ledger(ledger), until)
        return (until - now).total_seconds()

    def wait(self, seconds: float) -> None:
        """Wait for a turn.

        Raises:
            ForgeClosed: ``close`` was called meanwhile.

        """
        self._sleep(seconds)
        if self._closing.is_set():
            raise ForgeClosed

    def _wait_in_pieces(self, seconds: float) -> None:
        while seconds > 0 and not self._closing.wait(min(seconds, _PIECE)):
            seconds -= _PIECE

    def close(self) -> None:
        """Wake everybody who waits."""
        self._closing.set()


@attrs.frozen
class BudgetTicket:
    """The right of one priority to ask for calls with one credential. Thread-safe."""

    _budgets: Budgets = attrs.field(repr=False)
    credential: str = attrs.field(repr=False)
    policy: BudgetPolicy
    priority: Priority

    def take(self) -> None:
        """Reserve one call, waiting for a turn as long as this priority is patient.

        Raises:
            BudgetExhausted: The turn would come later; ``retry_after`` says in how many seconds.
            NetworkInTransaction: A write transaction is open on this thread.
            ForgeClosed: The forge was closed while this waited.

        """
        forbid_network()
        patience = self.policy.patience.get(self.priority, 0.0)
        while True:
            outcome = self._budgets.reserve(self.credential, self.policy, self.priority)
            if isinstance(outcome, Granted):
                return
            if outcome.seconds > patience:
                raise BudgetExhausted(retry_after=outcome.seconds, priority=self.priority.name.lower())
            self._budgets.wait(outcome.seconds)
            patience -= outcome.seconds

    def block(self, seconds: float | None) -> float:
        """Let nobody use this credential for a while; see ``Budgets.block``."""
        return self._budgets.block(self.credential, self.policy, seconds)


def _read(repository: BudgetRepository, credential: str) -> tuple[Ledger, datetime | None]:
    text, blocked_until = repository.lock(credential)
    try:
        return read_ledger(text), blocked_until
    except ValueError:
        _log.warning("a budget's ledger is unreadable and starts anew")
        return Ledger(), blocked_until
