"""Any order, any split and merge, any replay and any late correction come to what one batch comes to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import BuildRecord, Fold, Job, Status, Taken, Tally, analyse, measure

START = datetime(2026, 3, 28, 22, tzinfo=UTC)
NOTHING = Tally()

moments = st.integers(0, 60 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
jobs = st.builds(
    Job,
    name=st.sampled_from(["lint", "test"]),
    status=st.sampled_from(Status),
    started_at=moments,
    finished_at=st.none() | moments,
    rate=st.sampled_from([1.0, 2.0, 0.5]),
)
# Few values of each, so that builds meet: versions of one key, attempts of a run, commits, timelines, equal times.
versions = st.builds(
    BuildRecord,
    build_id=st.sampled_from(["1", "2", "3", "4"]),
    project=st.sampled_from(["a", "b"]),
    status=st.sampled_from(Status),
    attempt=st.integers(1, 3),
    started_at=st.none() | moments,
    queued_at=st.none() | moments,
    finished_at=st.none() | moments,
    duration_seconds=st.none() | st.floats(0, 1e5),
    branch=st.sampled_from([None, "main", "next"]),
    workflow=st.sampled_from([None, "ci"]),
    commit=st.sampled_from([None, "c1", "c2"]),
    language=st.sampled_from([None, "python"]),
    tests_run=st.none() | st.integers(0, 10),
    jobs=st.lists(jobs, max_size=3),
    updated_at=st.none() | moments,
    end_estimated=st.booleans(),
    environment=st.sampled_from([None, "production"]),
    committed_at=st.none() | moments,
)
histories = st.lists(versions, max_size=12)
short = st.lists(versions, max_size=5)


@given(histories.flatmap(lambda history: st.tuples(st.just(history), st.permutations(history))))
def test_order_makes_no_difference(pair):
    """The same records in any order come to the same analysis."""
    history, shuffled = pair
    assert analyse(history) == analyse(shuffled)


@given(histories, st.data())
def test_splits_and_merges_make_no_difference(history, data):
    """Parts that are folded apart, overlap and are merged come to what the whole does."""
    ends = [data.draw(st.integers(0, len(history))) for _ in range(2)]
    parts = [Fold(history[: max(ends)]), Fold(history[min(ends) :]), Fold.empty()]
    merged = Fold.merge(*data.draw(st.permutations(parts)))
    assert merged.tally() == Fold(history).tally()
    assert analyse(merged) == analyse(history)


@given(histories, st.data())
def test_replays_make_no_difference(history, data):
    """A record that comes again is a duplicate and changes nothing."""
    fold = Fold(history)
    before = analyse(fold)
    replayed = data.draw(st.lists(st.sampled_from(history), max_size=10)) if history else []
    assert {fold.add(record) for record in replayed} <= {Taken.DUPLICATE}
    assert analyse(fold) == before


@given(histories, short)
def test_reading_on_the_way_makes_no_difference(early, late):
    """What is counted by what changed is what is counted from scratch, after every single record."""
    fold = Fold(early)
    fold.tally()
    for number, record in enumerate(late):
        fold.add(record)
        assert fold.tally() == measure(list(Fold([*early, *late[: number + 1]])))


@given(histories, st.data())
def test_forgetting_and_correcting_make_no_difference(history, data):
    """A build that is removed or replaced leaves nothing behind."""
    fold = Fold(history)
    fold.tally()
    for record in data.draw(st.lists(versions, max_size=5)):
        fold.remove(record.key) if data.draw(st.booleans()) else fold.replace(record)
        assert fold.tally() == measure(list(fold))


@given(histories)
def test_what_is_read_is_not_changed_later(history):
    """A tally that was read stays as it was read."""
    fold = Fold()
    read = [(fold.tally(), fold.tally() + NOTHING)]
    for record in history:
        fold.add(record)
        read.append((fold.tally(), fold.tally() + NOTHING))
    assert all(given == copied for given, copied in read)


@given(histories, histories)
def test_tallies_form_a_group(one, other):
    """Tallies add up in any order, subtract, and the empty one changes nothing."""
    a, b = Fold(one).tally(), Fold(other).tally()
    assert a + b == b + a
    assert a + b - b == a
    assert a - a == NOTHING
    assert NOTHING + a == a + NOTHING == a


@given(histories)
def test_projects_add_up(history):
    """Projects share no group, so what they come to apart adds up to what they come to together."""
    held = list(Fold(history))
    parts = [measure([record for record in held if record.project == project]) for project in ("a", "b")]
    assert parts[0] + parts[1] == measure(held)


@given(histories, st.data())
def test_one_change_is_the_difference_of_its_groups(history, data):
    """What one record changes is what its groups come to with it, without what they came to before: this is how storage applies it."""
    if not history:
        return
    fold, late = Fold(history[:-1]), history[-1]
    before = {record.key: record for record in fold}
    fold.add(late)
    after = {record.key: record for record in fold}
    touched = {late.key} | data.draw(st.sets(st.sampled_from(sorted(after))))
    near = {key for key in after if key in touched or key.project == late.project}
    old, new = ([held[key] for key in near if key in held] for held in (before, after))
    assert measure(list(before.values())) + measure(new) - measure(old) == measure(list(after.values()))


@given(histories, st.integers(0, 70), st.integers(0, 70))
def test_a_window_is_cut_out_of_the_days(history, first, length):
    """An analysis of days is the same from the roll-ups of these days as from all."""
    fold = Fold(history)
    since = START.date() + timedelta(days=first)
    until = since + timedelta(days=length)
    found = analyse(fold, since=since, until=until)
    assert found.window is not None
    assert found.n_builds == sum(since <= (record.started_at or record.queued_at).date() <= until for record in fold if record.day)
    assert found.trend is None or found.trend.success_rate.current == found.success.value


def test_a_record_is_new_then_known_then_newer():
    """A fold tells what it did with a record."""
    fold = Fold()
    running = BuildRecord(build_id="1", project="a", status="running", started_at=START)
    passed = attrs.evolve(running, status=Status.PASSED, finished_at=START + timedelta(minutes=3))
    assert [fold.add(record) for record in (running, running, passed, running, passed)] == [
        Taken.NEW,
        Taken.DUPLICATE,
        Taken.UPDATED,
        Taken.DUPLICATE,
        Taken.DUPLICATE,
    ]
    assert len(fold) == 1


def test_forgetting_the_unknown_does_nothing():
    """Removing a build that is not there is no error."""
    fold = Fold()
    fold.remove(BuildRecord(build_id="1", project="a", status="queued").key)
    assert len(fold) == 0


def test_one_more_among_many_is_counted_alone(history):
    """With many builds there, a few more go through their groups only, and that comes to the same."""
    records = history(7, 300, jobs=True)
    fold = Fold(records[:-9])
    fold.tally()
    fold.extend(records[-9:])
    assert fold.tally() == measure(list(fold))
    moved = attrs.evolve(records[0], branch="elsewhere", commit="another", status=Status.FAILED)
    for version in (moved, attrs.evolve(moved, commit=None), records[0]):
        fold.replace(version)
        assert fold.tally() == measure(list(fold))
