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

GAP_DIGITS = 2
"""Significant digits of the time between two things: only its median is told, in words like "half an hour"."""


def bucket(milliseconds: int, digits: int = 4) -> int:
    """Round a duration of at least 0 ms to so many significant digits."""
    step: int = 10 ** max(0, len(str(milliseconds)) - digits)
    return (milliseconds + step // 2) // step * step


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
        whole = int(position)
        low = self._at(whole)
        high = self._at(min(whole + 1, len(self) - 1))
        return (low + (high - low) * (position - whole)) / 1000

    def _at(self, index: int) -> int:
        return self._values[bisect_right(self._ends, index)]

    def percentiles(self) -> Percentiles:
        """Return the usual percentiles."""
        p50, p75, p90, p95, p99, longest = (self.quantile(share) for share in (0.5, 0.75, 0.9, 0.95, 0.99, 1.0))
        return Percentiles(count=len(self), p50=p50, p75=p75, p90=p90, p95=p95, p99=p99, longest=longest)
