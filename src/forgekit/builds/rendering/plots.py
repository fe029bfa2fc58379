"""An analysis as plots of matplotlib, which is imported when the first one is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from forgekit.builds.rendering.charts import DAYS
from forgekit.builds.rendering.svg import BLUE, GREEN, RED
from forgekit.builds.rendering.wording import one_line
from forgekit.errors import ConfigurationError

if TYPE_CHECKING:
    from forgekit.builds.analysis import Analysis

_MOST = 10

Axes = Any
"""``matplotlib.axes.Axes``, which is not there for whoever draws no plots."""


def _axes(ax: Axes | None, title: str) -> Axes:
    if ax is None:
        try:
            pyplot = import_module("matplotlib.pyplot")
        except ImportError:
            raise ConfigurationError("Plots are drawn with matplotlib, which is not installed.") from None
        ax = pyplot.subplots(layout="constrained")[1]
    ax.set_title(title)
    return ax


def trend(analysis: Analysis, ax: Axes | None = None) -> Axes:
    """Plot the success rate and the number of builds by week."""
    ax = _axes(ax, "Success rate and builds by week")
    starts = [week.start for week in analysis.weekly]
    ax.plot(
        starts,
        [float("nan") if week.success.value is None else week.success.value for week in analysis.weekly],
        color=GREEN.value,
        marker=".",
    )
    ax.set_ylim(0, 1.02)
    ax.set_ylabel("success rate")
    beside = ax.twinx()
    beside.bar(starts, [week.builds for week in analysis.weekly], width=5, color=BLUE.value, alpha=0.25)
    beside.set_ylabel("builds")
    ax.tick_params(axis="x", rotation=30)
    return ax


def durations(analysis: Analysis, ax: Axes | None = None) -> Axes:
    """Plot median and p95 of passed builds by week, in minutes."""
    ax = _axes(ax, "Duration of passed builds by week")
    for name, colour in (("median_duration_seconds", BLUE.value), ("p95_duration_seconds", RED.value)):
        found = [getattr(week, name) for week in analysis.weekly]
        minutes = [float("nan") if value is None else value / 60 for value in found]
        ax.plot([week.start for week in analysis.weekly], minutes, color=colour, marker=".", label=name.split("_")[0])
    ax.set_ylabel("minutes")
    ax.legend()
    ax.tick_params(axis="x", rotation=30)
    return ax


def heat_map(analysis: Analysis, ax: Axes | None = None) -> Axes:
    """Plot counted builds by weekday and hour."""
    ax = _axes(ax, "Builds by weekday and hour")
    ax.imshow([[cell.denominator for cell in row] for row in analysis.heat_map], aspect="auto", cmap="Blues")
    ax.set_yticks(range(7), DAYS)
    ax.set_xlabel("hour")
    return ax


def jobs(analysis: Analysis, ax: Axes | None = None) -> Axes:
    """Plot the slowest jobs by their p95, in minutes."""
    ax = _axes(ax, "Slowest jobs, p95")
    slowest = analysis.jobs[:_MOST][::-1]
    places = range(len(slowest))
    ax.barh(places, [(job.duration.p95 or 0) / 60 for job in slowest], color=BLUE.value)
    ax.set_yticks(places, [_plain(job.name) for job in slowest])
    ax.set_xlabel("minutes")
    return ax


def projects(analysis: Analysis, ax: Axes | None = None) -> Axes:
    """Plot the projects with the highest share of failed and errored builds."""
    ax = _axes(ax, "Projects that break most")
    worst = sorted(analysis.project_metrics, key=lambda each: (each.failure_rate + each.error_rate, each.project))[-_MOST:]
    places = range(len(worst))
    ax.barh(places, [each.failure_rate for each in worst], color=RED.value, label="failed")
    ax.barh(places, [each.error_rate for each in worst], left=[each.failure_rate for each in worst], color=BLUE.value, label="errored")
    ax.set_yticks(places, [_plain(each.project) for each in worst])
    ax.legend()
    return ax


def _plain(name: str) -> str:
    # A long label leaves no room for the plot; between two dollar signs matplotlib reads mathematics, and fails on what is none.
    return one_line(name, longest=40).replace("$", r"\$")
