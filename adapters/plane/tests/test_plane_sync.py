"""A forge that follows a Plane: its loop, its relations, and the calls that they cost, counted at the server."""

from __future__ import annotations

import pytest

from forgekit import Forge
from forgekit.kernel.clock import SystemClock
from forgekit.testing import FakeClock, FakePlane
from forgekit_plane import PlaneSettings


@pytest.fixture
def clock(plane):
    """One clock for the forge and for the server."""
    plane.world.clock = FakeClock(SystemClock().now())
    return plane.world.clock


def _forge(plane, clock):
    return Forge.open("sqlite://", discover=True, config={"plane": plane.settings}, environ={}, clock=clock)


@pytest.fixture
def forge(plane, clock):
    """A forge in memory, configured for the fake."""
    with _forge(plane, clock) as opened:
        yield opened


@pytest.fixture
def worker(forge, plane, clock):
    """Let time pass, run all that is due with one worker, and return the last words of the paths that were called."""
    running = forge.worker()

    def drain(after=0.0):
        plane.forget_calls()
        clock.advance(after)
        running.drain()
        return [call.path.rstrip("/").rpartition("/")[2] for call in plane.calls]

    return drain


@pytest.fixture
def cycle(plane):
    """A cycle."""
    return plane.add_cycle("Sprint 4")


def test_a_stored_interval_holds_from_the_next_look(plane, forge, worker, cycle):
    """Who stores another interval need not start the worker again."""
    plane.add_item("Login", cycle=cycle)
    forge.sprints.import_cycle(cycle, project="shop")
    forge.sprints.toggle(True)
    worker()
    forge.settings.store(PlaneSettings, {"poll_interval": 300})
    assert worker(after=30) == ["cycle-issues"]
    assert worker(after=299) == []
    assert worker(after=1) == ["cycle-issues"]


@pytest.fixture
def needs(forge, plane):
    """Tell the names of what an item of the project ``shop`` waits for."""

    def tell(name):
        items = {item.id: item for item in forge.work.items("shop")}
        item = next(item for item in items.values() if item.name == name)
        with forge.transaction() as tx:
            found = forge.storage.work(tx).dependencies([item.id]).get(item.id, {})
        return sorted(items[item_id].name for item_id in found)

    return tell


@pytest.fixture
def followed(plane, forge, worker, cycle):
    """A cycle of two items that is followed, its relations fetched a minute ago; their ids."""
    ids = [plane.add_item(name, cycle=cycle) for name in ("Login", "Logout")]
    forge.sprints.import_cycle(cycle, project="shop")
    forge.sprints.toggle(True)
    worker()
    worker(after=60)
    return ids


def test_a_blocker_that_joins_later_is_linked(plane, forge, worker, cycle, needs):
    """The relation was fetched with the item that waits; when its blocker joins the cycle no call is needed to link them."""
    login, schema = plane.add_item("Login", cycle=cycle), plane.add_item("Schema")
    plane.relate(login, blocked_by=schema)
    forge.sprints.import_cycle(cycle, project="shop")
    worker()
    assert needs("Login") == []
    plane.move_to_cycle(schema, cycle)
    plane.forget_calls()
    forge.sprints.import_cycle(cycle, project="shop")
    assert needs("Login") == ["Schema"]
    assert plane.count() == 2


def test_a_relation_that_is_added_or_removed_is_noticed(plane, forge, worker, followed, needs):
    """Nothing but updated_at tells of it: both items are asked once, none counts as updated."""
    plane.relate(followed[0], blocked_by=followed[1])
    assert worker(after=30) == ["cycle-issues", "relations", "relations"]
    assert needs("Login") == ["Logout"]
    assert forge.sprints.status().state.items_synced == 0
    plane.world.relations.clear()
    plane.touch_item(followed[0])
    assert worker(after=30) == ["cycle-issues", "relations"]
    assert needs("Login") == []
    assert worker(after=30) == ["cycle-issues"]


def test_our_own_writes_cost_no_relations(plane, forge, worker, followed):
    """A push comes back with another updated_at, stamped again in the background; the next looks are one call each."""
    forge.work.record_test_run(forge.work.item_by_number("shop", 1), passed=True)
    assert not {"relations", "comments"} & set(worker(after=2))
    assert plane.state_of(followed[0]) == "Done"
    plane.world.restamp(plane.world.items[followed[0]])
    assert [worker(after=30) for _ in range(2)] == [["cycle-issues"]] * 2


def test_comments_of_a_completion_cost_no_relations(plane, forge, worker, followed):
    """One call a comment, and the looks that follow are one call each."""
    for number in (1, 2):
        forge.work.record_test_run(forge.work.item_by_number("shop", number), passed=True)
    worker()
    worker(after=30)
    assert forge.sprints.complete("shop").success
    assert sorted(worker()) == ["comments", "comments"]
    assert [worker(after=30) for _ in range(2)] == [["cycle-issues"]] * 2


def test_a_server_without_relations_is_asked_once(clock):
    """Before v1.3 there is nothing to fetch: one call tells, and from then on nothing is pending."""
    with FakePlane(rate_limit=None, version="1.2.0", clock=clock) as plane, _forge(plane, clock) as forge:
        cycle = plane.add_cycle("Sprint 4")
        items = [plane.add_item(name, cycle=cycle) for name in ("Login", "Logout")]
        forge.sprints.import_cycle(cycle, project="shop")
        forge.worker().drain()
        assert plane.count(path="relations") == 1
        plane.edit_item(items[0], name="Sign in")
        plane.add_item("Help", cycle=cycle)
        assert forge.sprints.import_cycle(cycle, project="shop").relations_pending == 0
        assert plane.count(path="relations") == 1
