"""Imports: fetched first, written in one transaction, nothing twice and nothing lost."""

from __future__ import annotations

import pytest

from forgekit.errors import InvalidInput, NetworkInTransaction, RemoteNotFound, RemoteUnavailable
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.storage.transaction import forbid_network
from forgekit.sprints.models import ImportProgress, SprintImported, SprintState, StateGroup
from forgekit.work.models import Kind, ProjectCreated


def _counts(report):
    return report.imported, report.updated, report.skipped


def test_an_import_makes_project_sprint_and_items(desk, tracker):
    """The first import of a cycle makes the project and its active sprint, and tells what it did."""
    tracker.put("a", priority=1)
    tracker.put("b", StateGroup.CANCELLED)
    report = desk.sprints.import_cycle("cycle-1", project="shop")
    assert _counts(report) == (1, 0, 1)
    assert [detail.number for detail in report.details] == [1, None]
    assert desk.sprints.active("shop") == report.sprint
    assert (report.sprint.name, report.sprint.goal, report.sprint.state) == ("Sprint 5", "Ship it", SprintState.ACTIVE)
    assert desk.sprints.status().state.active_cycle_id == "cycle-1"
    assert len(desk.heard(ProjectCreated)) == 1


def test_an_unchanged_import_updates_nothing(desk, tracker):
    """Importing again reports every item as already imported, in two calls."""
    for name in "abcde":
        tracker.put(name)
    desk.sprints.import_cycle("cycle-1", project="shop")
    tracker.calls.clear()
    report = desk.sprints.import_cycle("cycle-1", project="shop")
    assert _counts(report) == (0, 0, 5)
    assert {detail.reason for detail in report.details} == {"already_imported"}
    assert [call[0] for call in tracker.calls] == ["cycle", "items"]
    assert desk.heard(SprintImported)[-1].skipped == 5


def test_children_may_come_before_their_parents(desk, tracker):
    """A dependency on a parent is kept in whatever order the list comes."""
    tracker.put("child", parent_id="top")
    tracker.put("top")
    desk.sprints.import_cycle("cycle-1", project="shop")
    assert desk.needs("child") == {"TOP": "parent"}
    assert desk.item("child").kind is Kind.TASK


def test_a_parent_from_an_earlier_sprint_is_found(desk, tracker):
    """A parent that another cycle brought here is depended on, and the child is a story of its own."""
    tracker.put("top")
    desk.sprints.import_cycle("cycle-1", project="shop")
    tracker.names["cycle-2"], tracker.contents["cycle-2"] = "Sprint 6", []
    tracker.put("child", cycle="cycle-2", parent_id="top")
    desk.sprints.import_cycle("cycle-2", project="shop")
    assert desk.needs("child") == {"TOP": "parent"}
    assert desk.item("child").kind is Kind.STORY


def test_the_next_cycle_completes_the_sprint_before(desk, tracker):
    """A project has one active sprint: the cycle that was imported last."""
    first = desk.sprints.import_cycle("cycle-1", project="shop").sprint
    tracker.names["cycle-2"], tracker.contents["cycle-2"] = "Sprint 6", []
    second = desk.sprints.import_cycle("cycle-2", project="shop").sprint
    assert desk.sprints.active("shop") == second
    assert desk.sprints.sprint(first.id).state is SprintState.COMPLETED
    assert desk.sprints.import_cycle("cycle-1", project="shop").sprint.state is SprintState.ACTIVE


@pytest.mark.parametrize("place", [0, 1])
def test_a_failure_stores_nothing(desk, tracker, place):
    """When the tracker fails, at whatever call, no project, no sprint and no state remain."""
    tracker.put("a")
    tracker.failures = [None] * place + [RemoteUnavailable()]
    with pytest.raises(RemoteUnavailable):
        desk.sprints.import_cycle("cycle-1", project="shop")
    assert desk.work.projects() == []
    assert desk.sprints.status().state.active_cycle_id is None


def test_an_unknown_cycle_is_refused(desk):
    """A cycle that the tracker does not know is an error, though its list of items would look empty."""
    with pytest.raises(RemoteNotFound):
        desk.sprints.import_cycle("no-such-cycle", project="shop")


