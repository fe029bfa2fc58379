"""The four key metrics of software delivery, from builds that deploy and the incidents that they caused.

Deployment frequency and its words follow the Four Keys project: on how many days of a week, in the middle, something is deployed.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date, timedelta

from forgekit.builds.models import BuildRecord, Incident, Rate, Status, Window
from forgekit.builds.results import Dora
from forgekit.builds.rules.buckets import Distribution, Percentiles, bucket
from forgekit.builds.rules.singles import milliseconds

_DAILY = 3
"""Days a week with a deployment that are called daily."""


def dora(records: Iterable[BuildRecord], incidents: Collection[Incident] | None, *, environment: str, window: Window | None) -> Dora | None:
    """Return the four key metrics of an environment; None where no build deploys to it.

    Args:
        records: Builds, each in the version that holds; those that did not pass deployed nothing.
        incidents: What deployments broke; None where nobody tells.
        environment: Only deployments to this one count.
        window: Only deployments of builds that started in it count; of those that tell no start, that ended in it.

    """
    aimed = [(day, record) for record in records if record.environment == environment and (day := _day(record)) is not None]
    if not aimed:
        return None
    passed = [(day, record) for day, record in aimed if record.status is Status.PASSED and (window is None or day.toordinal() in window)]
    days, done = sorted({day for day, _ in passed}), [record for _, record in passed]
    window = window or (Window(days[0], days[-1]) if days else None)
    change_failure, recovery = (None, None) if incidents is None else _failures(done, incidents)
    return Dora(
        deployments=len(done),
        per_day=len(done) / window.days if window is not None else 0.0,
        frequency=_frequency(days, window),
        lead_time=_spread(milliseconds(each.committed_at, end) for each in done if each.committed_at and (end := each.ended_at)),
        change_failure=change_failure,
        recovery=recovery,
    )


def _day(record: BuildRecord) -> date | None:
    """Return the UTC day of a deployment; None of one that tells neither a start nor an end: it has not begun."""
    moment = record.started_at or record.finished_at
    return None if moment is None else moment.date()


def _failures(done: Collection[BuildRecord], incidents: Iterable[Incident]) -> tuple[Rate, Percentiles]:
    deployed = {record.key: record for record in done}
    caused = {(each.project, each.id): each for each in incidents if each.deployment in deployed}
    broken = {each.deployment for each in caused.values()}
    taken = (
        milliseconds(end, incident.resolved_at)
        for incident in caused.values()
        if incident.deployment and incident.resolved_at and (end := deployed[incident.deployment].ended_at)
    )
    return Rate(len(broken), len(done)), _spread(taken)


def _spread(durations: Iterable[int]) -> Percentiles:
    return Distribution(Counter(map(bucket, durations))).percentiles()


def _frequency(days: Collection[date], window: Window | None) -> str | None:
    if not days or window is None:
        return None
    first = window.since - timedelta(days=window.since.weekday())
    weeks = [0] * ((window.until - first).days // 7 + 1)
    for day in days:
        weeks[(day - first).days // 7] += 1
    if statistics.median(weeks) >= _DAILY:
        return "daily"
    if statistics.median(weeks) >= 1:
        return "weekly"
    count = (window.until.year - window.since.year) * 12 + window.until.month - window.since.month + 1
    return "monthly" if len({(day.year, day.month) for day in days}) * 2 >= count else "yearly"
