"""Relations: what an item waits for, whenever it is told and whenever it arrives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import BudgetExhausted, RemoteNotFound
from forgekit.kernel.net.budgets import Priority
from forgekit.sprints.models import Link, StateGroup, TrackerItem
from forgekit.sprints.rules.importing import was_touched


def _calls(tracker):
    names = [call[0] for call in tracker.calls]
    tracker.calls.clear()
    return names


@pytest.fixture
def sprint(desk, tracker):
    """Three items imported, their relations fetched, a minute ago, no call counted yet."""
    for name in "abc":
        tracker.put(name)
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.drain()
    desk.clock.advance(60)
    tracker.calls.clear()
    return desk


def test_relations_follow_the_import(desk, tracker):
    """No import waits for relations: a worker fetches them afterwards, for new items and for those that changed."""
    tracker.put("a")
    tracker.put("b")
    tracker.waits["a"] = ["b", "elsewhere", "a"]
    assert desk.sprints.import_cycle("cycle-1", project="shop").relations_pending == 2
    assert _calls(tracker) == ["cycle", "items"]
    desk.drain()
    assert _calls(tracker) == ["blockers", "blockers"]
    assert tracker.priority is Priority.RELATIONS
    assert desk.needs("a") == {"B": "relation"}
    assert desk.sprints.status().relations_pending == 0


def test_many_relations_are_fetched_in_pieces(desk, tracker):
    """However many items wait, all get their turn."""
    for index in range(45):
        tracker.put(f"i{index}")
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.drain()
    assert _calls(tracker).count("blockers") == 45
    assert desk.sprints.status().relations_pending == 0


def test_relations_wait_for_the_budget(desk, tracker):
    """What was fetched before the budget ended is kept, the rest follows."""
    for name in "abc":
        tracker.put(name)
    desk.sprints.import_cycle("cycle-1", project="shop")
    tracker.failures = [None, BudgetExhausted(retry_after=20)]
    desk.drain()
    assert desk.sprints.status().relations_pending == 2
    desk.drain(after=20)
    assert desk.sprints.status().relations_pending == 0


def test_a_server_without_relations_has_none_pending(desk, tracker):
    """Where the server has no relations, one call ends the waiting."""
    tracker.put("a")
    tracker.put("b")
    tracker.blockers = lambda item_id: tracker.calls.append(("blockers", item_id))
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.drain()
    assert _calls(tracker).count("blockers") == 1
    assert desk.sprints.status().relations_pending == 0


def test_a_deleted_item_has_no_relations(desk, tracker):
    """An item that is gone there does not wait for ever."""
    tracker.put("a")
    desk.sprints.import_cycle("cycle-1", project="shop")
    tracker.failures = [RemoteNotFound()]
    desk.drain()
    assert desk.sprints.status().relations_pending == 0


def test_an_item_that_changed_meanwhile_is_asked_again(desk, tracker):
    """Relations fetched before a change do not end the wait of the changed item."""
    tracker.put("a")
    desk.sprints.import_cycle("cycle-1", project="shop")

    def change(call):
        tracker.before = lambda call: None
        tracker.put("a", priority=1)
        desk.sprints.import_cycle("cycle-1", project="shop")

    tracker.before = change
    desk.sprints.sync()
    assert desk.sprints.status().relations_pending in {0, 1}
    desk.drain()
    assert desk.sprints.status().relations_pending == 0


# Blockers that come later


def test_a_blocker_that_arrives_later_is_linked(desk, tracker):
    """An item waits for one that joins the cycle only later, as soon as that is here and without a further call."""
    tracker.put("a")
    tracker.waits["a"] = ["b", "c"]
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.drain()
    assert (desk.needs("a"), desk.link("a").blockers) == ({}, ("b", "c"))
    _calls(tracker)
    tracker.put("b")
    assert desk.sprints.import_cycle("cycle-1", project="shop").relations_pending == 1
    assert desk.needs("a") == {"B": "relation"}
    tracker.put("c")
    desk.sprints.import_cycle("cycle-1", project="shop")
    assert desk.needs("a") == {"B": "relation", "C": "relation"}
    assert _calls(tracker) == ["cycle", "items"] * 2


def test_a_blocker_from_the_next_cycle_is_linked(desk, tracker):
    """The item that waits may have left the cycle by the time that its blocker comes."""
    tracker.put("a")
    tracker.waits["a"] = ["b"]
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.drain()
    tracker.names["cycle-2"], tracker.contents["cycle-2"] = "Sprint 6", []
    tracker.put("b", cycle="cycle-2")
    desk.sprints.import_cycle("cycle-2", project="shop")
    assert desk.needs("a") == {"B": "relation"}


def test_an_import_that_fails_links_nothing(desk, tracker):
    """Late blockers are linked in the transaction that brings them, or not at all."""
    tracker.put("a")
    tracker.waits["a"] = ["b"]
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.drain()
    tracker.put("b")
    desk.recorder.record = None
    with pytest.raises(TypeError):
        desk.sprints.import_cycle("cycle-1", project="shop")
    assert desk.needs("a") == {}
    assert len(desk.work.items("shop")) == 1


def test_linking_late_blockers_costs_the_same_for_many(desk, tracker, statements):
    """The number of statements does not depend on how many items wait, nor on how many arrive."""

    def arrive(prefix, count):
        for index in range(count):
            tracker.put(f"{prefix}{index}")
            tracker.waits[f"{prefix}{index}"] = [f"late-{prefix}{index}", f"late-{prefix}0"]
        desk.sprints.import_cycle("cycle-1", project="shop")
        desk.drain()
        for index in range(count):
            tracker.put(f"late-{prefix}{index}")
        return statements(lambda: desk.sprints.import_cycle("cycle-1", project="shop"))

    assert arrive("a", 2) == arrive("b", 60)
    assert desk.needs("b59") == {"LATE-B59": "relation", "LATE-B0": "relation"}


# Changes that only updated_at tells


@pytest.mark.parametrize("blockers", [(), ("c",), ("b", "c")])
def test_a_changed_relation_is_fetched(sprint, tracker, blockers):
    """A relation that is added or removed changes nothing else there: no item is updated, and the new relations are fetched."""
    tracker.relate("a", "b")
    sprint.sprints.sync()
    sprint.drain()
    sprint.clock.advance(60)
    _calls(tracker)
    tracker.relate("a", *blockers)
    report = sprint.sprints.import_cycle("cycle-1", project="shop")
    assert (report.updated, report.skipped) == (0, 3)
    sprint.drain()
    assert sprint.needs("a") == {name.upper(): "relation" for name in blockers}
    sprint.sprints.sync()
    assert _calls(tracker) == ["cycle", "items", *["blockers"] * (1 + len(blockers)), "items"]


def test_a_push_is_no_reason_to_ask_again(sprint, tracker):
    """Our own write moves updated_at; what comes back of it costs no call, also when the tracker stamps it again a moment later."""
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    assert _calls(tracker) == ["items", "set_group"]
    for _ in range(2):
        tracker.clock.advance(0.03)
        tracker.touch("a")
        sprint.sprints.sync()
        assert _calls(tracker) == ["items"]
    assert sprint.link("a").remote_updated_at == tracker.clock.now()


def test_a_comment_is_no_reason_to_ask_again(sprint, tracker):
    """The comments on a completed sprint's items cost one call each, and none because they were written."""
    for name in "abc":
        tracker.put(name, StateGroup.COMPLETED)
    sprint.sprints.sync()
    sprint.drain()
    assert sprint.sprints.complete("shop").success
    sprint.drain(after=60)
    assert len(tracker.comments) == 3
    _calls(tracker)
    sprint.sprints.sync()
    sprint.drain()
    assert _calls(tracker) == ["items"]


