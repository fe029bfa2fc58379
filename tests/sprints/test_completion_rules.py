"""When a sprint is done, what its mark is called, and what its notes say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.sprints.models import Completion, Sprint, SprintStatistics
from forgekit.sprints.ports import SprintFacts
from forgekit.sprints.rules.completing import is_free, refusals, slug, slugs, summary
from forgekit.sprints.rules.notes import DoneItem, comment, escape, note_marker, release_notes, retrospective
from forgekit.work.models import Project, WorkItem

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SPRINT = Sprint(id="0198-id", project_id="p", name="Sprint 5", tracker="t", external_id="cycle-1", created_at=NOW)
NUMBERS = SprintStatistics(total=2, passing=2, test_runs=42, passed_runs=36)


def _facts(*passing):
    items = [
        WorkItem(id=str(index), project_id="p", number=index, name=f"Item {index}", passing=passed, created_at=NOW, updated_at=NOW)
        for index, passed in enumerate(passing, 1)
    ]
    project = Project(id="p", key="shop", name="shop", repository=None, created_at=NOW)
    return SprintFacts(project=project, sprint=SPRINT, items=items, statistics=SprintStatistics())


def test_a_sprint_that_passes_is_done():
    """Nothing speaks against a sprint whose items all pass."""
    assert refusals(_facts(True, True), {}) == []


def test_an_empty_sprint_is_not_done():
    """A sprint without items cannot be completed by mistake."""
    assert refusals(_facts(), {}) == ["The sprint has no work items."]


def test_a_refusal_names_the_items():
    """The reason names what does not pass, a few of them when there are many."""
    assert refusals(_facts(True, False), {}) == ["1 of 2 work items do not pass: #2 Item 2."]
    assert refusals(_facts(*[False] * 7), {})[0].endswith("#5 Item 5 and 2 more.")
    assert refusals(_facts(False, False), {}) == ["2 of 2 work items do not pass: #1 Item 1, #2 Item 2."]
    assert refusals(_facts(*[False] * 5), {})[0].endswith("#4 Item 4, #5 Item 5.")


def test_plugins_can_add_rules():
    """Every rule is asked, and each reason is given, in the order of the rules' names."""
    rules = {"b": lambda _: "no docs", "a": lambda _: "no demo", "c": lambda _: None}
    assert refusals(_facts(True), rules) == ["no demo", "no docs"]


def test_a_rule_sees_the_sprint():
    """A rule is handed what it may judge."""
    assert refusals(_facts(True), {"name": lambda facts: facts.sprint.name}) == ["Sprint 5"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sprint 5", "sprint-5"),
        ("Größe & Maß!", "grosse-mass"),
        ("冲刺", ""),
        ("..", ""),
        ("a" * 99, "a" * 60),
        ("!" + "a" * 60, "a" * 60),
        ("a" * 59 + "!b", "a" * 59),
    ],
)
def test_slugs_of_names(text, expected):
    """A slug is plain ASCII of at most 60 characters, or nothing."""
    assert slug(text) == expected


@given(st.text())
def test_a_slug_is_its_own_slug(text):
    """A slug needs no further care, whatever it came from."""
    assert slug(slug(text)) == slug(text)
    assert set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_the_names_of_a_tag():
    """A taken slug gets the cycle's id, then ours; an empty one is the cycle's id."""
    assert slugs(SPRINT) == ["sprint-5", "sprint-5-cycle-1", "sprint-5-0198-id"]
    assert slugs(attrs.evolve(SPRINT, name="冲刺")) == ["cycle-1", "0198-id"]
    assert slugs(attrs.evolve(SPRINT, name="冲刺", external_id=None)) == ["0198-id"]


def test_a_lease_excludes_others_until_it_ends():
    """A completion is free for its owner, for everyone once the lease is over, and when nobody holds it."""
    held = Completion(sprint_id="s", owner="a", lease_until=NOW + timedelta(seconds=5))
    assert not is_free(held, "b", NOW)
    assert is_free(held, "a", NOW)
    assert is_free(held, "b", NOW + timedelta(seconds=5))
    assert is_free(Completion(sprint_id="s"), "b", NOW)
    assert is_free(attrs.evolve(held, owner=""), "b", NOW)


def test_a_summary_counts_runs():
    """The rate is passed runs over runs, with one decimal."""
    assert summary(NUMBERS) == "2 of 2 work items pass. 36 of 42 test runs passed (85.7 %)."
    assert summary(SprintStatistics(total=1, passing=1)) == "1 of 1 work items pass. No test runs were recorded."


@given(st.integers(0, 100_000), st.integers(0, 100_000))
def test_the_rate_has_one_decimal(passed, failed):
    """The pass rate is within half a tenth of passed runs over runs, and 0.0 without runs."""
    runs = passed + failed
    rate = SprintStatistics(test_runs=runs, passed_runs=passed).pass_rate
    assert rate == round(rate, 1)
    assert abs(rate - (100 * passed / runs if runs else 0.0)) <= 0.05 + 1e-9


