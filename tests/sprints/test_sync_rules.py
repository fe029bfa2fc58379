"""What is told to the tracker, and when the loop looks again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.kernel.events.models import ScheduleState
from forgekit.sprints.models import StateGroup
from forgekit.sprints.rules.syncing import LONGEST_WAIT, backoff, is_alive, push_target
from forgekit.work.models import State, WorkItem

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "passing", "target"),
    [
        (State.TO_DO, False, None),
        (State.BLOCKED, False, None),
        (State.DONE, False, None),
        (State.IN_PROGRESS, False, StateGroup.STARTED),
        (State.REVIEW, False, StateGroup.STARTED),
        (State.DONE, True, StateGroup.COMPLETED),
        (State.TO_DO, True, StateGroup.COMPLETED),
    ],
)
def test_what_the_tracker_should_show(state, passing, target):
    """What passes is completed there, what is at work is started there, the rest is not told."""
    item = WorkItem(id="i", project_id="p", number=1, name="n", state=state, passing=passing, created_at=NOW, updated_at=NOW)
    assert push_target(item) is target


@given(st.integers(1, 1000), st.floats(5, 600), st.floats(0, 1), st.one_of(st.none(), st.floats(0, 10_000)))
def test_backoff_is_bounded_and_honours_the_tracker(failures, interval, noise, retry_after):
    """The wait is never shorter than what was asked for, and without that never much longer than the longest."""
    wait = backoff(failures, interval, noise=noise, retry_after=retry_after)
    assert wait >= (retry_after or 0)
    assert wait <= max(1.2 * max(LONGEST_WAIT, interval), retry_after or 0) + 1e-6


def test_backoff_doubles():
    """Each failure in a row doubles the wait."""
    assert [backoff(failures, 5, noise=0.5) for failures in (1, 2, 3)] == [10, 20, 40]


def test_backoff_is_not_lengthened_for_nothing():
    """A loop that hurries hurries after a failure too, and however often it fails the number of its doublings is bounded."""
    assert backoff(1, 0.01, noise=0.5) == 0.02
    assert backoff(21, 1e-6, noise=0.5) == backoff(10_000, 1e-6, noise=0.5) == 1e-6 * 2**20


@pytest.mark.parametrize(
    ("enabled", "due", "running", "alive"),
    [
        (True, timedelta(seconds=30), False, True),
        (True, timedelta(seconds=-5), False, True),
        (True, timedelta(seconds=-15), False, True),
        (True, timedelta(minutes=-5), False, False),
        (True, timedelta(minutes=-5), True, True),
        (False, timedelta(0), True, False),
        (True, None, False, False),
    ],
)
def test_a_loop_is_alive_when_somebody_looks_after_it(enabled, due, running, alive):
    """A loop that is off, or long overdue with nobody holding it, is not running."""
    due_at = None if due is None else NOW + due
    assert is_alive(ScheduleState(name="s", enabled=enabled, due_at=due_at, running=running), NOW) is alive


def test_an_unknown_loop_is_not_alive():
    """A loop that no worker ever prepared is not running."""
    assert not is_alive(None, NOW)
