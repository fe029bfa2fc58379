"""The first schema: the kernel, work, sprints, incoming webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    _kernel()
    _webhooks()
    _work()
    _sprints()


def downgrade() -> None:
    for table in (
        "forgekit_completions",
        "forgekit_sync_states",
        "forgekit_links",
        "forgekit_sprints",
        "forgekit_test_runs",
        "forgekit_dependencies",
        "forgekit_items",
        "forgekit_projects",
        "forgekit_inbox",
        "forgekit_schedules",
        "forgekit_outbox",
        "forgekit_budgets",
        "forgekit_settings",
    ):
        op.drop_table(table)


def _kernel() -> None:
    op.create_table(
        "forgekit_settings",
        sa.Column("namespace", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=False),
        sa.Column("sealed", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "name", name="pk_forgekit_settings"),
    )
    op.create_table(
        "forgekit_budgets",
        sa.Column("credential", TEXT, nullable=False),
        sa.Column("ledger", TEXT, nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("credential", name="pk_forgekit_budgets"),
    )
    op.create_table(
        "forgekit_outbox",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("handler", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("claim_at", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_forgekit_outbox"),
    )
    op.create_index(
        "ix_forgekit_outbox_claim_at",
        "forgekit_outbox",
        ["claim_at"],
        unique=False,
        sqlite_where=sa.text("claim_at IS NOT NULL"),
        postgresql_where=sa.text("claim_at IS NOT NULL"),
    )
    op.create_index(
        "ix_forgekit_outbox_settled_at",
        "forgekit_outbox",
        ["settled_at"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NOT NULL"),
        postgresql_where=sa.text("settled_at IS NOT NULL"),
    )
    op.create_table(
        "forgekit_schedules",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("enabled", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.BigInteger(), nullable=True),
        sa.Column("asked_due", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("claimed", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_forgekit_schedules"),
    )


def _webhooks() -> None:
    op.create_table(
        "forgekit_inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", TEXT, nullable=False),
        sa.Column("dedup_key", TEXT, nullable=False),
        sa.Column("event_key", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("delivery_id", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("claim_at", sa.BigInteger(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", TEXT, nullable=True),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_forgekit_inbox"),
        sa.UniqueConstraint("provider", "dedup_key", name="uq_forgekit_inbox_provider_dedup_key"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_forgekit_inbox_claim_at",
        "forgekit_inbox",
        ["claim_at"],
        unique=False,
        sqlite_where=sa.text("claim_at IS NOT NULL"),
        postgresql_where=sa.text("claim_at IS NOT NULL"),
    )
    op.create_index(
        "ix_forgekit_inbox_full",
        "forgekit_inbox",
        ["received_at"],
        unique=False,
        sqlite_where=sa.text("state = 'done' AND length(body) > 0"),
        postgresql_where=sa.text("state = 'done' AND length(body) > 0"),
    )
    op.create_index(
        "ix_forgekit_inbox_provider_event_key_received_at", "forgekit_inbox", ["provider", "event_key", "received_at"], unique=False
    )


def _work() -> None:
    op.create_table(
        "forgekit_projects",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("repository", TEXT, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("next_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_forgekit_projects"),
        sa.UniqueConstraint("key", name="uq_forgekit_projects_key"),
    )
    op.create_table(
        "forgekit_items",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sprint_id", TEXT, nullable=True),
        sa.Column("parent_id", TEXT, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("description", TEXT, nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("passing", sa.SmallInteger(), nullable=False),
        sa.Column("passing_at", sa.BigInteger(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["forgekit_items.id"], name="fk_forgekit_items_parent_id", initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(["project_id"], ["forgekit_projects.id"], name="fk_forgekit_items_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_forgekit_items"),
        sa.UniqueConstraint("project_id", "number", name="uq_forgekit_items_project_id_number"),
    )
    op.create_index("ix_forgekit_items_parent_id", "forgekit_items", ["parent_id"], unique=False)
    op.create_index("ix_forgekit_items_sprint_id", "forgekit_items", ["sprint_id"], unique=False)
    op.create_table(
        "forgekit_dependencies",
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("needs_id", TEXT, nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["forgekit_items.id"], name="fk_forgekit_dependencies_item_id"),
        sa.ForeignKeyConstraint(["needs_id"], ["forgekit_items.id"], name="fk_forgekit_dependencies_needs_id"),
        sa.PrimaryKeyConstraint("item_id", "needs_id", "origin", name="pk_forgekit_dependencies"),
    )
    op.create_index("ix_forgekit_dependencies_needs_id", "forgekit_dependencies", ["needs_id"], unique=False)
    op.create_table(
        "forgekit_test_runs",
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("passed", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("note", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["forgekit_items.id"], name="fk_forgekit_test_runs_item_id"),
        sa.PrimaryKeyConstraint("place", name="pk_forgekit_test_runs"),
        sa.UniqueConstraint("id", name="uq_forgekit_test_runs_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_forgekit_test_runs_item_id", "forgekit_test_runs", ["item_id"], unique=False)


def _sprints() -> None:
    op.create_table(
        "forgekit_sprints",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("goal", TEXT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Text(), nullable=True),
        sa.Column("ends_on", sa.Text(), nullable=True),
        sa.Column("tracker", TEXT, nullable=True),
        sa.Column("external_id", TEXT, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["forgekit_projects.id"], name="fk_forgekit_sprints_project_id"),
        sa.PrimaryKeyConstraint("id", name="pk_forgekit_sprints"),
        sa.UniqueConstraint("project_id", "tracker", "external_id", name="uq_forgekit_sprints_project_id_tracker_external_id"),
    )
    op.create_index(
        "uq_forgekit_sprints_active",
        "forgekit_sprints",
        ["project_id"],
        unique=True,
        sqlite_where=sa.text("state = 'ACTIVE'"),
        postgresql_where=sa.text("state = 'ACTIVE'"),
    )
    op.create_table(
        "forgekit_links",
        sa.Column("tracker", TEXT, nullable=False),
        sa.Column("project_id", TEXT, nullable=False),
        sa.Column("external_id", TEXT, nullable=False),
        sa.Column("item_id", TEXT, nullable=False),
        sa.Column("sprint_id", TEXT, nullable=True),
        sa.Column("content_hash", TEXT, nullable=False),
        sa.Column("group", sa.Text(), nullable=False),
        sa.Column("remote_updated_at", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=True),
        sa.Column("synced_at", sa.BigInteger(), nullable=False),
        sa.Column("blockers", sa.Text(), nullable=False),
        sa.Column("relations_pending", sa.SmallInteger(), nullable=False),
        sa.Column("push_pending", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["forgekit_items.id"], name="fk_forgekit_links_item_id"),
        sa.ForeignKeyConstraint(["project_id"], ["forgekit_projects.id"], name="fk_forgekit_links_project_id"),
        sa.ForeignKeyConstraint(["sprint_id"], ["forgekit_sprints.id"], name="fk_forgekit_links_sprint_id"),
        sa.PrimaryKeyConstraint("tracker", "project_id", "external_id", name="pk_forgekit_links"),
        sa.UniqueConstraint("item_id", name="uq_forgekit_links_item_id"),
    )
    op.create_index(
        "ix_forgekit_links_pending",
        "forgekit_links",
        ["tracker", "external_id"],
        unique=False,
        sqlite_where=sa.text("relations_pending = 1 OR push_pending = 1"),
        postgresql_where=sa.text("relations_pending = 1 OR push_pending = 1"),
    )
    op.create_index(
        "ix_forgekit_links_blocked",
        "forgekit_links",
        ["tracker", "project_id"],
        unique=False,
        sqlite_where=sa.text("blockers <> '[]'"),
        postgresql_where=sa.text("blockers <> '[]'"),
    )
    op.create_index("ix_forgekit_links_sprint_id", "forgekit_links", ["sprint_id"], unique=False)
    op.create_table(
        "forgekit_sync_states",
        sa.Column("tracker", TEXT, nullable=False),
        sa.Column("enabled", sa.SmallInteger(), nullable=False),
        sa.Column("muted", sa.SmallInteger(), nullable=False),
        sa.Column("project_id", TEXT, nullable=True),
        sa.Column("sprint_id", TEXT, nullable=True),
        sa.Column("active_cycle_id", TEXT, nullable=True),
        sa.Column("active_cycle_name", TEXT, nullable=True),
        sa.Column("last_sync_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("items_synced", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("relations", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tracker", name="pk_forgekit_sync_states"),
    )
    op.create_table(
        "forgekit_completions",
        sa.Column("sprint_id", TEXT, nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["sprint_id"], ["forgekit_sprints.id"], name="fk_forgekit_completions_sprint_id"),
        sa.PrimaryKeyConstraint("sprint_id", name="pk_forgekit_completions"),
    )
