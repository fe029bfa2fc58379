"""From the tables of the statements to the facts that a summary reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, tzinfo
from typing import Any

from forgekit.builds.models import Key, Mean, Rate, Status, Window
from forgekit.builds.results import JobMetrics, ProjectMetrics
from forgekit.builds.rules.buckets import Percentiles
from forgekit.builds.rules.details import slowest
from forgekit.builds.rules.facts import Facts, Heat, ProjectFacts, Standing, heat_of, periods_of, trend_window
from forgekit.builds.rules.grouping import Outcomes
from forgekit.builds.rules.tally import Entry, Measure, Tally
from forgekit.builds.rules.weeks import PAST_WEEKS, WeekFacts, anomalies
from forgekit_duckdb import _statements as sql

Row = tuple[Any, ...]
Ask = Callable[..., list[Row]]
"""Answers a statement, with its parameters by name, in rows."""

_NONE = Mean(0, 0)
_NOTHING = Rate(0, 0)


def facts(ask: Ask, window: Window | None, zone: tzinfo) -> Facts:
    """Return what the tables come to."""
    days = _days(ask)
    outcomes = _outcomes(ask)
    spells = _by_project(ask(sql.SPELLS))
    verdicts = _by_project(ask(sql.VERDICTS))
    attempts = _by_project(ask(sql.ATTEMPTS))
    red = [(moment, project, branch, workflow) for moment, project, branch, workflow in ask(sql.RED)]
    return Facts(
        whole=outcomes,
        sums=_sums(ask, spells, verdicts, attempts),
        heat=_heat(ask, zone),
        days=days,
        undated=ask(sql.UNDATED)[0][0],
        projects=_projects(ask, spells, verdicts, attempts),
        weeks={day: _week(row) for day, *row in ask(sql.WEEKS)},
        anomalies=[each for name, weeks in _project_weeks(ask, window).items() for each in anomalies(name, weeks)],
        periods=periods_of(_recent(ask, trend_window(window, days)), trend_window(window, days)),
        standing=Standing(
            builds=[(moment, Key(*key)) for *key, moment in ask(sql.OPEN)],
            spells=red,
            n_spells=len(red),
        ),
    )


def _days(ask: Ask) -> tuple[date, date] | None:
    first, last = ask(sql.DAYS)[0]
    return (date.fromordinal(first), date.fromordinal(last)) if first is not None else None


def _outcomes(ask: Ask) -> Outcomes:
    found = Outcomes(statuses=Counter({Status(status): number for status, number in ask(sql.STATUSES)}))
    for status, length, number in ask(sql.LENGTHS):
        found.counted[length] += number
        if status == Status.PASSED:
            found.passed[length] += number
    return found


Parts = Mapping[str, Sequence[Row]]
"""Rows by project, without it."""


def _by_project(rows: Sequence[Row]) -> Parts:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for project, *numbers in rows:
        found[project].append(tuple(numbers))
    return found


def _sums(ask: Ask, spells: Parts, verdicts: Parts, attempts: Parts) -> dict[Measure, dict[tuple[object, ...], int]]:
    closed: Counter[tuple[object, ...]] = Counter()
    for colour, number, total in (row for rows in spells.values() for row in rows):
        closed.update({(colour, "n"): number, (colour, "ms"): total})
    flaky, steady = _columns(verdicts, 2)
    every, rerun, after, rescued, billed, wasted = _columns(attempts, 6)
    return {
        Measure.SPELLS: closed,
        Measure.COMMITS: {("flaky",): flaky, ("steady",): steady},
        Measure.RUNS: {("all",): every, ("rerun",): rerun, ("after_failure",): after, ("rescued",): rescued},
        Measure.MINUTES: {("all",): billed, ("wasted",): wasted},
        Measure.ESTIMATED: {(): ask(sql.ESTIMATED)[0][0]},
        Measure.OBSERVED: _labelled(ask(sql.OBSERVED)),
        Measure.LANGUAGES: _labelled(ask(sql.LANGUAGES)),
        Measure.QUEUE: _labelled(ask(sql.QUEUE)),
        Measure.EDGES: _labelled(ask(sql.EDGES)),
        Measure.STEPS: _labelled(ask(sql.STEPS)),
        Measure.VARIANTS: _labelled(ask(sql.VARIANTS)),
    }


def _columns(parts: Parts, count: int) -> list[int]:
    return [sum(row[place] for rows in parts.values() for row in rows) for place in range(count)]


def _labelled(rows: Sequence[Row]) -> dict[tuple[object, ...], int]:
    return {tuple(labels): number for *labels, number in rows}


def _heat(ask: Ask, zone: tzinfo) -> Heat:
    # In UTC all Mondays are alike; elsewhere the clocks change.
    ask("SET VARIABLE by_day = " + ("false" if zone is UTC else "true"))
    entries: dict[Entry, int] = _labelled(ask(sql.HEAT))
    return heat_of(Tally({Measure.HEAT: entries}), zone)


def _projects(ask: Ask, spells: Parts, verdicts: Parts, attempts: Parts) -> list[ProjectFacts]:
    jobs: defaultdict[str, list[JobMetrics]] = defaultdict(list)
    for row in ask(sql.JOB_METRICS):
        jobs[row[0]].append(_job(row))
    return [
        ProjectFacts(
            metrics=_project(row, spells.get(row[0], ()), verdicts.get(row[0], ()), attempts.get(row[0], ())), jobs=slowest(jobs[row[0]])
        )
        for row in sorted(ask(sql.PROJECTS), key=lambda row: str(row[0]))
    ]


def _project(row: Row, spells: Sequence[Row], verdicts: Sequence[Row], attempts: Sequence[Row]) -> ProjectMetrics:
    project, builds, counted, passed, failed, errored, quantiles, run, lost = row
    median, p90 = quantiles or (0.0, 0.0)
    every, rerun, _, _, billed, wasted = attempts[0] if attempts else (0,) * 6
    return ProjectMetrics(
        project=project,
        n_builds=builds,
        success=Rate(passed, counted),
        failure=Rate(failed, counted),
        error=Rate(errored, counted),
        median_duration_seconds=median / 1000,
        p90_duration_seconds=p90 / 1000,
        avg_tests_run=run,
        avg_tests_failed=lost,
        mttr=next((Mean(total / 1000, number) for colour, number, total in spells if colour == "red"), _NONE),
        flaky=Rate(verdicts[0][0], sum(verdicts[0])) if verdicts else _NOTHING,
        rerun=Rate(rerun, every),
        minutes=billed / 1000,
        wasted_minutes=wasted / 1000,
    )


def _job(row: Row) -> JobMetrics:
    project, name, runs, broken, counted, timed, quantiles, critical, whole = row
    p50, p75, p90, p95, p99, longest = ([value / 1000 for value in quantiles]) if quantiles else (None,) * 6
    duration = Percentiles(count=timed, p50=p50, p75=p75, p90=p90, p95=p95, p99=p99, longest=longest)
    return JobMetrics(
        project=project, name=name, runs=runs, failure=Rate(broken, counted), duration=duration, critical=Rate(critical, whole)
    )


def _week(row: Sequence[Any]) -> WeekFacts:
    finished, counted, passed, timed, quantiles = row
    p50, p95 = (value / 1000 for value in quantiles) if quantiles else (None, None)
    return WeekFacts(finished=finished, success=Rate(passed, counted), passed=timed, p50=p50, p95=p95)


def _project_weeks(ask: Ask, window: Window | None) -> dict[str, dict[int, WeekFacts]]:
    first, last = (
        (1, date.max.toordinal()) if window is None else (window.since.toordinal() - 7 * (PAST_WEEKS + 1), window.until.toordinal() + 7)
    )
    found: defaultdict[str, dict[int, WeekFacts]] = defaultdict(dict)
    # Whole weeks: the window's last may go on behind it.
    first, last = first - (first - 1) % 7, last - last % 7 if window is not None else last
    for project, day, *row in ask(sql.PROJECT_WEEKS, first=first, last=last):
        found[project][day] = _week(row)
    return found


def _recent(ask: Ask, window: Window | None) -> Tally:
    """Return two stretches of time as if each were its first day."""
    if window is None:
        return Tally()
    stretches = {"now": window.since.toordinal(), "before": window.prior.since.toordinal(), "last": window.until.toordinal()}
    builds: Counter[Entry] = Counter()
    lengths: Counter[Entry] = Counter()
    for day, status, length, number in ask(sql.RECENT_LENGTHS, **stretches):
        builds["", day, Status(status)] += number
        if length is not None:
            lengths["", day, Status(status), length] += number
    spells: dict[Entry, int] = {}
    for day, colour, number, total in ask(sql.RECENT_SPELLS, **stretches):
        spells.update({("", day, colour, "n"): number, ("", day, colour, "ms"): total})
    return Tally({Measure.BUILDS: builds, Measure.DURATIONS: lengths, Measure.SPELLS: spells})
