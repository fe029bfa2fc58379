"""An analysis as HTML for a notebook: tables and charts of our own, with nothing to fetch and nothing that runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from forgekit.builds.rendering import svg
from forgekit.builds.rendering.wording import length, mean, one_line, percent, share

if TYPE_CHECKING:
    from forgekit.builds.analysis import Analysis

GREEN = "#2e8b57"
RED = "#c0392b"
BLUE = "#2c6fbb"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST = 10


def as_html(analysis: Analysis) -> str:
    """Return a fragment that stands by itself. Every text in it is escaped."""
    parts = ["<h3>Build analysis</h3>", _table((), _overview(analysis))]
    if analysis.weekly:
        parts += [success_chart(analysis), duration_chart(analysis)]
    if any(cell.denominator for row in analysis.heat_map for cell in row):
        parts.append(heat_chart(analysis))
    if analysis.jobs:
        parts.append(jobs_chart(analysis))
    if analysis.project_metrics:
        parts += ["<h4>Projects</h4>", _table(("project", "builds", "success", "failure", "median", "p90", "flaky"), _projects(analysis))]
    if analysis.bottlenecks:
        parts += ["<h4>Bottlenecks</h4>", _table(("project", "median", "builds"), _bottlenecks(analysis))]
    return f'<div class="forgekit-analysis">{"".join(parts)}</div>'


def success_chart(analysis: Analysis) -> str:
    """Return the success rate by week as SVG."""
    values = [None if week.success.value is None else 100 * week.success.value for week in analysis.weekly]
    return svg.lines("Success rate by week", _weeks(analysis), [("success", GREEN, values)], top=100, unit=" %")


def duration_chart(analysis: Analysis) -> str:
    """Return median and p95 of passed builds by week as SVG, in minutes."""
    p50 = [None if week.median_duration_seconds is None else week.median_duration_seconds / 60 for week in analysis.weekly]
    p95 = [None if week.p95_duration_seconds is None else week.p95_duration_seconds / 60 for week in analysis.weekly]
    top = round(max((value for value in p95 if value is not None), default=0), 1) or 1.0
    # Rounding the scale may put the highest point a hair above it.
    clipped = [None if value is None else min(value, top) for value in p95]
    return svg.lines(
        "Duration of passed builds by week", _weeks(analysis), [("median", BLUE, p50), ("p95", RED, clipped)], top=top, unit=" min"
    )


def heat_chart(analysis: Analysis) -> str:
    """Return counted builds by weekday and hour as SVG."""
    most = max((cell.denominator for row in analysis.heat_map for cell in row), default=0) or 1
    cells = [
        [
            (cell.denominator / most, f"{day} {hour}:00, {cell.denominator} builds, {share(cell.value)} broke")
            for hour, cell in enumerate(row)
        ]
        for day, row in zip(DAYS, analysis.heat_map, strict=True)
    ]
    return svg.grid("Builds by weekday and hour", DAYS, cells, BLUE)


def jobs_chart(analysis: Analysis) -> str:
    """Return the slowest jobs as SVG."""
    rows = [(one_line(job.name), job.duration.p95 or 0.0, length(job.duration.p95)) for job in analysis.jobs[:_MOST]]
    return svg.bars("Slowest jobs, p95", rows, BLUE)


def _weeks(analysis: Analysis) -> list[str]:
    return [week.start.isoformat() for week in analysis.weekly]


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = f"<thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in names)}</tr></thead>" if names else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(one_line(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{head}<tbody>{body}</tbody></table>"


def _overview(analysis: Analysis) -> Iterable[Sequence[str]]:
    yield "Builds", f"{analysis.n_builds:,} in {analysis.n_projects:,} projects"
    yield "Started", f"{analysis.date_range_start or '-'} to {analysis.date_range_end or '-'}"
    yield "Success", percent(analysis.success)
    yield "Failure", percent(analysis.failure)
    yield "Error", percent(analysis.error)
    yield "Median, p95", f"{length(analysis.duration.p50)}, {length(analysis.duration.p95)}"
    yield "Red to green", mean(analysis.mttr)
    yield "Flaky commits", percent(analysis.flaky)
    yield "Re-runs", percent(analysis.rerun)
    yield "Minutes, wasted", f"{analysis.minutes:,.0f}, {analysis.wasted_minutes:,.0f}"


def _projects(analysis: Analysis) -> Iterable[Sequence[str]]:
    for each in sorted(analysis.project_metrics, key=lambda each: (-each.n_builds, each.project))[:_MOST]:
        rates = (share(each.success.value), share(each.failure.value))
        times = (length(each.median_duration_seconds), length(each.p90_duration_seconds))
        yield each.project, f"{each.n_builds:,}", *rates, *times, share(each.flaky.value)


def _bottlenecks(analysis: Analysis) -> Iterable[Sequence[str]]:
    for each in analysis.bottlenecks:
        yield each.project, length(each.avg_wait_seconds), f"{each.frequency:,}"
