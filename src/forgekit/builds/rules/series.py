"""How numbers move: by week, beside the window before, over the hours of the week."""

from __future__ import annotations

from collections.abc import Mapping

from forgekit.builds.models import Rate, Window
from forgekit.builds.results import Change, Trend, Week
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.facts import Heat, Period, mttr
from forgekit.builds.rules.grouping import as_date, mondays
from forgekit.builds.rules.weeks import WeekFacts

_EMPTY = WeekFacts(finished=0, success=Rate(0, 0), passed=0, p50=None, p95=None)


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


def trend(window: Window | None, periods: tuple[Period, Period] | None) -> Trend | None:
    """Return the window of ``trend_window`` beside the one before it."""
    if window is None or periods is None:
        return None
    builds, success, duration, recovery = (_change(*pair) for pair in zip(*map(_numbers, periods), strict=True))
    return Trend(window=window, builds=builds, success_rate=success, median_duration_seconds=duration, mttr_seconds=recovery)


def _numbers(period: Period) -> tuple[float | None, ...]:
    whole = period.outcomes
    return float(whole.finished) or None, whole.success.value, Distribution(whole.passed).quantile(0.5), mttr(period.spells).value


def _change(current: float | None, prior: float | None) -> Change:
    share = (current - prior) / prior if current is not None and prior else None
    return Change(current=current, prior=prior, change=share)


def heat_map(heat: Heat) -> tuple[tuple[Rate, ...], ...]:
    """Return broken of counted builds by weekday (rows, from Monday) and hour (columns)."""
    cells = [[[0, 0] for _ in range(24)] for _ in range(7)]
    for (weekday, hour, broken), number in heat.items():
        cell = cells[weekday][hour]
        cell[0] += broken * number
        cell[1] += number
    return tuple(tuple(Rate(*cell) for cell in row) for row in cells)
