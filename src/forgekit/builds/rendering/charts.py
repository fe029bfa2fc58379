"""The charts of an analysis, each with the same numbers as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from forgekit.builds.rendering import svg
from forgekit.builds.rendering.svg import BLUE, GREEN, RED, Line
from forgekit.builds.rendering.wording import length, one_line, percent, share

if TYPE_CHECKING:
    from forgekit.builds.analysis import Analysis

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST = 10
_MINUTE = 60
_PERCENTILES = (("median", "p50"), ("p75", "p75"), ("p90", "p90"), ("p95", "p95"), ("p99", "p99"), ("longest", "longest"))


@attrs.frozen(kw_only=True)
class Chart:
    """A chart.

    Attributes:
        name: Names it among an analysis' charts: ``trend``, ``durations``, ``percentiles``, ``heat-map`` or ``jobs``.
        title: Says what it shows.
        svg: The drawing: SVG that stands by itself. Every text in it is escaped.
        columns: Names of the columns of the same as a table.
        rows: Its rows; plain text, names of strangers on one line.

    """

    name: str
    title: str
    svg: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def charts(analysis: Analysis) -> Sequence[Chart]:
    """Return the charts of an analysis for which it has anything to show."""
    made = []
    if analysis.weekly:
        made += [_trend(analysis), _durations(analysis)]
    if analysis.duration.count:
        made.append(_percentiles(analysis))
    if any(cell.denominator for row in analysis.heat_map for cell in row):
        made.append(_heat_map(analysis))
    if analysis.jobs:
        made.append(_jobs(analysis))
    return made


def _trend(analysis: Analysis) -> Chart:
    weeks = analysis.weekly
    values = [None if week.success.value is None else 100 * week.success.value for week in weeks]
    title = "Success rate and builds by week"
    told = f"{len(weeks):,} weeks from {weeks[0].start} on; in all {percent(analysis.success)} of the counted builds passed."
    rows = [(week.start.isoformat(), f"{week.builds:,}", percent(week.success)) for week in weeks]
    drawing = svg.lines(
        title,
        [row[0] for row in rows],
        [Line(name="success", ink=GREEN, values=values)],
        top=100,
        unit=" %",
        told=told,
        hints=[f"Week of {start}: {builds} builds, {passed} passed" for start, builds, passed in rows],
        columns=("builds", [week.builds for week in weeks]),
    )
    return Chart(name="trend", title=title, svg=drawing, columns=("week of", "builds", "passed"), rows=rows)


def _durations(analysis: Analysis) -> Chart:
    weeks = analysis.weekly
    p50 = [None if week.median_duration_seconds is None else week.median_duration_seconds / _MINUTE for week in weeks]
    p95 = [None if week.p95_duration_seconds is None else week.p95_duration_seconds / _MINUTE for week in weeks]
    top = _scale(max((value for value in p95 if value is not None), default=0))
    title = "Duration of passed builds by week"
    found = analysis.success_duration
    rows = [(week.start.isoformat(), length(week.median_duration_seconds), length(week.p95_duration_seconds)) for week in weeks]
    drawing = svg.lines(
        title,
        [row[0] for row in rows],
        [Line(name="median", ink=BLUE, values=p50), Line(name="p95", ink=RED, values=p95, dashed=True)],
        top=top,
        unit=" min",
        told=f"In all the median is {length(found.p50)} and 95 of 100 take at most {length(found.p95)}.",
        hints=[f"Week of {start}: median {median}, p95 {high}" for start, median, high in rows],
    )
    return Chart(name="durations", title=title, svg=drawing, columns=("week of", "median", "p95"), rows=rows)


def _scale(most: float) -> float:
    """Return a round number that is not below ``most``, whose half is round too."""
    if most <= 0:
        return 1.0
    size = 10.0 ** math.floor(math.log10(most))
    return next((step * size for step in (1, 2, 4, 6, 8) if step * size >= most), 10 * size)


def _percentiles(analysis: Analysis) -> Chart:
    values = [(label, getattr(analysis.duration, name) or 0.0) for label, name in _PERCENTILES]
    title = "How long builds take"
    told = f"Of {analysis.duration.count:,} counted builds half take at most {length(analysis.duration.p50)}."
    rows = [
        (label, length(value), length(getattr(analysis.success_duration, name)), length(getattr(analysis.queue, name)))
        for (label, value), (_, name) in zip(values, _PERCENTILES, strict=True)
    ]
    drawing = svg.bars(title, [(label, value, length(value)) for label, value in values], BLUE, told=told)
    return Chart(name="percentiles", title=title, svg=drawing, columns=("", "counted builds", "passed builds", "queue"), rows=rows)


def _heat_map(analysis: Analysis) -> Chart:
    by_day = analysis.heat_map
    most = max((cell.denominator for row in by_day for cell in row), default=0) or 1
    cells = [
        [
            (cell.denominator / most, f"{day} {hour}:00, {cell.denominator:,} builds, {share(cell.value)} broke")
            for hour, cell in enumerate(row)
        ]
        for day, row in zip(DAYS, by_day, strict=True)
    ]
    title = "Builds by weekday and hour"
    rows = [
        (f"{hour}:00", *(f"{cell.numerator:,} of {cell.denominator:,}" if cell.denominator else "-" for cell in cells_of_hour))
        for hour, cells_of_hour in enumerate(zip(*by_day, strict=True))
    ]
    busiest, at = max(
        (cell.denominator, f"{day} {hour}:00") for day, row in zip(DAYS, by_day, strict=True) for hour, cell in enumerate(row)
    )
    told = f"Most builds, {busiest:,}, start in the hour from {at} on."
    drawing = svg.grid(title, DAYS, cells, BLUE, told=told)
    return Chart(name="heat-map", title=title, svg=drawing, columns=("broke", *DAYS), rows=rows)


def _jobs(analysis: Analysis) -> Chart:
    shown = analysis.jobs[:_MOST]
    title = "Slowest jobs, p95"
    rows = [
        (
            one_line(job.name),
            one_line(job.project),
            f"{job.runs:,}",
            length(job.duration.p50),
            length(job.duration.p95),
            percent(job.failure),
        )
        for job in shown
    ]
    drawn = [(one_line(job.name), job.duration.p95 or 0.0, length(job.duration.p95)) for job in shown]
    told = f"The slowest is {rows[0][0]}: 95 of 100 of its runs take at most {rows[0][4]}."
    return Chart(
        name="jobs",
        title=title,
        svg=svg.bars(title, drawn, BLUE, told=told),
        columns=("job", "project", "runs", "median", "p95", "broke"),
        rows=rows,
    )
