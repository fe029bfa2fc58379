"""What attempts of one run, and builds of one commit, come to: on which day they count, and which say anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from forgekit.builds import BuildRecord
from forgekit.builds.rules.runs import measure_commits, measure_runs, verdict
from forgekit.builds.rules.tally import Measure

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = START.toordinal()


def attempt(number, status="passed", *, days=0, **more):
    """Return an attempt that starts so many days after the start and takes a minute and a half."""
    own = {"build_id": "1", "project": "p", "commit": "a", "started_at": START + timedelta(days=days), "duration_seconds": 90}
    return BuildRecord(attempt=number, status=status, **{**own, **more})


def test_a_run_counts_on_the_day_of_its_first_attempt():
    """Its attempts may come in any order; those that have not ended are none yet."""
    attempts = [attempt(3, days=2), attempt(1, "running", days=0), attempt(2, "failed", days=1)]
    assert measure_runs(attempts)[Measure.RUNS] == {
        ("p", DAY + 1, "all"): 1,
        ("p", DAY + 1, "rerun"): 1,
        ("p", DAY + 2, "after_failure"): 1,
        ("p", DAY + 2, "rescued"): 1,
    }


def test_a_commit_counts_on_the_day_of_its_first_verdict():
    """Builds of a commit may come in any order; what is no verdict does not date it."""
    builds = [attempt(1, days=2), attempt(1, "failed", build_id="2", days=1), attempt(1, "errored", build_id="3")]
    assert measure_commits(builds)[Measure.COMMITS] == {("p", DAY + 1, "flaky"): 1}


@pytest.mark.parametrize(("seconds", "told"), [(0, {("p", DAY, "flaky"): 1}), (1, {("p", DAY, "steady"): 1, ("p", DAY + 14, "steady"): 1})])
def test_builds_of_a_commit_are_compared_for_fourteen_days(seconds, told):
    """Builds exactly fourteen days apart are compared; a second later, the commit begins anew."""
    later = attempt(1, "failed", build_id="2", started_at=START + timedelta(days=14, seconds=seconds))
    assert measure_commits([attempt(1), later])[Measure.COMMITS] == told


@pytest.mark.parametrize("silent", [{"status": "errored"}, {"status": "running"}, {"commit": None}, {"commit": ""}, {"started_at": None}])
def test_what_says_nothing_of_a_commit(silent):
    """Only a build of a known commit and start that passed or failed says anything."""
    assert verdict(attempt(1)) is not None
    assert verdict(attempt(1, **silent)) is None
    assert not measure_commits([attempt(1, **silent)]).counts
