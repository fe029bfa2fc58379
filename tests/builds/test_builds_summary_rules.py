"""What an analysis tells first, how much of it, and what it tells of nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from forgekit.builds import BuildRecord, Job, Mean, Rate, Window, analyse

START = datetime(2026, 1, 5, tzinfo=UTC)


def builds(project, *, seconds=60, language=None, **statuses):
    """Return so many builds of a project with each status, one an hour."""
    every = [status for status, number in statuses.items() for _ in range(number)]
    return [
        BuildRecord(
            build_id=str(number),
            project=project,
            status=status,
            started_at=START + timedelta(hours=number),
            duration_seconds=seconds,
            language=language,
        )
        for number, status in enumerate(every)
    ]


def test_nothing_comes_to_nothing():
    """Of no builds every count and sum is 0, every rate one of nothing, and what needs a build is not told."""
    found = analyse([])
    assert {found.n_builds, found.n_projects, found.n_open_spells, found.minutes, found.wasted_minutes} == {0}
    assert {found.success, found.failure, found.error, found.red_time, found.flaky, found.rerun, found.rescue} == {Rate(0, 0)}
    assert {found.throughput, found.mttr, found.mttf} == {Mean(0, 0)}
    assert {found.window, found.date_range_start, found.date_range_end, found.trend, found.dora} == {None}
    assert not any((found.status_counts, found.language_counts, found.bottlenecks, found.projects_at_risk, found.weekly, found.jobs))
    assert {cell for row in found.heat_map for cell in row} == {Rate(0, 0)}


def test_throughput_is_a_day():
    """Finished builds are told a day of the window; without one, of the days from the first with a build to the last."""
    records = builds("p", passed=47, running=2)
    assert analyse(records).throughput == Mean(47, 3)
    day = START.date()
    assert analyse(records, since=day, until=day + timedelta(days=9)).throughput == Mean(47, 10)
    found = analyse(records, since=day + timedelta(days=1), until=day + timedelta(days=1))
    assert (found.window, found.throughput) == (Window(day + timedelta(days=1), day + timedelta(days=1)), Mean(23, 1))
    assert (found.date_range_start, found.date_range_end) == (START + timedelta(days=1), START + timedelta(hours=47))


def test_weeks_and_trend_are_those_of_the_window():
    """The weeks and the trend that are told are of the days that are asked for."""
    second = START.date() + timedelta(days=1)
    found = analyse(builds("p", passed=47), since=second, until=second)
    assert [(week.start, week.builds) for week in found.weekly] == [(START.date(), 23)]
    assert found.trend.window == Window(second, second)


def test_what_follows_on_a_branch_and_in_a_run():
    """Statuses that follow each other on a branch are told apart from jobs that follow each other in a run."""
    jobs = [Job(name=name, status="passed", started_at=START, finished_at=START) for name in ("lint", "test")]
    first, second = builds("p", passed=1, failed=1)
    found = analyse([attrs.evolve(first, jobs=jobs), second])
    assert [(each.before, each.after) for each in found.edges] == [("passed", "failed")]
    assert [(each.before, each.after) for each in found.steps] == [("lint:passed", "test:passed")]


def test_counts_come_most_first():
    """Statuses and languages are told by their counts, and by their names where they are as many."""
    records = [*builds("p", passed=1, errored=1, failed=2, language="b"), *builds("q", passed=3, canceled=1, language="a")]
    found = analyse(records)
    assert list(found.status_counts.items()) == [("passed", 4), ("failed", 2), ("canceled", 1), ("errored", 1)]
    assert list(found.language_counts.items()) == [("a", 4), ("b", 4)]


def test_five_bottlenecks_are_told():
    """The slowest projects are told, slowest first, and by name where they are as slow."""
    slow = [
        build
        for name, seconds in zip("fedcba", (900, 300, 300, 300, 300, 300), strict=True)
        for build in builds(name, passed=1, seconds=seconds)
    ]
    found = analyse([*builds("quick", passed=20), *slow]).bottlenecks
    assert [(each.project, each.avg_wait_seconds, each.frequency) for each in found] == [
        ("f", 900.0, 1),
        *((name, 300.0, 1) for name in "abcd"),
    ]


@pytest.mark.parametrize(
    ("statuses", "at_risk", "failing"),
    [
        ({"passed": 6, "failed": 3, "errored": 1}, False, False),
        ({"passed": 59, "failed": 30, "timed_out": 11}, True, False),
        ({"passed": 69, "failed": 31}, False, True),
        ({"passed": 5, "failed": 4, "canceled": 9}, False, False),
        ({"passed": 6, "failed": 4, "canceled": 9}, False, True),
        ({"errored": 10}, True, False),
    ],
)
def test_which_projects_are_at_risk(statuses, at_risk, failing):
    """Of ten counted builds or more, over 40 % broken is a risk, and over 30 % failed is failing."""
    found = analyse(builds("p", **statuses))
    assert (bool(found.projects_at_risk), bool(found.top_failing_projects)) == (at_risk, failing)


def test_five_failing_projects_are_told():
    """The worst are told, worst first, and by name where they are as bad; projects at risk are all told, by name."""
    bad = [build for name in "gfedcb" for build in builds(name, passed=5, failed=5)]
    found = analyse([*bad, *builds("z", failed=10)])
    assert [each.project for each in found.top_failing_projects] == ["z", "b", "c", "d", "e"]
    assert found.projects_at_risk == tuple("bcdefgz")


def test_ages_are_told_by_the_latest_moment():
    """Without another moment, ages are those at the latest that any build tells of."""
    records = [*builds("p", failed=1), *builds("q", running=1, seconds=None)]
    for as_of, passed in ((None, 0.0), (START + timedelta(hours=1), 3540.0)):
        found = analyse(records, as_of=as_of)
        assert found.health.last_event_at == START + timedelta(minutes=1)
        assert (found.open_spells[0].age_seconds, found.health.lag_seconds) == (passed, passed)
        assert found.health.oldest_open_seconds == passed + 60
