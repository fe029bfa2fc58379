"""Jobs, what follows what, what is red, and whether the data can be believed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import cast

import attrs

from forgekit.builds.models import BROKEN, COUNTED, Key, Rate
from forgekit.builds.results import Edge, Health, JobMetrics, OpenSpell, Variant
from forgekit.builds.rules.buckets import Distribution

Labels = Mapping[tuple[object, ...], int]

MOST = 20
"""How many jobs and variants are told."""

MOST_SPELLS = 100
"""How many red branches are told: abandoned ones stay red for ever, and add up."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN = 1
"""The start of an open build that tells none."""


def job_metrics(project: str, statuses: Labels, durations: Labels, critical: Labels) -> tuple[JobMetrics, ...]:
    """Return a project's slowest jobs, by their p95.

    Args:
        project: Its name.
        statuses: Jobs that ended, by name and status.
        durations: Jobs, by name and bucket of their duration.
        critical: Milliseconds on critical paths, by name.

    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for (name, status), number in statuses.items():
        counts[str(name)][str(status)] = number
    spreads: dict[str, dict[int, int]] = defaultdict(dict)
    for (name, length), number in durations.items():
        spreads[str(name)][cast("int", length)] = number
    whole = sum(critical.values())
    found = [_job(project, name, own, spreads[name], Rate(critical.get((name,), 0), whole)) for name, own in counts.items()]
    return slowest(found)


def slowest(jobs: Iterable[JobMetrics]) -> tuple[JobMetrics, ...]:
    """Return the slowest jobs: the slowest of all projects are among the slowest of each."""
    return tuple(sorted(jobs, key=lambda job: (-(job.duration.p95 or 0), job.project, job.name))[:MOST])


def _job(project: str, name: str, statuses: Counter[str], spread: Mapping[int, int], critical: Rate) -> JobMetrics:
    failure = Rate(sum(statuses[status] for status in BROKEN), sum(statuses[status] for status in COUNTED))
    duration = Distribution(spread).percentiles()
    return JobMetrics(project=project, name=name, runs=statuses.total(), failure=failure, duration=duration, critical=critical)


def edges(numbers: Labels) -> tuple[Edge, ...]:
    """Return what follows what, most first."""
    spreads: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)
    for (before, after, gap), number in numbers.items():
        spreads[str(before), str(after)][cast("int", gap)] = number
    found = [
        Edge(before=before, after=after, count=sum(gaps.values()), median_gap_seconds=Distribution(gaps).quantile(0.5) or 0.0)
        for (before, after), gaps in spreads.items()
    ]
    return tuple(sorted(found, key=lambda edge: (-edge.count, edge.before, edge.after)))


def variants(numbers: Labels) -> tuple[Variant, ...]:
    """Return the ways that most runs went."""
    total = {str(steps): number for (steps,), number in numbers.items()}
    ordered = sorted(total.items(), key=lambda each: (-each[1], each[0]))[:MOST]
    return tuple(Variant(steps=steps, count=count) for steps, count in ordered)


def open_spells(spells: Iterable[tuple[int, str, str | None, str | None]], as_of: datetime | None) -> tuple[OpenSpell, ...]:
    """Return what has been red longest, oldest first."""
    oldest = sorted(spells, key=lambda each: (each[0], each[1], each[2] or "", each[3] or ""))[:MOST_SPELLS]
    found = []
    for milliseconds, project, branch, workflow in oldest:
        since = _moment(milliseconds)
        found.append(OpenSpell(project=project, branch=branch, workflow=workflow, since=since, age_seconds=_age(since, as_of) or 0.0))
    return tuple(found)


@attrs.frozen(kw_only=True)
class Stock:
    """How many builds there are.

    Attributes:
        builds: All of them.
        finished: Those that ended.
        estimated: Those whose end is an estimate.
        undated: Those that tell no time.

    """

    builds: int
    finished: int
    estimated: int
    undated: int


def health(
    stock: Stock, open_builds: Collection[tuple[int, Key]], *, as_of: datetime | None, latest: datetime | None, expected: int | None
) -> Health:
    """Return how complete, how fresh and how exact the data is."""
    # One of which nobody knows since when must not hide the age of the others.
    since, oldest = min(open_builds, key=lambda each: (each[0] == _UNKNOWN, each)) if open_builds else (_UNKNOWN, None)
    return Health(
        completeness=Rate(stock.builds, expected) if expected is not None else None,
        open_builds=len(open_builds),
        oldest_open=oldest,
        oldest_open_seconds=_age(_moment(since), as_of) if since != _UNKNOWN else None,
        last_event_at=latest,
        lag_seconds=_age(latest, as_of),
        estimated_ends=Rate(stock.estimated, stock.finished),
        undated=stock.undated,
    )


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _age(since: datetime | None, as_of: datetime | None) -> float | None:
    return max(0.0, (as_of - since).total_seconds()) if since is not None and as_of is not None else None
