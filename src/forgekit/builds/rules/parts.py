"""The durations of a node with many builds, kept in parts by their length.

One build more touches one part, and a percentile lies in one or two, however many builds there are. The node itself keeps how many
durations are in each part. Small nodes are left whole: which of the two a node is depends on what it holds and on nothing else, so that
the same builds come to the same rows in whatever order they came.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import attrs

from forgekit.builds.models import COUNTED, Status
from forgekit.builds.rules.buckets import Distribution, part_of, shortest_of
from forgekit.builds.rules.counts import Counts, Numbers, added, merged
from forgekit.builds.rules.grouping import Outcomes
from forgekit.builds.rules.labels import BETWEEN
from forgekit.builds.rules.tally import Measure

SPLIT_FROM = 4_096
"""A node of so many builds keeps its durations in parts."""

TOTALS = "duration_parts"
"""Under this name such a node keeps how many durations are in each part, by status and part."""

_DURATIONS = Measure.DURATIONS.value
_COUNTED = frozenset(status.value for status in COUNTED)
_PASSED = Status.PASSED.value


class Wanted(NamedTuple):
    """Which percentiles are asked for.

    Attributes:
        counted: Shares of counted builds' durations.
        passed: Shares of passed builds' durations.

    """

    counted: Collection[float] = ()
    passed: Collection[float] = ()


@attrs.define(kw_only=True)
class Parted:
    """A node with a change applied, but for its parts, which have yet to be read.

    Attributes:
        counts: What the node itself keeps.
        changes: What changes in its parts.
        parts: The parts that it had; none where it was whole.
        holds: Whether its durations are in parts now.

    """

    counts: Counts
    changes: Mapping[int, Mapping[str, int]]
    parts: frozenset[int]
    holds: bool

    def needed(self, wanted: Wanted) -> frozenset[int]:
        """Return the parts to be read, so that they can be settled and percentiles told."""
        if not self.holds:
            return self.parts
        return self.parts.intersection({*self.changes, *located(self.counts, wanted)})

    @property
    def touched(self) -> list[int]:
        """The parts to be written: those that change, or all where the node is whole again."""
        return sorted({*self.changes, *(self.parts if not self.holds else ())})

    def settle(self, known: Mapping[int, Numbers]) -> dict[int, Numbers]:
        """Return the parts that were read or change as they are now, empty ones too; where the node is whole again it takes them in.

        Args:
            known: The parts that were needed, as they were; they are used up.

        """
        now = {part: added(known.get(part, {}), self.changes.get(part, {})) for part in {*known, *self.changes}}
        if self.parts and not self.holds:
            whole: Numbers = {}
            for part, numbers in now.items():
                whole.update(numbers)
                now[part] = {}
            merged(self.counts, {_DURATIONS: whole})
        return now


def parted(counts: Counts, change: Mapping[str, Mapping[str, int]], *, splits: bool) -> Parted:
    """Apply a change to a node; ``splits`` tells whether it is one that may keep its durations in parts. ``counts`` is used up."""
    if not splits:
        return Parted(counts=merged(counts, change), changes={}, parts=frozenset(), holds=False)
    parts = frozenset(int(label.rpartition(BETWEEN)[2]) for label in counts.get(TOTALS, ()))
    changes: Mapping[int, Mapping[str, int]] = {}
    if parts:
        changes = _by_part(change.get(_DURATIONS, {}).items())
        change = {name: numbers for name, numbers in change.items() if name != _DURATIONS} | {TOTALS: _totals(changes)}
    counts = merged(counts, change)
    holds = sum(counts.get(Measure.BUILDS.value, {}).values()) >= SPLIT_FROM
    if parts and not holds:
        counts.pop(TOTALS, None)
    if holds and not parts:
        changes = _by_part(counts.pop(_DURATIONS, {}).items())
        merged(counts, {TOTALS: _totals(changes)})
    return Parted(counts=counts, changes=changes, parts=parts, holds=holds)


def _by_part(durations: Iterable[tuple[str, int]]) -> dict[int, Numbers]:
    found: defaultdict[int, Numbers] = defaultdict(dict)
    for label, number in durations:
        found[part_of(int(label.rpartition(BETWEEN)[2]))][label] = number
    return dict(found)


def _totals(parts: Mapping[int, Mapping[str, int]]) -> Numbers:
    totals: Counter[str] = Counter()
    for part, numbers in parts.items():
        for label, number in numbers.items():
            totals[f"{label.rpartition(BETWEEN)[0]}{BETWEEN}{part}"] += number
    return totals


def located(counts: Counts, wanted: Wanted) -> set[int]:
    """Return the parts in which percentiles lie; none where a node is whole."""
    if TOTALS not in counts:
        return set()
    by_part = outcomes_of({_DURATIONS: counts[TOTALS]})
    found: set[int] = set()
    for totals, shares in ((by_part.counted, wanted.counted), (by_part.passed, wanted.passed)):
        if totals:
            found.update(part for share in shares for part in Distribution(totals).around(share))
    return found


def outcomes_of(counts: Counts, parts: Mapping[int, Numbers] | None = None) -> Outcomes:
    """Return how the builds of a node ended, and how long they took.

    Args:
        counts: What the node itself keeps.
        parts: Parts of its durations. Those that are not given stand for their builds by number, with one length for all: percentiles
            that lie in other parts are right nevertheless.

    """
    held = parts or {}
    outcomes = Outcomes(statuses=Counter(counts.get(Measure.BUILDS.value, {})))
    for numbers in (counts.get(_DURATIONS, {}), *held.values()):
        _take(outcomes, numbers, int)
    if TOTALS in counts:
        others = {label: number for label, number in counts[TOTALS].items() if int(label.rpartition(BETWEEN)[2]) not in held}
        _take(outcomes, others, lambda part: shortest_of(int(part)))
    return outcomes


def _take(outcomes: Outcomes, numbers: Mapping[str, int], length_of: Callable[[str], int]) -> None:
    # A day has thousands of lengths, and fifty-six days are read whenever somebody asks: this is without detours.
    # Of passed builds each length has one label, so nothing adds up there.
    counted, passed = outcomes.counted, outcomes.passed
    for label, number in numbers.items():
        status, _, text = label.rpartition(BETWEEN)
        if status in _COUNTED:
            length = length_of(text)
            counted[length] = counted.get(length, 0) + number
            if status == _PASSED:
                passed[length] = number
