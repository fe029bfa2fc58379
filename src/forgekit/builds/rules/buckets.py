"""Percentiles that can be merged and taken apart again: counts of durations kept to four significant digits.

A duration is rounded to four significant digits of its milliseconds. So whole seconds below 10,000 are exact, and any other duration is
off by at most one part in 2,000 (``ERROR``): half a unit of the fourth digit, in the worst case beside a leading 1. Rounding keeps the
order of durations, so the k-th smallest of the rounded ones is the rounded k-th smallest; a percentile, which lies between two of these,
has the same bound. Counts of equal values add up over days and projects, and subtract when a build changes.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence

import attrs

ERROR = 0.0005
"""The greatest relative error of a duration or a percentile."""

DIGITS = 4
"""Significant digits of a duration."""

GAP_DIGITS = 2
"""Significant digits of the time between two things: only its median is told, in words like "half an hour"."""


def bucket(milliseconds: int, digits: int = DIGITS) -> int:
    """Round a duration of at least 0 ms to so many significant digits."""
    step: int = 10 ** max(0, len(str(milliseconds)) - digits)
    return (milliseconds + step // 2) // step * step


_TENFOLD = 9_000
"""Buckets from a power of ten to the next."""

_PART = 250
"""Buckets that lie together."""


def part_of(length: int) -> int:
    """Return which part of all durations a bucket (ms) lies in: a longer one lies in no earlier part."""
    magnitude = max(0, len(str(length)) - DIGITS)
    return (length // int(10**magnitude) + magnitude * _TENFOLD) // _PART


def shortest_of(part: int) -> int:
    """Return the shortest bucket (ms) of a part."""
    place = part * _PART
    magnitude = max(0, place - 1_000) // _TENFOLD
    return (place - magnitude * _TENFOLD) * int(10**magnitude)


SHARES = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
"""The shares of the usual percentiles."""


@attrs.frozen(kw_only=True)
class Percentiles:
    """How a number of durations are spread, in seconds; None of none.

    Attributes:
        count: How many there are.
        p50: Half of them are at most this long; linear between two neighbours (type 7, as numpy and ``percentile_cont`` do it).
        p75: Likewise 75 of 100.
        p90: Likewise 90 of 100.
        p95: Likewise 95 of 100.
        p99: Likewise 99 of 100.
        longest: The longest.

    """

    count: int = 0
    p50: float | None = None
    p75: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    longest: float | None = None


class Distribution:
    """Durations sorted by length, from which quantiles are read."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        """Take how many durations are in each bucket (milliseconds)."""
        self._values: Sequence[int] = sorted(counts)
        self._ends: Sequence[int] = list(itertools.accumulate(map(counts.__getitem__, self._values)))

    def __len__(self) -> int:
        """Return how many durations there are."""
        return self._ends[-1] if self._ends else 0

    def quantile(self, share: float) -> float | None:
        """Return the type-7 quantile in seconds, for a share of 0 to 1; None of no durations."""
        if not self._ends:
            return None
        position = (len(self) - 1) * share
        low, high = self.around(share)
        return (low + (high - low) * (position - int(position))) / 1000

    def around(self, share: float) -> tuple[int, int]:
        """Return the two neighbours between which a quantile lies; there must be a duration."""
        last = len(self) - 1
        whole = int(last * share)
        return self._at(whole), self._at(min(whole + 1, last))

    def _at(self, index: int) -> int:
        return self._values[bisect_right(self._ends, index)]

    def percentiles(self) -> Percentiles:
        """Return the usual percentiles."""
        p50, p75, p90, p95, p99, longest = map(self.quantile, SHARES)
        return Percentiles(count=len(self), p50=p50, p75=p75, p90=p90, p95=p95, p99=p99, longest=longest)
