"""However often an import is broken off, it brings what an uninterrupted one brings, and no page twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import BuildRecord, Job
from forgekit.builds.imports import Checkpoint, ImportKey
from forgekit.builds.rules.resuming import (
    OVERLAP,
    Leg,
    attempts_wanted,
    begun,
    ended,
    fetched_attempts,
    forgotten,
    next_leg,
    read,
    usable_mark,
    with_jobs,
)

NOW = datetime(2026, 3, 5, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = ImportKey(source="github", project="acme/shop")
FRESH = Checkpoint(key=KEY)


def build(number, hours=0, attempt=1, **values):
    """Return a build that was created at an hour."""
    created = NOW + hours * HOUR
    told = {"status": "passed", "queued_at": created, "started_at": created, "attempt": attempt, **values}
    return BuildRecord(build_id=str(number), project="acme/shop", provider="github", **told)


# The rules, one by one


def test_a_first_import_reads_the_news_from_where_it_is_asked():
    """Nothing is known: one list, of the newest, from the moment that is asked for; then there is no more."""
    assert next_leg(FRESH, None, told=False) == Leg(since=None)
    assert next_leg(FRESH, NOW, told=False) == Leg(since=NOW)
    assert next_leg(FRESH, None, told=True) is None
    assert next_leg(attrs.evolve(FRESH, covered_since=NOW), None, told=True) is None  # a list of everything had no build


def test_what_was_left_off_comes_first():
    """A list with a cursor is gone on with, within its own bounds, whatever is asked for now."""
    point = attrs.evolve(FRESH, cursor="c", floor=NOW - HOUR, ceiling=NOW)
    assert next_leg(point, NOW, told=True) == Leg(since=NOW - HOUR, until=NOW, cursor="c")


DAY_AND_HOUR = OVERLAP + HOUR


@pytest.mark.parametrize(
    ("covered", "since"),
    [(None, -OVERLAP), (-3 * HOUR, -3 * HOUR), (-OVERLAP, -OVERLAP), (-DAY_AND_HOUR, -OVERLAP), (timedelta(0), timedelta(0))],
)
def test_news_begin_a_day_before_the_newest_known(covered, since):
    """And never before what is covered: what is older is another list's."""
    assert timedelta(days=1) == OVERLAP
    point = attrs.evolve(FRESH, watermark=NOW, covered_since=None if covered is None else NOW + covered)
    assert next_leg(point, None, told=False) == Leg(since=NOW + since)


@pytest.mark.parametrize(
    ("covered", "since", "leg"),
    [
        (None, None, None),
        (None, NOW - HOUR, None),
        (NOW, NOW, None),
        (NOW, NOW + HOUR, None),
        (NOW, NOW - timedelta(microseconds=1), Leg(since=NOW - timedelta(microseconds=1), until=NOW)),
        (NOW, None, Leg(since=None, until=NOW)),
    ],
)
def test_older_ones_are_read_where_they_are_wanted(covered, since, leg):
    """What is older than all that is here is a list that ends where that begins."""
    point = attrs.evolve(FRESH, watermark=NOW + HOUR, covered_since=covered)
    assert next_leg(point, since, told=True) == leg


def test_a_list_begins_with_its_own_numbers():
    """Its bounds are noted and nothing is counted yet; one that goes on keeps what it counted."""
    old = attrs.evolve(FRESH, watermark=NOW, top=NOW, listed=7, total=9, mark="m", reruns=("2:1",))
    point = begun(old, Leg(since=NOW - HOUR, until=NOW))
    assert point == attrs.evolve(old, floor=NOW - HOUR, ceiling=NOW, top=None, listed=0, total=None)
    assert begun(old, Leg(since=None, cursor="c")) is old


def test_a_page_in_the_middle_moves_no_mark():
    """Before its end a list says nothing of what is covered."""
    point = read(begun(FRESH, Leg(since=None)), [build(1), build(2, 3), build(3, 9, attempt=2)], cursor="c", new=3, total=5)
    assert (point.cursor, point.top, point.listed, point.total) == ("c", NOW + 3 * HOUR, 3, 5)
    assert (point.watermark, point.covered_since, point.name, point.label) == (None, None, "acme/shop", None)


