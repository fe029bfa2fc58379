"""What an import changes, decided without any I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.sprints.models import Link, StateGroup, TrackerItem
from forgekit.sprints.reports import Action
from forgekit.sprints.rules.importing import Here, distinct, is_new, move, plan, was_touched
from forgekit.work.models import Kind, State, WorkItem

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def _remote(name="a", **changes):
    fields = {"id": name, "name": name.upper(), "group": StateGroup.UNSTARTED, "updated_at": NOW} | changes
    return TrackerItem(**fields)


class World:
    """What is stored, kept up as an import would."""

    def __init__(self, sprint="s1"):
        self.sprint, self.links, self.items, self.parents = sprint, {}, {}, {}

    def run(self, *items, now=NOW, fetched_at=None, relations=True):
        fetched = distinct(items)
        count = sum(is_new(item, self.links) for item in fetched)
        here = Here(
            tracker="t", project_id="p", sprint_id=self.sprint, links=self.links, items=self.items, first_number=len(self.items) + 1,
            new_ids=[f"id-{len(self.items) + index}" for index in range(count)], fetched_at=fetched_at or now, now=now, relations=relations,
        )  # fmt: skip
        done = plan(fetched, here)
        self.items |= {item.id: item for item in [*done.created, *done.changed]}
        self.links |= {link.external_id: link for link in done.links}
        self.parents |= done.parents
        return done

    def item(self, external_id):
        return self.items[self.links[external_id].item_id]

    def change(self, external_id, **changes):
        self.items[self.item(external_id).id] = attrs.evolve(self.item(external_id), **changes)


def _outcome(done):
    return [(detail.external_id, detail.action.value, detail.reason) for detail in done.details]


GROUPS = st.sampled_from(list(StateGroup))
REMOTES = st.lists(
    st.builds(
        _remote,
        st.sampled_from("abcdef"),
        group=GROUPS,
        priority=st.integers(1, 5),
        parent_id=st.sampled_from([None, *"abcdefz"]),
        description=st.text(max_size=20),
    ),
    max_size=8,
    unique_by=lambda item: item.id,
)


@pytest.mark.parametrize(
    ("group", "state", "passing"),
    [
        (StateGroup.BACKLOG, State.TO_DO, False),
        (StateGroup.UNSTARTED, State.TO_DO, False),
        (StateGroup.STARTED, State.IN_PROGRESS, False),
        (StateGroup.COMPLETED, State.DONE, True),
    ],
)
def test_a_new_item_takes_the_trackers_state(group, state, passing):
    """Completed there passes here, started there is in progress here."""
    world = World()
    assert _outcome(world.run(_remote(group=group))) == [("a", "created", None)]
    assert (world.item("a").state, world.item("a").passing) == (state, passing)


def test_a_cancelled_item_is_not_made():
    """An item that was cancelled before anyone here saw it is skipped."""
    world = World()
    done = world.run(_remote(group=StateGroup.CANCELLED))
    assert _outcome(done) == [("a", "skipped", "cancelled")]
    assert done.details[0].name == "A"
    assert not world.items


def test_a_new_item_is_made_whole():
    """Project, sprint, number, content, order and times of a new item are all there."""
    world = World()
    world.run(_remote(), _remote("b", description="text", priority=2, category="shop", position=7))
    assert world.item("b") == WorkItem(
        id="id-1", project_id="p", number=2, sprint_id="s1", name="B", description="text", steps=("text",), category="shop", priority=2,
        position=7, created_at=NOW, updated_at=NOW,
    )  # fmt: skip


@given(REMOTES)
def test_an_unchanged_import_changes_nothing(items):
    """Importing the same cycle twice updates and writes nothing, whatever is in it."""
    world = World()
    world.run(*items)
    again = world.run(*items, now=LATER)
    assert {detail.action for detail in again.details} <= {Action.SKIPPED}
    assert (again.created, again.changed, again.links, dict(again.parents)) == ((), (), (), {})


@given(REMOTES, REMOTES)
def test_an_import_ends_in_the_trackers_state(before, after):
    """From any past, the sprint holds exactly the tracker's items that are not cancelled, each with its content."""
    world = World()
    world.run(*before)
    world.run(*after, now=LATER)
    inside = {external_id for external_id in world.links if world.item(external_id).sprint_id == "s1"}
    assert inside == {item.id for item in after if item.group is not StateGroup.CANCELLED}
    for item in after:
        if item.id in inside:
            assert (world.item(item.id).priority, world.item(item.id).passing) == (item.priority, item.group is StateGroup.COMPLETED)


