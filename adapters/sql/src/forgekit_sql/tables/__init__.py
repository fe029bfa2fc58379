"""The tables, one file a domain; importing this package fills ``metadata``."""

from forgekit_sql.tables.accounts import api_keys
from forgekit_sql.tables.base import metadata
from forgekit_sql.tables.build_imports import build_checkpoints, build_imports
from forgekit_sql.tables.builds import build_lines, build_nodes, builds
from forgekit_sql.tables.kernel import budgets, outbox, schedules, settings
from forgekit_sql.tables.sprints import completions, links, sprints, sync_states
from forgekit_sql.tables.webhooks import inbox
from forgekit_sql.tables.work import dependencies, items, projects, test_runs

__all__ = [
    "api_keys",
    "budgets",
    "build_checkpoints",
    "build_imports",
    "build_lines",
    "build_nodes",
    "builds",
    "completions",
    "dependencies",
    "inbox",
    "items",
    "links",
    "metadata",
    "outbox",
    "projects",
    "schedules",
    "settings",
    "sprints",
    "sync_states",
    "test_runs",
]
