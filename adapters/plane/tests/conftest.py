"""A FakePlane, and the adapter's tracker looking at it."""

from __future__ import annotations

import pytest

from forgekit.kernel.clock import SystemClock
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.net.http import Http
from forgekit.kernel.secrets import Secret
from forgekit.sprints.ports import TrackerContext
from forgekit.testing import FakePlane
from forgekit_plane import PlaneSettings
from forgekit_plane.plugin import adapter


@pytest.fixture
def plane():
    """A Plane without a limit on calls."""
    with FakePlane(rate_limit=None) as server:
        yield server


@pytest.fixture
def http():
    """A way out that does not wait between attempts."""
    door = Http(clock=SystemClock(), sleep=lambda _seconds: None)
    yield door
    door.close()


@pytest.fixture
def settings_of():
    """Make the settings for a Plane; keyword arguments replace single ones."""

    def make(plane, **changes):
        values = {**plane.settings, "rate_limit": 10_000, **changes}
        secret = ("api_key", "webhook_secret")
        return PlaneSettings(**{name: Secret(value) if name in secret else value for name, value in values.items()})

    return make


@pytest.fixture
def open_tracker(http, settings_of):
    """Open a tracker on a Plane; trackers of one test share what they learnt, as those of one forge do."""
    plane_adapter = adapter()

    def make(plane, **changes):
        context = TrackerContext(settings=settings_of(plane, **changes), http=http, clock=plane.world.clock, priority=Priority.PEOPLE)
        return plane_adapter.open(context)

    return make


@pytest.fixture
def tracker(plane, open_tracker):
    """The adapter's tracker."""
    return open_tracker(plane)
