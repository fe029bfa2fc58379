"""Which of two versions of a build holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import BuildRecord, Fold, Status
from forgekit.builds.rules.precedence import holds, supersedes

START = datetime(2026, 3, 1, tzinfo=UTC)
RUNNING = BuildRecord(build_id="1", project="a", status="running", started_at=START)
PASSED = attrs.evolve(RUNNING, status=Status.PASSED, finished_at=START + timedelta(minutes=5), updated_at=START + timedelta(minutes=5))

moments = st.integers(0, 3).map(lambda minutes: START + timedelta(minutes=minutes))
versions = st.builds(
    BuildRecord,
    build_id=st.just("1"),
    project=st.just("a"),
    status=st.sampled_from(Status),
    started_at=st.just(START),
    finished_at=st.none() | moments,
    updated_at=st.none() | moments,
    end_estimated=st.booleans(),
    branch=st.sampled_from([None, "main"]),
)


@given(versions, versions)
def test_it_does_not_matter_which_comes_first(one, other):
    """Both orders of two versions leave the same one."""
    assert holds(one, other) == holds(other, one)


@given(versions, versions, versions)
def test_it_does_not_matter_which_meet_first(one, two, three):
    """However three versions meet, the same one is left."""
    assert holds(holds(one, two), three) == holds(one, holds(two, three))


@given(versions)
def test_a_version_holds_against_itself(version):
    """A repetition is not another version."""
    assert holds(version, attrs.evolve(version)) is version


@pytest.mark.parametrize("status", [status for status in Status if status not in {Status.RUNNING, Status.QUEUED}])
def test_an_attempt_that_ended_is_not_running_any_more(status):
    """A late "in progress" does not reopen an attempt, however new it claims to be."""
    late = attrs.evolve(RUNNING, updated_at=START + timedelta(days=1))
    assert holds(attrs.evolve(PASSED, status=status), late).status is status


def test_the_later_version_holds():
    """Of two ends that are known, the one that the system told last holds."""
    corrected = attrs.evolve(PASSED, status=Status.FAILED, updated_at=START + timedelta(hours=1))
    assert holds(PASSED, corrected) is corrected
    assert holds(attrs.evolve(PASSED, updated_at=None), PASSED) is PASSED


def test_a_known_end_beats_an_estimate():
    """An estimated end gives way to a known one, even if the estimate was updated later."""
    guess = attrs.evolve(PASSED, end_estimated=True, updated_at=START + timedelta(days=9))
    assert holds(guess, PASSED) is PASSED


def test_an_estimated_end_is_never_moved_later():
    """Of two estimates the earlier holds: a system's "last changed" moves away from the end."""
    early = attrs.evolve(PASSED, end_estimated=True)
    late = attrs.evolve(early, finished_at=START + timedelta(days=1), updated_at=START + timedelta(days=1))
    assert holds(early, late) is early
    assert holds(attrs.evolve(early, finished_at=None), late) is late


def test_attempts_are_builds_of_their_own():
    """A re-run does not replace what it repeats."""
    assert len(Fold([PASSED, attrs.evolve(PASSED, attempt=2)])) == 2


def test_what_runs_is_not_queued_any_more():
    """A late "queued" does not hold against an attempt that runs."""
    late = attrs.evolve(RUNNING, status=Status.QUEUED, updated_at=START + timedelta(days=1))
    assert holds(late, RUNNING) is RUNNING


def test_a_known_end_may_be_moved():
    """Of two known ends the one told last holds, whichever is the earlier."""
    for minutes in (1, 9):
        moved = attrs.evolve(PASSED, finished_at=START + timedelta(minutes=minutes), updated_at=START + timedelta(hours=1))
        assert holds(PASSED, moved) is moved


def test_a_storage_keeps_what_comes_later_where_nothing_tells():
    """Of two versions between which nothing decides the one that comes later supersedes; an older, or the same, does not."""
    other = attrs.evolve(PASSED, branch="main")
    assert (supersedes(PASSED, other), supersedes(other, PASSED)) == (other, PASSED)
    assert supersedes(PASSED, attrs.evolve(PASSED)) is PASSED
    assert supersedes(PASSED, RUNNING) is PASSED
    assert supersedes(RUNNING, PASSED) is PASSED