def test_a_relation_after_our_own_write_is_fetched(sprint, tracker):
    """A touch later than our write is somebody else's."""
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    sprint.sprints.sync()
    sprint.clock.advance(6)
    tracker.relate("a", "b")
    sprint.sprints.sync()
    assert sprint.needs("a") == {"B": "relation"}


def test_a_tracker_that_does_not_tell_its_writes_is_asked_again(sprint, tracker):
    """Where it cannot be told whose write it was, a needless call is better than a lost relation."""
    tracker.written_at = lambda item_id: None
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    sprint.sprints.sync()
    sprint.clock.advance(1)
    tracker.touch("a")
    _calls(tracker)
    sprint.sprints.sync()
    assert _calls(tracker) == ["items", "blockers"]


def test_a_touch_while_relations_are_fetched_is_not_lost(desk, tracker):
    """What was fetched before a touch does not end the wait of the item that was touched."""
    tracker.put("a")
    desk.sprints.import_cycle("cycle-1", project="shop")

    def touch(call):
        tracker.before = lambda call: None
        desk.clock.advance(1)
        tracker.relate("a", "b")
        desk.sprints.import_cycle("cycle-1", project="shop")

    tracker.before = lambda call: call[0] == "blockers" and touch(call)
    tracker.put("b")
    desk.drain()
    desk.sprints.sync()
    assert desk.needs("a") == {"B": "relation"}
    assert desk.sprints.status().relations_pending == 0


# Servers without relations


def test_a_server_without_relations_is_not_asked_again(desk, tracker):
    """Once it is known, neither new nor changed items wait; the next cycle asks a server that was upgraded meanwhile."""
    tracker.put("a")
    tracker.blockers = lambda item_id: tracker.calls.append(("blockers", item_id))
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.drain()
    tracker.put("a", priority=1)
    tracker.put("b")
    assert desk.sprints.import_cycle("cycle-1", project="shop").relations_pending == 0
    del tracker.blockers
    tracker.names["cycle-2"], tracker.contents["cycle-2"] = "Sprint 6", []
    tracker.put("c", cycle="cycle-2")
    _calls(tracker)
    assert desk.sprints.import_cycle("cycle-2", project="shop").relations_pending == 1
    desk.drain()
    assert _calls(tracker) == ["cycle", "items", "blockers"]


@given(st.timedeltas(timedelta(hours=-1), timedelta(hours=1)))
def test_only_what_follows_our_write_closely_is_ours(after):
    """A touch counts as our own within five seconds after our write, and never before it."""
    written = datetime(2026, 11, 21, 12, tzinfo=UTC)
    item = TrackerItem(id="a", name="A", group=StateGroup.STARTED, updated_at=written + after)
    link = Link(
        tracker="t", project_id="p", external_id="a", item_id="i", sprint_id=None, content_hash="", group=StateGroup.STARTED,
        remote_updated_at=written - timedelta(days=1), synced_at=written, written_at=written,
    )  # fmt: skip
    assert was_touched(item, link) is not (timedelta(0) <= after <= timedelta(seconds=5))
