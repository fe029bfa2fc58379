"""Sprints made here, and what is read of them."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from forgekit.errors import InvalidInput, ProjectNotFound, SprintNotFound, UnknownPlugin
from forgekit.sprints.models import SprintState, StateGroup
from forgekit.sprints.parts import Parts


@pytest.fixture
def shop(desk):
    """A project."""
    return desk.work.create_project("shop")


def test_the_first_sprint_is_active(desk, shop):
    """A sprint made where none is active is active at once; the next one waits for its start."""
    first = desk.sprints.create("shop", name=" Sprint\n1 ", goal="go")
    desk.clock.advance(1)
    second = desk.sprints.create(shop, name="Sprint 2")
    assert (first.name, first.state, second.state) == ("Sprint 1", SprintState.ACTIVE, SprintState.PLANNED)
    assert desk.sprints.sprints("shop") == [first, second]


def test_starting_a_sprint_completes_the_one_before(desk, shop):
    """A project has one active sprint at most."""
    first = desk.sprints.create(shop, name="Sprint 1")
    second = desk.sprints.create(shop, name="Sprint 2")
    assert desk.sprints.start(second.id) == desk.sprints.active(shop)
    assert desk.sprints.sprint(first.id).state is SprintState.COMPLETED
    assert desk.sprints.start(second.id).state is SprintState.ACTIVE


def test_a_sprint_must_make_sense(desk, shop):
    """A sprint needs a name, and cannot end before it starts."""
    with pytest.raises(InvalidInput):
        desk.sprints.create(shop, name=" ")
    with pytest.raises(InvalidInput):
        desk.sprints.create(shop, name="x", starts_on=date(2026, 2, 2), ends_on=date(2026, 2, 1))


def test_what_is_not_there_is_not_found(desk):
    """Unknown projects and sprints are errors of their own."""
    with pytest.raises(ProjectNotFound):
        desk.sprints.create("nowhere", name="x")
    with pytest.raises(SprintNotFound):
        desk.sprints.start("no-such-sprint")
    with pytest.raises(ProjectNotFound):
        desk.sprints.report("nowhere")


def test_verbs_share_a_transaction(desk):
    """What several verbs write in one transaction is undone together."""

    def several():
        with desk.storage.transaction() as tx:
            project = desk.work.create_project("shop", tx=tx)
            desk.sprints.create(project, name="Sprint", tx=tx)
            desk.sprints.toggle(True, tx=tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        several()
    assert desk.work.projects() == []
    assert not desk.sprints.status().state.enabled


def test_the_tracker_is_asked_through(desk, tracker):
    """Cycles and the connection come from the tracker as they are."""
    assert [cycle.name for cycle in desk.sprints.cycles()] == ["Sprint 5"]
    assert desk.sprints.check("t").workspace == "w"


def test_a_tracker_must_be_known(desk):
    """A name that no plugin offers is refused, and so is no name where there is not exactly one."""
    with pytest.raises(UnknownPlugin, match="'x'"):
        desk.sprints.cycles("x")
    with pytest.raises(UnknownPlugin, match="Name a tracker"):
        attrs.evolve(desk.sprints._parts, trackers={}).name(None)
    assert isinstance(desk.sprints._parts, Parts)


def test_the_status_counts_the_active_sprint(desk, tracker):
    """Items, passing ones, runs and their rate, of the sprint that is synchronised."""
    tracker.put("a")
    tracker.put("b", StateGroup.COMPLETED)
    desk.sprints.import_cycle("cycle-1", project="shop")
    for passed in (True, True, True, True, True, True, False):
        desk.clock.advance(1)
        desk.work.record_test_run(desk.item("a"), passed=passed)
    status = desk.sprints.status()
    numbers = status.statistics
    assert (numbers.total, numbers.passing, numbers.failed, numbers.test_runs, numbers.pass_rate) == (2, 1, 1, 7, 85.7)
    assert not numbers.complete
    assert (status.state.active_cycle_name, status.relations_pending) == ("Sprint 5", 2)
    assert desk.sprints.statistics(desk.sprints.active("shop").id) == numbers


def test_nothing_is_counted_before_an_import(desk):
    """Without an active cycle every number is zero, and there is no rate to divide by."""
    status = desk.sprints.status()
    assert (status.statistics.total, status.statistics.pass_rate, status.running) == (0, 0.0, False)


def test_the_report_lists_linked_items_with_runs(desk, tracker):
    """Items of the tracker are counted, those with runs are listed by number with their newest result."""
    tracker.put("a")
    tracker.put("b")
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.work.record_test_run(desk.work.create_item("shop", name="own"), passed=False)
    desk.work.record_test_run(desk.item("b"), passed=True)
    desk.clock.advance(1)
    desk.work.record_test_run(desk.item("b"), passed=False)
    report = desk.sprints.report("shop")
    assert (report.total_items, report.tested, report.statistics.test_runs, report.statistics.pass_rate) == (2, 1, 2, 50.0)
    assert [(entry.number, entry.total, entry.passed, entry.last_passed) for entry in report.items] == [(2, 2, 1, False)]
    assert report.items[0].last_at == report.generated_at == desk.clock.now()
