"""A FakeGitHub, and the adapter's source looking at it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from forgekit.builds.ports import BuildSourceContext
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.net.http import Http
from forgekit.kernel.secrets import Secret
from forgekit.testing import FakeClock, FakeGitHub
from forgekit_github import GithubSettings, GithubSource
from forgekit_github._client import Client
from forgekit_github.plugin import forgekit_build_sources

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    """A clock that stands still."""
    return FakeClock(NOW)


@pytest.fixture
def github(clock):
    """A GitHub whose clock stands still."""
    with FakeGitHub(clock=clock) as server:
        yield server


@pytest.fixture
def http(clock):
    """A way out that does not wait between attempts."""
    door = Http(clock=clock, sleep=lambda _seconds: None)
    yield door
    door.close()


@pytest.fixture
def settings_of():
    """Make the settings for a GitHub; keyword arguments replace single ones, None takes one away."""

    def make(github, **changes):
        values = {**github.settings, "rate_limit": 100_000, **changes}
        secret = ("token", "webhook_secret")
        return GithubSettings(**{name: Secret(value) if name in secret else value for name, value in values.items() if value is not None})

    return make


@pytest.fixture
def open_source(http, clock, settings_of):
    """Open a source on a GitHub; a cap other than GitHub's is given past the plugin."""

    def make(github, cap=None, **changes):
        settings = settings_of(github, **changes)
        if cap is not None:
            return GithubSource(Client(settings, http, clock, Priority.PEOPLE), cap=cap)
        context = BuildSourceContext(settings=settings, http=http, clock=clock, priority=Priority.PEOPLE)
        return forgekit_build_sources()["github"].open(context)

    return make


@pytest.fixture
def source(github, open_source):
    """The adapter's source."""
    return open_source(github)
