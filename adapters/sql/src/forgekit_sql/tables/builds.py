"""Tables of ``forgekit.builds``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, SmallInteger, Table
from sqlalchemy import text as literal

from forgekit_sql.tables.base import metadata
from forgekit_sql.tables.types import text

# Written and read a hundred thousand rows at a time, by the driver's own statements: plain columns, no conversion in between. Times are
# microseconds since 1970, as everywhere.
builds = Table(
    "forgekit_builds",
    metadata,
    Column("project", text(), primary_key=True),
    Column("provider", text(), primary_key=True),
    Column("build_id", text(), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("status", text(), nullable=False),
    Column("started_at", BigInteger),
    Column("queued_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("duration_seconds", Double),
    Column("branch", text()),
    Column("workflow", text()),
    # Branch and workflow as one text: NULLs are equal to nothing, and a timeline has to be found.
    Column("line", text(), nullable=False),
    Column("commit_id", text()),
    Column("event", text()),
    Column("actor", text()),
    Column("language", text()),
    Column("tests_run", Integer),
    Column("tests_failed", Integer),
    Column("url", text()),
    Column("jobs", text()),
    Column("updated_at", BigInteger),
    Column("end_estimated", SmallInteger, nullable=False),
    Column("environment", text()),
    Column("committed_at", BigInteger),
    sqlite_with_rowid=False,
)
Index("ix_forgekit_builds_line", builds.c.project, builds.c.line, builds.c.ended_at)
Index(
    "ix_forgekit_builds_commit_id",
    builds.c.project,
    builds.c.commit_id,
    sqlite_where=builds.c.commit_id.is_not(None),
    postgresql_where=builds.c.commit_id.is_not(None),
)
Index(
    "ix_forgekit_builds_open",
    builds.c.project,
    sqlite_where=literal("status IN ('running', 'queued')"),
    postgresql_where=literal("status IN ('running', 'queued')"),
)
Index(
    "ix_forgekit_builds_environment",
    builds.c.environment,
    builds.c.project,
    sqlite_where=builds.c.environment.is_not(None),
    postgresql_where=builds.c.environment.is_not(None),
)

build_lines = Table(
    "forgekit_build_lines",
    metadata,
    Column("project", text(), primary_key=True),
    Column("line", text(), primary_key=True),
    Column("length", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("last_status", text(), nullable=False),
    Column("counted_at", BigInteger),
    Column("red", SmallInteger, nullable=False),
    Column("turn_at", BigInteger, nullable=False),
    Column("turn_day", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index(
    "ix_forgekit_build_lines_red",
    build_lines.c.red,  # known from the condition, but SQLite would look it up in the table
    build_lines.c.turn_at,
    build_lines.c.project,
    build_lines.c.turn_day,
    sqlite_where=literal("red = 1"),
    postgresql_where=literal("red = 1"),
)

build_nodes = Table(
    "forgekit_build_nodes",
    metadata,
    Column("span", text(), primary_key=True),
    Column("project", text(), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("counts", text(), nullable=False),
    Column("digest", text()),
    Column("first_at", BigInteger),
    Column("last_at", BigInteger),
    Column("latest_at", BigInteger),
)

build_parts = Table(
    "forgekit_build_parts",
    metadata,
    Column("span", text(), primary_key=True),
    Column("project", text(), primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("counts", text(), nullable=False),
)
