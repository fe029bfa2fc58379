"""Where a series of daily numbers takes another level for good: E-Divisive, after Matteson and James (2014).

The days are split where the two sides differ most, by the energy statistic of the distances between single values; then each side is
split likewise. No shape of the values is assumed. Whether a split means anything is judged by shuffling: a split counts where hardly any
shuffled order of the same days holds one as great. The shuffles are always the same, so one series has one answer.
"""

from __future__ import annotations

import random
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import attrs

from forgekit.builds.models import UNDATED, Status
from forgekit.builds.rules.buckets import Distribution
from forgekit.builds.rules.tally import Measure, Tally
from forgekit.errors import InvalidInput

SHORTEST = 5
"""A level of fewer days is none."""

SIGNIFICANCE = 0.01
"""The greatest share of shuffled orders that may hold as great a split."""

SHUFFLES = 199
"""How many orders are tried; most splits that mean nothing fall after the first few."""

# Sums of floating-point numbers depend on their order in the last digits; orders that split alike must count as such.
_ALIKE = 1 - 1e-9

Series = Sequence[tuple[date, float]]
"""Days, each once, and their numbers."""


@attrs.frozen(kw_only=True)
class ChangePoint:
    """A day from which on things are different.

    Attributes:
        day: The first day of the new level.
        before: The median of the days of the level before.
        after: The median of the days of the new level, up to the next change.
        days_before: How many days with a number the level before has.
        days_after: How many the new one has.
        p: The share of shuffled orders with as great a split, this one included.

    """

    day: date
    before: float
    after: float
    days_before: int
    days_after: int
    p: float

    @property
    def change(self) -> float | None:
        """(after - before) / before; None where that divides by nothing."""
        return (self.after - self.before) / self.before if self.before else None


def daily_medians(tally: Tally, *, project: str | None = None) -> tuple[tuple[date, float], ...]:
    """Return the median duration of passed builds in seconds for each UTC day that has any, of one project or of all."""
    days: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for (name, day, status, bucket), number in tally[Measure.DURATIONS].items():
        if status == Status.PASSED and day != UNDATED and project in {None, name}:
            days[day][bucket] += number
    return tuple((date.fromordinal(day), Distribution(counts).quantile(0.5) or 0.0) for day, counts in sorted(days.items()))


def change_points(
    series: Iterable[tuple[date, float]], *, significance: float = SIGNIFICANCE, shortest: int = SHORTEST
) -> tuple[ChangePoint, ...]:
    """Return the days on which a series takes another level, in order.

    Days without a number are left out, not guessed. The time grows with the square of the days at most, and not with builds: two years
    of days take about a second.

    Args:
        series: Days and numbers in any order, as ``daily_medians`` returns them.
        significance: The greatest share of shuffled orders that may hold as great a split; at least 1 in 200.
        shortest: The fewest days of a level, at least 2.

    Raises:
        InvalidInput: A day comes twice, a number is none, or an argument is out of its range.

    """
    ordered = _checked(series, significance, shortest)
    values = [value for _, value in ordered]
    found = sorted(_splits(values, 0, significance, shortest))
    edges = [0, *(place for place, _ in found), len(values)]
    return tuple(
        ChangePoint(
            day=ordered[place][0],
            before=statistics.median(values[start:place]),
            after=statistics.median(values[place:end]),
            days_before=place - start,
            days_after=end - place,
            p=p,
        )
        for (place, p), start, end in zip(found, edges, edges[2:], strict=False)
    )


def _checked(series: Iterable[tuple[date, float]], significance: float, shortest: int) -> Series:
    if not 1 / (SHUFFLES + 1) <= significance < 1:
        raise InvalidInput(f"The significance must be between 1/{SHUFFLES + 1} and 1, not {significance}.")
    if shortest < 2:  # noqa: PLR2004 - a single day has no distances within
        raise InvalidInput(f"A level must have at least two days, not {shortest}.")
    ordered = sorted(series)
    if len({day for day, _ in ordered}) < len(ordered):
        raise InvalidInput("A day comes twice in the series.")
    if not all(abs(value) < float("inf") for _, value in ordered):
        raise InvalidInput("A number of the series is infinite, or is none.")
    return ordered


def _splits(values: Sequence[float], offset: int, significance: float, shortest: int) -> Iterator[tuple[int, float]]:
    """Yield the places of the splits that count, each with its p."""
    distances = _Distances(values)
    order = list(range(len(values)))
    greatest, place = distances.split(order, shortest)
    p = _share(distances, order, greatest, significance, shortest)
    if p <= significance:
        yield offset + place, p
        yield from _splits(values[:place], offset, significance, shortest)
        yield from _splits(values[place:], offset + place, significance, shortest)


def _share(distances: _Distances, order: list[int], greatest: float, significance: float, shortest: int) -> float:
    """Return the share of orders that hold as great a split, counted no further than until it exceeds the significance."""
    chance = random.Random(len(order))  # noqa: S311 - the same shuffles for ever are what is wanted
    as_great = 1
    for _ in range(SHUFFLES):
        chance.shuffle(order)
        as_great += distances.split(order, shortest)[0] >= greatest * _ALIKE
        if as_great / (SHUFFLES + 1) > significance:
            break
    return as_great / (SHUFFLES + 1)


class _Distances:
    """Values and the sums of the distances between them, for splitting them in any order in O(T log T)."""

    def __init__(self, values: Sequence[float]) -> None:
        self._values = values
        places = {value: place for place, value in enumerate(sorted(set(values)), start=1)}
        self._ranks = [places[value] for value in values]
        self._size = len(places) + 1
        # From each value to all others, whatever their order.
        self._sums = [sum(abs(value - other) for other in values) for value in values]
        self._total = sum(self._sums) / 2

    def split(self, order: Sequence[int], shortest: int) -> tuple[float, int]:
        """Return the greatest statistic of a split of the values in this order, and how many values are before that split."""
        best, place = 0.0, 0
        within, beyond = 0.0, self._total
        for number, (own, others) in enumerate(self._moved(order), start=1):
            within += own
            beyond -= others
            if shortest <= number <= len(order) - shortest:
                found = _energy(number, len(order) - number, within, beyond, self._total - within - beyond)
                if found > best:
                    best, place = found, number
        return best, place

    def _moved(self, order: Sequence[int]) -> Iterator[tuple[float, float]]:
        """Yield, as one value after another goes to the left side, its distances to those that are there and to those that stay."""
        counts, sums = [0] * self._size, [0.0] * self._size  # a Fenwick tree: how many values up to a rank, and their sum
        whole = 0.0
        for number, index in enumerate(order):
            value, rank = self._values[index], self._ranks[index]
            below, sum_below, node = 0, 0.0, rank
            while node:
                below += counts[node]
                sum_below += sums[node]
                node &= node - 1
            own = value * below - sum_below + (whole - sum_below) - value * (number - below)
            node = rank
            while node < self._size:
                counts[node] += 1
                sums[node] += value
                node += node & -node
            whole += value
            yield own, self._sums[index] - own


def _energy(left: int, right: int, within: float, beyond: float, across: float) -> float:
    """Return the scaled energy statistic of two sides from the sums of the distances within each and between them."""
    apart = 2 * across / (left * right) - 2 * within / (left * (left - 1)) - 2 * beyond / (right * (right - 1))
    return left * right / (left + right) * apart