@given(REMOTES, REMOTES)
def test_what_an_import_did_is_done(before, after):
    """Whatever an import changed, the next one finds nothing more to change."""
    world = World()
    world.run(*before)
    world.run(*after, now=LATER)
    again = world.run(*after, now=LATER)
    assert (again.created, again.changed, again.links, dict(again.parents)) == ((), (), (), {})


@given(REMOTES, st.randoms(use_true_random=False))
def test_the_order_of_the_list_does_not_matter(items, random):
    """Parents are found whether they stand before or behind their children."""

    def families(fetched):
        world = World()
        world.run(*fetched)
        names = {item.id: item.name for item in world.items.values()}
        return {item.name: (names.get(item.parent_id), item.kind) for item in world.items.values()}

    assert families(items) == families(random.sample(items, len(items)))


def test_a_child_of_the_sprint_is_a_task():
    """An item whose parent is in the same sprint is a task and depends on it; any other is a story."""
    world = World()
    world.run(_remote("child", parent_id="top"), _remote("top", parent_id="elsewhere"))
    assert (world.item("child").kind, world.item("top").kind) == (Kind.TASK, Kind.STORY)
    assert world.parents == {world.item("child").id: (world.item("top").id,), world.item("top").id: ()}


def test_a_parent_that_arrives_later_is_found():
    """A child imported before its parent gets it when the parent joins the cycle, and that is no update of the child."""
    world = World()
    world.run(_remote("child", parent_id="top"))
    done = world.run(_remote("child", parent_id="top"), _remote("top"), now=LATER)
    assert _outcome(done) == [("child", "skipped", "already_imported"), ("top", "created", None)]
    assert world.item("child").parent_id == world.item("top").id


def test_an_item_is_never_its_own_parent():
    """Nonsense from the tracker does not become a loop here."""
    world = World()
    world.run(_remote("a", parent_id="a"))
    assert world.item("a").parent_id is None


def test_a_changed_item_is_updated():
    """A change of content there wins over what was changed here."""
    world = World()
    world.run(_remote())
    world.change("a", name="local", priority=1)
    changed = attrs.evolve(_remote(), name="new", priority=4)
    assert _outcome(world.run(changed, now=LATER)) == [("a", "updated", None)]
    assert (world.item("a").name, world.item("a").priority) == ("new", 4)


def test_an_unchanged_item_keeps_what_is_here():
    """What did not change there never overrides what changed here."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED))
    world.change("a", name="local", state=State.BLOCKED, passing=True, passing_at=NOW)
    before = world.item("a")
    assert _outcome(world.run(_remote(group=StateGroup.STARTED, updated_at=LATER), now=LATER)) == [("a", "skipped", "already_imported")]
    assert world.item("a") == before


def test_reopening_clears_what_passed():
    """Reopened there does not pass here, whatever ran here; the item is where the tracker says."""
    world = World()
    world.run(_remote(group=StateGroup.COMPLETED))
    world.change("a", passing_at=LATER)
    world.run(_remote(group=StateGroup.STARTED, updated_at=LATER), now=LATER)
    assert (world.item("a").passing, world.item("a").state) == (False, State.IN_PROGRESS)


def test_a_newer_failed_run_goes_before_an_older_completion():
    """The newest word decides: a run that failed after the completion there stands."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED))
    world.change("a", passing=False, passing_at=LATER)
    world.run(_remote(group=StateGroup.COMPLETED, updated_at=NOW), now=LATER)
    assert not world.item("a").passing


