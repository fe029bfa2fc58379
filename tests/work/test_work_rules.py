"""Pure rules of projects, work items and test runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import InvalidInput
from forgekit.work.models import State, WorkItem
from forgekit.work.rules import after_run, check_item, check_project_key, check_run

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ITEM = WorkItem(id="i", project_id="p", number=1, name="Login", created_at=NOW, updated_at=NOW)


@pytest.mark.parametrize("key", ["shop", "my-project", "a", "1.2_3", "A" * 100])
def test_good_keys_pass(key):
    """A key is letters, digits, hyphens, underscores and dots, up to 100 of them."""
    assert check_project_key(key) == key


@pytest.mark.parametrize("key", ["", "-shop", ".git", "..", "a/b", "a b", "größe", "a\n", "A" * 101, "_x"])
def test_bad_keys_are_refused(key):
    """What could be an option, a path, or look like another key is refused."""
    with pytest.raises(InvalidInput) as caught:
        check_project_key(key)
    (problem,) = caught.value.data["problems"]
    assert problem == {"pointer": "/project", "message": caught.value.message}


@given(st.text())
def test_a_key_is_a_folders_name(key):
    """Whatever passes is one plain path segment."""
    try:
        check_project_key(key)
    except InvalidInput:
        return
    assert key not in {"", ".", ".."}
    assert not set(key) & set("/\\\0\n ")


def test_all_problems_of_an_item_are_listed():
    """A person mends every field at once."""
    with pytest.raises(InvalidInput) as caught:
        check_item(attrs.evolve(ITEM, name="x" * 256, priority=6))
    problems = caught.value.data["problems"]
    assert [problem["pointer"] for problem in problems] == ["/name", "/priority"]
    assert caught.value.message == problems[0]["message"]


def test_an_item_needs_a_name():
    """Blanks are no name."""
    with pytest.raises(InvalidInput) as caught:
        check_item(attrs.evolve(ITEM, name=" "))
    assert caught.value.data["problems"][0]["pointer"] == "/name"


@pytest.mark.parametrize("item", [ITEM, attrs.evolve(ITEM, name="x" * 255, priority=1)])
def test_an_item_within_its_bounds_passes(item):
    """The bounds themselves are allowed."""
    assert check_item(item) is item


@pytest.mark.parametrize(
    ("at", "note", "pointer"),
    [
        (NOW.replace(tzinfo=None), "", "/at"),
        (NOW + timedelta(minutes=5, microseconds=1), "", "/at"),
        (NOW, "x" * 10_001, "/note"),
    ],
)
def test_impossible_runs_are_refused(at, note, pointer):
    """A run has a time zone, is not of the future, and its note is bounded."""
    with pytest.raises(InvalidInput) as caught:
        check_run(at, note, NOW)
    (problem,) = caught.value.data["problems"]
    assert problem == {"pointer": pointer, "message": caught.value.message}


def test_a_run_at_the_bounds_passes():
    """A clock may be five minutes ahead, and a note has ten thousand characters."""
    check_run(NOW + timedelta(minutes=5), "x" * 10_000, NOW)


RUNS = st.lists(st.tuples(st.booleans(), st.integers(0, 100)), min_size=1, unique_by=lambda run: run[1])


@given(RUNS)
def test_the_newest_run_decides(runs):
    """In whatever order runs arrive, the newest one decides whether the item passes."""
    item = ITEM
    for passed, second in runs:
        item = after_run(item, passed=passed, at=NOW + timedelta(seconds=second), now=NOW)
    assert item.passing is max(runs, key=lambda run: run[1])[0]


def test_a_run_moves_the_state():
    """A run that passed makes the item done; one that failed takes it back into work, and leaves what is not done alone."""
    done = after_run(ITEM, passed=True, at=NOW, now=NOW)
    assert (done.state, done.passing) == (State.DONE, True)
    assert after_run(done, passed=False, at=NOW, now=NOW).state is State.IN_PROGRESS
    assert after_run(ITEM, passed=False, at=NOW, now=NOW).state is State.TO_DO


def test_a_run_that_changes_nothing_is_no_change():
    """The first run that passed makes the item newer, a second one does not."""
    later = NOW + timedelta(seconds=1)
    assert after_run(ITEM, passed=True, at=NOW, now=later).updated_at == later
    done = after_run(after_run(ITEM, passed=True, at=NOW, now=NOW), passed=True, at=later, now=later)
    assert (done.updated_at, done.passing_at) == (NOW, later)
