"""A FakeGitHub, forges that import from it, and imports whose waits are turns of a clock's hands."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest

import forgekit_github
import forgekit_sql
from forgekit import Forge
from forgekit.builds.importing import BuildImports
from forgekit.builds.ports import BuildSourceContext
from forgekit.kernel.secrets import Secret
from forgekit.testing import FakeClock, FakeGitHub
from forgekit_github import GithubSettings
from forgekit_github.plugin import open_source

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
SHOP = "acme/shop"


@pytest.fixture
def clock():
    """A clock that stands still."""
    return FakeClock(NOW)


@pytest.fixture
def github(clock):
    """A GitHub with an empty repository."""
    with FakeGitHub(clock=clock) as server:
        server.add_repository(SHOP)
        yield server


@pytest.fixture
def configuration():
    """What a forge is opened with to import from a GitHub; keyword arguments replace single settings."""

    def make(github, **changes):
        values = {**github.settings, "rate_limit": 100_000, **changes}
        return {"github": {name: value for name, value in values.items() if value is not None}}

    return make


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A database without rows: making one takes eight times as long as copying it."""
    path = tmp_path_factory.mktemp("empty") / "forge.db"
    Forge.open(f"sqlite:///{path}", plugins=[forgekit_sql], environ={}).close()
    return path


@pytest.fixture
def open_forge(clock, configuration, empty_database, tmp_path):
    """Open forges on a GitHub, as programs do, by default on a database of their own; they are closed at the end."""
    opened = []

    def make(github, url=None, **changes):
        if url is None:
            path = shutil.copy(empty_database, tmp_path / f"forge-{len(opened)}.db")
            url = f"sqlite:///{path}"
        plugins = [forgekit_sql, forgekit_github]
        opened.append(Forge.open(url, plugins=plugins, config=configuration(github, **changes), environ={}, clock=clock))
        return opened[-1]

    yield make
    for forge in opened:
        forge.close()


@pytest.fixture
def forge(open_forge, github):
    """A forge with a database of its own."""
    return open_forge(github)


@pytest.fixture(params=["sqlite", "postgresql"])
def any_forge(request, open_forge, github):
    """A forge on each database."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
        Forge.upgrade(url, plugins=[forgekit_sql])
    return open_forge(github, url)


@pytest.fixture
def fill(github):
    """Make so many runs, an hour apart, the last of them now; return their ids, the oldest first. They have no jobs."""

    def make(count, every=timedelta(hours=1), **values):
        now, values = github.world.now(), {"jobs": (), **values}
        return [github.add_run(created_at=now - (count - 1 - number) * every, **values) for number in range(count)]

    return make


@pytest.fixture
def imports_of(clock):
    """Make the imports of a forge that wait by moving the clock on; ``waited`` tells for how many seconds."""

    def make(forge, github, *, pause=None, monotonic=lambda: 0.0, **changes):
        values = {**github.settings, "rate_limit": 100_000, **changes}
        secret = ("token", "webhook_secret")
        settings = GithubSettings(**{name: Secret(value) if name in secret else value for name, value in values.items()})

        def source(priority):
            return open_source(BuildSourceContext(settings=settings, http=forge.http, clock=clock, priority=priority))

        return BuildImports(
            forge.storage,
            forge.builds,
            forge._recorder,
            clock,
            sources={"github": source},
            wake=lambda: None,
            pause=pause or clock.advance,
            monotonic=monotonic,
        )

    return make
