"""What a change of builds changes in the roll-ups: each touched group as it is now, less what it was."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import attrs

from forgekit.builds.models import BuildRecord
from forgekit.builds.rules.runs import Verdict, measure_commits, measure_runs, verdict
from forgekit.builds.rules.singles import measure_singles
from forgekit.builds.rules.tally import Tally
from forgekit.builds.rules.timelines import Line, LineState, Point, Walk, line, measure_points, point


@attrs.frozen
class Change:
    """A build as it is now, and as it was.

    Attributes:
        old: Before; None for a new one.
        new: Now.

    """

    old: BuildRecord | None
    new: BuildRecord


def change_of_builds(changes: Collection[Change]) -> Tally:
    """Return what the builds change by themselves."""
    old = [change.old for change in changes if change.old is not None]
    tally = measure_singles(change.new for change in changes)
    return tally.update(measure_singles(old), sign=-1) if old else tally


def change_of_runs(changes: Collection[Change], attempts: Collection[BuildRecord]) -> Tally:
    """Return what the builds change in their runs; ``attempts`` are all of these runs as they were."""
    after = {record.key: record for record in attempts}
    after.update((change.new.key, change.new) for change in changes)
    return measure_runs(after.values()).update(measure_runs(attempts), sign=-1)


def change_of_commits(changes: Collection[Change], held: Collection[Verdict]) -> Tally:
    """Return what the builds change in their commits; ``held`` is what was said of these commits."""
    after = {each.key: each for each in held}
    for change in changes:
        said = verdict(change.new)
        if said is not None:
            after[said.key] = said
        elif change.old is not None:
            after.pop(change.new.key, None)
    return measure_commits(after.values()).update(measure_commits(held), sign=-1)


@attrs.define
class LineChange:
    """What changes on one timeline.

    Attributes:
        gone: Points that are not there any more.
        come: Points that are new.

    """

    gone: list[Point] = attrs.field(factory=list)
    come: list[Point] = attrs.field(factory=list)

    @property
    def first(self) -> datetime:
        """The earliest moment that changes."""
        return min(each.ended_at for each in (*self.gone, *self.come))

    @property
    def last(self) -> datetime:
        """The latest moment that changes."""
        return max(each.ended_at for each in (*self.gone, *self.come))

    def follows(self, state: LineState | None) -> bool:
        """Tell whether it only adds points behind the last."""
        return not self.gone and (state is None or self.first > state.last_at)


def line_changes(changes: Collection[Change]) -> dict[Line, LineChange]:
    """Return what builds change on timelines; a build that stays at its place with its status changes nothing."""
    found: dict[Line, LineChange] = {}
    for change in changes:
        now, before = point(change.new), point(change.old) if change.old is not None else None
        here, there = line(change.new), line(change.old) if change.old is not None else None
        if (now, here) == (before, there):
            continue
        if before is not None and there is not None:
            found.setdefault(there, LineChange()).gone.append(before)
        if now is not None:
            found.setdefault(here, LineChange()).come.append(now)
    return found


@attrs.frozen
class Stretch:
    """Points of a timeline, in their order, around a change.

    Attributes:
        points: From the turn before the change, or the beginning, to the turn after it, or the end.
        to_end: Whether they reach the end.

    """

    points: Sequence[Point]
    to_end: bool = True


def change_of_line(
    key: Line, change: LineChange, *, state: LineState | None, around: Stretch | None, walk: Walk
) -> tuple[Tally | None, LineState | None]:
    """Return what a change does to a timeline: a tally beside what ``walk`` counts, and where the timeline stands then.

    Args:
        key: The timeline.
        change: What changes.
        state: Where it stood; None for a new one.
        around: The points around the change as they were; None where the change only follows what is there.
        walk: Counts what follows.

    """
    if around is None or state is None:
        return None, walk.along(key, sorted(change.come), state)
    gone = set(change.gone)
    after = sorted([*(each for each in around.points if each not in gone), *change.come])
    tally = measure_points({key: after}) - measure_points({key: around.points})
    length = state.length + len(change.come) - len(change.gone)
    end = Walk().along(key, after) if around.to_end else state
    return tally, attrs.evolve(end, length=length) if end is not None else None
