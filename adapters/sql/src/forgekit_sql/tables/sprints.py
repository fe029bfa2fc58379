"""Tables of ``forgekit.sprints``."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint
from sqlalchemy import text as literal

from forgekit.sprints.models import SprintState, StateGroup
from forgekit_sql.tables.base import metadata
from forgekit_sql.tables.types import Day, EnumText, Flag, Json, Lines, UtcTime, text

sprints = Table(
    "forgekit_sprints",
    metadata,
    Column("id", text(), primary_key=True),
    Column("project_id", text(), ForeignKey("forgekit_projects.id"), nullable=False),
    Column("name", text(), nullable=False),
    Column("goal", text(), nullable=False),
    Column("state", EnumText(SprintState), nullable=False),
    Column("starts_on", Day),
    Column("ends_on", Day),
    Column("tracker", text()),
    Column("external_id", text()),
    Column("created_at", UtcTime, nullable=False),
    Column("completed_at", UtcTime),
    UniqueConstraint("project_id", "tracker", "external_id"),
)
Index(
    "uq_forgekit_sprints_active",
    sprints.c.project_id,
    unique=True,
    sqlite_where=literal("state = 'ACTIVE'"),
    postgresql_where=literal("state = 'ACTIVE'"),
)

links = Table(
    "forgekit_links",
    metadata,
    Column("tracker", text(), primary_key=True),
    Column("project_id", text(), ForeignKey("forgekit_projects.id"), primary_key=True),
    Column("external_id", text(), primary_key=True),
    Column("item_id", text(), ForeignKey("forgekit_items.id"), nullable=False, unique=True),
    Column("sprint_id", text(), ForeignKey("forgekit_sprints.id")),
    Column("content_hash", text(), nullable=False),
    Column("group", EnumText(StateGroup), nullable=False),
    Column("remote_updated_at", UtcTime, nullable=False),
    Column("written_at", UtcTime),
    Column("synced_at", UtcTime, nullable=False),
    Column("blockers", Lines, nullable=False),
    Column("relations_pending", Flag, nullable=False),
    Column("push_pending", Flag, nullable=False),
)
Index("ix_forgekit_links_sprint_id", links.c.sprint_id)
Index(
    "ix_forgekit_links_pending",
    links.c.tracker,
    links.c.external_id,
    sqlite_where=literal("relations_pending = 1 OR push_pending = 1"),
    postgresql_where=literal("relations_pending = 1 OR push_pending = 1"),
)
Index(
    "ix_forgekit_links_blocked",
    links.c.tracker,
    links.c.project_id,
    sqlite_where=literal("blockers <> '[]'"),
    postgresql_where=literal("blockers <> '[]'"),
)

sync_states = Table(
    "forgekit_sync_states",
    metadata,
    Column("tracker", text(), primary_key=True),
    Column("enabled", Flag, nullable=False),
    Column("muted", Flag, nullable=False),
    Column("project_id", text()),
    Column("sprint_id", text()),
    Column("active_cycle_id", text()),
    Column("active_cycle_name", text()),
    Column("last_sync_at", UtcTime),
    Column("last_error", text()),
    Column("items_synced", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("relations", Flag, nullable=False),
)

completions = Table(
    "forgekit_completions",
    metadata,
    Column("sprint_id", text(), ForeignKey("forgekit_sprints.id"), primary_key=True),
    Column("steps", Json, nullable=False),
    Column("owner", text(), nullable=False),
    Column("lease_until", UtcTime),
    Column("finished_at", UtcTime),
)
