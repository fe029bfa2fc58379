"""The suite that every tracker adapter passes.

::

    class TestShopTracker(TrackerContract):
        @pytest.fixture
        def stage(self):
            with ShopServer() as server:
                yield ShopStage(server)

``stage`` is the one fixture to write: the tracker under test, and the other side, where a person makes cycles and items. What a
tracker need not be able to do is a fixture too, to be overridden with False.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

import pytest

from forgekit.errors import InvalidInput, RemoteError, RemoteNotFound, RemoteRefused
from forgekit.sprints.models import Connection, Cycle, CycleStatus, StateGroup, TrackerItem
from forgekit.sprints.ports import KnowsRelations, Tracker

STRANGE_IDS = ("no-such-cycle", "..", "../../users/me", "a/b", "a%2Fb", "?x=1", "#", "käse 🧀", "x" * 100)
HOSTILE = "<script>alert(1)</script> & <b>bold</b>"


class TrackerStage(Protocol):
    """A tracker under test, and a person on its other side."""

    @property
    def tracker(self) -> Tracker:
        """The tracker under test; the same one each time."""
        ...

    def add_cycle(self, name: str, *, description: str = "", ended: bool = False) -> str:
        """Make a cycle that runs now, or one that has ended, and return its id."""
        ...

    def add_item(
        self,
        cycle_id: str,
        name: str,
        *,
        group: StateGroup = StateGroup.UNSTARTED,
        priority: int = 5,
        category: str | None = None,
        parent_id: str | None = None,
    ) -> str:
        """Make an item in a cycle, in the first state of a group, and return its id."""
        ...

    def rename_item(self, item_id: str, name: str) -> None:
        """Give an item another name."""
        ...

    def remove_from_cycle(self, item_id: str) -> None:
        """Take an item out of its cycle."""
        ...

    def relate(self, item_id: str, *, blocked_by: str) -> None:
        """Let an item wait for another; never called where ``knows_relations`` is False."""
        ...

    def comments(self, item_id: str) -> Sequence[str]:
        """Return an item's comments as their reader sees them, oldest first."""
        ...

    def description(self, cycle_id: str) -> str:
        """Return a cycle's description as its reader sees it."""
        ...


