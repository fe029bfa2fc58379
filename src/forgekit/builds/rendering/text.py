"""An analysis as Markdown: for people, and as what a language model is told.

Names of projects, branches and jobs are a stranger's text. They are shown on one line and without any markup, so that they can neither
look like a heading nor like a link; what a sentence in them asks for is still up to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from forgekit.builds.rendering.wording import change, length, mean, one_line, percent, share

if TYPE_CHECKING:
    from forgekit.builds.analysis import Analysis

_SPECIAL = re.compile(r"[\\`*_{}\[\]#+!|~$@<>&]|:(?=//)|(?<=\bwww)\.", re.IGNORECASE)
"""What begins markup; and what GitHub makes a link of by itself."""

_LIST = re.compile(r"\s*(-|\d{1,9}[.)])")
"""What begins a list, or a rule, where a line begins with it."""


def as_markdown(analysis: Analysis) -> str:
    """Return the analysis as Markdown; parts without anything to tell are left out."""
    return "\n".join(_lines(analysis)).rstrip() + "\n"


def _escape(text: str | None) -> str:
    if not text:
        return "-"
    # Four blanks before it would make code of the line.
    plain = _SPECIAL.sub(r"\\\g<0>", one_line(text).strip() or "?")
    begins = _LIST.match(plain)
    return plain if begins is None else f"{plain[: begins.end() - 1]}\\{plain[begins.end() - 1 :]}"


def _section(title: str, items: Iterable[str]) -> Iterator[str]:
    items = list(items)
    if items:
        yield from [f"## {title}", "", *(f"- {item}" for item in items), ""]


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    rows = list(rows)
    if rows:
        head = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
        yield from [f"## {title}", "", *head, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _lines(analysis: Analysis) -> Iterator[str]:
    yield from ["# CI/CD Build Analysis Results", ""]
    yield from _section("Summary", _summary(analysis))
    yield from _section("Build Status", _status(analysis))
    yield from _section("Duration", _duration(analysis))
    yield from _section("Stability", _stability(analysis))
    yield from _section("Cost", _cost(analysis))
    yield from _section("Trend", _trend(analysis))
    yield from _section("Deliveries", _deliveries(analysis))
    yield from _section("Bottlenecks", _bottlenecks(analysis))
    yield from _section("Projects at Risk", (_escape(name) for name in analysis.projects_at_risk))
    yield from _section("Top Failing Projects", _failing(analysis))
    yield from _section("Red now", _red(analysis))
    yield from _section("Anomalies", _anomalies(analysis))
    yield from _table("Slowest jobs", ("job", "project", "runs", "p50", "p95", "failure", "critical path"), _jobs(analysis))
    yield from _table("What follows what", ("build", "next build", "count", "median time between"), _edges(analysis))
    yield from _section("Data", _health(analysis))


def _summary(analysis: Analysis) -> Iterator[str]:
    yield f"Total builds analyzed: {analysis.n_builds:,}"
    yield f"Projects: {analysis.n_projects:,}"
    yield f"Date range: {analysis.date_range_start or '-'} to {analysis.date_range_end or '-'}"
    if analysis.window is not None:
        yield f"Days: {analysis.window.since} to {analysis.window.until}"
    if analysis.throughput.value is not None:
        yield f"Finished builds a day: {analysis.throughput.value:.1f}"
    if analysis.language_counts:
        yield "Languages: " + ", ".join(f"{_escape(name)} {count:,}" for name, count in list(analysis.language_counts.items())[:10])


def _status(analysis: Analysis) -> Iterator[str]:
    yield f"Success rate: {percent(analysis.success)}"
    yield f"Failure rate: {percent(analysis.failure)}"
    yield f"Error rate: {percent(analysis.error)}"
    yield "Builds by status: " + (", ".join(f"{name} {count:,}" for name, count in analysis.status_counts.items()) or "-")


def _duration(analysis: Analysis) -> Iterator[str]:
    for name, found in (("All counted builds", analysis.duration), ("Passed builds", analysis.success_duration), ("Queue", analysis.queue)):
        if found.count:
            numbers = ((each, getattr(found, each)) for each in ("p50", "p75", "p90", "p95", "p99", "longest"))
            yield f"{name}: " + ", ".join(f"{label} {length(value)}" for label, value in numbers)


def _stability(analysis: Analysis) -> Iterator[str]:
    yield f"Red to green (MTTR of builds): {mean(analysis.mttr)}"
    yield f"Green to red (MTTF of builds): {mean(analysis.mttf)}"
    yield f"Default branches in red: {share(analysis.red_time.value)} of the time"
    yield f"Flaky commits: {percent(analysis.flaky)}"
    yield f"Runs re-run: {percent(analysis.rerun)}"
    yield f"Re-runs that rescued a failure: {percent(analysis.rescue)}"


def _cost(analysis: Analysis) -> Iterator[str]:
    if analysis.minutes:
        yield f"Billed minutes: {analysis.minutes:,.0f}"
        yield f"Wasted minutes: {analysis.wasted_minutes:,.0f} ({analysis.wasted_minutes / analysis.minutes:.1%})"


def _trend(analysis: Analysis) -> Iterator[str]:
    if (trend := analysis.trend) is None:
        return
    yield f"Days {trend.window.since} to {trend.window.until}, beside the {trend.window.days} days before"
    yield f"Finished builds: {trend.builds.current or 0:,.0f} ({change(trend.builds.change)})"
    yield f"Success rate: {share(trend.success_rate.current)} ({change(trend.success_rate.change)})"
    yield f"Median of passed builds: {length(trend.median_duration_seconds.current)} ({change(trend.median_duration_seconds.change)})"
    yield f"Red to green: {length(trend.mttr_seconds.current)} ({change(trend.mttr_seconds.change)})"


def _deliveries(analysis: Analysis) -> Iterator[str]:
    if (dora := analysis.dora) is None:
        return
    yield f"Deployments: {dora.deployments:,}, {dora.per_day:.2f} a day ({dora.frequency or '-'})"
    yield f"Lead time for changes: median {length(dora.lead_time.p50)}"
    if dora.change_failure is not None and dora.recovery is not None:
        yield f"Change failure rate: {percent(dora.change_failure)}"
        yield f"Failed deployment recovery time: median {length(dora.recovery.p50)}"


def _bottlenecks(analysis: Analysis) -> Iterator[str]:
    for each in analysis.bottlenecks:
        yield f"{_escape(each.transition)}: median {length(each.avg_wait_seconds)} ({each.frequency:,} builds)"


def _failing(analysis: Analysis) -> Iterator[str]:
    for each in analysis.top_failing_projects:
        yield f"{_escape(each.project)}: {each.failure_rate:.1%} failure rate ({each.n_builds:,} builds)"


def _red(analysis: Analysis) -> Iterator[str]:
    for each in analysis.open_spells[:10]:
        yield f"{_escape(each.project)}, {_escape(each.branch)}, {_escape(each.workflow)}: for {length(each.age_seconds)}"
    if analysis.n_open_spells > 10:  # noqa: PLR2004 - as many as are listed
        yield f"and {analysis.n_open_spells - 10:,} more"


def _anomalies(analysis: Analysis) -> Iterator[str]:
    for each in analysis.anomalies[:10]:
        show = share if each.metric == "success_rate" else length
        what = each.metric.replace("_", " ").removesuffix(" seconds")
        yield f"{_escape(each.project)}, week of {each.week}: {what} {show(each.value)}, usually {show(each.expected)}"


def _jobs(analysis: Analysis) -> Iterator[Sequence[str]]:
    for job in analysis.jobs[:10]:
        times = (length(job.duration.p50), length(job.duration.p95))
        yield _escape(job.name), _escape(job.project), f"{job.runs:,}", *times, share(job.failure.value), share(job.critical.value)


def _edges(analysis: Analysis) -> Iterator[Sequence[str]]:
    for edge in analysis.edges[:10]:
        yield _escape(edge.before), _escape(edge.after), f"{edge.count:,}", length(edge.median_gap_seconds)


def _health(analysis: Analysis) -> Iterator[str]:
    health = analysis.health
    if health.completeness is not None:
        yield f"Builds here of those there are: {percent(health.completeness)}"
    if health.open_builds:
        yield f"Builds not finished: {health.open_builds:,}, the longest for {length(health.oldest_open_seconds)}"
    if health.estimated_ends.numerator:
        yield f"Ends that are estimates: {percent(health.estimated_ends)}"
    if health.undated:
        yield f"Builds that tell no time: {health.undated:,}"
    if health.last_event_at is not None:
        yield f"Latest event: {health.last_event_at:%Y-%m-%d %H:%M} UTC, {length(health.lag_seconds)} ago"
