"""The inbox and the outbox as queues of durable work: claiming by lease, settling with a fence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
from sqlalchemy import ColumnElement, Connection, CursorResult, Row, Table, bindparam, func, select, update

from forgekit.kernel.events.models import Claim, Outcome, Queue
from forgekit_sql.tables import inbox, outbox

CLAIMED = "leased"


@attrs.frozen(kw_only=True)
class QueueTable:
    """How one table serves as a queue.

    Attributes:
        queue: Its name in the port.
        table: The table, with ``claim_columns``.
        handler: Name of the column that says who handles a row.
        payload: Makes a claim's payload of a row.
        parse: Makes the row's primary key of a claim's key.

    """

    queue: Queue
    table: Table
    handler: str
    payload: Callable[[Row[Any]], Mapping[str, Any]]
    parse: Callable[[str], Any]

    def claim(self, connection: Connection, *, handlers: Collection[str], now: datetime, lease: timedelta, limit: int) -> Sequence[Claim]:
        """Take due rows in one statement; on PostgreSQL rows that another process is taking are passed over, not waited for."""
        columns = self.table.c
        due = (
            select(columns.id)
            .where(columns.claim_at <= now, self._handled_by(handlers))
            .order_by(columns.claim_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            # A CTE of its own is evaluated once; as a plain subquery PostgreSQL may run it again for each row, beyond the limit.
            .cte("due")
        )
        taken = (
            update(self.table)
            .where(columns.id.in_(select(due.c.id)))
            .values(state=CLAIMED, claim_at=now + lease, fence=columns.fence + 1, attempts=columns.attempts + 1)
            .returning(self.table)
        )
        rows = sorted(connection.execute(taken).all(), key=lambda row: (row.due_at, row.id))
        return [self._claim(row) for row in rows]

    def _handled_by(self, handlers: Collection[str]) -> ColumnElement[bool]:
        """Return the condition on the handler, spelt so that no index on it is used.

        The index on ``claim_at`` gives due rows in their order and no others; SQLite would rather read all rows of a handler.
        """
        return func.coalesce(self.table.c[self.handler], "").in_(handlers)

    def _claim(self, row: Row[Any]) -> Claim:
        return Claim(
            queue=self.queue,
            key=str(row.id),
            handler=row._asdict()[self.handler],
            payload=self.payload(row),
            fence=row.fence,
            attempt=row.attempts,
        )

    def extend(self, connection: Connection, claims: Collection[Claim], until: datetime) -> None:
        """Prolong leases that are still held."""
        columns = self.table.c
        statement = update(self.table).where(columns.id == bindparam("key"), columns.fence == bindparam("held"), columns.state == CLAIMED)
        held = [{"key": self.parse(claim.key), "held": claim.fence} for claim in sorted(claims, key=lambda claim: claim.key)]
        connection.execute(statement.values(claim_at=until), held)

    def settle(self, connection: Connection, claim: Claim, outcome: Outcome, now: datetime) -> bool:
        """Record a claim's end, unless it has been taken by somebody else since."""
        columns = self.table.c
        again = outcome.state == "ready"
        statement = (
            update(self.table)
            .where(columns.id == self.parse(claim.key), columns.fence == claim.fence, columns.state == CLAIMED)
            .values(
                state=outcome.state,
                due_at=outcome.due_at if again else columns.due_at,
                claim_at=outcome.due_at if again else None,
                settled_at=None if again else now,
                error=outcome.error,
                attempts=0 if again and outcome.error is None else columns.attempts,
            )
        )
        return changed(connection.execute(statement)) == 1

    def counts(self, connection: Connection) -> Mapping[str, int]:
        """Return how many rows are in each state."""
        query = select(self.table.c.state, func.count().label("total")).group_by(self.table.c.state)
        return {row.state: row.total for row in connection.execute(query)}

    def next_due(self, connection: Connection, handlers: Collection[str]) -> datetime | None:
        """Return when the next row becomes claimable."""
        columns = self.table.c
        query = select(columns.claim_at).where(columns.claim_at.is_not(None), self._handled_by(handlers))
        due_at: datetime | None = connection.execute(query.order_by(columns.claim_at).limit(1)).scalar()
        return due_at


def changed(result: CursorResult[Any]) -> int:
    """Return how many rows a statement changed."""
    return result.rowcount


def _inbox_payload(row: Row[Any]) -> Mapping[str, Any]:
    return {
        "provider": row.provider,
        "kind": row.kind,
        "body": row.body,
        "event": row.event,
        "delivery_id": row.delivery_id,
        "received_at": row.received_at,
    }


OUTBOX = QueueTable(queue=Queue.OUTBOX, table=outbox, handler="handler", payload=lambda row: row.payload, parse=str)
INBOX = QueueTable(queue=Queue.INBOX, table=inbox, handler="provider", payload=_inbox_payload, parse=int)
