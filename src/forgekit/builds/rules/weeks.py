"""Weeks: what one comes to, and which do not fit their project's own past."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta

import attrs

from forgekit.builds.models import Rate, Window
from forgekit.builds.results import Anomaly
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.grouping import Outcomes, as_date, mondays

PAST_WEEKS = 12
"""How many weeks before a week are its past."""

FEWEST_WEEKS = 6
"""A past of fewer weeks with builds says nothing."""

FEWEST_BUILDS = 5
"""A week with fewer counted (or, for durations, passed) builds is no anomaly, and is nobody's past."""

WEEK_SHARES = (0.5, 0.95)
"""The percentiles of a week's passed builds that are told."""

_WEEK = 7

# 1.4826 times the median absolute deviation estimates a standard deviation; 3.5 of these is the usual bound for outliers.
_DEVIATIONS = 3.5 * 1.4826

# A past without any deviation would make every other value an anomaly.
_LEAST_RATE = 0.05
_LEAST_SHARE = 0.1


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


def week_facts(outcomes: Outcomes) -> WeekFacts:
    """Return what a week comes to."""
    passed = Distribution(outcomes.passed)
    p50, p95 = map(passed.quantile, WEEK_SHARES)
    return WeekFacts(
        finished=outcomes.finished,
        success=outcomes.success,
        passed=len(passed),
        p50=p50,
        p95=p95,
    )


def touched_by(weeks: Iterable[int]) -> set[int]:
    """Return the weeks whose fit depends on these: they and the twelve after each. All by their Mondays."""
    return {each for week in weeks for each in mondays(week, week + _WEEK * PAST_WEEKS)}


def seen_from(weeks: Iterable[int]) -> set[int]:
    """Return the weeks that these are compared with, and they themselves."""
    return {each for week in weeks for each in mondays(week - _WEEK * PAST_WEEKS, week)}


def anomalies(project: str, weeks: Mapping[int, WeekFacts], told: Collection[int] | None = None) -> Iterator[Anomaly]:
    """Yield the weeks of a project that are further from the median of the twelve before than 3.5 robust deviations.

    Args:
        project: Its name.
        weeks: Its weeks by their Mondays.
        told: Which of them to tell of; None for all.

    """
    rates = {start: float(own.success) for start, own in weeks.items() if own.success.denominator >= FEWEST_BUILDS}
    medians = {start: own.p50 for start, own in weeks.items() if own.p50 is not None and own.passed >= FEWEST_BUILDS}
    wanted = weeks if told is None else told
    yield from _outliers(project, "success_rate", rates, wanted, least=(_LEAST_RATE, 0.0))
    yield from _outliers(project, "median_duration_seconds", medians, wanted, least=(0.0, _LEAST_SHARE))


def _outliers(
    project: str, metric: str, values: Mapping[int, float], told: Collection[int], *, least: tuple[float, float]
) -> Iterator[Anomaly]:
    """Yield the values that do not fit their past; ``least`` is the smallest tolerance: absolute, and as a share of the median."""
    for start in sorted(values.keys() & set(told)):
        past = [values[week] for week in mondays(start - _WEEK * PAST_WEEKS, start - _WEEK) if week in values]
        if len(past) < FEWEST_WEEKS:
            continue
        value, middle = values[start], statistics.median(past)
        usual = _DEVIATIONS * statistics.median(abs(each - middle) for each in past)
        tolerance = max(usual, least[0], least[1] * middle)
        if abs(value - middle) > tolerance:
            yield Anomaly(project=project, week=as_date(start), metric=metric, value=value, expected=middle, tolerance=tolerance)


def in_order(found: Iterable[Anomaly], window: Window | None) -> tuple[Anomaly, ...]:
    """Return the anomalies of weeks of which a day is in the window, newest first; the past of these may lie before it."""
    told = [each for each in found if window is None or (window.since <= each.week + timedelta(days=6) and each.week <= window.until)]
    return tuple(sorted(told, key=lambda each: (-each.week.toordinal(), each.project, each.metric)))
