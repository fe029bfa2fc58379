"""A build's place on its timeline, and what one after the other comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from forgekit.builds import BuildRecord
from forgekit.builds.rules.tally import Measure
from forgekit.builds.rules.timelines import Line, Walk, measure_timelines, point

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEY = Line("p", "main", "ci")


def build(number=1, status="passed", *, at=0.0, **more):
    """Return a build that ended so many seconds after the start of all."""
    ended = START + timedelta(seconds=at)
    given = {"started_at": START - timedelta(days=1), "finished_at": ended, "project": "p", "branch": "main", "workflow": "ci"}
    return BuildRecord(build_id=str(number), status=status, **{**given, **more})


def test_a_point_has_all_that_orders_it():
    """Builds are ordered by their end, start, system, id and attempt, and are counted on the day of their start."""
    found = point(build(7, "failed", provider="github", attempt=2))
    assert found == (START, START - timedelta(days=1), "github", "7", 2, "failed", (START - timedelta(days=1)).toordinal())


@pytest.mark.parametrize(
    "lacks",
    [
        {"status": "running"},
        {"status": "queued"},
        {"finished_at": None},
        {"started_at": None},
        {"started_at": None, "status": "running"},
    ],
)
def test_what_has_no_place(lacks):
    """A build that has not ended, or does not tell when it began or ended, is on no timeline."""
    assert point(attrs.evolve(build(), **lacks)) is None


def test_the_time_between_two_builds_has_two_digits():
    """What follows what is counted by the time between the ends, in two significant digits of milliseconds."""
    tally = measure_timelines([build(1), build(2, "failed", at=12.345), build(3, at=12.345 + 987.6)])
    gaps = {entry[2:]: number for entry, number in tally[Measure.EDGES].items()}
    assert gaps == {("passed", "failed", 12_000): 1, ("failed", "passed", 990_000): 1}


def test_red_time_begins_with_the_first_counted_build():
    """Before the first counted build nothing was seen, and from it on each stretch has the colour of the build that it follows."""
    builds = [build(0, "canceled"), build(1, "failed", at=10), build(2, "skipped", at=15), build(3, at=30), build(4, at=70)]
    tally = measure_timelines(builds)
    assert {entry[2]: number for entry, number in tally[Measure.OBSERVED].items()} == {"red": 20_000, "green": 40_000}
    assert {entry[2:]: number for entry, number in tally[Measure.SPELLS].items()} == {("red", "n"): 1, ("red", "ms"): 20_000}


@pytest.mark.parametrize("before", [["canceled"], ["passed"], ["failed", "passed"]])
def test_a_red_timeline_is_told_from_its_first_red_build_on(before):
    """An open spell is on the day of the first build of its colour, since that one's end, whatever followed in that colour."""
    builds = [
        build(number, status, at=86_400 * number, started_at=START + timedelta(days=number, hours=-1))
        for number, status in enumerate([*before, "failed", "errored", "skipped"])
    ]
    turned = START + timedelta(days=len(before))
    since = round(turned.timestamp() * 1000)
    assert measure_timelines(builds)[Measure.OPEN_SPELLS] == {("p", turned.toordinal(), "main", "ci"): since}


def test_a_walk_goes_on_where_another_ended():
    """A timeline walked in two parts, wherever it is cut, stands where it stands when walked at once, and counts the same."""
    statuses = ["canceled", "failed", "failed", "passed", "skipped", "errored", "passed"]
    points = [point(build(number, status, at=10.0 * number)) for number, status in enumerate(statuses)]
    whole = Walk()
    end = whole.along(KEY, points)
    assert (end.length, end.red, end.turn_at, end.last_status) == (7, False, START + timedelta(seconds=60), "passed")
    for cut in range(len(points) + 1):
        parts = Walk()
        assert parts.along(KEY, points[cut:], parts.along(KEY, points[:cut])) == end
        assert parts.counts() == whole.counts()
    assert Walk().along(KEY, []) is None
