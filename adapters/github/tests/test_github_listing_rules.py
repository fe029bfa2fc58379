"""How a list is read to its end past a cap: properties of the pure rule, whatever the density of runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds.ports import BuildQuery
from forgekit.errors import InvalidInput
from forgekit_github._listing import Place, first, following, read_cursor, window, within, write_cursor

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
SIZE, CAP = 3, 9


class Lists:
    """GitHub's answers: newest first, filtered by ``created``, a search cut off at the cap."""

    def __init__(self, seconds):
        self.runs = sorted(((START + timedelta(seconds=at), number) for number, at in enumerate(seconds)), reverse=True)
        self.calls = 0

    def page(self, query, place):
        self.calls += 1
        created = window(query, place)
        found = self.runs
        if created is not None:
            low, _, high = created.partition("..") if ".." in created else ("", "", created.removeprefix("<="))
            found = [run for run in found if (not low or run[0] >= _read(low)) and run[0] <= _read(high)]
        shown = found if created is None else found[:CAP]
        assert created is None or (place.page - 1) * SIZE < CAP
        return shown[(place.page - 1) * SIZE : place.page * SIZE], len(found)

    def read(self, query, place, *, between=lambda: None):
        got = []
        while place is not None:
            runs, total = self.page(query, read_cursor(write_cursor(place, size=SIZE), size=SIZE))
            got.append([run for run in runs if within(query, run[0])])
            place = following(query, place, [run[0] for run in runs], total, size=SIZE, cap=CAP)
            between()
        return got


def _read(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


# At most as many runs in one second as a search shows: of more GitHub shows none.
dense = st.lists(st.integers(0, 60), max_size=60).filter(lambda seconds: all(seconds.count(at) <= CAP for at in seconds))


@given(dense)
def test_every_run_is_read(seconds):
    """However dense the runs are, each is on some page."""
    lists = Lists(seconds)
    assert {run for page in lists.read(BuildQuery(), Place()) for run in page} == set(lists.runs)


@given(dense, st.integers(0, 60), st.integers(0, 60))
def test_a_window_of_time_is_read_exactly(seconds, low, high):
    """Of a query with both ends every run within them is read, and none beyond."""
    lists = Lists(seconds)
    query = BuildQuery(since=START + timedelta(seconds=min(low, high)), until=START + timedelta(seconds=max(low, high)))
    got = {run for page in lists.read(query, first(query)) for run in page}
    assert got == {run for run in lists.runs if within(query, run[0])}


@given(dense, st.integers(0, 30))
def test_reading_goes_on_behind_any_page(seconds, stop):
    """From the place behind any page the rest is read, though runs came since."""
    lists, query, place, before = Lists(seconds), BuildQuery(), Place(), set()
    for _ in range(stop):
        runs, total = lists.page(query, place)
        before |= set(runs)
        place = following(query, place, [run[0] for run in runs], total, size=SIZE, cap=CAP)
        if place is None:
            return
    old = set(lists.runs)
    lists.runs = [(START + timedelta(days=1, seconds=at), 1000 + at) for at in range(5)] + lists.runs
    rest = {run for page in lists.read(query, place) for run in page}
    assert old <= before | rest


@given(dense)
def test_reading_ends_while_runs_keep_coming(seconds):
    """Runs that come while a list is read neither lengthen it nor hide others."""
    lists, old = Lists(seconds), None
    old = set(lists.runs)

    def push():
        lists.runs.insert(0, (START + timedelta(days=1, seconds=lists.calls), 10_000 + lists.calls))

    got = lists.read(BuildQuery(), Place(), between=push)
    assert old <= {run for page in got for run in page}
    assert len(got) <= 2 * (len(old) // SIZE + 2)


@given(st.integers(0, 100))
def test_no_call_is_wasted(count):
    """Runs of different seconds cost one call for each page, past the cap too."""
    lists = Lists(range(count))
    lists.read(BuildQuery(), Place())
    assert lists.calls == max(-(-count // SIZE), 1)


def test_more_runs_in_a_second_than_are_shown_do_not_stop_it():
    """What GitHub never shows is not waited for: reading goes on with the seconds before."""
    lists = Lists([5] * 30 + [1, 2, 3])
    got = {run for page in lists.read(BuildQuery(), Place()) for run in page}
    assert {run for run in lists.runs if run[0] < START + timedelta(seconds=5)} <= got


def test_runs_cut_off_in_the_last_second_are_found():
    """Where the cap falls within a second, the count of the next window tells, and the second is read again."""
    lists = Lists([9, 8, 7, 6, 5, 4, 3, 3, 3, 3, 3, 2, 1])
    assert {run for page in lists.read(BuildQuery(), Place()) for run in page} == set(lists.runs)
    assert lists.calls > -(-len(lists.runs) // SIZE)


def test_nobody_counts():
    """Without a total the seconds at the cap are read twice rather than lost."""
    query, place, created = BuildQuery(), Place(upper=START, page=3), [START - timedelta(seconds=at) for at in (1, 2, 3)]
    assert following(query, place, created, None, size=SIZE, cap=CAP) == Place(upper=START - timedelta(seconds=3))


STRANGE = ["", "{", "[]", "7", '{"upper":"x"}', '{"upper":7}', '{"page":-1}', '{"left":"1"}', '{"whole":-2}', '{"size":0}']


@pytest.mark.parametrize("text", STRANGE)
def test_only_our_own_cursors_are_read(text):
    """What ``write_cursor`` never writes is refused."""
    with pytest.raises(InvalidInput):
        read_cursor(text, size=SIZE)


@given(st.integers(1, 40), st.integers(1, 100), st.integers(1, 100))
def test_pages_of_another_size_skip_nothing(page, size, now):
    """A list that goes on with larger or smaller pages begins at the page that has the first run which was not read."""
    place = Place(upper=START, page=page)
    again = read_cursor(write_cursor(place, size=size), size=now)
    unread = (page - 1) * size
    assert (again.page - 1) * now <= unread < again.page * now
    assert again.upper == place.upper


def test_a_window_begins_with_the_first_whole_second():
    """A moment within a second leaves that second's runs out, for they were created at its beginning."""
    query = BuildQuery(since=START + timedelta(microseconds=1))
    assert window(query, Place(upper=START + timedelta(hours=1))) == "2026-03-02T10:00:01Z..2026-03-02T11:00:00Z"
    assert window(BuildQuery(since=START), Place(upper=START)) == "2026-03-02T10:00:00Z..2026-03-02T10:00:00Z"
