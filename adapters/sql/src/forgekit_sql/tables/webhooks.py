"""Tables of ``forgekit.webhooks``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, UniqueConstraint
from sqlalchemy import text as literal

from forgekit_sql.tables.base import claim_columns, metadata
from forgekit_sql.tables.types import UtcTime, text

inbox = Table(
    "forgekit_inbox",
    metadata,
    # SQLite numbers rows by itself only where the column is called INTEGER; AUTOINCREMENT never gives an id twice.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("provider", text(), nullable=False),
    Column("dedup_key", text(), nullable=False),
    Column("event_key", text(), nullable=False),
    Column("kind", text(), nullable=False),
    Column("event", text(), nullable=False),
    Column("delivery_id", text(), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    *claim_columns(),
    UniqueConstraint("provider", "dedup_key"),
    Index(None, "provider", "event_key", "received_at"),
    sqlite_autoincrement=True,
)
Index(
    "ix_forgekit_inbox_claim_at",
    inbox.c.claim_at,
    sqlite_where=inbox.c.claim_at.is_not(None),
    postgresql_where=inbox.c.claim_at.is_not(None),
)
# Finished rows that retention has still to empty.
Index(
    "ix_forgekit_inbox_full",
    inbox.c.received_at,
    sqlite_where=literal("state = 'done' AND length(body) > 0"),
    postgresql_where=literal("state = 'done' AND length(body) > 0"),
)
