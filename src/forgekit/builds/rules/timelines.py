"""What builds of one branch and workflow come to in their order: red and green spells, and which status follows which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import attrs

from forgekit.builds.models import BROKEN, COUNTED, FINISHED, UNDATED, BuildRecord, Status
from forgekit.builds.rules.buckets import GAP_DIGITS, bucket
from forgekit.builds.rules.singles import EPOCH, milliseconds, since_1970
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

    A part of a timeline may be measured alone: what a change causes is the difference between the part's points with the change and
    without it, if the part begins with a turn (the first point of a colour run) before the change, or with the timeline, and ends with a
    turn after it, or with the timeline. Before the one and after the other nothing is different.
    """
    walk, open_spells = Walk(), {}
    for key, points in timelines.items():
        state = walk.along(key, sorted(points))
        if state is not None and state.red:
            open_spells[key.project, state.turn_day, key.branch, key.workflow] = since_1970(state.turn_at)
    return Tally.kept({**walk.counts(), Measure.OPEN_SPELLS: open_spells})


@attrs.frozen
class LineState:
    """Where a timeline stands: what a walk needs to go on.

    Attributes:
        length: How many points it has.
        last_at: End of the last point.
        last_status: Its status.
        counted_at: End of the last counted point; None without one.
        red: Whether that one broke.
        turn_at: End of the first point of its colour run.
        turn_day: The day of that one.

    """

    length: int
    last_at: datetime
    last_status: Status
    counted_at: datetime | None = None
    red: bool = False
    turn_at: datetime = EPOCH
    turn_day: int = UNDATED


class Walk:
    """Counts colours and successions along timelines."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._edges: list[Entry] = []
        self._spells: defaultdict[Entry, int] = defaultdict(int)
        self._observed: defaultdict[Entry, int] = defaultdict(int)

    def counts(self) -> dict[Measure, dict[Entry, int]]:
        """Return what was counted."""
        return {Measure.EDGES: Counter(self._edges), Measure.SPELLS: self._spells, Measure.OBSERVED: self._observed}

    def along(self, key: Line, points: Sequence[Point], state: LineState | None = None) -> LineState | None:
        """Walk a timeline from its beginning, or go on behind ``state``, over points in their order; return where it stands then."""
        if not points:
            return state
        previous = (state.last_at, state.last_status) if state is not None else None
        for now in points:
            if previous is not None:
                gap = bucket(milliseconds(previous[0], now.ended_at), GAP_DIGITS)
                self._edges.append((key.project, now.day, previous[1], now.status, gap))
            previous = (now.ended_at, now.status)
        length = len(points) + (state.length if state is not None else 0)
        end = LineState(length, points[-1].ended_at, points[-1].status)
        counted = [each for each in points if each.status in COUNTED]
        if state is not None and state.counted_at is not None:
            end = attrs.evolve(end, counted_at=state.counted_at, red=state.red, turn_at=state.turn_at, turn_day=state.turn_day)
        elif counted:
            first = counted[0]
            end = attrs.evolve(end, red=first.status in BROKEN, turn_at=first.ended_at, turn_day=first.day)
        return self._colours(key, counted, end) if counted else end

    def _colours(self, key: Line, points: Sequence[Point], state: LineState) -> LineState:
        project, observed = key.project, key.branch in DEFAULT_BRANCHES
        red, turn_at, turn_day, last = state.red, state.turn_at, state.turn_day, state.counted_at or points[0].ended_at
        for now in points:
            colour = "red" if red else "green"
            if observed:
                self._observed[project, now.day, colour] += milliseconds(last, now.ended_at)
            if (now.status in BROKEN) is not red:
                self._spells[project, now.day, colour, "n"] += 1
                self._spells[project, now.day, colour, "ms"] += milliseconds(turn_at, now.ended_at)
                turn_at, turn_day, red = now.ended_at, now.day, not red
            last = now.ended_at
        return attrs.evolve(state, counted_at=last, red=red, turn_at=turn_at, turn_day=turn_day)
