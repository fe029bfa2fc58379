"""What builds come to: typed, as JSON, as Markdown, as a table in a terminal, as a page in a notebook, as plots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs

from forgekit.builds.models import Mean, Rate, Window
from forgekit.builds.results import (
    Anomaly,
    Bottleneck,
    Dora,
    Edge,
    Health,
    JobMetrics,
    OpenSpell,
    ProjectMetrics,
    Trend,
    Variant,
    Week,
)
from forgekit.builds.rules.buckets import Percentiles

if TYPE_CHECKING:
    from rich.console import RenderableType


@attrs.frozen(kw_only=True)
class Analysis:
    """What builds come to.

    Unless it says otherwise, a number is about the counted builds: finished, neither cancelled nor skipped. Every rate has its
    numerator and denominator; durations have the error that ``forgekit.builds.rules.buckets`` documents.

    Attributes:
        window: The days that were asked for; None for all.
        n_builds: All builds, whatever their status.
        n_projects: Projects with a build.
        date_range_start: First start of a build.
        date_range_end: Last start of a build.
        success: Passed builds.
        failure: Failed builds.
        error: Errored and timed out builds.
        throughput: Finished builds, a day.
        duration: How long counted builds took.
        success_duration: How long passed builds took.
        queue: How long builds waited for a machine.
        mttr: Seconds from a branch's turning red to its turning green, per closed spell.
        mttf: Seconds from its turning green to its turning red.
        n_open_spells: Branches that are red now.
        open_spells: At most a hundred of them, oldest first.
        red_time: Milliseconds that default branches were red, of those that they were watched.
        flaky: Commits that both passed and failed within 14 days, of those with a verdict.
        rerun: Runs with more than one attempt.
        rescue: Re-runs after a failure that passed.
        minutes: Billed minutes.
        wasted_minutes: Those of builds that broke, were cancelled, or passed and were run again.
        status_counts: Builds by status, most first.
        language_counts: Builds by language, most first.
        bottlenecks: At most five slow projects, slowest first.
        projects_at_risk: Projects of at least ten counted builds of which more than 40 % broke.
        top_failing_projects: At most five of at least ten counted builds of which more than 30 % failed, worst first.
        project_metrics: Every project, by name.
        weekly: Every week from first to last, empty ones too.
        trend: The latest days beside those before; None without dated builds.
        heat_map: Seven rows from Monday, 24 hours each: broken of counted builds, by their start.
        jobs: At most twenty jobs, slowest first by their p95.
        edges: Which status follows which on a branch, most first.
        steps: Which job follows which in a run, most first.
        variants: At most twenty ways that runs went, most first.
        anomalies: Weeks that do not fit a project's past.
        dora: The four key metrics; None where no build deploys.
        health: Whether the data can be believed.

    """

    window: Window | None
    n_builds: int
    n_projects: int
    date_range_start: datetime | None
    date_range_end: datetime | None
    success: Rate
    failure: Rate
    error: Rate
    throughput: Mean
    duration: Percentiles
    success_duration: Percentiles
    queue: Percentiles
    mttr: Mean
    mttf: Mean
    n_open_spells: int
    open_spells: tuple[OpenSpell, ...]
    red_time: Rate
    flaky: Rate
    rerun: Rate
    rescue: Rate
    minutes: float
    wasted_minutes: float
    status_counts: Mapping[str, int]
    language_counts: Mapping[str, int]
    bottlenecks: tuple[Bottleneck, ...]
    projects_at_risk: tuple[str, ...]
    top_failing_projects: tuple[ProjectMetrics, ...]
    project_metrics: tuple[ProjectMetrics, ...]
    weekly: tuple[Week, ...]
    trend: Trend | None
    heat_map: tuple[tuple[Rate, ...], ...]
    jobs: tuple[JobMetrics, ...]
    edges: tuple[Edge, ...]
    steps: tuple[Edge, ...]
    variants: tuple[Variant, ...]
    anomalies: tuple[Anomaly, ...]
    dora: Dora | None
    health: Health

    @property
    def overall_success_rate(self) -> float:
        """Passed of counted builds; 0.0 of none."""
        return float(self.success)

    @property
    def overall_failure_rate(self) -> float:
        """Failed of counted builds; 0.0 of none."""
        return float(self.failure)

    @property
    def overall_error_rate(self) -> float:
        """Errored and timed out of counted builds; 0.0 of none."""
        return float(self.error)

    @property
    def median_duration_seconds(self) -> float:
        """The median duration; 0.0 of none."""
        return self.duration.p50 or 0.0

    @property
    def p90_duration_seconds(self) -> float:
        """What nine of ten builds take at most; 0.0 of none."""
        return self.duration.p90 or 0.0

    @property
    def max_duration_seconds(self) -> float:
        """The longest duration; 0.0 of none."""
        return self.duration.longest or 0.0

    # Ways to show it; what draws is imported when it is asked for

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-able values: rates with numerator and denominator, times in ISO 8601."""
        from forgekit.builds.rendering.data import as_dict

        return as_dict(self)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return it as JSON text."""
        return json.dumps(self.to_dict(), indent=indent)

    def to_markdown(self) -> str:
        """Return it as Markdown: for a person, or as a language model's context. Names cannot break out of their place."""
        from forgekit.builds.rendering.text import as_markdown

        return as_markdown(self)

    def __str__(self) -> str:
        """Return it as Markdown."""
        return self.to_markdown()

    def __rich__(self) -> RenderableType:
        """Return it as tables for rich's console."""
        from forgekit.builds.rendering.terminal import as_tables

        return as_tables(self)

    def _repr_html_(self) -> str:
        """Return it as HTML with plots, as notebooks ask for it."""
        from forgekit.builds.rendering.html import as_html

        return as_html(self)

    def plot_trend(self, ax: Any = None) -> Any:
        """Plot the success rate and the number of builds by week, on these axes or new ones; returns them. Needs matplotlib."""
        from forgekit.builds.rendering import plots

        return plots.trend(self, ax)

    def plot_durations(self, ax: Any = None) -> Any:
        """Plot median and p95 of passed builds by week, on these axes or new ones; returns them. Needs matplotlib."""
        from forgekit.builds.rendering import plots

        return plots.durations(self, ax)

    def plot_heat_map(self, ax: Any = None) -> Any:
        """Plot counted builds by weekday and hour, on these axes or new ones; returns them. Needs matplotlib."""
        from forgekit.builds.rendering import plots

        return plots.heat_map(self, ax)

    def plot_jobs(self, ax: Any = None) -> Any:
        """Plot the slowest jobs, on these axes or new ones; returns them. Needs matplotlib."""
        from forgekit.builds.rendering import plots

        return plots.jobs(self, ax)

    def plot_projects(self, ax: Any = None) -> Any:
        """Plot the projects that break most, on these axes or new ones; returns them. Needs matplotlib."""
        from forgekit.builds.rendering import plots

        return plots.projects(self, ax)
