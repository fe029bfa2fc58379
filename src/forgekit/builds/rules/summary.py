"""From roll-ups to an analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import cast

import attrs

from forgekit.builds.analysis import Analysis
from forgekit.builds.models import Mean, Rate, Window
from forgekit.builds.results import Bottleneck, Dora, ProjectMetrics
from forgekit.builds.rules import details, series
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.facts import Facts, Labels, facts_of, flaky, mttr, rerun, trend_window
from forgekit.builds.rules.grouping import mean_of
from forgekit.builds.rules.tally import Measure, Tally
from forgekit.builds.rules.weeks import in_order

SLOW = 2
"""A project is a bottleneck where its median is more than so many times the median of all builds."""

AT_RISK = 0.4
"""A project is at risk where more than this share of its builds breaks."""

FAILING = 0.3
"""A project is failing where more than this share of its builds fails."""

FEWEST_BUILDS = 10
"""A project of fewer counted builds is neither at risk nor failing."""

MOST = 5
"""How many bottlenecks and failing projects are told."""


@attrs.frozen(kw_only=True)
class Question:
    """What is asked of roll-ups, and what they do not know themselves.

    Attributes:
        window: The days to tell of; None for all. Roll-ups of as many days before it feed the trend, of twelve weeks
            the anomalies, and of all days before it what is still open.
        zone: Time zone of the heat map.
        as_of: The moment by which ages are told; None for the latest that the data tells of.
        extent: First and last start of a build in the window.
        latest: The latest moment that any build tells of.
        expected: How many builds the system says there are.
        dora: The four key metrics, which come from the deployments themselves.

    """

    window: Window | None = None
    zone: tzinfo = UTC
    as_of: datetime | None = None
    extent: tuple[datetime, datetime] | None = None
    latest: datetime | None = None
    expected: int | None = None
    dora: Dora | None = None


def summarise(tally: Tally, question: Question) -> Analysis:
    """Return what a tally comes to."""
    return summarise_facts(facts_of(tally, question.window, question.zone), question)


def summarise_facts(facts: Facts, question: Question) -> Analysis:
    """Return what facts come to; the same facts give the same analysis wherever they were kept."""
    window, as_of = question.window, question.as_of or question.latest
    whole, sums = facts.whole, facts.sums
    duration = Distribution(whole.counted)
    runs, billed = sums[Measure.RUNS], sums[Measure.MINUTES]
    metrics = tuple(each.metrics for each in facts.projects)
    first, last = question.extent or (None, None)
    estimated = sum(sums[Measure.ESTIMATED].values())
    stock = details.Stock(builds=whole.n, finished=whole.finished, estimated=estimated, undated=facts.undated)
    return Analysis(
        window=window,
        n_builds=whole.n,
        n_projects=len(metrics),
        date_range_start=first,
        date_range_end=last,
        success=whole.success,
        failure=whole.failure,
        error=whole.error,
        throughput=Mean(whole.finished, _days(facts, window)),
        duration=duration.percentiles(),
        success_duration=Distribution(whole.passed).percentiles(),
        queue=Distribution({cast("int", length): number for (length,), number in sums[Measure.QUEUE].items()}).percentiles(),
        mttr=mttr(sums[Measure.SPELLS]),
        mttf=mean_of(sums[Measure.SPELLS], "green"),
        n_open_spells=facts.standing.n_spells,
        open_spells=details.open_spells(facts.standing.spells, as_of),
        red_time=_red_time(sums[Measure.OBSERVED]),
        flaky=flaky(sums[Measure.COMMITS]),
        rerun=rerun(runs),
        rescue=Rate(runs.get(("rescued",), 0), runs.get(("after_failure",), 0)),
        minutes=billed.get(("all",), 0) / 1000,
        wasted_minutes=billed.get(("wasted",), 0) / 1000,
        status_counts=_most_first(whole.statuses),
        language_counts=_most_first({str(label): number for (label,), number in sums[Measure.LANGUAGES].items()}),
        bottlenecks=_bottlenecks(metrics, duration.quantile(0.5)),
        projects_at_risk=tuple(each.project for each in metrics if _counted(each) and each.failure_rate + each.error_rate > AT_RISK),
        top_failing_projects=_top_failing(metrics),
        project_metrics=metrics,
        weekly=series.weekly(facts.weeks),
        trend=series.trend(trend_window(window, facts.days), facts.periods),
        heat_map=series.heat_map(facts.heat),
        jobs=details.slowest(job for each in facts.projects for job in each.jobs),
        edges=details.edges(sums[Measure.EDGES]),
        steps=details.edges(sums[Measure.STEPS]),
        variants=details.variants(sums[Measure.VARIANTS]),
        anomalies=in_order(facts.anomalies, window),
        dora=question.dora,
        health=details.health(stock, facts.standing.builds, as_of=as_of, latest=question.latest, expected=question.expected),
    )


def _days(facts: Facts, window: Window | None) -> int:
    if window is not None:
        return window.days
    return Window(*facts.days).days if facts.days is not None else 0


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(((str(name), count) for name, count in counts.items() if count), key=lambda each: (-each[1], each[0])))


def _red_time(observed: Labels) -> Rate:
    red = observed.get(("red",), 0)
    return Rate(red, red + observed.get(("green",), 0))


def _bottlenecks(metrics: Sequence[ProjectMetrics], overall: float | None) -> tuple[Bottleneck, ...]:
    slow = [each for each in metrics if overall is not None and each.median_duration_seconds > SLOW * overall]
    worst = sorted(slow, key=lambda each: (-each.median_duration_seconds, each.project))[:MOST]
    return tuple(
        Bottleneck(
            transition=f"builds in {each.project}",
            avg_wait_seconds=each.median_duration_seconds,
            frequency=each.n_builds,
            project=each.project,
        )
        for each in worst
    )


def _counted(metrics: ProjectMetrics) -> bool:
    return metrics.success.denominator >= FEWEST_BUILDS


def _top_failing(metrics: Sequence[ProjectMetrics]) -> tuple[ProjectMetrics, ...]:
    failing = [each for each in metrics if _counted(each) and each.failure_rate > FAILING]
    return tuple(sorted(failing, key=lambda each: (-each.failure_rate, each.project))[:MOST])
