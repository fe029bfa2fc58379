"""Tables of ``forgekit.accounts``."""

from __future__ import annotations

from sqlalchemy import Column, Table

from forgekit_sql.tables.base import metadata
from forgekit_sql.tables.types import Lines, UtcTime, text

api_keys = Table(
    "forgekit_api_keys",
    metadata,
    Column("id", text(), primary_key=True),
    Column("name", text(), nullable=False),
    Column("scopes", Lines, nullable=False),
    Column("digest", text(), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
)
