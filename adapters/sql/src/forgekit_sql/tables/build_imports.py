"""Tables of ``forgekit.builds.imports``."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table
from sqlalchemy import text as literal

from forgekit.builds.imports import ImportStatus
from forgekit_sql.tables.base import metadata
from forgekit_sql.tables.types import EnumText, Flag, Lines, UtcTime, text

build_checkpoints = Table(
    "forgekit_build_checkpoints",
    metadata,
    Column("source", text(), primary_key=True),
    Column("project", text(), primary_key=True),
    Column("branch", text(), primary_key=True),
    Column("workflow", text(), primary_key=True),
    Column("name", text()),
    Column("label", text()),
    Column("watermark", UtcTime),
    Column("covered_since", UtcTime),
    Column("cursor", text()),
    Column("floor", UtcTime),
    Column("ceiling", UtcTime),
    Column("top", UtcTime),
    Column("listed", Integer, nullable=False),
    Column("total", Integer),
    Column("reruns", Lines, nullable=False),
    Column("mark", text()),
    Column("mark_since", UtcTime),
    Column("holder", text()),
    Column("held_until", UtcTime),
)

build_imports = Table(
    "forgekit_build_imports",
    metadata,
    Column("id", text(), primary_key=True),
    Column("source", text(), nullable=False),
    Column("project", text(), nullable=False),
    Column("branch", text()),
    Column("workflow", text()),
    Column("since", UtcTime),
    Column("jobs", Flag, nullable=False),
    Column("status", EnumText(ImportStatus), nullable=False),
    Column("fetched", Integer, nullable=False),
    Column("total", Integer),
    Column("accepted", Integer, nullable=False),
    Column("updated", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("complete", Flag),
    Column("error", text()),
    Column("code", text()),
    Column("failures", Integer, nullable=False),
    Column("retry_at", UtcTime),
    Column("requested_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("changed_at", UtcTime),
    Column("finished_at", UtcTime),
)
Index(
    "ix_forgekit_build_imports_unfinished",
    build_imports.c.requested_at,
    build_imports.c.id,
    sqlite_where=literal("finished_at IS NULL"),
    postgresql_where=literal("finished_at IS NULL"),
)