def test_a_newer_completion_goes_before_an_older_failed_run():
    """The newest word decides: a completion there after a failed run stands."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED))
    world.change("a", passing=False, passing_at=NOW)
    world.run(_remote(group=StateGroup.COMPLETED, updated_at=LATER), now=LATER)
    assert world.item("a").passing


@pytest.mark.parametrize("state", [State.IN_PROGRESS, State.REVIEW, State.BLOCKED])
def test_a_state_within_the_group_is_left(state):
    """Started there does not move an item that is at work here in another way."""
    world = World()
    world.run(_remote())
    world.change("a", state=state)
    world.run(_remote(group=StateGroup.STARTED), now=LATER)
    assert world.item("a").state is state


def test_moving_back_frees_the_item():
    """Back in the backlog there is to do here."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED))
    world.run(_remote(group=StateGroup.BACKLOG), now=LATER)
    assert world.item("a").state is State.TO_DO


def test_what_passes_here_stays_passing_when_the_tracker_starts_it():
    """A move there that says nothing about passing does not lose a run that passed here."""
    world = World()
    world.run(_remote())
    world.change("a", passing=True, passing_at=NOW, state=State.DONE)
    world.run(_remote(group=StateGroup.STARTED), now=LATER)
    assert (world.item("a").passing, world.item("a").state) == (True, State.DONE)


def test_our_own_write_is_no_update():
    """What comes back from a push that was not recorded any more changes nothing here, so it is not reported as an update."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED))
    world.change("a", passing=True, passing_at=NOW, state=State.DONE)
    done = world.run(_remote(group=StateGroup.COMPLETED, updated_at=NOW), now=LATER)
    assert _outcome(done) == [("a", "skipped", "already_imported")]
    assert world.links["a"].group is StateGroup.COMPLETED


def test_a_removed_item_is_kept_and_freed_and_reported_once():
    """An item that left is here still, out of the sprint, nobody's work in progress, and mentioned one time."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED), _remote("b"))
    assert _outcome(world.run(_remote("b"), now=LATER))[1:] == [("a", "skipped", "removed_from_cycle")]
    assert (world.item("a").sprint_id, world.item("a").state) == (None, State.TO_DO)
    assert len(world.run(_remote("b"), now=LATER).details) == 1


def test_a_removed_item_that_passes_is_not_freed():
    """What is done stays done when it leaves."""
    world = World()
    world.run(_remote(group=StateGroup.COMPLETED))
    world.run(now=LATER)
    assert (world.item("a").sprint_id, world.item("a").state, world.item("a").passing) == (None, State.DONE, True)


def test_an_item_that_comes_back_is_in_the_sprint_again():
    """An item that left and returns is an update, in the state that the tracker shows."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED))
    world.run(now=LATER)
    assert _outcome(world.run(_remote(group=StateGroup.STARTED), now=LATER)) == [("a", "updated", None)]
    assert (world.item("a").sprint_id, world.item("a").state) == ("s1", State.IN_PROGRESS)


def test_an_item_moved_to_another_cycle_is_the_same_item():
    """The next cycle takes the item over instead of making a second one."""
    world = World()
    world.run(_remote())
    world.sprint = "s2"
    assert _outcome(world.run(_remote(), now=LATER)) == [("a", "updated", None)]
    assert world.item("a").sprint_id == "s2"
    assert len(world.items) == 1


def test_a_cancelled_item_leaves_the_sprint_and_may_return():
    """Cancelled there: out of the sprint and freed, reported as cancelled; reopened there: back."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED))
    cancelled = _remote(group=StateGroup.CANCELLED)
    assert _outcome(world.run(cancelled, now=LATER)) == [("a", "skipped", "cancelled")]
    assert (world.item("a").sprint_id, world.item("a").state) == (None, State.TO_DO)
    assert world.run(cancelled, now=LATER).links == ()
    assert _outcome(world.run(_remote(group=StateGroup.STARTED), now=LATER)) == [("a", "updated", None)]


