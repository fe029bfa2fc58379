"""What attempts of one run, and builds of one commit, come to together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, TypeVar

from forgekit.builds.models import BROKEN, FINISHED, BuildRecord, Key, Status
from forgekit.builds.rules.singles import minutes
from forgekit.builds.rules.tally import Entry, Measure, Tally

COMMIT_MEMORY = timedelta(days=14)
"""Builds of one commit further apart than this are not compared, so that no state needs to be kept for longer."""

VERDICTS = frozenset({Status.PASSED, Status.FAILED})
"""What says something about a commit."""


class Verdict(NamedTuple):
    """What a commit's verdict needs of a build."""

    key: Key
    project: str
    workflow: str | None
    commit: str
    status: Status
    started_at: datetime
    day: int


def verdict(record: BuildRecord) -> Verdict | None:
    """Return what a build says of its commit; None where it says nothing."""
    if record.status not in VERDICTS or not record.commit or record.started_at is None:
        return None
    return Verdict(record.key, record.project, record.workflow, record.commit, record.status, record.started_at, record.day)


Judged = BuildRecord | Verdict

_T = TypeVar("_T")


def _grouped(records: Iterable[_T], key: Callable[[_T], Hashable]) -> tuple[list[_T], list[list[_T]]]:
    """Return the records that are alone in their group, and the groups of the others. Most are alone, and lists are dear."""
    first: dict[Hashable, _T] = {}
    groups: dict[Hashable, list[_T]] = {}
    for record in records:
        group = key(record)
        other = first.setdefault(group, record)
        if other is not record:
            groups.setdefault(group, [other]).append(record)
    return [record for group, record in first.items() if group not in groups], list(groups.values())


def measure_runs(records: Iterable[BuildRecord]) -> Tally:
    """Count re-runs: a run is on its first finished attempt's day, a rescue on the day of the attempt that passed."""
    finished = (record for record in records if record.status in FINISHED)
    alone, runs = _grouped(finished, lambda record: (record.provider, record.project, record.build_id))
    counted: Counter[Entry] = Counter([(record.project, record.day, "all") for record in alone])
    counted.update([(record.project, record.day, "rerun") for record in alone if record.attempt > 1])
    wasted: Counter[Entry] = Counter()
    for attempts in runs:
        _count_attempts(sorted(attempts, key=lambda record: record.attempt), counted, wasted)
    return Tally.kept({Measure.RUNS: counted, Measure.MINUTES: wasted})


def _count_attempts(attempts: Sequence[BuildRecord], counted: Counter[Entry], wasted: Counter[Entry]) -> None:
    first = attempts[0]
    counted[first.project, first.day, "all"] += 1
    counted[first.project, first.day, "rerun"] += 1
    for before, after in pairwise(attempts):
        if before.status in BROKEN:
            counted[after.project, after.day, "after_failure"] += 1
            if after.status is Status.PASSED:
                counted[after.project, after.day, "rescued"] += 1
        # What broke or was cancelled is wasted by itself; what passed is wasted by being run again.
        elif before.status is Status.PASSED and (cost := minutes(before)):
            wasted[before.project, before.day, "wasted"] += cost


def measure_commits(records: Iterable[Judged]) -> Tally:
    """Count commits with a verdict, per project and workflow, on the day of their first: flaky if some build passed and some failed."""
    judged = (record for record in records if record.status in VERDICTS and record.commit and record.started_at is not None)
    alone, commits = _grouped(judged, lambda record: (record.project, record.workflow, record.commit))
    counted: Counter[Entry] = Counter([(record.project, record.day, "steady") for record in alone])
    for builds in commits:
        _count_verdicts(builds, counted)
    return Tally.kept({Measure.COMMITS: counted})


def _count_verdicts(builds: Sequence[Judged], counted: Counter[Entry]) -> None:
    dated = sorted((record.started_at, record.day, record.status, record.project) for record in builds if record.started_at is not None)
    episode: set[Status] = set()
    first = last = dated[0]
    for each in dated:
        if each[0] - last[0] > COMMIT_MEMORY:
            counted[first[3], first[1], _verdict(episode)] += 1
            episode, first = set(), each
        episode.add(each[2])
        last = each
    counted[first[3], first[1], _verdict(episode)] += 1


def _verdict(statuses: set[Status]) -> str:
    return "flaky" if len(statuses) > 1 else "steady"
