"""Weeks, the trend and the hours of the week, as they are told."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from forgekit.builds import Rate, Week, Window
from forgekit.builds.results import Change
from forgekit.builds.rules.facts import Period
from forgekit.builds.rules.grouping import Outcomes
from forgekit.builds.rules.series import heat_map, trend, weekly
from forgekit.builds.rules.weeks import WeekFacts

MONDAY = date(2026, 1, 5)
WINDOW = Window(MONDAY, date(2026, 1, 11))


def test_weeks_without_builds_are_told_too():
    """Every week from the first with a build to the last is told, in order; of one without a build there is nothing to tell."""
    first = WeekFacts(finished=7, success=Rate(3, 5), passed=3, p50=60.0, p95=90.0)
    last = WeekFacts(finished=1, success=Rate(0, 1), passed=0, p50=None, p95=None)
    assert weekly({MONDAY.toordinal() + 14: last, MONDAY.toordinal(): first}) == (
        Week(start=MONDAY, builds=7, success=Rate(3, 5), median_duration_seconds=60.0, p95_duration_seconds=90.0),
        Week(start=date(2026, 1, 12), builds=0, success=Rate(0, 0), median_duration_seconds=None, p95_duration_seconds=None),
        Week(start=date(2026, 1, 19), builds=1, success=Rate(0, 1), median_duration_seconds=None, p95_duration_seconds=None),
    )
    assert weekly({}) == ()


def test_the_trend_tells_now_before_and_the_change():
    """Finished builds, successes, durations of passed builds and recoveries are told beside those before."""
    now, before = (
        Period(
            outcomes=Outcomes(
                statuses=Counter(passed=passed, failed=2, canceled=1, running=9),
                counted=Counter({9_000: passed + 2}),
                passed=Counter({length: passed}),
            ),
            spells={("red", "n"): 1, ("red", "ms"): length * 7},
        )
        for passed, length in ((6, 1_000), (2, 4_000))
    )
    found = trend(WINDOW, (now, before))
    assert found.window == WINDOW
    assert found.builds == Change(current=9.0, prior=5.0, change=0.8)
    assert found.success_rate == Change(current=0.75, prior=0.5, change=0.5)
    assert found.median_duration_seconds == Change(current=1.0, prior=4.0, change=-0.75)
    assert found.mttr_seconds == Change(current=7.0, prior=28.0, change=-0.75)


@pytest.mark.parametrize("turned", [False, True])
def test_nothing_is_no_trend(turned):
    """Where one of the two stretches has no build, nothing is told of it, and no change."""
    stretches = (Period(outcomes=Outcomes(statuses=Counter(passed=1)), spells={}), Period(outcomes=Outcomes(), spells={}))
    found = trend(WINDOW, stretches[::-1] if turned else stretches)
    known, nothing = ("prior", "current") if turned else ("current", "prior")
    for each in (found.builds, found.success_rate):
        assert (getattr(each, known), getattr(each, nothing), each.change) == (1.0, None, None)
    assert found.median_duration_seconds == found.mttr_seconds == Change(current=None, prior=None, change=None)


def test_a_rise_from_nothing_has_no_share():
    """A success rate that was 0 has no relative change."""
    now, before = (Period(outcomes=Outcomes(statuses=Counter({status: 1})), spells={}) for status in ("passed", "failed"))
    assert trend(WINDOW, (now, before)).success_rate == Change(current=1.0, prior=0.0, change=None)


def test_the_hours_of_a_week():
    """Seven days of 24 hours have their broken of their counted builds."""
    told = heat_map({(0, 0, 1): 2, (0, 0, 0): 3, (6, 23, 1): 4})
    assert [len(row) for row in told] == [24] * 7
    assert (told[0][0], told[6][23]) == (Rate(2, 5), Rate(4, 4))
    assert sum(cell.denominator for row in told for cell in row) == 9
