"""From roll-ups to an analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, tzinfo

import attrs

from forgekit.builds.analysis import Analysis
from forgekit.builds.models import Mean, Rate, Window
from forgekit.builds.results import Bottleneck, Dora, ProjectMetrics
from forgekit.builds.rules import details, series
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.grouping import Outcomes, mean_of, outcomes_by_week, spread, sums, sums_by_project, together
from forgekit.builds.rules.tally import Measure, Tally

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

Labels = Mapping[tuple[object, ...], int]


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
    """Return what roll-ups come to; the same roll-ups give the same analysis wherever they were kept."""
    window, as_of = question.window, question.as_of or question.latest
    inside = tally if window is None else tally.within(window)
    # What is open is open, however long before the window it began.
    standing = tally if window is None else tally.within(Window(date.min, window.until), (Measure.OPEN, Measure.OPEN_SPELLS))
    weeks = outcomes_by_week(inside)
    projects = {name: together(own.values()) for name, own in weeks.items()}
    whole = together(projects.values())
    duration = Distribution(whole.counted)
    spells, verdicts, runs, billed = (sums(inside[each]) for each in (Measure.SPELLS, Measure.COMMITS, Measure.RUNS, Measure.MINUTES))
    metrics = _project_metrics(inside, projects)
    first, last = question.extent or (None, None)
    return Analysis(
        window=window,
        n_builds=whole.n,
        n_projects=len(projects),
        date_range_start=first,
        date_range_end=last,
        success=whole.success,
        failure=whole.failure,
        error=whole.error,
        throughput=Mean(whole.finished, _days(inside, window)),
        duration=duration.percentiles(),
        success_duration=Distribution(whole.passed).percentiles(),
        queue=spread(inside[Measure.QUEUE]).percentiles(),
        mttr=mean_of(spells, "red"),
        mttf=mean_of(spells, "green"),
        open_spells=details.open_spells(standing, as_of),
        red_time=_red_time(sums(inside[Measure.OBSERVED])),
        flaky=_flaky(verdicts),
        rerun=_rerun(runs),
        rescue=Rate(runs["rescued",], runs["after_failure",]),
        minutes=billed["all",] / 1000,
        wasted_minutes=billed["wasted",] / 1000,
        status_counts=_most_first(whole.statuses),
        language_counts=_most_first({str(label): number for (label,), number in sums(inside[Measure.LANGUAGES]).items()}),
        bottlenecks=_bottlenecks(metrics, duration.quantile(0.5)),
        projects_at_risk=tuple(each.project for each in metrics if _counted(each) and each.failure_rate + each.error_rate > AT_RISK),
        top_failing_projects=_top_failing(metrics),
        project_metrics=metrics,
        weekly=series.weekly(weeks),
        trend=series.trend(tally, window),
        heat_map=series.heat_map(inside, question.zone),
        jobs=details.jobs(inside),
        edges=details.edges(inside[Measure.EDGES]),
        steps=details.edges(inside[Measure.STEPS]),
        variants=details.variants(inside),
        anomalies=series.anomalies(weeks if window is None else outcomes_by_week(tally), window),
        dora=question.dora,
        health=details.health(inside, standing, as_of=as_of, latest=question.latest, expected=question.expected),
    )


def _days(tally: Tally, window: Window | None) -> int:
    if window is not None:
        return window.days
    days = tally.days()
    return Window(*days).days if days is not None else 0


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(((str(name), count) for name, count in counts.items() if count), key=lambda each: (-each[1], each[0])))


def _flaky(verdicts: Labels) -> Rate:
    flaky = verdicts.get(("flaky",), 0)
    return Rate(flaky, flaky + verdicts.get(("steady",), 0))


def _rerun(runs: Labels) -> Rate:
    return Rate(runs.get(("rerun",), 0), runs.get(("all",), 0))


def _red_time(observed: Labels) -> Rate:
    red = observed.get(("red",), 0)
    return Rate(red, red + observed.get(("green",), 0))


def _project_metrics(tally: Tally, projects: Mapping[str, Outcomes]) -> tuple[ProjectMetrics, ...]:
    tests, spells, verdicts, runs, billed = (
        sums_by_project(tally[each]) for each in (Measure.TESTS, Measure.SPELLS, Measure.COMMITS, Measure.RUNS, Measure.MINUTES)
    )
    none: Counter[tuple[object, ...]] = Counter()
    found = []
    for name, own in sorted(projects.items()):
        duration = Distribution(own.counted)
        found.append(
            ProjectMetrics(
                project=name,
                n_builds=own.n,
                success=own.success,
                failure=own.failure,
                error=own.error,
                median_duration_seconds=duration.quantile(0.5) or 0.0,
                p90_duration_seconds=duration.quantile(0.9) or 0.0,
                avg_tests_run=mean_of(tests.get(name, none), "run", total="sum", unit=1).value,
                avg_tests_failed=mean_of(tests.get(name, none), "failed", total="sum", unit=1).value,
                mttr=mean_of(spells.get(name, none), "red"),
                flaky=_flaky(verdicts.get(name, none)),
                rerun=_rerun(runs.get(name, none)),
                minutes=billed.get(name, none)["all",] / 1000,
                wasted_minutes=billed.get(name, none)["wasted",] / 1000,
            )
        )
    return tuple(found)


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
