"""A change of level is found where it is, and nowhere else."""

from __future__ import annotations

import itertools
import random
import statistics
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgekit.builds import BuildRecord, ChangePoint, Fold, change_points, daily_medians
from forgekit.builds.rules.changes import _Distances
from forgekit.errors import InvalidInput

FIRST = date(2026, 1, 1)
VALUES = st.lists(st.integers(0, 40), min_size=4, max_size=30)
# A few levels one after another: a series that is drawn value by value hardly ever changes.
STEPS = st.lists(
    st.integers(0, 900).flatmap(lambda height: st.lists(st.integers(height, height + 20), min_size=5, max_size=9)), min_size=2, max_size=3
).map(lambda levels: [value for level in levels for value in level])


def days(values, first=FIRST):
    """Return a value a day."""
    return [(first + timedelta(days=number), value) for number, value in enumerate(values)]


def places(found):
    """Return how many days after the first the changes are."""
    return [(each.day - FIRST).days for each in found]


def energy(left, right):
    """Return the statistic as its authors write it."""

    def between(some, others):
        return sum(abs(one - other) for one in some for other in others)

    n, m = len(left), len(right)
    apart = 2 * between(left, right) / (n * m) - between(left, left) / (n * (n - 1)) - between(right, right) / (m * (m - 1))
    return n * m / (n + m) * apart


@given(VALUES, st.integers(2, 6), st.randoms(use_true_random=False))
def test_the_statistic_is_that_of_all_pairs(values, shortest, chance):
    """The split that is found, in any order of the values, has the greatest statistic of those with enough days on both sides."""
    order = list(range(len(values)))
    chance.shuffle(order)
    mixed = [values[index] for index in order]
    expected = [energy(mixed[:place], mixed[place:]) for place in range(shortest, len(values) - shortest + 1)]
    greatest, place = _Distances(values).split(order, shortest)
    assert greatest == pytest.approx(max([0.0, *expected]), abs=1e-9)
    if place:
        assert energy(mixed[:place], mixed[place:]) == pytest.approx(greatest, abs=1e-9)


@given(st.integers(10, 30), st.integers(10, 30), st.integers(100, 1000), st.integers(0, 2**32))
@settings(max_examples=30)
def test_a_step_is_found_to_the_day(before, after, height, seed):
    """Where a level changes by far more than the days vary, the first day of the new level is told, with both levels."""
    chance = random.Random(seed)
    values = [500 + chance.randrange(10) for _ in range(before)] + [500 + height + chance.randrange(10) for _ in range(after)]
    (found,) = [each for each in change_points(days(values)) if each.day == FIRST + timedelta(days=before)]
    assert found.after - found.before == pytest.approx(height, abs=10)
    assert found.change == (found.after - found.before) / found.before
    assert found.p <= 0.01


def test_several_steps_are_told_in_order():
    """Each change has the levels on its own two sides, as medians over their days."""
    values = [100] * 12 + [200] * 15 + [50] * 9
    assert change_points(days(values)) == (
        ChangePoint(day=FIRST + timedelta(days=12), before=100, after=200, days_before=12, days_after=15, p=0.005),
        ChangePoint(day=FIRST + timedelta(days=27), before=200, after=50, days_before=15, days_after=9, p=0.005),
    )
    assert places(change_points(days(values[::-1]))) == [9, 24]


@given(STEPS)
@settings(max_examples=10)
def test_levels_are_medians_of_whole_days(values):
    """Changes cut the days into levels of at least five, whose medians are told; none is below the significance's lowest."""
    found = change_points(days(values))
    edges = [0, *places(found), len(values)]
    levels = [values[start:end] for start, end in itertools.pairwise(edges)]
    assert not found or min(map(len, levels)) >= 5
    assert [(each.before, each.after) for each in found] == [
        (statistics.median(one), statistics.median(other)) for one, other in itertools.pairwise(levels)
    ]
    assert all(0.005 <= each.p <= 0.01 for each in found)


