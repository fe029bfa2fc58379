"""Roll-ups as numbers: they add up, they subtract, and they are cut to days."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import Tally, Window
from forgekit.builds.rules.tally import Measure

DAY = date(2026, 1, 5).toordinal()
MEASURES = st.sampled_from([Measure.BUILDS, Measure.SPELLS])
ENTRIES = st.tuples(st.sampled_from("pq"), st.integers(DAY, DAY + 2), st.sampled_from(["passed", None, 7]))
TALLIES = st.dictionaries(MEASURES, st.dictionaries(ENTRIES, st.integers(-2, 2).filter(bool), min_size=1, max_size=4)).map(Tally)


def of(*numbers):
    """Return a tally of so many passed builds on one day after another."""
    return Tally({Measure.BUILDS: {("p", DAY + day, "passed"): number for day, number in enumerate(numbers) if number}})


@given(TALLIES, TALLIES)
def test_what_is_added_can_be_taken_away(one, other):
    """Tallies add up in either order, subtract again, leave no zeros behind, and stay as they were themselves."""
    before = repr((one, other))
    both = one + other
    assert both == other + one
    assert both - other == one
    assert one - one == Tally()
    assert Tally() - one + one == Tally()
    assert Tally() + one == one
    assert all(number for numbers in both.counts.values() for number in numbers.values())
    assert repr((one, other)) == before


def test_a_tally_takes_up_another_in_place():
    """What is taken up is no part of the other: that stays as it is when more is added."""
    whole, part = Tally(), of(1)
    assert whole.update(part) is whole
    whole.update(part)
    whole.update(of(5), sign=-1)
    assert (whole, part) == (of(-3), of(1))


def test_zeros_are_not_kept():
    """Numbers of 0 are left out, and a measure of nothing but these; a measure that is not there has no numbers."""
    numbers = {("p", DAY, "passed"): 1}
    told = Tally.kept({Measure.BUILDS: numbers, Measure.RUNS: {("p", DAY, "all"): 0}, Measure.JOBS: {**numbers, ("p", DAY, "x"): 0}})
    assert told.counts == {Measure.BUILDS: numbers, Measure.JOBS: numbers}
    assert told[Measure.BUILDS] is numbers
    assert told[Measure.RUNS] == {}


def test_a_window_has_both_its_ends():
    """The first and the last day of a window are in it; measures that have nothing there are not."""
    tally = of(1, 2, 0, 3, 4).update(Tally({Measure.JOBS: {("p", DAY + 1, "lint"): 5}, Measure.RUNS: {("p", DAY + 4, "all"): 6}}))
    window = Window(date.fromordinal(DAY + 1), date.fromordinal(DAY + 3))
    assert tally.within(window) == of(0, 2, 0, 3).update(Tally({Measure.JOBS: {("p", DAY + 1, "lint"): 5}}))
    assert tally.within(window, [Measure.BUILDS, Measure.RUNS]) == of(0, 2, 0, 3)


def test_days_are_those_of_builds():
    """The first and the last day with a build are told, whatever else is on others; builds that tell no time have no day."""
    other = Tally({Measure.MINUTES: {("p", DAY + 9, "all"): 1}, Measure.BUILDS: {("p", 0, "queued"): 1}})
    assert (of(1, 1, 1) + other).days() == (date.fromordinal(DAY), date.fromordinal(DAY + 2))
    assert other.days() is None
