"""What the kernel needs from a storage engine. Domains add repositories of their own in their ``ports.py``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

import attrs

from forgekit.kernel.events.models import Claim, Outcome, Queue, ScheduleState
from forgekit.kernel.storage.transaction import Transaction


class TransactionSource(Protocol):
    """Opens units of work."""

    def transaction(self, *, write: bool = True) -> AbstractContextManager[Transaction]:
        """Open a transaction of our own: commit at the end of the block, roll back on an error."""
        ...

    def join(
        self, connection: object, *, on_commit: Callable[[Callable[[], None]], object] | None = None
    ) -> AbstractContextManager[Transaction]:
        """Join the transaction that the host has open on ``connection``; the host commits or rolls back.

        Args:
            connection: A SQLAlchemy ``Connection`` or ``Session``, or a DBAPI connection, to this forge's database.
            on_commit: Takes a callback and calls it after the host's commit (``django.db.transaction.on_commit``).
                Not needed with SQLAlchemy.

        Raises:
            ForeignConnection: The connection is to another database, or of another kind.

        """
        ...


@attrs.frozen(kw_only=True)
class StoredSetting:
    """One stored value.

    Attributes:
        namespace: Whose setting it is (an adapter's name).
        name: The setting.
        value: JSON text, or the sealed envelope of it.
        sealed: Whether ``value`` is sealed.

    """

    namespace: str
    name: str
    value: str = attrs.field(repr=False)
    sealed: bool


class SettingsRepository(Protocol):
    """Stored settings."""

    def read(self, namespace: str) -> Sequence[StoredSetting]:
        """Return the stored settings of a namespace."""
        ...

    def write(self, settings: Collection[StoredSetting]) -> None:
        """Store or replace."""
        ...

    def remove(self, namespace: str, names: Collection[str]) -> None:
        """Forget settings; absent ones are no error."""
        ...

    def sealed(self, *, not_with: str, limit: int) -> Sequence[StoredSetting]:
        """Return up to ``limit`` sealed settings, by namespace and name, whose envelope names another key id than ``not_with``.

        They are held until the commit: one that is stored anew meanwhile must not be replaced by its old value.
        """
        ...


class ClaimRepository(Protocol):
    """Durable work: adding, claiming by lease, settling with a fence."""

    def add_outbox(self, rows: Sequence[OutboxRow]) -> None:
        """Add rows to the outbox, due at once."""
        ...

    def claim(self, queue: Queue, *, handlers: Collection[str], now: datetime, lease: timedelta, limit: int) -> Sequence[Claim]:
        """Take up to ``limit`` due rows for these handlers, in order of due time; rows of a dead holder come back after its lease."""
        ...

    def extend(self, claims: Collection[Claim], until: datetime) -> None:
        """Prolong the lease of claims that are still ours."""
        ...

    def settle(self, claim: Claim, outcome: Outcome) -> bool:
        """Record a claim's end. Returns False, and changes nothing, where the claim is no longer ours.

        For a schedule that was asked for again since it was claimed, ``ready`` keeps the due time that was asked for.
        ``ready`` without an error starts the count of attempts anew.
        """
        ...

    def counts(self, queue: Queue) -> Mapping[str, int]:
        """Return how many rows are in each state."""
        ...

    def next_due(self, queue: Queue, *, handlers: Collection[str]) -> datetime | None:
        """Return when the next row for these handlers becomes due, leases counted; None where none waits."""
        ...

    def purge(self, queue: Queue, *, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` rows that are done since before ``before``; return how many."""
        ...

    # Schedules

    def ensure_schedule(self, name: str, *, enabled: bool, due_at: datetime | None) -> None:
        """Make the row of a schedule where there is none."""
        ...

    def request_schedule(self, name: str, *, now: datetime, delay: timedelta, at_most: timedelta) -> None:
        """Ask for a run on the trailing edge: ``delay`` after this request, at most ``at_most`` after the first unanswered one.

        Works while the schedule runs (it will run once more) and while its loop is disabled. Makes the row where there is none.
        """
        ...

    def enable_schedule(self, name: str, *, enabled: bool, due_at: datetime | None) -> None:
        """Turn a loop on or off; makes the row where there is none."""
        ...

    def schedule(self, name: str, *, now: datetime) -> ScheduleState | None:
        """Return a schedule's state."""
        ...

    def schedules(self, *, now: datetime) -> Sequence[ScheduleState]:
        """Return all schedules by name."""
        ...


@attrs.frozen(kw_only=True)
class OutboxRow:
    """One thing that one handler must do.

    Attributes:
        id: UUIDv7; the handler's ``delivery_id``.
        event: The event's name.
        handler: The handler's name.
        payload: The event, JSON-able.
        due_at: Not before.

    """

    id: str
    event: str
    handler: str
    payload: Mapping[str, Any] = attrs.field(repr=False)
    due_at: datetime


class BudgetRepository(Protocol):
    """Outgoing budgets: one row a credential."""

    def lock(self, credential: str) -> tuple[str, datetime | None]:
        """Return a budget's ledger text ("" when new) and until when the outside system blocked us; holds the row until the commit."""
        ...

    def save(self, credential: str, ledger: str, blocked_until: datetime | None) -> None:
        """Store both."""
        ...


class KernelRepositories(Protocol):
    """The kernel's own repositories, each bound to a transaction."""

    def settings(self, tx: Transaction, /) -> SettingsRepository:
        """Return the stored settings."""
        ...

    def claims(self, tx: Transaction, /) -> ClaimRepository:
        """Return the durable work."""
        ...

    def budgets(self, tx: Transaction, /) -> BudgetRepository:
        """Return the outgoing budgets."""
        ...


class Storage(TransactionSource, KernelRepositories, Protocol):
    """A storage engine, as far as the kernel goes."""

    def upgrade(self) -> Sequence[str]:
        """Bring the schema up to date; return the names of the revisions that were applied."""
        ...

    def check_schema(self) -> None:
        """Refuse a schema older than this code.

        Raises:
            SchemaStale: It is.

        """
        ...

    def describe(self) -> str:
        """Return the engine and database for people, without credentials."""
        ...

    def close(self) -> None:
        """Release every connection."""
        ...
