"""A forge that follows a JSON file: relations need nothing that only Plane has."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

import forgekit_sql
from forgekit import Forge
from forgekit.testing import FakeClock

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    """A clock that stands still."""
    return FakeClock(START)


@pytest.fixture
def put(tmp_path, clock):
    """Write the items of the one cycle into the file, each with what it waits for, all changed now."""

    def write(**items):
        cycle = {"id": "week", "name": "This week", "description": "", "from": "2026-11-16", "to": "2026-11-27"}
        rows = [
            {"id": name, "cycle": "week", "name": name, "group": "started", "blocked_by": needs, "updated": str(clock.now())}
            for name, needs in items.items()
        ]
        (tmp_path / "tracker.json").write_text(json.dumps({"project": "Shop", "cycles": [cycle], "items": rows}))

    return write


@pytest.fixture
def open_forge(tmp_path, clock, json_tracker):
    """Open a forge in memory on the file; the settings of the tracker may be changed."""
    opened = []

    def make(**changes):
        config = {"json": {"path": str(tmp_path / "tracker.json"), **changes}}
        forge = Forge.open("sqlite://", plugins=[forgekit_sql, json_tracker], config=config, environ={}, clock=clock)
        opened.append(forge)
        return forge

    yield make
    for forge in opened:
        forge.close()


def _needs(forge):
    items = {item.id: item.name for item in forge.work.items("shop")}
    with forge.transaction() as tx:
        found = forge.storage.work(tx).dependencies(items)
    return {items[item_id]: sorted(items[needed] for needed in needs) for item_id, needs in found.items()}


def test_a_blocker_that_joins_later_is_linked(put, open_forge):
    """What an item waits for is kept as the file says it, and linked once it is here."""
    forge = open_forge(relations=True)
    put(login=["schema"])
    forge.sprints.import_cycle("week", project="shop")
    forge.worker().drain()
    assert _needs(forge) == {}
    put(login=["schema"], schema=[])
    forge.sprints.import_cycle("week", project="shop")
    assert _needs(forge) == {"login": ["schema"]}


def test_a_changed_relation_is_noticed(put, open_forge, clock):
    """A relation that changes without anything else is no update of the item, and is fetched."""
    forge = open_forge(relations=True)
    put(login=[], schema=["login"])
    forge.sprints.import_cycle("week", project="shop")
    forge.worker().drain()
    clock.advance(60)
    put(login=["schema"], schema=[])
    report = forge.sprints.import_cycle("week", project="shop")
    assert (report.updated, report.relations_pending) == (0, 2)
    forge.worker().drain()
    assert _needs(forge) == {"login": ["schema"]}


def test_a_tracker_without_relations_has_none_pending(put, open_forge, clock):
    """Where the tracker cannot tell them, none are waited for, of new items or of touched ones."""
    forge = open_forge()
    put(login=["schema"], schema=[])
    assert forge.sprints.import_cycle("week", project="shop").relations_pending == 0
    clock.advance(60)
    put(login=[], schema=[])
    assert forge.sprints.import_cycle("week", project="shop").relations_pending == 0
    assert forge.sprints.status().relations_pending == 0
