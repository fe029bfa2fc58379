"""Measure ways of doing a thing beside each other: one after another in every round, in an order that rotates.

So the machine's mood hits all alike: read the ratios, not the times.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import attrs


@attrs.frozen
class Taken:
    """What one run took.

    Attributes:
        wall: Seconds on the clock.
        cpu: Seconds of this process's processor time.

    """

    wall: float
    cpu: float


Way = Callable[[], Taken]
"""Does the thing once and tells what that took."""


def timed(act: Callable[[], object]) -> Taken:
    """Do something and return what it took."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Taken(time.perf_counter() - wall, time.process_time() - cpu)


def interleaved(ways: Mapping[str, Way], rounds: int) -> dict[str, list[Taken]]:
    """Run every way once a round, after one round that does not count."""
    taken: dict[str, list[Taken]] = {name: [] for name in ways}
    order = list(ways)
    for number in range(rounds + 1):
        turn = number % len(order)
        for name in order[turn:] + order[:turn]:
            found = ways[name]()
            if number:
                taken[name].append(found)
    return taken


def ratio(own: Sequence[Taken], base: Sequence[Taken]) -> str:
    """Return the median of the rounds' ratios, and from where to where they went."""
    wall = _spread([ours.wall / theirs.wall for ours, theirs in zip(own, base, strict=True)])
    cpu = _spread([ours.cpu / theirs.cpu for ours, theirs in zip(own, base, strict=True)])
    return f"{wall} on the clock, {cpu} of the processor"


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def times(found: Sequence[Taken]) -> str:
    """Return the medians in milliseconds."""
    wall, cpu = statistics.median(each.wall for each in found), statistics.median(each.cpu for each in found)
    return f"{wall * 1_000:7.1f} ms on the clock, {cpu * 1_000:7.1f} ms of the processor"