def test_a_stale_fetch_does_not_undo_a_newer_write():
    """What was fetched before a push, but written after it, does not look like a reopening, nor like a removal."""
    world = World()
    world.run(_remote(group=StateGroup.STARTED), _remote("b"))
    world.links["a"] = attrs.evolve(world.links["a"], group=StateGroup.COMPLETED, synced_at=LATER)
    world.links["b"] = attrs.evolve(world.links["b"], synced_at=LATER)
    done = world.run(_remote(group=StateGroup.STARTED), now=LATER, fetched_at=NOW)
    assert _outcome(done) == [("a", "skipped", "already_imported")]
    assert (done.changed, done.links) == ((), ())


def test_reordering_is_not_an_update():
    """A new order is stored and not reported."""
    world = World()
    world.run(_remote(position=1))
    assert _outcome(world.run(_remote(position=7), now=LATER)) == [("a", "skipped", "already_imported")]
    assert world.item("a").position == 7


def test_only_new_and_changed_items_wait_for_relations():
    """A relation costs a call, so it is asked for only where content is new; a move of the state is none."""
    world = World()
    world.run(_remote(), _remote("b"))
    world.links = {key: attrs.evolve(link, relations_pending=False) for key, link in world.links.items()}
    world.run(_remote(group=StateGroup.STARTED), _remote("b", priority=1), now=LATER)
    assert [key for key, link in world.links.items() if link.relations_pending] == ["b"]


def test_a_tracker_without_relations_leaves_none_pending():
    """Where the tracker cannot tell relations, none are waited for."""
    world = World()
    world.run(_remote(), relations=False)
    assert not world.links["a"].relations_pending


@given(st.text(), st.text(), st.text())
def test_any_text_fits_the_model(name, description, category):
    """Whatever a tracker sends becomes an item within the model's bounds."""
    world = World()
    world.run(attrs.evolve(_remote(), name=name, description=description, category=category))
    item = world.item("a")
    assert 0 < len(item.name) <= 255
    assert item.category
    assert (item.name + item.description + item.category).encode()


def test_an_update_takes_everything_at_once():
    """Name, parent and order that changed together come together, and the item is newer than before."""
    world = World()
    world.run(_remote(), _remote("top"))
    world.run(_remote(name="a", parent_id="top", position=3, priority=1), _remote("top"), now=LATER)
    item = world.item("a")
    assert (item.parent_id, item.position, item.priority, item.updated_at) == (world.item("top").id, 3, 1, LATER)


def test_a_new_parent_alone_is_an_update():
    """What an item is part of is content."""
    world = World()
    world.run(_remote(parent_id="top"), _remote("top"))
    assert _outcome(world.run(_remote(), _remote("top"), now=LATER))[0] == ("a", "updated", None)
    assert world.item("a").parent_id is None


def test_an_edit_that_changes_nothing_here_is_no_update():
    """Text that differs only in what cannot be stored is the same here, and the parent is kept."""
    world = World()
    world.run(_remote(description="x\x01", parent_id="top"), _remote("top"))
    done = world.run(_remote(description="x\x02", parent_id="top"), _remote("top"), now=LATER)
    assert _outcome(done)[0] == ("a", "skipped", "already_imported")
    assert (done.changed, done.parents) == ((), {world.item("a").id: (world.item("top").id,)})


def test_a_move_there_keeps_content_and_place_here():
    """An item that only changed its state there keeps the name and the sprint that it was given here."""
    world = World()
    world.run(_remote())
    world.change("a", name="local", sprint_id="other")
    world.run(_remote(group=StateGroup.STARTED), now=LATER)
    assert (world.item("a").name, world.item("a").sprint_id) == ("local", "other")


def test_a_link_knows_what_was_last_seen():
    """What changes in the tracker shows in the link: hash, group, both times, the sprint, though the item stays as it was."""
    world = World()
    world.run(_remote())
    hashed = world.links["a"].content_hash
    world.sprint = "s2"
    world.run(_remote(updated_at=LATER), now=LATER)
    link = world.links["a"]
    assert (link.content_hash, link.group, link.sprint_id) == (hashed, StateGroup.UNSTARTED, "s2")
    assert (link.remote_updated_at, link.synced_at) == (LATER, LATER)


