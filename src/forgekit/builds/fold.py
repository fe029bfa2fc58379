"""The fold: builds go in, in any order and as often as they like; roll-ups come out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from forgekit.builds.bulk import uncollected
from forgekit.builds.models import BuildRecord, Key, Window
from forgekit.builds.rules.measuring import GROUPINGS, measure
from forgekit.builds.rules.precedence import holds
from forgekit.builds.rules.singles import measure_singles
from forgekit.builds.rules.tally import Tally

_REDO_ALL = 4
"""Measuring everything is cheaper than following the groups of more than a quarter of the builds."""


class Taken(StrEnum):
    """What a fold did with a record."""

    NEW = "new"
    UPDATED = "updated"
    DUPLICATE = "duplicate"
    """It was known so, or a version that holds over it was."""


class Fold:
    """Builds, each in the version that holds, and what they come to.

    The state after any sequence of records depends on the set of these records alone: order, splits, merges and replays make no
    difference. Reading is incremental: ``tally`` redoes only what changed since the last reading.

    A fold keeps its records, somewhat under one kilobyte each; it is not thread-safe.
    """

    def __init__(self, records: Iterable[BuildRecord] = ()) -> None:
        self._held: dict[Key, BuildRecord] = {}
        self._tally: Tally | None = None
        self._changed: dict[Key, BuildRecord | None] = {}
        self._members: list[defaultdict[Hashable, set[Key]]] = []
        self.extend(records)

    @classmethod
    def empty(cls) -> Fold:
        """Return a fold of no builds."""
        return cls()

    def __len__(self) -> int:
        """Return how many builds are held."""
        return len(self._held)

    def __iter__(self) -> Iterator[BuildRecord]:
        """Yield the builds, each in the version that holds."""
        return iter(self._held.values())

    def add(self, record: BuildRecord) -> Taken:
        """Take a record in: a new build, a newer version of a known one, or nothing new."""
        key = record.key
        known = self._held.get(key)
        if known is None:
            self._remember(key, None)
            self._held[key] = record
            return Taken.NEW
        kept = holds(known, record)
        if kept is known:
            return Taken.DUPLICATE
        self._remember(key, known)
        self._held[key] = kept
        return Taken.UPDATED

    def extend(self, records: Iterable[BuildRecord]) -> None:
        """Take many records in."""
        for record in records:
            self.add(record)

    def replace(self, record: BuildRecord) -> None:
        """Hold this version of its build, whatever was held before: for an owner who knows better than the rule of precedence."""
        key = record.key
        self._remember(key, self._held.get(key))
        self._held[key] = record

    def remove(self, key: Key) -> None:
        """Forget a build; nothing happens where it is not known."""
        known = self._held.pop(key, None)
        if known is not None:
            self._remember(key, known)

    @classmethod
    def merge(cls, *folds: Fold) -> Fold:
        """Return a fold of all that these folds hold; they stay as they are."""
        return cls(record for fold in folds for record in fold)

    def _remember(self, key: Key, counted: BuildRecord | None) -> None:
        # Before the first reading everything is new anyway.
        if self._tally is not None:
            self._changed.setdefault(key, counted)

    # Reading

    def tally(self) -> Tally:
        """Return what the builds come to: a value of its own, which later changes do not touch."""
        if self._tally is None or len(self._changed) * _REDO_ALL > len(self._held):
            with uncollected():
                self._tally, self._members = measure(list(self._held.values())), []
        elif self._changed:
            self._tally = self._tally + self._difference()
        self._changed = {}
        return self._tally

    def _difference(self) -> Tally:
        old = [record for record in self._changed.values() if record is not None]
        new = [self._held[key] for key in self._changed if key in self._held]
        found = measure_singles(new) - measure_singles(old)
        self._index(old, new)
        for grouping, members in zip(GROUPINGS, self._members, strict=True):
            groups = {grouping.group(record) for record in (*old, *new)} - {None}
            # A key that once moved to another group is still listed; what it comes to there is the same before and after.
            keys = list(dict.fromkeys(key for group in groups for key in members[group]))
            found.update(grouping.measure(_present(self._held.get(key) for key in keys)))
            found.update(grouping.measure(_present(self._changed.get(key, self._held.get(key)) for key in keys)), sign=-1)
        return found

    def _index(self, old: Sequence[BuildRecord], new: Sequence[BuildRecord]) -> None:
        """Know every group's members, those of before the change too."""
        fresh: Iterable[BuildRecord] = new
        if not self._members:
            self._members = [defaultdict(set) for _ in GROUPINGS]
            fresh = [*self._held.values(), *old]
        for grouping, members in zip(GROUPINGS, self._members, strict=True):
            for record in fresh:
                members[grouping.group(record)].add(record.key)

    def extent(self, window: Window | None = None) -> tuple[datetime, datetime] | None:
        """Return the first and the last start of a build, of those on the window's days if one is given; None without any."""
        starts = [record.started_at for record in self if record.started_at is not None and (window is None or record.day in window)]
        return (min(starts), max(starts)) if starts else None

    def latest(self) -> datetime | None:
        """Return the latest moment that any build tells of; None where none tells."""
        moments = (moment for record in self for moment in (record.ended_at, record.started_at, record.queued_at))
        return max((moment for moment in moments if moment is not None), default=None)


def _present(records: Iterable[BuildRecord | None]) -> list[BuildRecord]:
    return [record for record in records if record is not None]
