"""Stored incoming webhooks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import attrs
from sqlalchemy import func, select, text, update

from forgekit.webhooks.models import Arrival, InboxEntry, Stored
from forgekit_sql.arrivals import rearmed, store_arrivals
from forgekit_sql.queues import changed
from forgekit_sql.repository import Repository, batches, load, load_all
from forgekit_sql.tables import inbox as _inbox

_c = _inbox.c
_ENTRY = select(*(_c[field.name] for field in attrs.fields(InboxEntry)))
_OVER = frozenset({"done", "failed"})


class SqlInbox(Repository):
    """Implements ``InboxRepository``."""

    def store(self, arrivals: Sequence[Arrival], *, burst: timedelta) -> Sequence[Stored]:
        """Store arrivals: one SELECT for all, and one INSERT for those that are new; a batch of duplicates writes nothing."""
        connection = self._writing
        return store_arrivals(connection, arrivals, burst) if arrivals else []

    def entry(self, inbox_id: int) -> InboxEntry | None:
        """Return one stored webhook."""
        return load(InboxEntry, self._reading.execute(_ENTRY.where(_c.id == inbox_id)).first())

    def entries(self, provider: str, *, limit: int, state: str | None = None) -> Sequence[InboxEntry]:
        """Return the newest stored webhooks, newest first."""
        query = _ENTRY.where(_c.provider == provider).order_by(_c.id.desc()).limit(limit)
        return load_all(InboxEntry, self._reading.execute(query if state is None else query.where(_c.state == state)).all())

    def rearm(self, inbox_id: int, now: datetime) -> bool:
        """Make a done or failed row that still has its body due again, from attempt 1; False where there is none such."""
        return changed(self._writing.execute(rearmed(now).where(_c.id == inbox_id, _c.state.in_(_OVER)))) == 1

    def rearm_range(self, provider: str, *, since: datetime, until: datetime, states: Collection[str], now: datetime) -> int:
        """Do the same to every row that came from ``since`` (inclusive) to ``until`` (exclusive) and is in one of ``states``."""
        states = _OVER.intersection(states)
        came = (_c.provider == provider, _c.received_at >= since, _c.received_at < until)
        return changed(self._writing.execute(rearmed(now).where(*came, _c.state.in_(sorted(states)))))

    def totals(self, provider: str) -> tuple[int, datetime | None]:
        """Return how many were ever stored, and when the newest came."""
        query = select(func.count(), func.max(_c.received_at)).where(_c.provider == provider)
        count, newest = self._reading.execute(query).one()
        return count, newest

    def states(self, provider: str) -> dict[str, int]:
        """Return how many rows are in each state."""
        query = select(_c.state, func.count().label("total")).where(_c.provider == provider).group_by(_c.state)
        return {row.state: row.total for row in self._reading.execute(query)}

    def drop_bodies(self, inbox_ids: Collection[int]) -> None:
        """Empty the bodies of these rows, whatever their state; absent ones are no error."""
        connection = self._writing
        for ids in batches(sorted(inbox_ids)):
            connection.execute(update(_inbox).where(_c.id.in_(ids)).values(body=b""))

    def purge(self, *, before: datetime, limit: int, provider: str | None = None) -> int:
        """Empty the bodies of up to ``limit`` done rows that came before ``before``, of one provider if named; return how many.

        The rows stay, so that the same bytes are recognised for ever and the totals hold.
        """
        full = text("state = 'done' AND length(body) > 0")
        old = select(_c.id).where(full, _c.received_at < before).order_by(_c.received_at).limit(limit)
        if provider is not None:
            old = old.where(_c.provider == provider)
        return changed(self._writing.execute(update(_inbox).where(_c.id.in_(old)).values(body=b"")))
