"""What was asked for happens after it was asked for, whatever comes in between."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgekit.kernel.events.models import Outcome, Queue
from forgekit.testing import FakeClock
from forgekit_sql import open_sqlite

DELAY, AT_MOST, LEASE = timedelta(seconds=2), timedelta(seconds=5), timedelta(seconds=60)
START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = st.lists(st.sampled_from(["request", "claim", "done", "again", "error", "second", "minute", "enable", "disable"]), max_size=25)
_names = count()


@pytest.fixture(scope="module")
def private():
    """One storage for all examples, each with a schedule of its own."""
    with closing(open_sqlite("sqlite://", FakeClock())) as storage:
        yield storage


@attrs.define
class _World:
    """One schedule, who runs it, and what they still owe to those who asked."""

    claims: object
    name: str
    now: datetime = START
    held: object = None
    owed: bool = False
    first_asked: datetime | None = None

    def request(self):
        self.claims.request_schedule(self.name, now=self.now, delay=DELAY, at_most=AT_MOST)
        self.first_asked = self.first_asked or self.now
        self.owed = True

    def claim(self):
        taken = self.claims.claim(Queue.SCHEDULES, handlers=[self.name], now=self.now, lease=LEASE, limit=5)
        if taken:
            (self.held,) = taken
            self.owed, self.first_asked = False, None
        return bool(taken)

    def _settle(self, outcome):
        if self.held is not None:
            self.claims.settle(self.held, outcome)
            self.held = None

    def done(self):
        self._settle(Outcome.again(None))

    def again(self):
        self._settle(Outcome.again(self.now + LEASE))

    def error(self):
        self.owed = self.owed or self.held is not None
        self._settle(Outcome.again(self.now + DELAY, "no answer"))

    def second(self):
        self.now += timedelta(seconds=1)

    def minute(self):
        self.now += timedelta(seconds=61)

    def enable(self):
        self.claims.enable_schedule(self.name, enabled=True, due_at=self.now + LEASE)

    def disable(self):
        self.claims.enable_schedule(self.name, enabled=False, due_at=None)


def _played(tx, storage, steps):
    world = _World(claims=storage.claims(tx), name=f"s-{next(_names)}")
    for step in steps:
        getattr(world, step)()
    return world


@given(steps=STEPS.map(lambda steps: [*steps, "request"]))
@settings(max_examples=300)
def test_after_the_last_request_there_is_a_run(private, steps):
    """Whatever was asked, claimed, settled and switched before: a request is followed by a claim, at most so long after the first."""
    with private.transaction() as tx:
        world = _played(tx, private, steps)
        deadline = world.first_asked + AT_MOST
        world.done()
        world.now = max(deadline, world.now)
        if world.claim():
            return
        # Somebody may hold it still: a holder that lost its lease could not settle. Then the run comes after that lease.
        world.now += LEASE
        assert world.claim()


@given(steps=STEPS)
@settings(max_examples=300)
def test_nobody_runs_for_nothing(private, steps):
    """A disabled schedule is not claimed unless somebody asked since the last good run, or a holder died."""
    with private.transaction() as tx:
        world = _played(tx, private, steps)
        world.disable()
        died = world.held is not None
        asked_or_failed = world.owed or "error" in steps
        world.minute()
        assert not world.claim() or died or asked_or_failed


@given(steps=STEPS.map(lambda steps: [*steps, "request"]))
@settings(max_examples=300)
def test_a_request_is_not_run_early(private, steps):
    """On the trailing edge: right after a request nothing that only it asks for is due."""
    with private.transaction() as tx:
        world = _played(tx, private, [step for step in steps if step not in {"enable", "error", "minute", "claim"}])
        early = world.now + DELAY - timedelta(microseconds=1)
        world.now = min(early, world.first_asked + AT_MOST - timedelta(microseconds=1))
        assert not world.claim()
