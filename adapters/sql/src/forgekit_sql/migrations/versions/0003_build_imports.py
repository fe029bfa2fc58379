"""Imports of builds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "forgekit_build_checkpoints",
        sa.Column("source", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("branch", TEXT, nullable=False),
        sa.Column("workflow", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=True),
        sa.Column("label", TEXT, nullable=True),
        sa.Column("watermark", sa.BigInteger(), nullable=True),
        sa.Column("covered_since", sa.BigInteger(), nullable=True),
        sa.Column("cursor", TEXT, nullable=True),
        sa.Column("floor", sa.BigInteger(), nullable=True),
        sa.Column("ceiling", sa.BigInteger(), nullable=True),
        sa.Column("top", sa.BigInteger(), nullable=True),
        sa.Column("listed", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("reruns", sa.Text(), nullable=False),
        sa.Column("mark", TEXT, nullable=True),
        sa.Column("mark_since", sa.BigInteger(), nullable=True),
        sa.Column("holder", TEXT, nullable=True),
        sa.Column("held_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source", "project", "branch", "workflow", name="pk_forgekit_build_checkpoints"),
    )
    op.create_table(
        "forgekit_build_imports",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("project", TEXT, nullable=False),
        sa.Column("branch", TEXT, nullable=True),
        sa.Column("workflow", TEXT, nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("jobs", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("complete", sa.SmallInteger(), nullable=True),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("code", TEXT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_forgekit_build_imports"),
    )
    op.create_index(
        "ix_forgekit_build_imports_unfinished",
        "forgekit_build_imports",
        ["requested_at", "id"],
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("forgekit_build_imports")
    op.drop_table("forgekit_build_checkpoints")