@pytest.mark.parametrize("hours", [(3, 1), (1, 3), (3, None)])
def test_pages_add_up(hours):
    """The newest of all pages and the number of all builds are kept, and so is the project's name behind an empty page."""
    point = begun(FRESH, Leg(since=None))
    for number, hour in enumerate(hours):
        point = read(point, [] if hour is None else [build(number, hour, workflow="CI")], cursor="c", new=2, total=None)
    assert (point.top, point.listed, point.name, point.label) == (NOW + 3 * HOUR, 4, "acme/shop", None)


def test_the_end_of_the_news_moves_the_watermark_only_forward():
    """The newest of the list, or what was known: a list of old builds alone takes nothing back."""
    begun_at = begun(attrs.evolve(FRESH, watermark=NOW), Leg(since=NOW - OVERLAP))
    assert read(begun_at, [build(1, -1)], cursor=None, new=1, total=1).watermark == NOW
    assert read(begun_at, [build(1, 1)], cursor=None, new=1, total=1).watermark == NOW + HOUR
    assert read(begun_at, [], cursor=None, new=0, total=None).watermark == NOW
    assert read(begun_at, [build(1, 1)], cursor=None, new=1, total=1).covered_since is None


def test_a_first_list_covers_from_its_beginning():
    """So does an older one, which leaves the watermark."""
    first = read(begun(FRESH, Leg(since=NOW - HOUR)), [build(1)], cursor=None, new=1, total=1)
    assert (first.watermark, first.covered_since) == (NOW, NOW - HOUR)
    some = read(begun(first, Leg(since=NOW - 9 * HOUR, until=NOW - HOUR)), [build(2, -5)], cursor=None, new=1, total=1)
    assert (some.watermark, some.covered_since) == (NOW, NOW - 9 * HOUR)
    older = read(begun(some, Leg(since=None, until=NOW - 9 * HOUR)), [build(3, -12)], cursor=None, new=1, total=1)
    assert (older.watermark, older.covered_since) == (NOW, None)


def test_the_workflows_name_is_learnt_where_one_is_asked_for():
    """A query names a file, builds a name; an empty page teaches nothing."""
    point = Checkpoint(key=attrs.evolve(KEY, workflow="ci.yml"))
    named = read(point, [build(1, workflow="CI")], cursor="c", new=1, total=None)
    assert (named.label, read(named, [], cursor=None, new=0, total=None).label) == ("CI", "CI")
    assert read(attrs.evolve(named, total=4), [], cursor="d", new=0, total=None).total == 4


def test_attempts_are_wanted_until_they_are_here():
    """Each by its run's id, whatever that looks like."""
    wanted = [build("7", attempt=3), build("a:b", attempt=2)]
    point = read(FRESH, [], cursor=None, new=0, total=None, wanted=wanted)
    assert attempts_wanted(point) == [("7", 3), ("a:b", 2)]
    assert attempts_wanted(fetched_attempts(point, "7")) == [("a:b", 2)]
    assert attempts_wanted(fetched_attempts(point, "a:b")) == [("7", 3)]


def test_a_mark_is_good_for_lists_that_missed_nothing():
    """An unchanged page hides nothing but what an empty list since some moment left behind."""
    marked = attrs.evolve(FRESH, mark="m")
    assert usable_mark(marked) == "m"
    assert usable_mark(attrs.evolve(marked, covered_since=NOW)) is None
    assert usable_mark(attrs.evolve(marked, covered_since=NOW, watermark=NOW)) == "m"
    assert forgotten(attrs.evolve(marked, cursor="c", mark_since=NOW)) == FRESH


def test_jobs_tell_the_end():
    """An estimate becomes the end of the last job, where all ended; a known end stays, and so does one that jobs do not tell."""
    jobs = [Job(name=str(hours), status="passed", finished_at=NOW + hours * HOUR) for hours in (2, 1)]
    guess = build(1, finished_at=NOW + 5 * HOUR, end_estimated=True)
    told = with_jobs(guess, jobs)
    assert (told.finished_at, told.end_estimated, told.jobs) == (NOW + 2 * HOUR, False, tuple(jobs))
    for same in (
        with_jobs(guess, [*jobs, Job(name="x", status="running")]),
        with_jobs(guess, [Job(name="x", status="skipped")]),
        with_jobs(attrs.evolve(guess, end_estimated=False), jobs),
    ):
        assert (same.finished_at, len(same.jobs) > 0) == (NOW + 5 * HOUR, True)
    assert (ended(jobs), ended([]), ended([Job(name="x", status="queued")])) == (True, True, False)


