"""Which jobs, steps, ways and red branches are told, in which order, and how old what is open is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forgekit.builds import Edge, Health, JobMetrics, Key, OpenSpell, Percentiles, Rate, Variant
from forgekit.builds.rules.details import Stock, edges, health, job_metrics, open_spells, slowest, variants

START = datetime(2026, 1, 5, tzinfo=UTC)
MOMENT = round(START.timestamp()) * 1000
STOCK = Stock(builds=9, finished=6, estimated=2, undated=1)


def after(**more):
    """Return a moment some time after the start."""
    return START + timedelta(**more)


def lasting(name, p95, project="p"):
    """Return a job with a p95."""
    return JobMetrics(project=project, name=name, runs=1, failure=Rate(0, 1), duration=Percentiles(p95=p95), critical=Rate(0, 1))


def test_what_a_job_comes_to():
    """A job has its runs however they ended, its failures of the counted ones, its durations, and its share of the project's path."""
    statuses = {("test", "passed"): 3, ("test", "failed"): 1, ("test", "timed_out"): 1, ("test", "canceled"): 2, ("lint", "skipped"): 1}
    durations = {("test", 1000): 2, ("test", 3000): 1, ("test", 9000): 2}
    test, lint = job_metrics("p", statuses, durations, {("test",): 300, ("gone",): 100})
    assert (test.project, test.name, test.runs, test.failure, test.critical) == ("p", "test", 7, Rate(2, 5), Rate(300, 400))
    assert (test.duration.count, test.duration.p50, test.duration.longest) == (5, 3.0, 9.0)
    assert lint == JobMetrics(project="p", name="lint", runs=1, failure=Rate(0, 0), duration=Percentiles(), critical=Rate(0, 400))


def test_the_slowest_jobs_are_told():
    """Twenty jobs are told, by their p95; equal ones by project and name, and one of unknown duration behind all others."""
    first = [lasting("z", 9.0), lasting("a", 5.0, "o"), lasting("a", 5.0), lasting("b", 5.0)]
    others = [lasting(f"{number:02}", 0.5) for number in range(17)]
    assert slowest([lasting("0", None), *reversed(others), *reversed(first)]) == (*first, *others[:16])
    assert slowest([lasting("a", None), lasting("b", 0.5)])[0].name == "b"


def test_what_follows_what_most_comes_first():
    """An edge adds up over the times between, has their median, and comes by its count, then by its two ends."""
    numbers = {("b", "a", 0): 1, ("a", "c", 0): 1, ("a", "b", 500): 1, ("p", "f", 1000): 1, ("p", "f", 3000): 1}
    assert edges(numbers) == (
        Edge(before="p", after="f", count=2, median_gap_seconds=2.0),
        Edge(before="a", after="b", count=1, median_gap_seconds=0.5),
        Edge(before="a", after="c", count=1, median_gap_seconds=0.0),
        Edge(before="b", after="a", count=1, median_gap_seconds=0.0),
    )


def test_the_usual_ways_are_told():
    """Twenty ways of runs are told, by their counts; equal ones by their steps."""
    numbers = {(f"{number:02}",): 1 for number in range(20, 0, -1)} | {("z",): 3}
    assert variants(numbers) == (Variant(steps="z", count=3), *(Variant(steps=f"{number:02}", count=1) for number in range(1, 20)))


def test_the_oldest_red_branches_come_first():
    """What is red as long comes by project, branch and workflow, where having none comes before having one."""
    expected = [
        (MOMENT, "p", "z", "z"),
        (MOMENT + 1, "o", "z", None),
        (MOMENT + 1, "p", None, "A"),
        (MOMENT + 1, "p", "A", None),
        (MOMENT + 1, "p", "A", "B"),
        (MOMENT + 1, "p", "B", "A"),
    ]
    told = open_spells(reversed(expected), None)
    assert [(each.project, each.branch, each.workflow) for each in told] == [spell[1:] for spell in expected]


def test_a_hundred_red_branches_are_told():
    """Of more than a hundred the oldest are told."""
    told = open_spells([(MOMENT + number, "p", None, None) for number in range(101)], None)
    assert [each.since for each in told] == [after(milliseconds=number) for number in range(100)]


@pytest.mark.parametrize(("as_of", "age"), [(after(minutes=2), 120.0), (after(minutes=-2), 0.0), (None, 0.0)])
def test_how_long_a_branch_is_red(as_of, age):
    """It is red since then until now: no less than no time, and none where nobody says when now is."""
    spell = OpenSpell(project="p", branch="main", workflow="ci", since=START, age_seconds=age)
    assert open_spells([(MOMENT, "p", "main", "ci")], as_of) == (spell,)


def test_the_health_of_data():
    """The oldest open build is told with its age, and how fresh, how complete and how exact the data is."""
    keys = [Key("ci", "p", number, 1) for number in "123"]
    waiting = [(MOMENT + 1, keys[0]), (MOMENT, keys[2]), (MOMENT, keys[1])]
    assert health(STOCK, waiting, as_of=after(hours=1), latest=after(minutes=50), expected=12) == Health(
        completeness=Rate(9, 12),
        open_builds=3,
        oldest_open=keys[1],
        oldest_open_seconds=3600.0,
        last_event_at=after(minutes=50),
        lag_seconds=600.0,
        estimated_ends=Rate(2, 6),
        undated=1,
    )


def test_what_nobody_tells_of_the_health_is_none():
    """Without open builds, an expected number or any moment there is no oldest, no completeness, no lag; 0 expected are a number."""
    told = health(STOCK, [], as_of=START, latest=None, expected=None)
    assert (told.completeness, told.open_builds, told.oldest_open, told.oldest_open_seconds) == (None, 0, None, None)
    assert (told.last_event_at, told.lag_seconds) == (None, None)
    assert health(STOCK, [], as_of=None, latest=START, expected=0).completeness == Rate(9, 0)


def test_an_open_build_of_unknown_start_has_no_age():
    """A build that is open since nobody knows when is told without an age, and only where no other tells one."""
    keys = [Key("ci", "p", number, 1) for number in "123"]
    unknown = [(1, keys[2]), (1, keys[1])]
    told = health(STOCK, unknown, as_of=START, latest=START, expected=None)
    assert (told.open_builds, told.oldest_open, told.oldest_open_seconds, told.lag_seconds) == (2, keys[1], None, 0.0)
    told = health(STOCK, [*unknown, (MOMENT, keys[0])], as_of=after(hours=1), latest=START, expected=None)
    assert (told.open_builds, told.oldest_open, told.oldest_open_seconds) == (3, keys[0], 3600.0)
