"""What a build counts by itself: how long it waited, what it cost, when it began, and how its jobs went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forgekit.builds import BuildRecord, Job
from forgekit.builds.rules.singles import EPOCH, measure_singles, milliseconds, minutes, queue_time, since_1970
from forgekit.builds.rules.tally import Measure

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = START.toordinal()


def at(**more):
    """Return a moment some time after the start."""
    return START + timedelta(**more)


def build(status="passed", **more):
    """Return a build that starts at the start."""
    return BuildRecord(**{"build_id": "1", "project": "p", "status": status, "started_at": START, **more})


def job(name, start, end, status="passed"):
    """Return a job from one second to another."""
    return Job(name=name, status=status, started_at=at(seconds=start), finished_at=at(seconds=end))


def test_time_runs_forwards_in_whole_milliseconds():
    """From one moment to a later one it is whole milliseconds; to an earlier one, as clocks that disagree tell it, it is none."""
    assert milliseconds(START, at(microseconds=2999)) == 2
    assert milliseconds(START, START) == milliseconds(START, at(seconds=-1)) == 0


def test_no_moment_is_nothing():
    """Moments are whole milliseconds since 1970; the first of all is 1, as an entry of 0 would be none."""
    assert [since_1970(EPOCH + timedelta(microseconds=number)) for number in (0, 1000, 2000, 2999)] == [1, 1, 2, 2]


def test_jobs_that_wait_tell_nothing_of_the_wait():
    """Where no job has started, a first attempt waited until its own start, and of a re-run nobody knows."""
    waiting = {"queued_at": at(minutes=-2), "jobs": [Job(name="lint", status="queued")]}
    assert queue_time(build(**waiting)) == 120_000
    assert queue_time(build(attempt=2, **waiting)) is None


@pytest.mark.parametrize(("seconds", "cost"), [(None, 0), (0, 0), (0.001, 1000), (60, 1000), (60.001, 2000)])
def test_a_begun_minute_is_billed(seconds, cost):
    """Of a build without jobs every begun minute is billed, and of one that took no time, or nobody knows how long, none."""
    record = build(duration_seconds=seconds)
    assert minutes(record) == cost
    assert sum(measure_singles([record])[Measure.MINUTES].values()) == cost


def test_starts_are_counted_by_the_quarter_of_an_hour():
    """Each of a day's 96 quarters has the builds of its fifteen minutes."""
    tally = measure_singles(build(build_id=str(minute), started_at=at(minutes=minute)) for minute in range(24 * 60))
    assert tally[Measure.HEAT] == {("p", DAY, quarter, 0): 15 for quarter in range(96)}


def test_steps_are_counted_with_the_time_between():
    """Jobs follow each other in the order of their starts; what is between is told in two digits, and nothing where they overlap."""
    jobs = [job("pack", 200, 300, "failed"), job("lint", 0, 60), job("test", 183.456, 250), Job(name="late", status="queued")]
    tally = measure_singles([build(jobs=jobs), build(build_id="2", jobs=jobs)])
    assert tally[Measure.STEPS] == {("p", DAY, "lint:passed", "test:passed", 120_000): 2, ("p", DAY, "test:passed", "pack:failed", 0): 2}
    assert tally[Measure.VARIANTS] == {("p", DAY, "lint:passed → test:passed → pack:failed"): 2}


def test_of_jobs_that_end_together_the_last_to_start_is_critical():
    """A run waited for the one that began later; the other ran beside it."""
    tally = measure_singles([build(jobs=[job("a", 120, 300), job("z", 0, 300), job("b", 0, 120)])])
    assert tally[Measure.CRITICAL] == {("p", DAY, "a"): 180_000, ("p", DAY, "b"): 120_000}
