"""What a killed process leaves of an import, and how another one goes on with it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import forgekit_github
import forgekit_sql
from forgekit import Forge
from forgekit.builds.imports import ImportStatus
from forgekit.errors import Conflict
from forgekit.testing import FakeClock, FakeGitHub

PROGRAM = Path(__file__).with_name("import_process.py")
SHOP = "acme/shop"
pytestmark = [pytest.mark.faults]


@pytest.fixture
def busy():
    """A GitHub with 700 runs, at the machine's time."""
    with FakeGitHub() as server:
        now = server.world.now()
        for number in range(700):
            server.add_run(SHOP, created_at=now - timedelta(hours=number), jobs=())
        yield server


@pytest.fixture
def start(busy, begin):
    """Start a process that imports from it, and wait until it has stored the first five pages and stands still."""

    def make(what, url):
        process = begin(sys.executable, PROGRAM, what, url, busy.url, busy.token, stdout=subprocess.PIPE)
        assert process.stdout.readline() == "500\n"
        return process

    return make


def _open(url, github, clock=None):
    config = {"github": {**github.settings, "rate_limit": 100_000}}
    return Forge.open(url, plugins=[forgekit_sql, forgekit_github], config=config, environ={}, clock=clock)


def _later():
    """A clock by which the leases of the dead have run out."""
    return FakeClock(datetime.now(UTC) + timedelta(minutes=5))


def _pages(github):
    return sum(call.path.endswith("/runs") for call in github.calls)


def test_an_import_goes_on_after_a_kill(busy, start, tmp_path):
    """After kill -9 behind the fifth page the next import begins with the sixth, as soon as the dead one's lease is over."""
    url = f"sqlite:///{tmp_path}/forge.db"
    process = start("foreground", url)
    process.kill()
    process.wait()
    with _open(url, busy) as forge, pytest.raises(Conflict) as refused:
        forge.builds.import_github(SHOP)
    assert datetime.fromisoformat(refused.value.data["until"]) > datetime.now(UTC)
    busy.forget_calls()
    with _open(url, busy, _later()) as forge:
        report = forge.builds.import_github(SHOP)
        assert (report.accepted, report.duplicates, report.complete) == (200, 0, True)
        assert forge.builds.count(project=SHOP) == 700
    assert (_pages(busy), busy.count(status=304)) == (2 + 1, 1)


def test_a_killed_worker_is_replaced(busy, start, postgresql_url):
    """After kill -9 in the middle of a list the next worker goes on with the import; at most the pages of one batch come again."""
    Forge.upgrade(postgresql_url, plugins=[forgekit_sql])
    process = start("worker", postgresql_url)
    process.kill()
    process.wait()
    with _open(postgresql_url, busy, _later()) as forge:
        (left,) = forge.builds.imports()
        assert left.status is ImportStatus.RUNNING
        assert forge.builds.count(project=SHOP) == 500
        forge.worker().drain()
        done = forge.builds.import_state(left.id)
        assert (done.status, done.complete, done.fetched) == (ImportStatus.DONE, True, 700)
        assert forge.builds.count(project=SHOP) == 700
    assert _pages(busy) <= 7 + 5 + 1
