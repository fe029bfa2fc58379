"""Weeks that do not fit their project's past: which there are, and which a change can touch."""

from __future__ import annotations

from collections import Counter
from datetime import date

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import Rate, Window
from forgekit.builds.rules.grouping import Outcomes
from forgekit.builds.rules.weeks import WeekFacts, anomalies, in_order, seen_from, touched_by, week_facts

FIRST = date(2026, 1, 5).toordinal()


def week(passed=10, counted=10, p50=300.0):
    """Return a week's facts."""
    return WeekFacts(finished=counted, success=Rate(passed, counted), passed=passed, p50=p50, p95=p50)


def weeks_of(values):
    """Return weeks in a row from the first on; None stands for a week without builds."""
    return {FIRST + 7 * place: each for place, each in enumerate(values) if each is not None}


# Mostly weeks like any other: among weeks that are all different hardly ever one stands out.
WEEKS = st.lists(st.sampled_from([*[week()] * 12, None, week(passed=3), week(p50=900.0)]), min_size=12, max_size=40).map(weeks_of)


@given(WEEKS, WEEKS, st.sets(st.integers(0, 30).map(lambda place: FIRST + 7 * place), min_size=1, max_size=8))
def test_a_change_touches_no_other_weeks(before, other, changed):
    """Outside the weeks that a change touches nothing is different, and inside, what is seen from there is enough to tell."""
    after = {start: (other if start in changed else before).get(start) for start in before.keys() | other.keys()}
    after = {start: each for start, each in after.items() if each is not None}
    touched = touched_by(changed)
    kept = [each for each in anomalies("p", before) if each.week.toordinal() not in touched]
    near = {start: each for start, each in after.items() if start in seen_from(touched)}
    told = [*kept, *anomalies("p", near, touched)]
    assert in_order(told, None) == in_order(anomalies("p", after), None)


def test_twelve_weeks_are_a_past():
    """A week is compared with the twelve before it and touches the twelve after it, no more."""
    assert touched_by([FIRST]) == set(range(FIRST, FIRST + 7 * 13, 7))
    assert seen_from([FIRST]) == set(range(FIRST - 7 * 12, FIRST + 1, 7))


@pytest.mark.parametrize(("weeks", "told"), [(5, 0), (6, 1)])
def test_six_weeks_are_the_shortest_past(weeks, told):
    """A week with fewer than six weeks of builds in its past is no anomaly."""
    assert len(list(anomalies("p", weeks_of([week()] * weeks + [week(p50=900.0)])))) == told


def test_the_past_ends_twelve_weeks_ago():
    """Weeks further back than twelve say nothing."""
    gap = [None] * 7
    assert list(anomalies("p", weeks_of([*[week()] * 6, *gap[:6], week(p50=900.0)])))
    assert not list(anomalies("p", weeks_of([*[week()] * 6, *gap, week(p50=900.0)])))


@pytest.mark.parametrize(("builds", "told"), [(4, 0), (5, 1)])
def test_weeks_of_few_builds_are_none(builds, told):
    """A week of fewer than five counted builds is no anomaly of its success rate, and one of as few passed ones none of its duration."""
    past = [week()] * 8
    assert len(list(anomalies("p", weeks_of([*past, week(passed=0, counted=builds)])))) == told
    assert len(list(anomalies("p", weeks_of([*past, week(passed=builds, counted=builds, p50=900.0)])))) == told


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (week(passed=96, counted=100), []),
        (week(passed=94, counted=100), ["success_rate"]),
        (week(p50=330.0), []),
        (week(p50=331.0), ["median_duration_seconds"]),
        (week(p50=270.0), []),
        (week(p50=269.0), ["median_duration_seconds"]),
        (week(p50=0.0), ["median_duration_seconds"]),
    ],
)
def test_a_steady_past_tolerates_a_little(last, told):
    """Where nothing ever varied, five points of the rate and a tenth of the duration are still usual."""
    assert [each.metric for each in anomalies("p", weeks_of([*[week()] * 8, last]))] == told


def test_short_builds_are_measured_like_long_ones():
    """A tenth is a tenth, of two seconds too."""
    assert len(list(anomalies("p", weeks_of([*[week(p50=2.0)] * 8, week(p50=2.3)])))) == 1


def test_what_a_week_comes_to():
    """A week tells its finished builds, the passed of the counted ones, and of those that passed the median and the slowest twentieth."""
    statuses = Counter({"passed": 4, "failed": 2, "canceled": 1, "running": 3})
    outcomes = Outcomes(statuses=statuses, counted=Counter({1000: 3, 9000: 3}), passed=Counter({1000: 3, 5000: 1}))
    told = week_facts(outcomes)
    assert (told.finished, told.success, told.passed, told.p50) == (7, Rate(4, 6), 4, 1.0)
    assert told.p95 == pytest.approx(1 + 4 * 0.85)


def test_a_past_that_varies_tolerates_as_much():
    """The tolerance is 3.5 robust deviations of the past."""
    past = [week(p50=300.0 + step) for step in (-40, -20, 0, 0, 20, 40, -40, 40)]
    tolerance = 3.5 * 1.4826 * 30
    edge = 300 + tolerance
    assert not list(anomalies("p", weeks_of([*past, week(p50=edge)])))
    (found,) = anomalies("p", weeks_of([*past, week(p50=edge + 1)]))
    assert (found.expected, found.value) == (300.0, edge + 1)
    assert found.tolerance == pytest.approx(tolerance)


def test_told_are_weeks_with_a_day_in_the_window():
    """The window's first and last week are told though they begin before it or end after it; newest first."""
    past = [week()] * 8
    one, two = (next(anomalies("p", weeks_of([*past, *gap, week(p50=900.0)]))) for gap in ([], [week()]))
    first, second = one.week, two.week
    assert in_order([one, two], None) == (two, one)
    assert in_order([one, two], Window(date.fromordinal(first.toordinal() + 6), second)) == (two, one)
    assert in_order([one, two], Window(date.fromordinal(first.toordinal() + 7), second)) == (two,)
    assert in_order([one, two], Window(first, date.fromordinal(second.toordinal() - 1))) == (one,)
    assert in_order([attrs.evolve(one, project="q"), one], None)[0].project == "p"
