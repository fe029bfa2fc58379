"""What an import takes over from a tracker's item."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import InvalidInput
from forgekit.sprints.models import StateGroup, TrackerItem
from forgekit.sprints.rules.content import check_cycle_id, clean, clean_line, content_hash, steps

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ITEM = TrackerItem(id="a", name="Login", description="- one", priority=2, group=StateGroup.STARTED, category="auth", updated_at=NOW)


@pytest.mark.parametrize("cycle_id", ["cycle-1", "550e8400-e29b-41d4-a716-446655440000", "Sprint 5", "größe", "x" * 100, "7", "X"])
def test_safe_cycle_ids_pass(cycle_id):
    """An id may be any safe text: the trackers' documents do not only use UUIDs."""
    assert check_cycle_id(cycle_id) == cycle_id


@pytest.mark.parametrize("cycle_id", ["", " ", "a/b", "..", "a?b", "a#b", "a%2Fb", "a\nb", "a\0b", "\ud800", " a", "x" * 101, "a\\b"])
def test_unsafe_cycle_ids_are_refused(cycle_id):
    """An id that could split an address, or that nobody can read, is refused with the place of the mistake."""
    with pytest.raises(InvalidInput) as caught:
        check_cycle_id(cycle_id)
    assert caught.value.data["problems"] == [{"pointer": "/cycle_id", "message": caught.value.message}]


@given(st.text())
def test_clean_text_can_be_stored(text):
    """Cleaned text encodes to UTF-8 and holds no control characters but tabs and line breaks, whatever came in."""
    assert clean(text).encode().decode() == clean(text)
    assert not [character for character in clean(text) if unicodedata.category(character) == "Cc" and character not in "\t\n\r"]


@given(st.text(), st.integers(1, 300))
def test_a_clean_line_is_one_line(text, longest):
    """A cleaned line has no line break and keeps its bound."""
    line = clean_line(text, longest)
    assert len(line) <= longest
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    "change",
    [{"name": "Logout"}, {"description": "- two"}, {"priority": 1}, {"category": None}, {"parent_id": "p"}],
)
def test_content_changes_the_hash(change):
    """Each field that an import takes over counts as content."""
    assert content_hash(attrs.evolve(ITEM, **change)) != content_hash(ITEM)


def test_other_things_do_not_change_the_hash():
    """A tracker's timestamp, the order and the state are not content."""
    other = attrs.evolve(ITEM, updated_at=NOW + timedelta(days=1), position=9, group=StateGroup.COMPLETED, state="Done")
    assert content_hash(other) == content_hash(ITEM)


@given(st.text(), st.text())
def test_any_text_can_be_hashed(name, description):
    """Text that no database would take can still be compared."""
    assert len(content_hash(attrs.evolve(ITEM, name=name, description=description))) == 64


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Intro\n# Acceptance Criteria\n- one\n- two\n# Notes\n- three", ("one", "two")),
        ("Acceptance Criteria:\n- one\n\n- two", ("one", "two")),
        ("AC:\n1. one\n2) two", ("one", "two")),
        ("AC: it works", ("it works",)),
        ("## Definition of Done\nshipped\ndocumented", ("shipped", "documented")),
        ("DoD:\n* shipped", ("shipped",)),
        ("- plain\n- [ ] open\n- [x] closed", ("open", "closed")),
        ("Given a user\nWhen she logs in\nThen it is so\nAnd shows", ("Given a user", "When she logs in", "Then it is so", "And shows")),
        ("And so it goes.\n- one\n- two", ("one", "two")),
        ("Just a text.", ("Just a text.",)),
        ("", ("Name",)),
        ("Access control matters\nActive users", ("Access control matters\nActive users",)),
        ("- one\n- one", ("one",)),
        ("Acceptance Criteria:", ("Acceptance Criteria:",)),
        ("AC:\n- one\nNotes:\n- two", ("one",)),
        ("# Acceptance Criteria for the login\n- one", ("one",)),
        ("# DoD: shipped\n- documented", ("shipped", "documented")),
        ("Acceptance criteria\n- one", ("one",)),
        ("Definition of done is unclear.", ("Definition of done is unclear.",)),
        ("# Actions\n- one", ("one",)),
    ],
)
def test_steps_come_from_the_best_source(description, expected):
    """Acceptance criteria go before list lines, those before the description, that before the name."""
    assert steps("Name", description) == expected


@given(st.text(min_size=1), st.text())
def test_there_is_always_a_step(name, description):
    """Every item says how to see that it is done."""
    assert steps(name, description)
