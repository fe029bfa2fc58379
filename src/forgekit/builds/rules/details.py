"""Jobs, what follows what, what is red, and whether the data can be believed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from forgekit.builds.models import BROKEN, COUNTED, FINISHED, UNDATED, Key, Rate
from forgekit.builds.results import Edge, Health, JobMetrics, OpenSpell, Variant
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.tally import Entry, Measure, Tally

MOST = 20
"""How many jobs and variants are told."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN = 1
"""The start of an open build that tells none."""


def jobs(tally: Tally) -> tuple[JobMetrics, ...]:
    """Return the slowest jobs, by their p95."""
    statuses: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for (project, _, name, status), number in tally[Measure.JOBS].items():
        statuses[project, name][status] += number
    spreads: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for (project, _, name, bucket), number in tally[Measure.JOB_DURATIONS].items():
        spreads[project, name][bucket] += number
    critical: Counter[tuple[str, str]] = Counter()
    paths: Counter[str] = Counter()
    for (project, _, name), number in tally[Measure.CRITICAL].items():
        critical[project, name] += number
        paths[project] += number
    found = [_job(key, own, spreads[key], Rate(critical[key], paths[key[0]])) for key, own in statuses.items()]
    return tuple(sorted(found, key=lambda job: (-(job.duration.p95 or 0), job.project, job.name))[:MOST])


def _job(key: tuple[str, str], statuses: Counter[str], spread: Mapping[int, int], critical: Rate) -> JobMetrics:
    failure = Rate(sum(statuses[status] for status in BROKEN), sum(statuses[status] for status in COUNTED))
    duration = Distribution(spread).percentiles()
    return JobMetrics(project=key[0], name=key[1], runs=statuses.total(), failure=failure, duration=duration, critical=critical)


def edges(numbers: Mapping[Entry, int]) -> tuple[Edge, ...]:
    """Return what follows what, most first."""
    spreads: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (_, _, before, after, bucket), number in numbers.items():
        spreads[before, after][bucket] += number
    found = [
        Edge(before=before, after=after, count=sum(gaps.values()), median_gap_seconds=Distribution(gaps).quantile(0.5) or 0.0)
        for (before, after), gaps in spreads.items()
    ]
    return tuple(sorted(found, key=lambda edge: (-edge.count, edge.before, edge.after)))


def variants(tally: Tally) -> tuple[Variant, ...]:
    """Return the ways that most runs went."""
    total: Counter[str] = Counter()
    for (_, _, steps), number in tally[Measure.VARIANTS].items():
        total[steps] += number
    ordered = sorted(total.items(), key=lambda each: (-each[1], each[0]))[:MOST]
    return tuple(Variant(steps=steps, count=count) for steps, count in ordered)


def open_spells(tally: Tally, as_of: datetime | None) -> tuple[OpenSpell, ...]:
    """Return what is red, oldest first."""
    found = []
    for (project, _, branch, workflow), moment in tally[Measure.OPEN_SPELLS].items():
        since = _moment(moment)
        found.append(OpenSpell(project=project, branch=branch, workflow=workflow, since=since, age_seconds=_age(since, as_of) or 0.0))
    return tuple(sorted(found, key=lambda each: (each.since, each.project, each.branch or "", each.workflow or "")))


def health(tally: Tally, standing: Tally, *, as_of: datetime | None, latest: datetime | None, expected: int | None) -> Health:
    """Return how complete, how fresh and how exact the data is; what is open comes from ``standing``."""
    waiting = sorted(
        (moment, Key(provider, project, build_id, attempt))
        for (project, _, provider, build_id, attempt), moment in standing[Measure.OPEN].items()
    )
    builds = tally[Measure.BUILDS]
    since, oldest = waiting[0] if waiting else (_UNKNOWN, None)
    return Health(
        completeness=Rate(sum(builds.values()), expected) if expected is not None else None,
        open_builds=len(waiting),
        oldest_open=oldest,
        oldest_open_seconds=_age(_moment(since), as_of) if since != _UNKNOWN else None,
        last_event_at=latest,
        lag_seconds=_age(latest, as_of),
        estimated_ends=Rate(
            sum(tally[Measure.ESTIMATED].values()), sum(number for entry, number in builds.items() if entry[2] in FINISHED)
        ),
        undated=sum(number for entry, number in builds.items() if entry[1] == UNDATED),
    )


def _moment(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _age(since: datetime | None, as_of: datetime | None) -> float | None:
    return max(0.0, (as_of - since).total_seconds()) if since is not None and as_of is not None else None
