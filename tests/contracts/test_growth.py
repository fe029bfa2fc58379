"""What an import costs as cycles grow: counted at the tracker and at the database, not timed."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from forgekit import Forge
from forgekit.testing import FakePlane

SIZES = (10, 100, 1_000)


@contextmanager
def _statements():
    """Collect what is sent to any database; a statement with many parameter sets counts once."""
    sent = []

    def hear(_connection, _cursor, statement, _parameters, _context, _many):
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


@pytest.fixture
def open_forge(tmp_path):
    """Open a forge on a file of its own, configured for a Plane; keyword arguments are settings."""
    forges = []

    def make(plane, **settings):
        config = {"plane": {**plane.settings, "rate_limit": 10_000, **settings}}
        forges.append(Forge.open(f"sqlite:///{tmp_path}/{len(forges)}.db", discover=True, config=config))
        return forges[-1]

    yield make
    for forge in forges:
        forge.close()


def _cycle_of(plane, size):
    cycle = plane.add_cycle("Sprint 4")
    top = plane.add_item("Top", cycle=cycle)
    children = [plane.add_item(f"Item {number}", cycle=cycle, parent=top) for number in range(size - 1)]
    return cycle, [top, *children]


def _cost(plane, forge, cycle, expected):
    """Return how many statements and calls an import takes, once it is checked that it did what it should."""
    plane.forget_calls()
    with _statements() as sent:
        report = forge.sprints.import_cycle(cycle, project="shop")
    assert (report.imported, report.updated, report.skipped) == expected
    return len(sent), plane.count()


def _costs(open_forge, size):
    with FakePlane(rate_limit=None) as plane:
        forge = open_forge(plane)
        cycle, items = _cycle_of(plane, size)
        first = _cost(plane, forge, cycle, (size, 0, 0))
        unchanged = _cost(plane, forge, cycle, (0, 0, size))
        for item in items:
            plane.edit_item(item, name="Another name", state="Done")
        return {"first": first, "unchanged": unchanged, "changed": _cost(plane, forge, cycle, (0, size, 0))}


@pytest.mark.slow
def test_statements_and_calls_do_not_grow_with_the_cycle(open_forge):
    """A first, an unchanged and a changed import take two calls, and as many statements for 10 items as for 100 and 1,000."""
    few, more, many = (_costs(open_forge, size) for size in SIZES)
    assert few == more == many
    assert [calls for _, calls in many.values()] == [2, 2, 2]


def test_calls_grow_with_pages(open_forge):
    """Each further page is one further call, whatever is on it."""
    with FakePlane(rate_limit=None) as plane:
        cycle, _ = _cycle_of(plane, 100)
        few, many = (_cost(plane, open_forge(plane, page_size=size), cycle, (100, 0, 0)) for size in (100, 10))
        assert (few[1], many[1]) == (2, 11)