class TrackerContract:
    """What a ``Tracker`` promises; subclass it and write the fixture ``stage``."""

    # What to override

    @pytest.fixture
    def stage(self) -> TrackerStage:
        """Return the tracker under test and its other side."""
        pytest.fail("a subclass of TrackerContract writes the fixture stage")

    @pytest.fixture
    def knows_relations(self) -> bool:
        """Tell whether the tracker knows what an item waits for (``KnowsRelations``)."""
        return True

    @pytest.fixture
    def ended_cycles_refuse(self) -> bool:
        """Tell whether a cycle that has ended refuses edits."""
        return True

    @pytest.fixture
    def many(self) -> int:
        """Return how many items to list: more than fit on the tracker's first page."""
        return 30

    # What is promised

    def test_it_says_which_contract_it_was_written_for(self, stage: TrackerStage) -> None:
        """A tracker names the version of the port, so that a later forge knows what it has."""
        assert stage.tracker.API_VERSION == 1

    def test_a_check_tells_where_it_is_connected(self, stage: TrackerStage) -> None:
        """With good credentials ``check`` returns a workspace and a project."""
        connection = stage.tracker.check()
        assert isinstance(connection, Connection)
        assert connection.workspace
        assert connection.project

    def test_cycles_come_newest_first(self, stage: TrackerStage) -> None:
        """``cycles`` lists every cycle, the newest first."""
        first, second = stage.add_cycle("Sprint 1"), stage.add_cycle("Sprint 2")
        assert [cycle.id for cycle in stage.tracker.cycles()] == [second, first]

    def test_a_cycle_reads_alike_alone_and_in_the_list(self, stage: TrackerStage) -> None:
        """``cycle`` and ``cycles`` tell the same of a cycle."""
        cycle_id = stage.add_cycle("Sprint 1", description="the goal")
        cycle = stage.tracker.cycle(cycle_id)
        assert list(stage.tracker.cycles()) == [cycle]
        assert (cycle.name, cycle.description) == ("Sprint 1", "the goal")

    def test_a_cycle_tells_whether_it_runs(self, stage: TrackerStage) -> None:
        """The status follows from the dates, and the dates are in order."""
        running, ended = stage.tracker.cycle(stage.add_cycle("now")), stage.tracker.cycle(stage.add_cycle("then", ended=True))
        assert (running.status, ended.status) == (CycleStatus.CURRENT, CycleStatus.COMPLETED)
        assert all(_in_order(cycle) for cycle in (running, ended))

    @pytest.mark.parametrize("cycle_id", STRANGE_IDS)
    def test_an_unknown_cycle_is_not_found(self, stage: TrackerStage, cycle_id: str) -> None:
        """No text leads anywhere but to a cycle: what is none is not found, or no id at all."""
        stage.add_cycle("Sprint 1")
        with pytest.raises((RemoteNotFound, InvalidInput)):
            stage.tracker.cycle(cycle_id)

    def test_items_tell_what_they_are(self, stage: TrackerStage) -> None:
        """Name, priority, group, category and parent arrive."""
        cycle_id = stage.add_cycle("Sprint 1")
        parent_id = stage.add_item(cycle_id, "Epic")
        stage.add_item(cycle_id, "Login", group=StateGroup.STARTED, priority=1, category="ui", parent_id=parent_id)
        parent, child = stage.tracker.items(cycle_id)
        assert (parent.name, parent.parent_id, parent.category) == ("Epic", None, None)
        assert (child.name, child.group, child.priority, child.category) == ("Login", StateGroup.STARTED, 1, "ui")
        assert child.parent_id == parent_id

    @pytest.mark.parametrize("group", StateGroup)
    def test_items_tell_their_group(self, stage: TrackerStage, group: StateGroup) -> None:
        """Every group of states is recognised."""
        cycle_id = stage.add_cycle("Sprint 1")
        stage.add_item(cycle_id, "Login", group=group)
        assert [item.group for item in stage.tracker.items(cycle_id)] == [group]

    @pytest.mark.parametrize("priority", range(1, 6))
    def test_items_tell_their_priority(self, stage: TrackerStage, priority: int) -> None:
        """Every priority is recognised, 1 the most urgent and 5 none."""
        cycle_id = stage.add_cycle("Sprint 1")
        stage.add_item(cycle_id, "Login", priority=priority)
        assert [item.priority for item in stage.tracker.items(cycle_id)] == [priority]

    def test_items_are_complete(self, stage: TrackerStage, many: int) -> None:
        """However many items there are, each is listed once and in an order that stays."""
        cycle_id = stage.add_cycle("Sprint 1")
        made = [stage.add_item(cycle_id, f"Item {number}") for number in range(many)]
        items = stage.tracker.items(cycle_id)
        assert sorted(item.id for item in items) == sorted(made)
        assert list(stage.tracker.items(cycle_id)) == list(items)

    def test_items_know_the_time(self, stage: TrackerStage) -> None:
        """``updated_at`` is in UTC and moves when the item changes."""
        cycle_id = stage.add_cycle("Sprint 1")
        item_id = stage.add_item(cycle_id, "Login")
        before = _only(stage.tracker.items(cycle_id))
        stage.rename_item(item_id, "Sign in")
        after = _only(stage.tracker.items(cycle_id))
        assert after.name == "Sign in"
        assert after.updated_at > before.updated_at
        assert after.updated_at.utcoffset() == timedelta(0)

    def test_an_item_that_left_is_gone(self, stage: TrackerStage) -> None:
        """An item that is no longer in the cycle is not listed."""
        cycle_id = stage.add_cycle("Sprint 1")
        stays, leaves = stage.add_item(cycle_id, "stays"), stage.add_item(cycle_id, "leaves")
        stage.remove_from_cycle(leaves)
        assert [item.id for item in stage.tracker.items(cycle_id)] == [stays]

    def test_names_arrive_as_they_are(self, stage: TrackerStage) -> None:
        """What looks like markup in a name is text."""
        cycle_id = stage.add_cycle("Sprint 1")
        stage.add_item(cycle_id, "<b>&amp;</b> 任务 \u201cquote\u201d")
        assert _only(stage.tracker.items(cycle_id)).name == "<b>&amp;</b> 任务 \u201cquote\u201d"

    def test_progress_ends_with_everything(self, stage: TrackerStage, many: int) -> None:
        """Progress never falls and ends at the number of items."""
        cycle_id, told = stage.add_cycle("Sprint 1"), list[int]()
        for number in range(many):
            stage.add_item(cycle_id, f"Item {number}")
        stage.tracker.items(cycle_id, progress=lambda fetched, _total: told.append(fetched))
        assert told == sorted(told)
        assert told[-1] == many

    def test_items_of_an_unknown_cycle_are_none(self, stage: TrackerStage) -> None:
        """The items of a cycle that does not exist are an empty list or not found, never those of another."""
        stage.add_item(stage.add_cycle("Sprint 1"), "Login")
        try:
            assert not stage.tracker.items("00000000-0000-4000-8000-000000000000")
        except RemoteNotFound:
            return

    @pytest.mark.parametrize("group", [StateGroup.STARTED, StateGroup.COMPLETED])
    def test_a_group_can_be_set(self, stage: TrackerStage, group: StateGroup) -> None:
        """``set_group`` moves an item, and tells the group that it is in then."""
        cycle_id = stage.add_cycle("Sprint 1")
        item_id = stage.add_item(cycle_id, "Login")
        assert stage.tracker.set_group(item_id, group) is group
        assert _only(stage.tracker.items(cycle_id)).group is group

    def test_an_item_within_the_group_is_left(self, stage: TrackerStage) -> None:
        """``set_group`` writes nothing where the item is within the group already."""
        cycle_id = stage.add_cycle("Sprint 1")
        item_id = stage.add_item(cycle_id, "Login", group=StateGroup.STARTED)
        before = _only(stage.tracker.items(cycle_id))
        assert stage.tracker.set_group(item_id, StateGroup.STARTED) is StateGroup.STARTED
        assert _only(stage.tracker.items(cycle_id)) == before

    def test_an_unknown_item_cannot_be_set(self, stage: TrackerStage) -> None:
        """``set_group`` of an item that does not exist is one of the remote errors."""
        stage.add_cycle("Sprint 1")
        with pytest.raises(RemoteError):
            stage.tracker.set_group("00000000-0000-4000-8000-000000000000", StateGroup.STARTED)

    def test_a_comment_is_written_once(self, stage: TrackerStage) -> None:
        """A comment is there once a marker, however often it is written."""
        item_id = stage.add_item(stage.add_cycle("Sprint 1"), "Login")
        for marker in ("one", "one", "two" * 200, "two" * 200):
            stage.tracker.comment(item_id, "done", marker=marker)
        assert len(stage.comments(item_id)) == 2

    def test_a_comment_is_plain_text(self, stage: TrackerStage) -> None:
        """What looks like markup in a comment is text to its reader."""
        item_id = stage.add_item(stage.add_cycle("Sprint 1"), "Login")
        stage.tracker.comment(item_id, HOSTILE, marker="one")
        assert HOSTILE in stage.comments(item_id)[0]

    def test_a_text_is_appended_once(self, stage: TrackerStage) -> None:
        """Appending keeps what stands there, and does nothing the second time."""
        cycle_id = stage.add_cycle("Sprint 1", description="the goal")
        for _ in range(2):
            stage.tracker.append_to_cycle(cycle_id, f"went well {HOSTILE}", marker="forgekit-retro-1")
        description = stage.description(cycle_id)
        assert description.startswith("the goal")
        assert description.count(HOSTILE) == 1
        assert stage.tracker.cycle(cycle_id).description == description

    def test_two_texts_are_appended_apart(self, stage: TrackerStage) -> None:
        """Texts under two markers both stand there."""
        cycle_id = stage.add_cycle("Sprint 1")
        stage.tracker.append_to_cycle(cycle_id, "first", marker="forgekit-a")
        stage.tracker.append_to_cycle(cycle_id, "second", marker="forgekit-b")
        assert stage.description(cycle_id).index("first") < stage.description(cycle_id).index("second")

    def test_an_ended_cycle_refuses(self, stage: TrackerStage, *, ended_cycles_refuse: bool) -> None:
        """Where a cycle that has ended cannot be edited, that is an error of its own kind."""
        if not ended_cycles_refuse:
            pytest.skip("this tracker lets ended cycles be edited")
        cycle_id = stage.add_cycle("Sprint 1", ended=True)
        with pytest.raises(RemoteRefused):
            stage.tracker.append_to_cycle(cycle_id, "went well", marker="forgekit-retro-1")

    def test_blockers_are_what_an_item_waits_for(self, stage: TrackerStage, *, knows_relations: bool) -> None:
        """``blockers`` lists the items that hold this one up, and not those that it holds up."""
        if not knows_relations:
            assert not isinstance(stage.tracker, KnowsRelations)
            pytest.skip("this tracker knows no relations")
        assert isinstance(stage.tracker, KnowsRelations)
        cycle_id = stage.add_cycle("Sprint 1")
        waits, holds = stage.add_item(cycle_id, "waits"), stage.add_item(cycle_id, "holds")
        stage.relate(waits, blocked_by=holds)
        assert list(stage.tracker.blockers(waits) or ()) == [holds]
        assert list(stage.tracker.blockers(holds) or ()) == []


def _only(items: Sequence[TrackerItem]) -> TrackerItem:
    assert len(items) == 1
    return items[0]


def _in_order(cycle: Cycle) -> bool:
    return cycle.starts_on is not None and cycle.ends_on is not None and cycle.starts_on <= cycle.ends_on
