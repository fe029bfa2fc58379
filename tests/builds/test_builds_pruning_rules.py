"""Which builds may go although later ones will follow them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from forgekit.builds import BuildRecord
from forgekit.builds.rules.pruning import prunable
from forgekit.builds.rules.timelines import Walk, line, point

START = datetime(2026, 1, 5, tzinfo=UTC)
HORIZON = START + timedelta(days=10)


def build(number, status="passed", *, days=0, **more):
    """Return a build that ended so many days after the start."""
    ended = START + timedelta(days=days)
    given = {"started_at": ended - timedelta(minutes=5), "finished_at": ended, "project": "p"}
    return BuildRecord(build_id=str(number), status=status, **{**given, **more})


def kept(*builds, horizon=HORIZON):
    """Return the ids of the builds that stay."""
    gone = set(prunable(builds, horizon))
    return [build.build_id for build in builds if build.key not in gone]


def test_of_a_timeline_stay_those_that_later_builds_are_measured_by():
    """The last build, the last counted one and the one with which its colour began stay."""
    statuses = ["passed", "failed", "errored", "failed", "failed", "canceled", "skipped"]
    assert kept(*(build(number, status, days=number) for number, status in enumerate(statuses))) == ["1", "4", "6"]


@pytest.mark.parametrize(
    ("statuses", "stay"),
    [
        (["passed"], ["0"]),
        (["passed", "passed", "passed"], ["0", "2"]),
        (["failed", "passed", "passed"], ["1", "2"]),
        (["passed", "failed"], ["1"]),
        (["canceled", "canceled"], ["1"]),
    ],
)
def test_short_timelines(statuses, stay):
    """A colour that began with the timeline began with its first build; a timeline without counted builds keeps its last."""
    assert kept(*(build(number, status, days=number) for number, status in enumerate(statuses))) == stay


def test_the_order_of_reading_does_not_matter():
    """Builds come in the order of their keys, which is not that of their ends."""
    builds = [build(number, status, days=9 - number) for number, status in enumerate(["passed", "failed", "passed", "failed", "passed"])]
    assert kept(*builds) == ["0"]


def test_branches_keep_their_own():
    """Each branch and workflow has a timeline of its own."""
    assert kept(build(1, branch="a"), build(2, branch="b"), build(3, branch="a", days=1), build(4, workflow="w")) == ["1", "2", "3", "4"]
    assert kept(build(1, branch="a"), build(2, branch="a", days=1), build(3, branch="a", days=2)) == ["1", "3"]


def test_what_ended_within_the_time_stays():
    """A build that ended with the horizon or later stays, and what ended before it does not hold it for the last."""
    assert kept(build(1), build(2, days=1), build(3, days=2), build(4, days=10), build(5, days=11)) == ["1", "3", "4", "5"]


@pytest.mark.parametrize("other", [{"status": "running", "finished_at": None}, {"environment": "production"}])
def test_some_builds_stay_for_ever(other):
    """Builds that have not ended, and deployments, stay; and are no part of what the others follow on."""
    odd = attrs.evolve(build(9, days=3), **other)
    assert kept(build(1), build(2, days=1), build(3, days=2), odd) == ["1", "3", "9"]


def test_builds_on_no_timeline_go():
    """A build that tells only its start is followed by none; one that tells no time at all is not known to be old."""
    lost = build(1, finished_at=None)
    assert kept(lost, build(2, finished_at=None, started_at=None)) == ["2"]
    assert kept(lost, horizon=START - timedelta(minutes=5)) == ["1"]


@pytest.mark.parametrize("seed", range(10))
def test_what_stays_tells_where_timelines_stand(history, seed):
    """After pruning, the builds before the horizon still end in the same colour, since the same time."""
    builds = random.Random(seed).sample(whole := history(seed, 80), len(whole))
    horizon = START + timedelta(days=20)
    gone = set(prunable(builds, horizon))
    old = [each for each in builds if (place := point(each)) is not None and place.ended_at < horizon and each.environment is None]
    assert gone
    for key in {line(each) for each in old}:
        before, after = (sorted(point(each) for each in old if line(each) == key and each.key not in without) for without in (set(), gone))
        assert attrs.evolve(Walk().along(key, after), length=len(before)) == Walk().along(key, before)