def test_the_rate_of_the_document():
    """36 of 42 are 85.7 per cent."""
    assert NUMBERS.pass_rate == 85.7


@given(st.text())
def test_escaped_text_is_inert(text):
    """No markup, HTML or line break survives in the notes, whatever an item is called."""
    escaped = escape(text)
    assert len(escaped.splitlines()) <= 1
    assert "<" not in escaped
    assert ">" not in escaped
    plain = escaped.replace("\\\\", "")
    assert all(plain[index - 1] == "\\" for index, character in enumerate(plain) if character in "`*_[]#!|")


def test_escaped_text_reads_as_it_was():
    """What HTML knows is written out, and ten thousand characters are enough."""
    assert escape("a & b <c>") == "a &amp; b &lt;c&gt;"
    assert escape("x" * 10_001) == "x" * 10_000


def test_release_notes_word_for_word():
    """The whole page, in the order in which it is read."""
    items = [DoneItem(number=1, name="Log in"), DoneItem(number=2, name="Log out")]
    notes = release_notes(SPRINT, NUMBERS, items, tag=None, change_log="abc one\ndef two", on=date(2026, 11, 21))
    assert notes == (
        f"# Sprint 5\n\n{note_marker(SPRINT.id)}\n\nCompleted on 2026-11-21, no dates.\n\n"
        "## Work items\n\n- **\\#1** Log in\n- **\\#2** Log out\n\n"
        "## Changes\n\n    abc one\n    def two\n\n"
        f"## Retrospective\n\n{summary(NUMBERS)}\n"
    )


@pytest.mark.parametrize("known", [{"starts_on": date(2026, 11, 1)}, {"ends_on": date(2026, 11, 14)}])
def test_half_a_pair_of_dates_is_none(known):
    """Dates are told where both are known."""
    notes = release_notes(attrs.evolve(SPRINT, **known), NUMBERS, [], tag=None, change_log="", on=date(2026, 11, 21))
    assert "Completed on 2026-11-21, no dates." in notes


def test_release_notes_say_everything():
    """The notes hold the items, the changes as code, the retrospective and the mark that they are recognised by."""
    item = DoneItem(number=3, name="<b>*bold*</b>")
    notes = release_notes(SPRINT, NUMBERS, [item], tag="sprint/sprint-5", change_log="abc feat: `x`", on=date(2026, 11, 21))
    assert "- **\\#3** &lt;b&gt;\\*bold\\*&lt;/b&gt;" in notes
    assert "\n    abc feat: `x`\n" in notes
    assert summary(NUMBERS) in notes
    assert note_marker(SPRINT.id) in notes
    assert "Tag `sprint/sprint-5`" in notes


def test_release_notes_without_git():
    """Without a tag or a log the notes do not mention them; dates stand where the sprint has them."""
    dated = attrs.evolve(SPRINT, starts_on=date(2026, 11, 1), ends_on=date(2026, 11, 14))
    notes = release_notes(dated, NUMBERS, [], tag=None, change_log="", on=date(2026, 11, 21))
    assert "Tag" not in notes
    assert "## Changes" not in notes
    assert "2026-11-01 to 2026-11-14" in notes


def test_a_retrospective_names_what_failed_on_the_way():
    """The retrospective has the numbers, the items with failed runs, and the tag."""
    text = retrospective(SPRINT, NUMBERS, [DoneItem(number=1, name="a", total=3, passed=1)], tag="sprint/x", on=date(2026, 11, 21))
    assert "Failed runs on the way: #1 (2)." in text
    assert text.endswith("Tag: sprint/x")
    items = [DoneItem(number=1, name="a", total=3, passed=1), DoneItem(number=2, name="b", total=1, passed=1)]
    text = retrospective(SPRINT, NUMBERS, [*items, DoneItem(number=3, name="c", total=1)], tag=None, on=date(2026, 11, 21))
    assert text.splitlines() == [
        "Retrospective of Sprint 5, completed on 2026-11-21.",
        summary(NUMBERS),
        "Failed runs on the way: #1 (2), #3 (1).",
    ]
    assert "Failed" not in retrospective(SPRINT, NUMBERS, [], tag=None, on=date(2026, 11, 21))


def test_a_comment_says_what_became_of_the_item():
    """A comment names the sprint, and the runs and the tag where there are some."""
    assert comment(SPRINT, DoneItem(number=1, name="a"), tag=None) == "Sprint 5 is completed: this work item passes."
    assert comment(SPRINT, DoneItem(number=1, name="a", total=2, passed=1), tag="t").endswith(" 1 of 2 test runs passed. Tag: t")
