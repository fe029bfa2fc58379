"""The kernel's tables: stored settings, outgoing budgets, the outbox, schedules."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table

from forgekit_sql.tables.base import claim_columns, metadata
from forgekit_sql.tables.types import Flag, Json, UtcTime, text

settings = Table(
    "forgekit_settings",
    metadata,
    Column("namespace", text(), primary_key=True),
    Column("name", text(), primary_key=True),
    Column("value", text(), nullable=False),
    Column("sealed", Flag, nullable=False),
)

budgets = Table(
    "forgekit_budgets",
    metadata,
    Column("credential", text(), primary_key=True),
    Column("ledger", text(), nullable=False),
    Column("blocked_until", UtcTime),
)

outbox = Table(
    "forgekit_outbox",
    metadata,
    Column("id", text(), primary_key=True),
    Column("handler", text(), nullable=False),
    Column("event", text(), nullable=False),
    Column("payload", Json, nullable=False),
    *claim_columns(),
)
Index(
    "ix_forgekit_outbox_claim_at",
    outbox.c.claim_at,
    sqlite_where=outbox.c.claim_at.is_not(None),
    postgresql_where=outbox.c.claim_at.is_not(None),
)
Index(
    "ix_forgekit_outbox_settled_at",
    outbox.c.settled_at,
    sqlite_where=outbox.c.settled_at.is_not(None),
    postgresql_where=outbox.c.settled_at.is_not(None),
)

# A schedule is due for two reasons: its loop's next turn (due_at), and somebody's request (asked_due). ``generation`` counts
# requests, ``claimed`` is its value at the last claim, ``answered`` its value at the last claim that went well.
schedules = Table(
    "forgekit_schedules",
    metadata,
    Column("name", text(), primary_key=True),
    Column("enabled", Flag, nullable=False),
    Column("due_at", UtcTime),
    Column("asked_at", UtcTime),
    Column("asked_due", UtcTime),
    Column("lease_until", UtcTime),
    Column("generation", Integer, nullable=False),
    Column("claimed", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", text(), nullable=False),
    Column("error", text()),
)
