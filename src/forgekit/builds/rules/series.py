"""How numbers move: by week, beside the window before, against a project's own past, over the hours of the week."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from forgekit.builds.models import UNDATED, Rate, Window
from forgekit.builds.results import Anomaly, Change, Trend, Week
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.grouping import Outcomes, as_date, mean_of, mondays, outcomes_by_week, sums, together
from forgekit.builds.rules.tally import Measure, Tally

TREND_DAYS = 28
"""How many of the latest days are compared with as many before, where no window is given."""

PAST_WEEKS = 12
"""How many weeks before a week are its past."""

FEWEST_WEEKS = 6
"""A past of fewer weeks with builds says nothing."""

FEWEST_BUILDS = 5
"""A week with fewer counted (or, for durations, passed) builds is no anomaly, and is nobody's past."""

_TREND = (Measure.BUILDS, Measure.DURATIONS, Measure.SPELLS)

# 1.4826 times the median absolute deviation estimates a standard deviation; 3.5 of these is the usual bound for outliers.
_DEVIATIONS = 3.5 * 1.4826

# A past without any deviation would make every other value an anomaly.
_LEAST_RATE = 0.05
_LEAST_SHARE = 0.1


def weekly(weeks: Mapping[str, Mapping[int, Outcomes]]) -> tuple[Week, ...]:
    """Return every week from the first with a build to the last, over all projects."""
    merged: dict[int, list[Outcomes]] = {}
    for project in weeks.values():
        for start, outcomes in project.items():
            if start != UNDATED:
                merged.setdefault(start, []).append(outcomes)
    if not merged:
        return ()
    return tuple(_week(start, together(merged.get(start, []))) for start in mondays(min(merged), max(merged)))


def _week(start: int, outcomes: Outcomes) -> Week:
    passed = Distribution(outcomes.passed)
    return Week(
        start=as_date(start),
        builds=outcomes.finished,
        success=outcomes.success,
        median_duration_seconds=passed.quantile(0.5),
        p95_duration_seconds=passed.quantile(0.95),
    )


def trend(tally: Tally, window: Window | None) -> Trend | None:
    """Return the window beside the one before it; without a window, the latest 28 days with a build. None without dated builds."""
    if window is None:
        days = tally.days()
        if days is None:
            return None
        window = Window(days[1] - timedelta(days=TREND_DAYS - 1), days[1])
    now, before = (_numbers(tally.within(each, _TREND)) for each in (window, window.prior))
    builds, success, duration, mttr = (_change(*pair) for pair in zip(now, before, strict=True))
    return Trend(window=window, builds=builds, success_rate=success, median_duration_seconds=duration, mttr_seconds=mttr)


def _numbers(tally: Tally) -> tuple[float | None, ...]:
    whole = together(week for weeks in outcomes_by_week(tally).values() for week in weeks.values())
    mttr = mean_of(sums(tally[Measure.SPELLS]), "red").value
    return float(whole.finished) or None, whole.success.value, Distribution(whole.passed).quantile(0.5), mttr


def _change(current: float | None, prior: float | None) -> Change:
    share = (current - prior) / prior if current is not None and prior else None
    return Change(current=current, prior=prior, change=share)


def anomalies(weeks: Mapping[str, Mapping[int, Outcomes]], window: Window | None) -> tuple[Anomaly, ...]:
    """Return the weeks that are further from the median of the twelve before than 3.5 robust deviations, newest first.

    Told are weeks of which a day is in the window; the past of these may lie before it.
    """
    found = [each for project, own in weeks.items() for each in _project_anomalies(project, own)]
    told = [each for each in found if window is None or (window.since <= each.week + timedelta(days=6) and each.week <= window.until)]
    return tuple(sorted(told, key=lambda each: (-each.week.toordinal(), each.project, each.metric)))


def _project_anomalies(project: str, weeks: Mapping[int, Outcomes]) -> Iterator[Anomaly]:
    rates: dict[int, float] = {}
    medians: dict[int, float] = {}
    for start, own in weeks.items():
        if start == UNDATED:
            continue
        if own.success.denominator >= FEWEST_BUILDS:
            rates[start] = float(own.success)
        spread = Distribution(own.passed)
        if len(spread) >= FEWEST_BUILDS:
            medians[start] = spread.quantile(0.5) or 0.0
    yield from _outliers(project, "success_rate", rates, least=(_LEAST_RATE, 0.0))
    yield from _outliers(project, "median_duration_seconds", medians, least=(0.0, _LEAST_SHARE))


def _outliers(project: str, metric: str, values: Mapping[int, float], *, least: tuple[float, float]) -> Iterator[Anomaly]:
    """Yield the values that do not fit their past; ``least`` is the smallest tolerance: absolute, and as a share of the median."""
    for start, value in values.items():
        past = [values[week] for week in mondays(start - 7 * PAST_WEEKS, start - 7) if week in values]
        if len(past) < FEWEST_WEEKS:
            continue
        middle = statistics.median(past)
        usual = _DEVIATIONS * statistics.median(abs(each - middle) for each in past)
        tolerance = max(usual, least[0], least[1] * middle)
        if abs(value - middle) > tolerance:
            yield Anomaly(project=project, week=as_date(start), metric=metric, value=value, expected=middle, tolerance=tolerance)


def heat_map(tally: Tally, zone: tzinfo = UTC) -> tuple[tuple[Rate, ...], ...]:
    """Return broken of counted builds by weekday (rows, from Monday) and hour (columns) in a time zone, by their start."""
    cells = [[[0, 0] for _ in range(24)] for _ in range(7)]
    for (_, day, quarter, broken), number in tally[Measure.HEAT].items():
        weekday, hour = (day - 1) % 7, quarter // 4
        if zone is not UTC:
            local = (datetime.fromordinal(day).replace(tzinfo=UTC) + timedelta(minutes=15 * quarter)).astimezone(zone)
            weekday, hour = local.weekday(), local.hour
        cell = cells[weekday][hour]
        cell[0] += broken * number
        cell[1] += number
    return tuple(tuple(Rate(*cell) for cell in row) for row in cells)
