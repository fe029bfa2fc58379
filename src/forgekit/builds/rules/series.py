"""How numbers move: by week, beside the window before, against a project's own past, over the hours of the week."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from forgekit.builds.models import Rate, Window
from forgekit.builds.results import Anomaly, Change, Trend, Week
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.facts import TREND, Heat, WeekFacts, mttr
from forgekit.builds.rules.grouping import as_date, mondays, outcomes_by_week, sums, together
from forgekit.builds.rules.tally import Measure, Tally

TREND_DAYS = 28
"""How many of the latest days are compared with as many before, where no window is given."""

PAST_WEEKS = 12
"""How many weeks before a week are its past."""

FEWEST_WEEKS = 6
"""A past of fewer weeks with builds says nothing."""

FEWEST_BUILDS = 5
"""A week with fewer counted (or, for durations, passed) builds is no anomaly, and is nobody's past."""

_EMPTY = WeekFacts(finished=0, success=Rate(0, 0), passed=0, p50=None, p95=None)

# 1.4826 times the median absolute deviation estimates a standard deviation; 3.5 of these is the usual bound for outliers.
_DEVIATIONS = 3.5 * 1.4826

# A past without any deviation would make every other value an anomaly.
_LEAST_RATE = 0.05
_LEAST_SHARE = 0.1


def weekly(weeks: Mapping[int, WeekFacts]) -> tuple[Week, ...]:
    """Return every week from the first with a build to the last."""
    if not weeks:
        return ()
    return tuple(_week(start, weeks.get(start, _EMPTY)) for start in mondays(min(weeks), max(weeks)))


def _week(start: int, facts: WeekFacts) -> Week:
    return Week(
        start=as_date(start),
        builds=facts.finished,
        success=facts.success,
        median_duration_seconds=facts.p50,
        p95_duration_seconds=facts.p95,
    )


def trend_window(window: Window | None, days: tuple[date, date] | None) -> Window | None:
    """Return the days that the trend tells of: the window's; without a window, the latest 28 up to the last with a build."""
    if window is None and days is not None:
        return Window(days[1] - timedelta(days=TREND_DAYS - 1), days[1])
    return window


def trend(recent: Tally, window: Window | None) -> Trend | None:
    """Return the window of ``trend_window`` beside the one before it."""
    if window is None:
        return None
    now, before = (_numbers(recent.within(each, TREND)) for each in (window, window.prior))
    builds, success, duration, mttr = (_change(*pair) for pair in zip(now, before, strict=True))
    return Trend(window=window, builds=builds, success_rate=success, median_duration_seconds=duration, mttr_seconds=mttr)


def _numbers(tally: Tally) -> tuple[float | None, ...]:
    whole = together(week for weeks in outcomes_by_week(tally).values() for week in weeks.values())
    recovery = mttr(sums(tally[Measure.SPELLS])).value
    return float(whole.finished) or None, whole.success.value, Distribution(whole.passed).quantile(0.5), recovery


def _change(current: float | None, prior: float | None) -> Change:
    share = (current - prior) / prior if current is not None and prior else None
    return Change(current=current, prior=prior, change=share)


def anomalies(weeks: Mapping[str, Mapping[int, WeekFacts]], window: Window | None) -> tuple[Anomaly, ...]:
    """Return the weeks that are further from the median of the twelve before than 3.5 robust deviations, newest first.

    Told are weeks of which a day is in the window; the past of these may lie before it.
    """
    found = [each for project, own in weeks.items() for each in _project_anomalies(project, own)]
    told = [each for each in found if window is None or (window.since <= each.week + timedelta(days=6) and each.week <= window.until)]
    return tuple(sorted(told, key=lambda each: (-each.week.toordinal(), each.project, each.metric)))


def _project_anomalies(project: str, weeks: Mapping[int, WeekFacts]) -> Iterator[Anomaly]:
    rates = {start: float(own.success) for start, own in weeks.items() if own.success.denominator >= FEWEST_BUILDS}
    medians = {start: own.p50 or 0.0 for start, own in weeks.items() if own.passed >= FEWEST_BUILDS}
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


def heat_map(heat: Heat) -> tuple[tuple[Rate, ...], ...]:
    """Return broken of counted builds by weekday (rows, from Monday) and hour (columns)."""
    cells = [[[0, 0] for _ in range(24)] for _ in range(7)]
    for (weekday, hour, broken), number in heat.items():
        cell = cells[weekday][hour]
        cell[0] += broken * number
        cell[1] += number
    return tuple(tuple(Rate(*cell) for cell in row) for row in cells)
