"""Roll-ups by project and week, and the means of what they hold."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from forgekit.builds import BuildRecord, Fold, Mean
from forgekit.builds.rules.grouping import Outcomes, mean_of, outcomes_by_week

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
MONDAY = START.toordinal()


def test_the_days_of_a_week_add_up():
    """A project's week has the builds of its days by status, and the durations of the counted and of the passed ones."""
    told = [(0, "passed", 60), (3, "passed", 60), (6, "failed", 60), (6, "canceled", 60), (6, "running", None), (7, "failed", 90)]
    records = [
        BuildRecord(build_id=str(number), project="p", status=status, started_at=START + timedelta(days=day), duration_seconds=seconds)
        for number, (day, status, seconds) in enumerate(told)
    ]
    undated = BuildRecord(build_id="undated", project="q", status="passed", duration_seconds=60)
    week = Counter({"passed": 2, "failed": 1, "canceled": 1, "running": 1})
    assert outcomes_by_week(Fold([*records, undated]).tally()) == {
        "p": {
            MONDAY: Outcomes(statuses=week, counted=Counter({60_000: 3}), passed=Counter({60_000: 2})),
            MONDAY + 7: Outcomes(statuses=Counter({"failed": 1}), counted=Counter({90_000: 1})),
        },
        "q": {0: Outcomes(statuses=Counter({"passed": 1}), counted=Counter({60_000: 1}), passed=Counter({60_000: 1}))},
    }


def test_means_of_what_is_not_kept():
    """What comes to 0 is not kept in a roll-up: its mean is 0, and the mean of nothing is none."""
    assert mean_of({("red", "n"): 2}, "red") == Mean(0, 2)
    assert mean_of({("red", "n"): 2}, "green").value is None
