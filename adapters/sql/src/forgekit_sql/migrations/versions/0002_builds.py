"""Builds, their timelines and their roll-ups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    _make_builds()
    _make_lines()
    _make_rollups()


def _make_builds() -> None:
    op.create_table(
        "forgekit_builds",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("build_id", TEXT, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("started_at", "queued_at", "finished_at", "ended_at")),
        sa.Column("duration_seconds", sa.Double(), nullable=True),
        sa.Column("branch", TEXT, nullable=True),
        sa.Column("workflow", TEXT, nullable=True),
        sa.Column("line", TEXT, nullable=False),
        *(sa.Column(name, TEXT, nullable=True) for name in ("commit_id", "event", "actor", "language")),
        sa.Column("tests_run", sa.Integer(), nullable=True),
        sa.Column("tests_failed", sa.Integer(), nullable=True),
        sa.Column("url", TEXT, nullable=True),
        sa.Column("jobs", TEXT, nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=True),
        sa.Column("end_estimated", sa.SmallInteger(), nullable=False),
        sa.Column("environment", TEXT, nullable=True),
        sa.Column("committed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("project", "provider", "build_id", "attempt", name="pk_forgekit_builds"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_forgekit_builds_line", "forgekit_builds", ["project", "line", "ended_at"])
    _partial("ix_forgekit_builds_commit_id", ["project", "commit_id"], "commit_id IS NOT NULL")
    _partial("ix_forgekit_builds_open", ["project"], "status IN ('running', 'queued')")
    _partial("ix_forgekit_builds_environment", ["environment", "project"], "environment IS NOT NULL")


def _make_lines() -> None:
    op.create_table(
        "forgekit_build_lines",
        sa.Column("project", TEXT, nullable=False),
        sa.Column("line", TEXT, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("last_status", TEXT, nullable=False),
        sa.Column("counted_at", sa.BigInteger(), nullable=True),
        sa.Column("red", sa.SmallInteger(), nullable=False),
        sa.Column("turn_at", sa.BigInteger(), nullable=False),
        sa.Column("turn_day", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project", "line", name="pk_forgekit_build_lines"),
        sqlite_with_rowid=False,
    )
    _partial("ix_forgekit_build_lines_red", ["red", "turn_at", "project", "turn_day"], "red = 1", table="forgekit_build_lines")


def _make_rollups() -> None:
    op.create_table(
        "forgekit_build_nodes",
        sa.Column("span", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("counts", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=True),
        sa.Column("first_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("latest_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("span", "project", "day", name="pk_forgekit_build_nodes"),
    )
    op.create_table(
        "forgekit_build_parts",
        sa.Column("span", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("counts", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("span", "project", "day", "part", name="pk_forgekit_build_parts"),
    )


def downgrade() -> None:
    for table in ("forgekit_build_parts", "forgekit_build_nodes", "forgekit_build_lines", "forgekit_builds"):
        op.drop_table(table)


def _partial(name: str, columns: list[str], condition: str, *, table: str = "forgekit_builds") -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))
