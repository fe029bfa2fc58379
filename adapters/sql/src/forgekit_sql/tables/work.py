"""Tables of ``forgekit.work``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, Table, UniqueConstraint

from forgekit.work.models import Kind, Origin, State
from forgekit_sql.tables.base import metadata
from forgekit_sql.tables.types import EnumText, Flag, Lines, UtcTime, text

projects = Table(
    "forgekit_projects",
    metadata,
    Column("id", text(), primary_key=True),
    Column("key", text(), nullable=False, unique=True),
    Column("name", text(), nullable=False),
    Column("repository", text()),
    Column("created_at", UtcTime, nullable=False),
    Column("next_number", Integer, nullable=False),
)

items = Table(
    "forgekit_items",
    metadata,
    Column("id", text(), primary_key=True),
    Column("project_id", text(), ForeignKey("forgekit_projects.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("sprint_id", text(), index=True),
    # Deferred: a parent may be stored behind its child.
    Column("parent_id", text(), ForeignKey("forgekit_items.id", deferrable=True, initially="DEFERRED"), index=True),
    Column("kind", EnumText(Kind), nullable=False),
    Column("name", text(), nullable=False),
    Column("description", text(), nullable=False),
    Column("steps", Lines, nullable=False),
    Column("category", text(), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", EnumText(State), nullable=False),
    Column("passing", Flag, nullable=False),
    Column("passing_at", UtcTime),
    Column("position", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("project_id", "number"),
)

dependencies = Table(
    "forgekit_dependencies",
    metadata,
    Column("item_id", text(), ForeignKey("forgekit_items.id"), primary_key=True),
    Column("needs_id", text(), ForeignKey("forgekit_items.id"), primary_key=True, index=True),
    Column("origin", EnumText(Origin), primary_key=True),
)

test_runs = Table(
    "forgekit_test_runs",
    metadata,
    # The order of recording: ids made within one millisecond have none.
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("id", text(), nullable=False, unique=True),
    Column("item_id", text(), ForeignKey("forgekit_items.id"), nullable=False, index=True),
    Column("passed", Flag, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("note", text(), nullable=False),
    sqlite_autoincrement=True,
)
