"""What a summary is made of: the days inside a window, those before it that it is compared with, and what is open at its end."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from forgekit.builds import BuildRecord, Fold, Mean, ProjectMetrics, Rate, Window
from forgekit.builds.rules.facts import facts_of, heat_of, project_facts
from forgekit.builds.rules.grouping import Outcomes
from forgekit.builds.rules.tally import Measure

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
SECOND = Window(date(2026, 1, 12), date(2026, 1, 18))
"""The second week."""


def build(day, status="passed", **more):
    """Return a build of ten minutes that starts so many days after the start."""
    started = START + timedelta(days=day)
    own = {"build_id": str(day), "project": "p", "started_at": started, "duration_seconds": 600}
    return BuildRecord(status=status, **{**own, **more})


def facts(records, window=None):
    """Return the facts of builds."""
    return facts_of(Fold(records).tally(), window)


def test_what_a_project_comes_to():
    """A project has its outcomes, its durations, and its number of each measure."""
    statuses = Counter({"passed": 6, "failed": 2, "errored": 1, "timed_out": 1, "canceled": 3})
    numbers = {
        Measure.TESTS: {("run", "n"): 4, ("run", "sum"): 10, ("failed", "n"): 2, ("failed", "sum"): 3},
        Measure.SPELLS: {("red", "n"): 2, ("red", "ms"): 9000, ("green", "n"): 7, ("green", "ms"): 7},
        Measure.COMMITS: {("flaky",): 1, ("steady",): 4},
        Measure.RUNS: {("rerun",): 2, ("all",): 7, ("rescued",): 1},
        Measure.MINUTES: {("all",): 2500, ("wasted",): 1500},
        Measure.JOBS: {("test", "passed"): 3},
    }
    told = project_facts("p", Outcomes(statuses=statuses, counted=Counter({1000: 6, 5000: 5})), lambda measure: numbers.get(measure, {}))
    assert told.metrics == ProjectMetrics(
        project="p",
        n_builds=13,
        success=Rate(6, 10),
        failure=Rate(2, 10),
        error=Rate(2, 10),
        median_duration_seconds=1.0,
        p90_duration_seconds=5.0,
        avg_tests_run=2.5,
        avg_tests_failed=1.5,
        mttr=Mean(9.0, 2),
        flaky=Rate(1, 5),
        rerun=Rate(2, 7),
        minutes=2.5,
        wasted_minutes=1.5,
    )
    assert [(job.project, job.name, job.runs) for job in told.jobs] == [("p", "test", 3)]


def test_a_project_of_nothing():
    """A project none of whose builds has ended has rates of nothing, no means, and takes and costs nothing."""
    assert project_facts("p", Outcomes(), lambda _measure: {}).metrics == ProjectMetrics(
        project="p",
        n_builds=0,
        success=Rate(0, 0),
        failure=Rate(0, 0),
        error=Rate(0, 0),
        median_duration_seconds=0.0,
        p90_duration_seconds=0.0,
    )


def test_what_is_open_is_told_up_to_the_end_of_the_window():
    """What began before the window is open in it, and what begins after it is not yet."""
    records = [build(day, status, build_id=f"{day} {status}", branch=str(day)) for day in (0, 13, 14) for status in ("running", "failed")]
    standing = facts(records, SECOND).standing
    assert sorted(key.build_id for _, key in standing.builds) == ["0 running", "13 running"]
    assert sorted(branch for _, _, branch, _ in standing.spells) == ["0", "13"]
    assert (standing.n_spells, facts(records).standing.n_spells) == (2, 3)


def test_a_week_is_compared_with_weeks_before_the_window():
    """The past of a window's weeks is their project's own, and need not lie in the window."""
    past = [build(7 * week + n / 24, build_id=f"{week} {n}", project=name) for week in range(8) for n in range(6) for name in "pq"]
    odd = [build(56 + n / 24, "failed", build_id=f"8 {n}") for n in range(6)]
    found = facts(past + odd, Window(date(2026, 3, 2), date(2026, 3, 8))).anomalies
    assert [(each.project, each.metric, each.value, each.expected) for each in found] == [("p", "success_rate", 0.0, 1.0)]


def test_the_periods_of_the_trend_are_the_window_and_as_many_days_before():
    """A window is compared with the days just before it; without one, the latest 28 days are compared with the 28 before."""
    records = [build(day) for day in (-21, -1, 0, 6, 7, 13, 14)]
    assert [period.outcomes.n for period in facts(records, SECOND).periods] == [2, 2]
    assert [period.outcomes.n for period in facts(records).periods] == [6, 1]


@pytest.fixture
def elsewhere(monkeypatch):
    """A machine that lives nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "JST-9")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
def test_hours_are_not_those_of_the_machine():
    """The hours of a time zone are the same wherever they are counted."""
    assert heat_of(Fold([build(0.5)]).tally(), ZoneInfo("Europe/Berlin")) == {(0, 13, 0): 1}
