"""An analysis as tables in a terminal, drawn by rich."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from forgekit.builds.rendering.wording import change, length, mean, one_line, percent, share

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from forgekit.builds.analysis import Analysis


def as_tables(analysis: Analysis) -> RenderableType:
    """Return an overview and the projects, jobs and weeks that it has."""
    from rich.console import Group

    parts = [_table(f"Builds: {analysis.n_builds:,}", ("", ""), _overview(analysis))]
    if analysis.project_metrics:
        parts.append(_table("Projects", ("project", "builds", "success", "median", "p90", "flaky"), _projects(analysis)))
    if analysis.jobs:
        parts.append(_table("Slowest jobs", ("job", "project", "runs", "p50", "p95", "failure"), _jobs(analysis)))
    if analysis.open_spells:
        parts.append(_table("Red now", ("project", "branch", "workflow", "for"), _red(analysis)))
    return Group(*parts)


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", show_header=any(names))
    for number, name in enumerate(names):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        # As Text, for brackets in a project's name are no markup.
        table.add_row(*(Text(one_line(cell)) for cell in row))
    return table


def _overview(analysis: Analysis) -> Iterable[Sequence[str]]:
    yield "Projects", f"{analysis.n_projects:,}"
    yield "From", f"{analysis.date_range_start or '-'}"
    yield "To", f"{analysis.date_range_end or '-'}"
    yield "Success", percent(analysis.success)
    yield "Failure", percent(analysis.failure)
    yield "Error", percent(analysis.error)
    yield "Duration p50 / p95", f"{length(analysis.duration.p50)} / {length(analysis.duration.p95)}"
    yield "Queue p50 / p95", f"{length(analysis.queue.p50)} / {length(analysis.queue.p95)}"
    yield "Red to green", mean(analysis.mttr)
    yield "Flaky commits", percent(analysis.flaky)
    yield "Re-runs, rescues", f"{percent(analysis.rerun)}, {percent(analysis.rescue)}"
    yield "Minutes, wasted", f"{analysis.minutes:,.0f}, {analysis.wasted_minutes:,.0f}"
    if analysis.trend is not None:
        yield f"Success, {analysis.trend.window.days} days", change(analysis.trend.success_rate.change)


def _projects(analysis: Analysis) -> Iterable[Sequence[str]]:
    for each in sorted(analysis.project_metrics, key=lambda each: (-each.n_builds, each.project))[:20]:
        times = (length(each.median_duration_seconds), length(each.p90_duration_seconds))
        yield each.project, f"{each.n_builds:,}", share(each.success.value), *times, share(each.flaky.value)


def _jobs(analysis: Analysis) -> Iterable[Sequence[str]]:
    for each in analysis.jobs[:10]:
        times = (length(each.duration.p50), length(each.duration.p95))
        yield each.name, each.project, f"{each.runs:,}", *times, share(each.failure.value)


def _red(analysis: Analysis) -> Iterable[Sequence[str]]:
    for each in analysis.open_spells[:10]:
        yield each.project, each.branch or "-", each.workflow or "-", length(each.age_seconds)