@given(STEPS, st.randoms(use_true_random=False), st.integers(1, 1000), st.sampled_from([1, 64, 1 / 64]))
@settings(max_examples=6)
def test_order_unit_and_date_make_no_difference(values, chance, shift, scale):
    """The same days in another order, moved or in another unit change at the same places."""
    expected = places(change_points(days(values)))
    mixed = days(values)
    chance.shuffle(mixed)
    assert places(change_points(mixed)) == expected
    assert places(change_points(days([value * scale + shift for value in values]))) == expected
    assert [(each.day - FIRST).days - shift for each in change_points(days(values, FIRST + timedelta(days=shift)))] == expected


@pytest.mark.parametrize("values", [[], [1], [240.0] * 50, [1, 2] * 30])
def test_what_stays_does_not_change(values):
    """Nothing, a constant and what swings by the day have no change."""
    assert change_points(days(values)) == ()


def test_noise_is_rarely_a_change():
    """Of series that only vary, hardly more have a change than the significance says."""
    noise = [[random.Random(seed).lognormvariate(5, 1) for _ in range(50)] for seed in range(1, 101)]
    assert sum(bool(change_points(days(values))) for values in noise) <= 4


def test_short_levels_are_none():
    """A step in fewer days than a level must have is none, and is one where shorter levels are allowed."""
    values = [100] * 12 + [900] * 4
    assert places(change_points(days(values), shortest=4)) == [12]
    assert 12 not in places(change_points(days(values)))
    assert change_points(days([100] * 4 + [900] * 4), significance=0.005) == ()


def test_two_shortest_levels_may_be_all():
    """A series just long enough for two levels can change, but no shorter one."""
    assert places(change_points(days([0] * 5 + [1] * 5), significance=0.05)) == [5]
    assert change_points(days([0] * 4 + [1] * 5), significance=0.05) == ()


def test_of_two_splits_as_great_the_first_is_found():
    """A level between two equal ones begins where it begins, not where it ends."""
    assert _Distances([0, 0, 1, 1, 0, 0]).split(range(6), 2)[1] == 2


def test_a_level_of_nothing_has_no_share():
    """Rising from zero is a change of no known share."""
    (found,) = change_points(days([0] * 10 + [5] * 10))
    assert (found.before, found.after, found.change) == (0, 5, None)


@pytest.mark.parametrize(
    ("series", "options"),
    [
        ([(FIRST, 1), (FIRST, 2)], {}),
        ([(FIRST, float("nan"))], {}),
        ([(FIRST, float("inf"))], {}),
        ([], {"shortest": 1}),
        ([], {"significance": 0.00499}),
        ([], {"significance": 1.0}),
    ],
)
def test_what_is_no_series_is_refused(series, options):
    """A day that comes twice, a number that is none and an argument out of its range are refused."""
    with pytest.raises(InvalidInput):
        change_points(series, **options)


def test_the_bounds_of_the_arguments_are_allowed():
    """The lowest significance and the shortest level are allowed."""
    assert places(change_points(days([1] * 10 + [9] * 10), significance=1 / 200, shortest=2)) == [10]


def test_daily_medians_are_of_passed_builds():
    """A day's number is the median of its passed builds, of one project or of all; a day without any has none."""
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    told = [(0, "a", "passed", 10), (0, "a", "passed", 20), (0, "b", "passed", 20), (1, "a", "failed", 9), (2, "b", "passed", 0)]
    records = [
        BuildRecord(build_id=str(number), project=project, status=status, started_at=start + timedelta(days=day), duration_seconds=took)
        for number, (day, project, status, took) in enumerate(told)
    ]
    records.append(BuildRecord(build_id="undated", project="a", status="passed", duration_seconds=7))
    tally = Fold(records).tally()
    assert daily_medians(tally) == ((FIRST, 20.0), (FIRST + timedelta(days=2), 0.0))
    assert daily_medians(tally, project="a") == ((FIRST, 15.0),)
    assert daily_medians(tally, project="none") == ()
