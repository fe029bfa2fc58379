"""Durable work as one repository over the inbox, the outbox and the schedules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Claim, Outcome, Queue, ScheduleState
from forgekit.kernel.storage.ports import OutboxRow
from forgekit.kernel.storage.transaction import Transaction
from forgekit_sql import schedules
from forgekit_sql.queues import INBOX, OUTBOX, changed
from forgekit_sql.repository import Repository
from forgekit_sql.tables import outbox

_TABLES = {Queue.INBOX: INBOX, Queue.OUTBOX: OUTBOX}


class SqlClaims(Repository):
    """Implements ``ClaimRepository``."""

    def __init__(self, tx: Transaction, clock: Clock) -> None:
        """Bind to a transaction; the clock tells when a row was settled."""
        super().__init__(tx)
        self._clock = clock

    def add_outbox(self, rows: Sequence[OutboxRow]) -> None:
        """Add rows to the outbox, due at once."""
        connection = self._writing
        if rows:
            connection.execute(outbox.insert(), [_outbox_values(row) for row in rows])

    def claim(self, queue: Queue, *, handlers: Collection[str], now: datetime, lease: timedelta, limit: int) -> Sequence[Claim]:
        """Take up to ``limit`` due rows for these handlers, in order of due time; rows of a dead holder come back after its lease."""
        connection = self._writing
        if queue is Queue.SCHEDULES:
            return schedules.claim(connection, names=handlers, now=now, lease=lease, limit=limit)
        return _TABLES[queue].claim(connection, handlers=handlers, now=now, lease=lease, limit=limit)

    def extend(self, claims: Collection[Claim], until: datetime) -> None:
        """Prolong the lease of claims that are still ours."""
        connection = self._writing
        for queue in Queue:
            held = [claim for claim in claims if claim.queue is queue]
            if held:
                extend = schedules.extend if queue is Queue.SCHEDULES else _TABLES[queue].extend
                extend(connection, held, until)

    def settle(self, claim: Claim, outcome: Outcome) -> bool:
        """Record a claim's end. Returns False, and changes nothing, where the claim is no longer ours."""
        connection = self._writing
        if claim.queue is Queue.SCHEDULES:
            return schedules.settle(connection, claim, outcome)
        return _TABLES[claim.queue].settle(connection, claim, outcome, self._clock.now())

    def counts(self, queue: Queue) -> Mapping[str, int]:
        """Return how many rows are in each state."""
        connection = self._reading
        return schedules.counts(connection) if queue is Queue.SCHEDULES else _TABLES[queue].counts(connection)

    def next_due(self, queue: Queue, *, handlers: Collection[str]) -> datetime | None:
        """Return when the next row for these handlers becomes due, leases counted; None where none waits."""
        connection = self._reading
        return schedules.next_due(connection, handlers) if queue is Queue.SCHEDULES else _TABLES[queue].next_due(connection, handlers)

    def purge(self, queue: Queue, *, before: datetime, limit: int) -> int:
        """Delete up to ``limit`` outbox rows that are done since before ``before``; return how many.

        Rows of the inbox stay, to recognise what comes again (``InboxRepository.purge`` empties them), and schedules are never done.
        """
        connection = self._writing
        if queue is not Queue.OUTBOX:
            return 0
        columns = outbox.c
        old = select(columns.id).where(columns.settled_at < before, columns.state == "done").order_by(columns.settled_at).limit(limit)
        return changed(connection.execute(delete(outbox).where(columns.id.in_(old))))

    def ensure_schedule(self, name: str, *, enabled: bool, due_at: datetime | None) -> None:
        """Make the row of a schedule where there is none."""
        schedules.ensure(self._writing, name, enabled=enabled, due_at=due_at)

    def request_schedule(self, name: str, *, now: datetime, delay: timedelta, at_most: timedelta) -> None:
        """Ask for a run: ``delay`` after this request, at most ``at_most`` after the first one that no claim has followed."""
        schedules.request(self._writing, name, now=now, delay=delay, at_most=at_most)

    def enable_schedule(self, name: str, *, enabled: bool, due_at: datetime | None) -> None:
        """Turn a loop on or off; makes the row where there is none."""
        schedules.enable(self._writing, name, enabled=enabled, due_at=due_at)

    def schedule(self, name: str, *, now: datetime) -> ScheduleState | None:
        """Return a schedule's state."""
        return next(iter(schedules.states(self._reading, now, name)), None)

    def schedules(self, *, now: datetime) -> Sequence[ScheduleState]:
        """Return all schedules by name."""
        return schedules.states(self._reading, now)


def _outbox_values(row: OutboxRow) -> dict[str, object]:
    return {
        "id": row.id,
        "event": row.event,
        "handler": row.handler,
        "payload": row.payload,
        "state": "ready",
        "due_at": row.due_at,
        "claim_at": row.due_at,
        "fence": 0,
        "attempts": 0,
    }