# Any history, any interruption


@attrs.define
class World:
    """A system's list of builds by the hour of their creation, newest first, and an importer's memory of it."""

    size: int
    builds: dict = attrs.field(factory=dict)
    calls: int = 0

    def page(self, leg):
        """Return a page of a list, and its cursor; the cursor is the build behind which it goes on, as windows of time do."""
        self.calls += 1
        found = sorted(self.builds.items(), key=lambda item: (item[1], item[0]), reverse=True)
        found = [(number, at) for number, at in found if (leg.since is None or _at(at) >= leg.since)]
        found = [(number, at) for number, at in found if leg.until is None or _at(at) < leg.until]
        if leg.cursor is not None:
            at, number = (int(part) for part in leg.cursor.split("/"))
            found = [each for each in found if (each[1], each[0]) < (at, number)]
        page, more = found[: self.size], found[self.size :]
        cursor = f"{page[-1][1]}/{page[-1][0]}" if more else None
        return [build(number, at) for number, at in page], cursor


def _at(hours):
    return NOW + hours * HOUR


def run(world, point, since, breaks):
    """Import as ``Fetching`` does, one page a step; ``breaks`` tells before each page whether the process dies. Return what is stored."""
    stored, told = set(), False
    while True:
        leg = next_leg(point, since, told=told)
        if leg is None:
            return point, stored, True
        here = begun(point, leg)
        while True:
            if breaks and breaks.pop(0):
                return point, stored, False
            page, cursor = world.page(attrs.evolve(leg, cursor=here.cursor if leg.cursor is None else here.cursor or leg.cursor))
            here = read(here, page, cursor=cursor, new=len(page), total=None)
            point = here
            stored |= {each.build_id for each in page}
            if cursor is None:
                break
        told = told or (leg.until is None and leg.cursor is None)


hours = st.lists(st.integers(-200, 0), max_size=40)


@given(hours, st.lists(st.booleans(), max_size=60), st.integers(1, 7), st.lists(st.lists(st.integers(0, 23), max_size=3), max_size=10))
def test_any_interruptions_come_to_an_uninterrupted_import(made, breaks, size, news):
    """Broken off before any pages, with builds coming between, an import in the end has all; each page that was stored came once."""
    world, point, stored, late = World(size), FRESH, set(), 0
    world.builds = dict(enumerate(made))
    breaks, news, dead = list(breaks), list(news), 0
    while True:
        point, found, whole = run(world, point, None, breaks)
        stored |= found
        if whole and not news:
            break
        dead += 1
        for ahead in news.pop(0) if news else ():
            late += 1
            world.builds[len(world.builds)] = max([*world.builds.values(), 0]) + ahead
    assert stored == {str(number) for number in world.builds}
    assert point.cursor is None


@given(
    hours,
    st.lists(st.one_of(st.none(), st.integers(-250, 0)), min_size=1, max_size=5),
    st.integers(1, 7),
    st.lists(st.booleans(), max_size=20),
)
def test_what_was_asked_for_is_here(made, asked, size, breaks):
    """Imports from any moments, in any order and broken off anywhere: all that was asked for is here, and a repetition brings no page."""
    world, point, stored, breaks = World(size), FRESH, set(), list(breaks)
    world.builds = dict(enumerate(made))
    for since in asked:
        whole = False
        while not whole:
            point, found, whole = run(world, point, None if since is None else _at(since), breaks)
            stored |= found
        wanted = {str(number) for number, at in world.builds.items() if since is None or at >= since}
        assert wanted <= stored


@given(hours, st.integers(1, 7), st.integers(0, 30))
def test_a_kill_costs_no_page_twice(made, size, at):
    """A list that was broken off goes on behind its last stored page: together the pages of one list."""
    world = World(size, dict(enumerate(made)))
    whole = World(size, dict(enumerate(made)))
    run(whole, FRESH, None, [])
    point, _, done = run(world, FRESH, None, [False] * at + [True])
    if done:
        return
    left = next_leg(point, None, told=False)
    before = world.calls
    assert before == at
    while left.cursor is not None:
        page, cursor = world.page(left)
        point = read(point, page, cursor=cursor, new=len(page), total=None)
        left = attrs.evolve(left, cursor=cursor)
    assert world.calls == max(whole.calls, at) or at == 0
