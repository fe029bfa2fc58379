"""Loops and work on demand: one row each, claimed like any other durable work.

A row is due for two reasons. Its loop's next turn is ``due_at``, which counts only while the loop is enabled. A request is
``asked_due``, which counts while it is unanswered: ``generation`` (how many requests there were) is above ``answered`` (how many
there were when the last good run began).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, and_, bindparam, case, func, literal, or_, select, type_coerce, update

from forgekit.kernel.events.models import Claim, Outcome, Queue, ScheduleState
from forgekit_sql.queues import CLAIMED, changed
from forgekit_sql.statements import SET, insert
from forgekit_sql.tables import schedules
from forgekit_sql.tables.types import UtcTime

_c = schedules.c
_PENDING = _c.generation > _c.answered
_NEW = {"state": "ready", "generation": 0, "claimed": 0, "answered": 0, "fence": 0, "attempts": 0}


def _claimable(now: datetime) -> ColumnElement[bool]:
    due = or_(and_(_c.enabled == SET, _c.due_at <= now), and_(_PENDING, _c.asked_due <= now))
    return or_(and_(_c.state == CLAIMED, _c.lease_until <= now), and_(_c.state != CLAIMED, due))


def claim(connection: Connection, *, names: Collection[str], now: datetime, lease: timedelta, limit: int) -> Sequence[Claim]:
    """Take schedules that are due, in order of their due time."""
    due = (
        select(_c.name)
        .where(_claimable(now), _c.name.in_(names))
        .order_by(func.coalesce(_c.asked_due, _c.due_at), _c.name)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = (
        update(schedules)
        .where(_c.name.in_(select(due.c.name)))
        .values(state=CLAIMED, lease_until=now + lease, fence=_c.fence + 1, attempts=_c.attempts + 1, claimed=_c.generation)
        .returning(schedules)
    )
    rows = sorted(connection.execute(taken).all(), key=lambda row: (row.asked_due or row.due_at or now, row.name))
    return [_claim(row) for row in rows]


def _claim(row: Row[Any]) -> Claim:
    return Claim(
        queue=Queue.SCHEDULES,
        key=row.name,
        handler=row.name,
        payload={},
        fence=row.fence,
        attempt=row.attempts,
        generation=row.generation,
    )


def extend(connection: Connection, claims: Collection[Claim], until: datetime) -> None:
    """Prolong leases that are still held."""
    statement = update(schedules).where(_c.name == bindparam("key"), _c.fence == bindparam("held"), _c.state == CLAIMED)
    held = [{"key": claim.key, "held": claim.fence} for claim in sorted(claims, key=lambda claim: claim.key)]
    connection.execute(statement.values(lease_until=until), held)


def settle(connection: Connection, claim: Claim, outcome: Outcome) -> bool:
    """Record a run's end. A run that went wrong has answered no request: the request becomes due again with the next attempt."""
    good = outcome.error is None or outcome.state == "failed"
    retried = and_(_PENDING, _c.generation == claim.generation)
    statement = (
        update(schedules)
        .where(_c.name == claim.key, _c.fence == claim.fence, _c.state == CLAIMED)
        .values(
            state=outcome.state,
            lease_until=None,
            due_at=outcome.due_at,
            asked_due=_c.asked_due if good else case((retried, literal(outcome.due_at, UtcTime)), else_=_c.asked_due),
            answered=claim.generation if good else _c.answered,
            attempts=0 if good else _c.attempts,
            error=outcome.error,
        )
    )
    return changed(connection.execute(statement)) == 1


def next_due(connection: Connection, names: Collection[str]) -> datetime | None:
    """Return when the next of these schedules becomes claimable."""
    rows = connection.execute(select(schedules).where(_c.name.in_(names)))
    times = [moment for row in rows if (moment := row.lease_until if row.state == CLAIMED else _planned(row)) is not None]
    return min(times, default=None)


def _planned(row: Row[Any]) -> datetime | None:
    """Return a schedule's next turn by both of its reasons."""
    loop = row.due_at if row.enabled else None
    request = row.asked_due if row.generation > row.answered else None
    return min((moment for moment in (loop, request) if moment is not None), default=None)


def counts(connection: Connection) -> Mapping[str, int]:
    """Return how many schedules are in each state."""
    query = select(_c.state, func.count().label("total")).group_by(_c.state)
    return {row.state: row.total for row in connection.execute(query)}


def ensure(connection: Connection, name: str, *, enabled: bool, due_at: datetime | None) -> None:
    """Make the row where there is none."""
    statement = insert(connection, schedules).values(name=name, enabled=enabled, due_at=due_at, **_NEW)
    connection.execute(statement.on_conflict_do_nothing())


def enable(connection: Connection, name: str, *, enabled: bool, due_at: datetime | None) -> None:
    """Turn a loop on or off; make the row where there is none."""
    statement = insert(connection, schedules).values(name=name, enabled=enabled, due_at=due_at, **_NEW)
    revived = case((_c.state == "failed", "ready"), else_=_c.state)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"enabled": enabled, "due_at": due_at, "state": revived})
    )


def request(connection: Connection, name: str, *, now: datetime, delay: timedelta, at_most: timedelta) -> None:
    """Ask for a run on the trailing edge of a burst; the first request after a claim begins a new burst."""
    alone = {"asked_at": now, "asked_due": now + min(delay, at_most), "generation": 1}
    statement = insert(connection, schedules).values(name=name, enabled=False, **{**_NEW, **alone})
    trailing = literal(now + delay, UtcTime)
    in_burst = _c.generation > _c.claimed
    latest = type_coerce(_c.asked_at + literal(at_most // timedelta(microseconds=1), BigInteger), UtcTime)
    changes = {
        "asked_at": case((in_burst, _c.asked_at), else_=statement.excluded.asked_at),
        "asked_due": case((and_(in_burst, latest < trailing), latest), (in_burst, trailing), else_=statement.excluded.asked_due),
        "generation": _c.generation + 1,
        "state": case((_c.state == CLAIMED, CLAIMED), else_="ready"),
    }
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changes))


def states(connection: Connection, now: datetime, name: str | None = None) -> list[ScheduleState]:
    """Return the state of all schedules, or of one, by name."""
    query = select(schedules).order_by(_c.name)
    rows = connection.execute(query if name is None else query.where(_c.name == name))
    return [
        ScheduleState(
            name=row.name,
            enabled=row.enabled,
            due_at=_planned(row),
            running=row.state == CLAIMED and row.lease_until > now,
        )
        for row in rows
    ]