@pytest.mark.parametrize(("cycle_id", "project"), [("", "shop"), ("cycle-1", "../shop"), ("a/b", "shop"), ("cycle-1", "")])
def test_bad_names_are_refused_before_any_call(desk, tracker, cycle_id, project):
    """Names that break their rule cost no call."""
    with pytest.raises(InvalidInput):
        desk.sprints.import_cycle(cycle_id, project=project)
    assert tracker.calls == []


def test_no_call_leaves_while_a_transaction_is_open(desk, tracker):
    """Everything is fetched before the one write transaction begins."""
    tracker.put("a")
    tracker.before = lambda call: forbid_network()
    desk.sprints.import_cycle("cycle-1", project="shop")
    with pytest.raises(NetworkInTransaction), desk.storage.transaction():
        desk.sprints.import_cycle("cycle-1", project="shop")


def test_progress_goes_out_while_it_fetches(desk, tracker):
    """The callback hears how many items there are, and the signal the phases."""
    tracker.put("a")
    heard = []
    desk.sprints.import_cycle("cycle-1", project="shop", progress=lambda *count: heard.append(count))
    assert heard == [(1, 1)]
    assert [event.phase for event in desk.heard(ImportProgress)] == ["fetching", "writing", "done"]


def test_progress_tells_of_a_failure(desk, tracker):
    """Whoever shows the progress hears that there will be no more."""
    with pytest.raises(RemoteNotFound):
        desk.sprints.import_cycle("unknown", project="shop")
    assert [event.phase for event in desk.heard(ImportProgress)] == ["failed"]


def test_an_import_waits_as_a_person_unless_told(desk, tracker):
    """People's imports go first in the budget; a caller may say that nobody waits."""
    desk.sprints.import_cycle("cycle-1", project="shop")
    assert tracker.priority is Priority.PEOPLE
    desk.sprints.import_cycle("cycle-1", project="shop", priority=Priority.POLL)
    assert tracker.priority is Priority.POLL


def test_the_number_of_statements_does_not_grow(desk, tracker, statements):
    """Twenty times the items cost the same number of statements."""
    desk.sprints.import_cycle("cycle-1", project="shop")
    for index in range(10):
        tracker.put(f"a{index}", parent_id="a0")
    few = statements(lambda: desk.sprints.import_cycle("cycle-1", project="shop"))
    for index in range(200):
        tracker.put(f"b{index}", parent_id="a0")
    many = statements(lambda: desk.sprints.import_cycle("cycle-1", project="shop"))
    assert many == few


def test_a_removed_item_is_reported_once(desk, tracker):
    """An item that left is kept, out of the sprint, and mentioned one time."""
    tracker.put("a", StateGroup.STARTED)
    tracker.put("b")
    desk.sprints.import_cycle("cycle-1", project="shop")
    tracker.remove("a")
    report = desk.sprints.import_cycle("cycle-1", project="shop")
    assert [(detail.name, detail.reason) for detail in report.details] == [("B", "already_imported"), ("A", "removed_from_cycle")]
    assert desk.item("a").sprint_id is None
    assert len(desk.sprints.import_cycle("cycle-1", project="shop").details) == 1


def test_two_imports_at_once_make_nothing_twice(database_url, make_desk, tracker, in_threads):
    """Two processes that import one new cycle at the same moment end with one project, one sprint and each item once."""
    for index in range(20):
        tracker.put(f"i{index}")
    desks = [make_desk(database_url), make_desk(database_url)]
    reports = in_threads(*(lambda desk=desk: desk.sprints.import_cycle("cycle-1", project="shop") for desk in desks))
    assert sorted(map(_counts, reports)) == [(0, 0, 20), (20, 0, 0)]
    assert len(desks[0].work.items("shop")) == 20
    assert len(desks[0].sprints.sprints("shop")) == 1


def test_a_local_run_is_not_lost_to_an_import(database_url, make_desk, tracker):
    """A test run that is recorded while a tracker answers stands after the import."""
    tracker.put("a", StateGroup.STARTED)
    desk = make_desk(database_url)
    desk.sprints.import_cycle("cycle-1", project="shop")
    tracker.put("a", StateGroup.STARTED, priority=1)
    tracker.before = lambda call: call[0] == "items" and desk.work.record_test_run(desk.item("a"), passed=True)
    desk.clock.advance(1)
    assert _counts(desk.sprints.import_cycle("cycle-1", project="shop")) == (0, 1, 0)
    assert (desk.item("a").passing, desk.item("a").priority) == (True, 1)
