"""What a summary is made of: either counted from a tally, or read from roll-ups that storage keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

import attrs

from forgekit.builds.models import UNDATED, Key, Mean, Rate, Window
from forgekit.builds.results import JobMetrics, ProjectMetrics
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.details import job_metrics
from forgekit.builds.rules.grouping import Outcomes, mean_of, outcomes_by_week, sums, sums_by_project, together
from forgekit.builds.rules.tally import Measure, Tally

Labels = Mapping[tuple[object, ...], int]
Sums = Mapping[Measure, Labels]
"""Numbers by label, over projects and days."""

Heat = Mapping[tuple[int, int, int], int]
"""Counted builds by weekday (0 is Monday), hour, and whether they broke."""

TREND = (Measure.BUILDS, Measure.DURATIONS, Measure.SPELLS)
"""What two stretches of time are compared by."""

_NOTHING: Labels = {}
_JOBS = (Measure.JOBS, Measure.JOB_DURATIONS, Measure.CRITICAL)
_BY_PROJECT = (Measure.TESTS, Measure.SPELLS, Measure.COMMITS, Measure.RUNS, Measure.MINUTES)
_WHOLE = (
    *(Measure.SPELLS, Measure.COMMITS, Measure.RUNS, Measure.MINUTES, Measure.OBSERVED, Measure.LANGUAGES),
    *(Measure.QUEUE, Measure.ESTIMATED, Measure.EDGES, Measure.STEPS, Measure.VARIANTS),
)


@attrs.frozen(kw_only=True)
class WeekFacts:
    """A week of one project, or of all.

    Attributes:
        finished: Builds that ended.
        success: Passed of counted builds.
        passed: Passed builds whose duration is known.
        p50: Median of these, in seconds; None of none.
        p95: Likewise 95 of 100.

    """

    finished: int
    success: Rate
    passed: int
    p50: float | None
    p95: float | None


@attrs.frozen(kw_only=True)
class ProjectFacts:
    """A project.

    Attributes:
        metrics: In numbers.
        jobs: Its slowest jobs, slowest first.

    """

    metrics: ProjectMetrics
    jobs: Sequence[JobMetrics] = ()


@attrs.frozen(kw_only=True)
class Standing:
    """What is open, however long ago it began.

    Attributes:
        builds: Builds that have not ended: since when, in ms since 1970 (1 where nobody knows), and which.
        spells: Timelines that are red: since when, likewise, and their project, branch and workflow.

    """

    builds: Sequence[tuple[int, Key]] = ()
    spells: Sequence[tuple[int, str, str | None, str | None]] = ()


@attrs.frozen(kw_only=True)
class Facts:
    """Everything that a summary reads.

    Attributes:
        whole: How all builds of the window ended, and how long they took.
        sums: All other measures of the window, but for those of jobs and the heat.
        heat: When builds of the window started.
        days: First and last day of the window with a build; None without any.
        undated: Builds that tell no time.
        projects: Every project, by name.
        weeks: The window's weeks by their Mondays, over all projects.
        project_weeks: Every project's whole weeks; those of the window and of the twelve weeks before are enough.
        recent: The measures of ``TREND`` by day, of the days that the trend compares.
        standing: What is open at the end of the window.

    """

    whole: Outcomes
    sums: Sums
    heat: Heat
    days: tuple[date, date] | None
    undated: int
    projects: Sequence[ProjectFacts]
    weeks: Mapping[int, WeekFacts]
    project_weeks: Mapping[str, Mapping[int, WeekFacts]]
    recent: Tally
    standing: Standing


def facts_of(tally: Tally, window: Window | None, zone: tzinfo = UTC) -> Facts:
    """Return the facts that a tally holds; it must also cover the days before the window that the trend and the anomalies look at."""
    inside = tally if window is None else tally.within(window)
    # What is open is open, however long before the window it began.
    standing = tally if window is None else tally.within(Window(date.min, window.until), (Measure.OPEN, Measure.OPEN_SPELLS))
    weeks = outcomes_by_week(inside)
    outcomes = {name: together(own.values()) for name, own in weeks.items()}
    merged: dict[int, list[Outcomes]] = defaultdict(list)
    for own in weeks.values():
        for start, each in own.items():
            merged[start].append(each)
    every = weeks if window is None else outcomes_by_week(tally)
    return Facts(
        whole=together(outcomes.values()),
        sums={measure: sums(inside[measure]) for measure in _WHOLE},
        heat=heat_of(inside, zone),
        days=inside.days(),
        undated=sum(number for entry, number in inside[Measure.BUILDS].items() if entry[1] == UNDATED),
        projects=_projects(inside, outcomes),
        weeks={start: week_facts(together(parts)) for start, parts in merged.items() if start != UNDATED},
        project_weeks={name: {start: week_facts(each) for start, each in own.items() if start != UNDATED} for name, own in every.items()},
        recent=tally,
        standing=_standing(standing),
    )


def week_facts(outcomes: Outcomes) -> WeekFacts:
    """Return what a week comes to."""
    passed = Distribution(outcomes.passed)
    return WeekFacts(
        finished=outcomes.finished,
        success=outcomes.success,
        passed=len(passed),
        p50=passed.quantile(0.5),
        p95=passed.quantile(0.95),
    )


def project_facts(name: str, outcomes: Outcomes, numbers: Callable[[Measure], Labels]) -> ProjectFacts:
    """Return what a project comes to: its outcomes, and its numbers of every other measure."""
    duration = Distribution(outcomes.counted)
    tests, billed = numbers(Measure.TESTS), numbers(Measure.MINUTES)
    metrics = ProjectMetrics(
        project=name,
        n_builds=outcomes.n,
        success=outcomes.success,
        failure=outcomes.failure,
        error=outcomes.error,
        median_duration_seconds=duration.quantile(0.5) or 0.0,
        p90_duration_seconds=duration.quantile(0.9) or 0.0,
        avg_tests_run=mean_of(tests, "run", total="sum", unit=1).value,
        avg_tests_failed=mean_of(tests, "failed", total="sum", unit=1).value,
        mttr=mttr(numbers(Measure.SPELLS)),
        flaky=flaky(numbers(Measure.COMMITS)),
        rerun=rerun(numbers(Measure.RUNS)),
        minutes=billed.get(("all",), 0) / 1000,
        wasted_minutes=billed.get(("wasted",), 0) / 1000,
    )
    return ProjectFacts(metrics=metrics, jobs=job_metrics(name, *map(numbers, _JOBS)))


def mttr(spells: Labels) -> Mean:
    """Return the seconds from red to green, per closed spell."""
    return mean_of(spells, "red")


def flaky(commits: Labels) -> Rate:
    """Return the commits that passed and failed, of those with a verdict."""
    both = commits.get(("flaky",), 0)
    return Rate(both, both + commits.get(("steady",), 0))


def rerun(runs: Labels) -> Rate:
    """Return the runs with more than one attempt, of all."""
    return Rate(runs.get(("rerun",), 0), runs.get(("all",), 0))


def _projects(tally: Tally, outcomes: Mapping[str, Outcomes]) -> list[ProjectFacts]:
    found = {measure: sums_by_project(tally[measure]) for measure in (*_BY_PROJECT, *_JOBS)}

    def numbers_of(name: str) -> Callable[[Measure], Labels]:
        return lambda measure: found[measure].get(name, _NOTHING)

    return [project_facts(name, own, numbers_of(name)) for name, own in sorted(outcomes.items())]


def _standing(tally: Tally) -> Standing:
    builds = [
        (moment, Key(provider, project, build_id, attempt))
        for (project, _, provider, build_id, attempt), moment in tally[Measure.OPEN].items()
    ]
    spells = [(moment, project, branch, workflow) for (project, _, branch, workflow), moment in tally[Measure.OPEN_SPELLS].items()]
    return Standing(builds=builds, spells=spells)


def heat_of(tally: Tally, zone: tzinfo = UTC) -> Heat:
    """Return counted builds by weekday and hour in a time zone, by their start."""
    heat: defaultdict[tuple[int, int, int], int] = defaultdict(int)
    for (_, day, quarter, broken), number in tally[Measure.HEAT].items():
        weekday, hour = (day - 1) % 7, quarter // 4
        if zone is not UTC:
            local = (datetime.fromordinal(day).replace(tzinfo=UTC) + timedelta(minutes=15 * quarter)).astimezone(zone)
            weekday, hour = local.weekday(), local.hour
        heat[weekday, hour, broken] += number
    return heat
