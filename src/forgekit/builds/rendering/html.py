"""An analysis as HTML for a notebook: tables and charts of our own, with nothing to fetch and nothing that runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from forgekit.builds.rendering.charts import charts
from forgekit.builds.rendering.wording import length, mean, one_line, percent, share

if TYPE_CHECKING:
    from forgekit.builds.analysis import Analysis

_MOST = 10


def as_html(analysis: Analysis) -> str:
    """Return a fragment that stands by itself. Every text in it is escaped."""
    parts = ["<h3>Build analysis</h3>", _table((), _overview(analysis))]
    parts += [chart.svg for chart in charts(analysis)]
    if analysis.project_metrics:
        parts += ["<h4>Projects</h4>", _table(("project", "builds", "success", "failure", "median", "p90", "flaky"), _projects(analysis))]
    if analysis.bottlenecks:
        parts += ["<h4>Bottlenecks</h4>", _table(("project", "median", "builds"), _bottlenecks(analysis))]
    return f'<div class="forgekit-analysis">{"".join(parts)}</div>'


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
