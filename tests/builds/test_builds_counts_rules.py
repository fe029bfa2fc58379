"""Numbers by label and measure: changes add up in them, and nothing is left of what comes to nothing."""

from __future__ import annotations

import pytest

from forgekit.builds.rules.counts import added, merged


@pytest.mark.parametrize(
    ("change", "then"),
    [
        ({"a": 3}, {"a": 5, "b": 1}),
        ({"a": -1, "c": 4}, {"a": 1, "b": 1, "c": 4}),
        ({"a": -3}, {"a": -1, "b": 1}),
        ({"a": -2}, {"b": 1}),
        ({"c": 0}, {"a": 2, "b": 1}),
        ({}, {"a": 2, "b": 1}),
    ],
)
def test_a_change_adds_up_by_label(change, then):
    """A number of each label goes up or down by what the change says, and a label whose number is 0 is not kept."""
    assert added({"a": 2, "b": 1}, change) == then


def test_a_measure_without_numbers_is_gone():
    """Measures are changed one by one: those that come are there, those that come to nothing are not, all others stay."""
    counts = {"builds": {"passed": 2}, "runs": {"all": 1}, "queue": {"7": 1}}
    change = {"builds": {"passed": 1}, "runs": {"all": -1}, "minutes": {"all": 5}, "commits": {}}
    assert merged(counts, change) == {"builds": {"passed": 3}, "queue": {"7": 1}, "minutes": {"all": 5}}
