"""What a summary is made of: either counted from a tally, or read from roll-ups that storage keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

import attrs

from forgekit.builds.models import UNDATED, Key, Mean, Rate, Window
from forgekit.builds.results import Anomaly, JobMetrics, ProjectMetrics
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.details import job_metrics
from forgekit.builds.rules.grouping import Outcomes, mean_of, outcomes_by_week, sums, sums_by_project, together
from forgekit.builds.rules.tally import Measure, Tally
from forgekit.builds.rules.weeks import WeekFacts, anomalies, week_facts

Labels = Mapping[tuple[object, ...], int]
Sums = Mapping[Measure, Labels]
"""Numbers by label, over projects and days."""

Heat = Mapping[tuple[int, int, int], int]
"""Counted builds by weekday (0 is Monday), hour, and whether they broke."""

PERIOD = (Measure.BUILDS, Measure.DURATIONS, Measure.SPELLS)
"""What two stretches of time are compared by."""

TREND_DAYS = 28
"""How many of the latest days are compared with as many before, where no window is given."""

PROJECT_SHARES = (0.5, 0.9)
"""The percentiles of a project's counted builds that are told."""

_NOTHING: Labels = {}
_JOBS = (Measure.JOBS, Measure.JOB_DURATIONS, Measure.CRITICAL)
_BY_PROJECT = (Measure.TESTS, Measure.SPELLS, Measure.COMMITS, Measure.RUNS, Measure.MINUTES)
WHOLE = (
    *(Measure.SPELLS, Measure.COMMITS, Measure.RUNS, Measure.MINUTES, Measure.OBSERVED, Measure.LANGUAGES),
    *(Measure.QUEUE, Measure.ESTIMATED, Measure.EDGES, Measure.STEPS, Measure.VARIANTS),
)
"""What is told of all builds together, beside their outcomes and their heat."""


@attrs.frozen(kw_only=True)
class Period:
    """One of two stretches of time that are compared.

    Attributes:
        outcomes: How its builds ended, and how long they took.
        spells: Colour runs that ended.

    """

    outcomes: Outcomes
    spells: Labels


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
        spells: Timelines that are red: since when, likewise, and their project, branch and workflow; the oldest are enough.
        n_spells: How many there are.

    """

    builds: Sequence[tuple[int, Key]] = ()
    spells: Sequence[tuple[int, str, str | None, str | None]] = ()
    n_spells: int = 0


@attrs.frozen(kw_only=True)
class Facts:
    """Everything that a summary reads.

    Attributes:
        whole: How all builds of the window ended, and how long they took.
        sums: The measures of ``WHOLE``.
        heat: When builds of the window started.
        days: First and last day of the window with a build; None without any.
        undated: Builds that tell no time.
        projects: Every project, by name.
        weeks: The window's weeks by their Mondays, over all projects.
        anomalies: Weeks that do not fit their project's past; those that lie outside the window are passed over.
        periods: The days that the trend tells of, and as many before; None without any.
        standing: What is open at the end of the window.

    """

    whole: Outcomes
    sums: Sums
    heat: Heat
    days: tuple[date, date] | None
    undated: int
    projects: Sequence[ProjectFacts]
    weeks: Mapping[int, WeekFacts]
    anomalies: Sequence[Anomaly]
    periods: tuple[Period, Period] | None
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
    days = inside.days()
    return Facts(
        whole=together(outcomes.values()),
        sums={measure: sums(inside[measure]) for measure in WHOLE},
        heat=heat_of(inside, zone),
        days=days,
        undated=sum(number for entry, number in inside[Measure.BUILDS].items() if entry[1] == UNDATED),
        projects=_projects(inside, outcomes),
        weeks=_dated({start: together(parts) for start, parts in merged.items()}),
        anomalies=[each for name, own in every.items() for each in anomalies(name, _dated(own))],
        periods=periods_of(tally, trend_window(window, days)),
        standing=_standing(standing),
    )


def _dated(weeks: Mapping[int, Outcomes]) -> dict[int, WeekFacts]:
    return {start: week_facts(each) for start, each in weeks.items() if start != UNDATED}


def trend_window(window: Window | None, days: tuple[date, date] | None) -> Window | None:
    """Return the days that the trend tells of: the window's; without a window, the latest 28 up to the last with a build."""
    if window is None and days is not None:
        return Window(days[1] - timedelta(days=TREND_DAYS - 1), days[1])
    return window


def periods_of(tally: Tally, window: Window | None) -> tuple[Period, Period] | None:
    """Return the days that the trend tells of, and those before; the tally must cover both."""
    return None if window is None else (_period(tally.within(window, PERIOD)), _period(tally.within(window.prior, PERIOD)))


def _period(tally: Tally) -> Period:
    whole = together(week for weeks in outcomes_by_week(tally).values() for week in weeks.values())
    return Period(outcomes=whole, spells=sums(tally[Measure.SPELLS]))


def project_facts(name: str, outcomes: Outcomes, numbers: Callable[[Measure], Labels]) -> ProjectFacts:
    """Return what a project comes to: its outcomes, and its numbers of every other measure."""
    median, p90 = map(Distribution(outcomes.counted).quantile, PROJECT_SHARES)
    tests, billed = numbers(Measure.TESTS), numbers(Measure.MINUTES)
    metrics = ProjectMetrics(
        project=name,
        n_builds=outcomes.n,
        success=outcomes.success,
        failure=outcomes.failure,
        error=outcomes.error,
        median_duration_seconds=median or 0.0,
        p90_duration_seconds=p90 or 0.0,
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
    return Standing(builds=builds, spells=spells, n_spells=len(spells))


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
