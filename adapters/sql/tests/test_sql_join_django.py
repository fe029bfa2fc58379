"""A transaction of Django is joined: a real Django 5, in a process of its own because its settings are for good."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from forgekit.testing import FakeClock
from forgekit_sql import open_postgresql

PROGRAM = Path(__file__).with_name("django_scenarios.py")


def _told_by(*arguments):
    done = subprocess.run([sys.executable, PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory):
    """What happened on SQLite."""
    path = tmp_path_factory.mktemp("django")
    return _told_by(f"sqlite:///{path}/forge.db", "sqlite3", path / "forge.db", path / "other.db")


@pytest.fixture(scope="module")
def on_postgresql(shared_postgresql_url):
    """What happened on PostgreSQL."""
    storage = open_postgresql(shared_postgresql_url, FakeClock())
    storage.upgrade()
    storage.close()
    parts = urlsplit(shared_postgresql_url)
    address = (parts.hostname, parts.port, parts.username)
    return _told_by(shared_postgresql_url, "postgresql", parts.path[1:], "postgres", *address)


@pytest.fixture(params=["on_sqlite", "on_postgresql"])
def told(request):
    """What happened on each database."""
    return request.getfixturevalue(request.param)


def test_both_commit_together(told):
    """After Django's commit its row and the forge's are there, and the signal came after the block."""
    commit = told["commit"]
    assert (commit["hosted"], commit["keys"]) == (["commit", "commit-2"], ["commit"])
    assert (commit["signals_inside"], commit["signals"]) == ([], ["commit"])


def test_both_roll_back_together(told):
    """After Django's rollback neither row is there, and no signal came."""
    rollback = told["rollback"]
    assert "rollback" not in [*rollback["hosted"], *rollback["keys"], *rollback["signals"]]


def test_an_inner_rollback_takes_the_forges_rows_along(told):
    """What was joined inside an inner atomic block falls with that block alone."""
    inner = told["inner_rollback"]
    assert "outer" in inner["hosted"]
    assert "inner" not in [*inner["keys"], *inner["signals"]]


def test_django_goes_on_after_a_block_that_failed(told):
    """A failing block leaves nothing of its own, and Django's transaction as it was."""
    failing = told["failing_block"]
    assert {"before", "after"} <= set(failing["hosted"])
    assert "failing" not in [*failing["keys"], *failing["signals"]]


def test_autocommit_is_refused(told):
    """Outside of atomic() there is nothing to join."""
    assert told["outside"]["error"] == "UsageError"
    assert "commits each statement by itself" in told["outside"]["message"]


def test_another_database_is_refused(told):
    """A connection to another database is named as what it is."""
    assert told["elsewhere"]["error"] == "ForeignConnection"
    assert "this forge" in told["elsewhere"]["message"]


def test_django_finds_its_connection_unchanged(told):
    """Isolation, factories and the atomic block are as they were."""
    assert told["unchanged"]["same"]
    assert told["unchanged"]["signals"] == ["unchanged"]
