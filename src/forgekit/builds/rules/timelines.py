"""What builds of one branch and workflow come to in their order: red and green spells, and which status follows which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from forgekit.builds.models import BROKEN, COUNTED, FINISHED, BuildRecord, Status
from forgekit.builds.rules.buckets import bucket
from forgekit.builds.rules.singles import milliseconds, since_1970
from forgekit.builds.rules.tally import Entry, Measure, Tally

DEFAULT_BRANCHES = frozenset({None, "main", "master", "trunk"})
"""Branches whose time in red is told. None: a system that names no branch has one."""


class Line(NamedTuple):
    """What keeps a timeline apart from others."""

    project: str
    branch: str | None
    workflow: str | None


class Point(NamedTuple):
    """A finished build on its timeline; points sort in the timeline's order."""

    ended_at: datetime
    started_at: datetime
    provider: str
    build_id: str
    attempt: int
    status: Status
    day: int


def point(record: BuildRecord) -> Point | None:
    """Return a build's place on its timeline; None for one that has not ended or does not tell when."""
    ended = record.ended_at
    if ended is None or record.started_at is None or record.status not in FINISHED:
        return None
    return Point(ended, record.started_at, record.provider, record.build_id, record.attempt, record.status, record.day)


def line(record: BuildRecord) -> Line:
    """Return the timeline that a build is on."""
    return Line(record.project, record.branch, record.workflow)


def measure_timelines(records: Iterable[BuildRecord]) -> Tally:
    """Count what records come to on their timelines."""
    timelines: dict[Line, list[Point]] = defaultdict(list)
    for record in records:
        if (place := point(record)) is not None:
            timelines[line(record)].append(place)
    return measure_points(timelines)


def measure_points(timelines: Mapping[Line, Sequence[Point]]) -> Tally:
    """Count what points come to; points of a timeline may come in any order.

    The end of a timeline may be measured alone: what a change causes is the difference between the end's points with the change and
    without it, if the end begins with the first point of a colour run that is older than the change.
    """
    edges: list[Entry] = []
    spells = _Spells()
    for key, points in timelines.items():
        ordered = sorted(points)
        for before, after in pairwise(ordered):
            gap = bucket(milliseconds(before.ended_at, after.ended_at))
            edges.append((key.project, after.day, before.status, after.status, gap))
        spells.along(key, [each for each in ordered if each.status in COUNTED])
    return Tally.kept({Measure.EDGES: Counter(edges), **spells.counts()})


class _Spells:
    """Counts of colours along timelines."""

    def __init__(self) -> None:
        self._spells: defaultdict[Entry, int] = defaultdict(int)
        self._observed: defaultdict[Entry, int] = defaultdict(int)
        self._open: dict[Entry, int] = {}

    def counts(self) -> dict[Measure, dict[Entry, int]]:
        """Return what was counted."""
        return {Measure.SPELLS: self._spells, Measure.OBSERVED: self._observed, Measure.OPEN_SPELLS: self._open}

    def along(self, key: Line, points: Sequence[Point]) -> None:
        """Walk one timeline from its first counted point to its last."""
        if not points:
            return
        project, observed = key.project, key.branch in DEFAULT_BRANCHES
        turn = last = points[0]
        red = turn.status in BROKEN
        for now in points:
            colour = "red" if red else "green"
            if observed:
                self._observed[project, now.day, colour] += milliseconds(last.ended_at, now.ended_at)
            if (now.status in BROKEN) is not red:
                self._spells[project, now.day, colour, "n"] += 1
                self._spells[project, now.day, colour, "ms"] += milliseconds(turn.ended_at, now.ended_at)
                turn, red = now, not red
            last = now
        if red:
            self._open[project, turn.day, key.branch, key.workflow] = since_1970(turn.ended_at)