def test_a_touch_without_a_change_is_seen():
    """A later ``updated_at`` alone is remembered, so that it is not looked at twice."""
    world = World()
    world.run(_remote())
    (link,) = world.run(_remote(updated_at=LATER), now=LATER).links
    assert link.remote_updated_at == LATER


@pytest.mark.parametrize(
    ("written", "touched"),
    [
        (None, True),
        (timedelta(microseconds=-1), True),
        (timedelta(0), False),
        (timedelta(seconds=5), False),
        (timedelta(seconds=5, microseconds=1), True),
    ],
)
def test_our_own_write_is_no_touch(written, touched):
    """A change within five seconds of what we wrote is taken for ours, and none before it."""
    world = World()
    world.run(_remote())
    link = attrs.evolve(world.links["a"], written_at=None if written is None else LATER - written)
    assert was_touched(_remote(updated_at=LATER), link) is touched


def test_what_did_not_move_was_not_touched():
    """The same ``updated_at`` means that nobody was there."""
    world = World()
    world.run(_remote())
    assert isinstance(world.links["a"], Link)
    assert not was_touched(_remote(), world.links["a"])


def test_completion_there_decides_between_equals():
    """A completion at the very moment of a failed run passes: state, result and time are the tracker's."""
    world = World()
    world.run(_remote())
    failed = attrs.evolve(world.item("a"), passing_at=LATER)
    moved = move(failed, _remote(group=StateGroup.COMPLETED, updated_at=LATER), seen=StateGroup.UNSTARTED, now=LATER)
    assert (moved.state, moved.passing, moved.passing_at) == (State.DONE, True, LATER)


def test_reopening_is_a_decision():
    """When something was reopened there is remembered as the time of the last word."""
    world = World()
    world.run(_remote(group=StateGroup.COMPLETED))
    world.run(_remote(group=StateGroup.STARTED, updated_at=LATER), now=LATER)
    assert world.item("a").passing_at == LATER


def test_an_item_cancelled_after_it_left_is_told():
    """Leaving is one thing and being cancelled another: each is noticed once, and nothing waits for relations then."""
    world = World()
    world.run(_remote())
    world.run(now=LATER)
    cancelled = _remote(group=StateGroup.CANCELLED)
    assert _outcome(world.run(cancelled, now=LATER)) == [("a", "skipped", "cancelled")]
    link = world.links["a"]
    assert (link.group, link.sprint_id, link.relations_pending) == (StateGroup.CANCELLED, None, False)
    assert _outcome(world.run(cancelled, now=LATER)) == [("a", "skipped", "cancelled")]


def test_an_item_cancelled_in_another_sprint_is_told():
    """An item that was in the cycle before and is cancelled in this one leaves its sprint by the link."""
    world = World()
    world.run(_remote())
    world.sprint = "s2"
    world.run(_remote(group=StateGroup.CANCELLED), now=LATER)
    assert world.links["a"].sprint_id is None


def test_a_task_that_leaves_is_a_story():
    """What leaves the sprint is newer, no part of anything in it any more, and waits for no relations."""
    world = World()
    world.run(_remote("child", parent_id="top"), _remote("top"))
    world.run(_remote("top"), now=LATER)
    assert (world.item("child").kind, world.item("child").updated_at) == (Kind.STORY, LATER)
    assert (world.links["child"].relations_pending, world.links["child"].synced_at) == (False, LATER)


@pytest.mark.parametrize(("state", "passing"), [(State.BLOCKED, False), (State.IN_PROGRESS, True)])
def test_only_work_in_progress_is_freed(state, passing):
    """An item that leaves keeps any state but that of work which is not done."""
    world = World()
    world.run(_remote())
    world.change("a", state=state, passing=passing)
    world.run(now=LATER)
    assert world.item("a").state is state


def test_shifting_pages_give_each_item_once():
    """An item that two pages show counts once."""
    assert [item.id for item in distinct([_remote(), _remote("b"), _remote()])] == ["a", "b"]
