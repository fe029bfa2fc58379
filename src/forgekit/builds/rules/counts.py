"""Numbers by measure and label, as storage keeps them."""

from __future__ import annotations

from collections.abc import Mapping

Numbers = dict[str, int]
"""Numbers by label, JSON-able. None of them is 0."""

Counts = dict[str, Numbers]
"""Numbers by measure and label, JSON-able."""


def added(own: Numbers, change: Mapping[str, int]) -> Numbers:
    """Return numbers with a change applied; what comes to nothing is gone. ``own`` is used up."""
    for label, number in change.items():
        total = own.get(label, 0) + number
        if total:
            own[label] = total
        else:
            own.pop(label, None)
    return own


def merged(counts: Counts, change: Mapping[str, Mapping[str, int]]) -> Counts:
    """Return counts with a change applied; what comes to nothing is gone. ``counts`` is used up."""
    for name, numbers in change.items():
        own = added(counts.pop(name, {}), numbers)
        if own:
            counts[name] = own
    return counts
