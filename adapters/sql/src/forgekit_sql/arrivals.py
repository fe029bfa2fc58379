"""Putting a batch of arrivals into the inbox, in two statements of the driver's own SQL.

This is the one hot path of the storage: a webhook is answered only after it is stored. The statements have a fixed text for each
size of batch, so the drivers keep them prepared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import attrs
from sqlalchemy import Connection, Update, func, update

from forgekit.webhooks.models import Arrival, Stored
from forgekit_sql.tables import inbox
from forgekit_sql.tables.types import to_micros

_Key = tuple[str, str]

_ROWS_A_STATEMENT = 1_000

_COLUMNS = (
    "provider, dedup_key, event_key, kind, event, delivery_id, body, received_at, due_at, state, claim_at, settled_at, fence, attempts"
)

# The keys travel as one parameter each, so the text is the same for every batch. Rows have a state, event keys have none.
_SEEN = """
SELECT state, provider, dedup_key, id FROM forgekit_inbox
WHERE provider {among} AND dedup_key {among}
UNION ALL
SELECT NULL, provider, event_key, max(received_at) FROM forgekit_inbox
WHERE provider {among} AND event_key {among} AND received_at >= {value}
GROUP BY provider, event_key
"""


@attrs.frozen(kw_only=True)
class _Dialect:
    """How a driver takes parameters."""

    value: str
    among: str
    keys: Callable[[set[str]], object]

    @property
    def seen(self) -> str:
        return _SEEN.format(among=self.among, value=self.value)


_DIALECTS = {
    "sqlite": _Dialect(value="?", among="IN (SELECT value FROM json_each(?))", keys=lambda keys: json.dumps(list(keys))),
    "postgresql": _Dialect(value="%s", among="= ANY(%s::text[])", keys=list),
}


@attrs.frozen(kw_only=True)
class _Row:
    """An arrival as the table holds it."""

    key: _Key
    event: _Key
    at: int
    values: tuple[object, ...]


@attrs.frozen
class _Seen:
    """What the inbox holds already.

    Attributes:
        ids: Ids of rows by dedup key.
        failed: Ids of those that were given up.
        latest: When event keys came last, in microseconds, as far back as the burst window.

    """

    ids: dict[_Key, int] = attrs.field(factory=dict)
    failed: set[int] = attrs.field(factory=set)
    latest: dict[_Key, int] = attrs.field(factory=dict)


def store_arrivals(connection: Connection, arrivals: Sequence[Arrival], burst: timedelta) -> list[Stored]:
    """Store what is new, and tell for each arrival what became of it; a batch of duplicates writes nothing."""
    dialect = _DIALECTS[connection.dialect.name]
    rows = [_row(arrival) for arrival in arrivals]
    window = burst // timedelta(microseconds=1)
    seen = _seen(connection, dialect, rows, window)
    if seen.failed:
        connection.execute(rearmed(arrivals[-1].received_at).where(inbox.c.id.in_(seen.failed), inbox.c.state == "failed"))
    fresh: dict[_Key, _Row] = {}
    for row in rows:
        if row.key not in seen.ids:
            fresh.setdefault(row.key, row)
    # In the order of their keys: two processes that get the same webhooks in different orders would wait for each other on PostgreSQL.
    ids = _insert(connection, dialect, sorted(fresh.values(), key=lambda row: row.key))
    return [_stored(row, seen, ids, window) for row in rows]


def rearmed(now: datetime) -> Update:
    """Return an UPDATE that makes rows which still have their body due again, from attempt 1; to be narrowed."""
    values = {"state": "ready", "due_at": now, "claim_at": now, "settled_at": None, "attempts": 0, "error": None}
    return update(inbox).where(func.length(inbox.c.body) > 0).values(values)


def _stored(row: _Row, seen: _Seen, ids: Mapping[_Key, int], window: int) -> Stored:
    if row.key in seen.ids or row.key not in ids:
        # Not seen and without an id: another process stored it between our two statements.
        return Stored(id=seen.ids.get(row.key), duplicate=True, burst=False)
    seen.ids[row.key] = ids[row.key]
    previous = seen.latest.get(row.event) if row.event[1] else None
    seen.latest[row.event] = row.at
    return Stored(id=ids[row.key], duplicate=False, burst=previous is not None and row.at - previous <= window)


def _row(arrival: Arrival) -> _Row:
    at = to_micros(arrival.received_at)
    state = ("ready", at, None) if arrival.wanted else ("done", None, at)
    texts = (arrival.provider, arrival.dedup_key, arrival.event_key, arrival.kind, arrival.event, arrival.delivery_id)
    return _Row(
        key=(arrival.provider, arrival.dedup_key),
        event=(arrival.provider, arrival.event_key),
        at=at,
        values=(*texts, arrival.body, at, at, *state),
    )


def _seen(connection: Connection, dialect: _Dialect, rows: Sequence[_Row], window: int) -> _Seen:
    providers = dialect.keys({row.key[0] for row in rows})
    dedup_keys = dialect.keys({row.key[1] for row in rows})
    event_keys = dialect.keys({row.event[1] for row in rows} - {""})
    since = min(row.at for row in rows) - window
    seen = _Seen()
    for state, provider, key, value in connection.exec_driver_sql(dialect.seen, (providers, dedup_keys, providers, event_keys, since)):
        (seen.latest if state is None else seen.ids)[provider, key] = value
        if state == "failed":
            seen.failed.add(value)
    return seen


def _insert(connection: Connection, dialect: _Dialect, rows: Sequence[_Row]) -> dict[_Key, int]:
    """Insert rows and return the ids of those that were new, by dedup key."""
    ids: dict[_Key, int] = {}
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        batch = rows[start : start + _ROWS_A_STATEMENT]
        values = tuple(value for row in batch for value in row.values)
        for inbox_id, provider, dedup_key in connection.exec_driver_sql(_insert_text(dialect.value, len(batch)), values):
            ids[provider, dedup_key] = inbox_id
    return ids


@lru_cache(maxsize=_ROWS_A_STATEMENT)
def _insert_text(value: str, rows: int) -> str:
    one = f"({', '.join([value] * 12)}, 0, 0)"
    every = ", ".join([one] * rows)
    return (
        f"INSERT INTO forgekit_inbox ({_COLUMNS}) VALUES {every} "  # noqa: S608 - placeholders only
        "ON CONFLICT (provider, dedup_key) DO NOTHING RETURNING id, provider, dedup_key"
    )
