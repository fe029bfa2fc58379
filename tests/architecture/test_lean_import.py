"""What ``import forgekit`` costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

MOST_MODULES = 40
HEAVY = {
    "alembic", "anyio", "asyncio", "click", "cryptography", "django", "fastapi", "httpx", "jinja2", "jsonschema", "limits", "orjson",
    "psycopg", "pydantic", "redis", "rich", "selectolax", "sqlalchemy", "sqlite3", "ssl", "stamina", "starlette", "uvicorn",
}  # fmt: skip
DOMAINS = {"accounts", "billing", "builds", "cli", "http", "integrations", "jobs", "registry", "sprints", "testing", "webhooks", "work"}


def _modules_after(statement):
    """List what a statement imports in a Python of its own, which measures no coverage."""
    code = f"import sys; before = set(sys.modules); {statement}; import json; print(json.dumps(sorted(set(sys.modules) - before)))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return json.loads(subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("statement", ["import forgekit", "import forgekit.errors", "from forgekit import ForgekitError, hookimpl"])
def test_a_lean_import_pulls_nothing_heavy(statement):
    """Importing forgekit imports no web, database, HTTP or crypto package, and no domain."""
    modules = _modules_after(statement)
    assert not {name.split(".")[0] for name in modules} & HEAVY
    assert not {name.split(".")[1] for name in modules if name.startswith("forgekit.")} & DOMAINS


def test_a_lean_import_is_small():
    """Importing forgekit imports few modules: whoever makes it import more says so here."""
    assert len(_modules_after("import forgekit")) <= MOST_MODULES


def test_nothing_starts_at_import():
    """Importing forgekit and opening nothing starts no thread and configures no logging."""
    code = "import forgekit, threading, logging; assert threading.active_count() == 1; assert not logging.getLogger().handlers"
    subprocess.run([sys.executable, "-c", code], check=True)
