"""A forge with this adapter keeps to the calls that the budget has, counted at the server."""

from __future__ import annotations

import pytest

from forgekit import Forge


@pytest.fixture
def forge(plane):
    """A forge in memory, configured for the fake."""
    with Forge.open("sqlite:///:memory:", discover=True, config={"plane": plane.settings}) as opened:
        yield opened


@pytest.fixture
def cycle(plane):
    """A cycle of thirty items, the child before its parent."""
    cycle_id = plane.add_cycle("Sprint 4")
    items = [plane.add_item(f"Item {number}", cycle=cycle_id) for number in range(30)]
    plane.edit_item(items[0], parent=items[-1])
    return cycle_id


def test_importing_is_two_calls_and_again_two(plane, forge, cycle):
    """A first import is two calls, an unchanged one at most two, also after the server's timestamps moved."""
    assert forge.sprints.import_cycle(cycle, project="shop").imported == 30
    assert plane.count() == 2
    plane.touch_item(next(iter(plane.world.items)))
    report = forge.sprints.import_cycle(cycle, project="shop")
    assert (report.imported, report.updated) == (0, 0)
    assert plane.count() <= 4


def test_an_idle_look_is_one_call(plane, forge, cycle):
    """Where nothing changed the loop's look costs one call once relations are known."""
    forge.sprints.import_cycle(cycle, project="shop")
    forge.sprints.toggle(True)
    looks = (forge.sprints.sync() for _ in range(10))
    assert any(look.relations_pending == 0 for look in looks)
    plane.forget_calls()
    forge.sprints.sync()
    assert plane.count() == 1
