"""What those hear who listen to imports in the background: each change of status, and now and then how far one is."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from forgekit.builds.events import BuildImportChanged
from forgekit.builds.imports import ImportStatus
from forgekit.kernel.events.models import Handler

SHOP = "acme/shop"
STEP = 0.3
"""Seconds that pass at each look at the ticking clock."""


class Listener:
    """Keeps the events of a forge, with the moments at which they came and the rows as they stood then."""

    def __init__(self, forge):
        self.events, self.moments, self.rows = [], [], []
        self._forge = forge
        forge.on(BuildImportChanged, self._hear)

    def _hear(self, event):
        self.events.append(event)
        self.moments.append(self._forge.clock.now())
        self.rows.append(self._forge.builds.import_state(event.import_id))

    @property
    def statuses(self):
        return [event.status.value for event in self.events]


@pytest.fixture
def listener(forge):
    """Hears the forge's imports."""
    return Listener(forge)


@pytest.fixture
def ticking(forge, github, imports_of):
    """The imports of the forge, on a clock that goes on with each look at it."""

    class Ticking(type(forge.clock)):
        def now(self):
            forge.clock.advance(STEP)
            return forge.clock.now()

    imports = imports_of(forge, github)
    imports._clock = Ticking()
    return imports


def test_each_change_of_status_is_told(forge, fill, listener):
    """Who listens hears when an import is asked for, when it begins, and at its end what came."""
    fill(3)
    asked = forge.builds.request_import("github", SHOP)
    assert forge.builds.request_import("github", SHOP) == asked
    forge.worker().drain()
    assert listener.statuses == ["queued", "running", "done"]
    last = listener.events[-1]
    assert (last.import_id, last.source, last.project, last.fetched, last.total) == (asked.id, "github", SHOP, 3, 3)


def test_a_wait_tells_until_when(forge, github, fill, listener, clock):
    """The event of an import that waits has the moment at which it goes on, and the limit's code; the next one has neither."""
    fill(1)
    github.limit_next(retry_after=45)
    forge.builds.request_import("github", SHOP)
    forge.worker().drain()
    until = clock.now() + timedelta(seconds=45)
    clock.advance(45)
    forge.worker().drain()
    assert listener.statuses == ["queued", "running", "waiting", "running", "done"]
    assert [(event.retry_at, event.code) for event in listener.events[2:4]] == [(until, "remote_rate_limited"), (None, None)]


def test_a_failure_tells_its_code(forge, listener):
    """A program that listens learns what went wrong."""
    forge.builds.request_import("github", "acme/none")
    forge.worker().drain()
    assert (listener.statuses[-1], listener.events[-1].code) == ("failed", "remote_not_found")


def test_what_is_told_is_stored(forge, fill, listener, ticking):
    """Whoever hears of an import finds its row as far as the event says, also while it goes on."""
    fill(40, jobs=("build",))
    forge.builds.request_import("github", SHOP, jobs=True)
    while ticking.run_due() is not None:
        pass
    told = [(event.status, event.fetched, event.total) for event in listener.events]
    assert told == [(row.status, row.fetched, row.total) for row in listener.rows]
    assert {0, 80} < {event.fetched for event in listener.events}


def test_progress_is_told_once_a_second_at_most(forge, fill, listener, ticking):
    """However fast steps follow each other, between two signals that an import goes on lies a second."""
    fill(200, jobs=("build",))
    forge.builds.request_import("github", SHOP, jobs=True)
    while ticking.run_due() is not None:
        pass
    running = [at for at, event in zip(listener.moments, listener.events, strict=True) if event.status is ImportStatus.RUNNING]
    assert len(running) > 2
    assert min(later - earlier for earlier, later in pairwise(running)) >= timedelta(seconds=1)


def test_progress_leaves_no_durable_work(forge, fill, ticking):
    """A durable handler is given the changes of status, and nothing of what lies between them."""
    given = []
    forge._recorder.register([Handler(name="tests.told", event=BuildImportChanged, run=lambda event, tx: given.append(event))])
    fill(100, jobs=("build",))
    forge.builds.request_import("github", SHOP, jobs=True)
    while ticking.run_due() is not None:
        pass
    forge.worker().drain()
    assert sorted(event.status.value for event in given) == ["done", "queued", "running"]


def test_a_request_that_is_rolled_back_is_not_told(forge, listener):
    """What was not asked for after all nobody hears of."""
    with pytest.raises(ZeroDivisionError), forge.transaction() as tx:
        forge.builds.request_import("github", SHOP, tx=tx)
        raise ZeroDivisionError
    assert listener.events == []


def test_an_import_in_the_foreground_is_not_told(forge, fill, listener):
    """Who imports in a call of their own has its progress and its report."""
    fill(2)
    forge.builds.import_github(SHOP)
    assert listener.events == []
