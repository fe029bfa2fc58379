"""Imports, as a client of either host and the Plane behind it see them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from forgekit.work import State

pytestmark = pytest.mark.host

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(autouse=True)
def healed(plane):
    """No fault outlives its test."""
    yield
    plane.heal()


@pytest.fixture
def cycle(plane):
    """A cycle of this test's own."""
    return plane.add_cycle("Sprint 1")


def _counts(answer):
    return answer["imported"], answer["updated"], answer["skipped"]


def _items_of(host, project):
    with host.forge() as forge:
        return {item.name: item for item in forge.work.items(project)}


def _waits_for(host, project):
    """Return which items wait for which, by name."""
    with host.forge() as forge, forge.storage.transaction(write=False) as tx:
        names = {item.id: item.name for item in forge.work.items(project, tx=tx)}
        found = forge.storage.work(tx).dependencies(names)
    return {names[item]: {names[other] for other in others} for item, others in found.items()}


def _calls_of(plane, what=""):
    return [call for call in plane.calls if "/relations/" not in call.path and what in call.path]


def test_what_an_import_answers(host, plane, cycle, project):
    """Items become numbered work items; a cancelled one is skipped with its reason; the details have one entry each."""
    first = plane.add_item("Login", cycle=cycle, state="Done", priority="urgent")
    gone = plane.add_item("Nobody wants it", cycle=cycle, state="cancelled")
    answer = host.bring(cycle, project)
    assert _counts(answer) == (1, 0, 1)
    assert answer["details"] == [
        {"plane_id": first, "name": "Login", "action": "created", "feature_id": 1},
        {"plane_id": gone, "name": "Nobody wants it", "action": "skipped", "reason": "cancelled"},
    ]


def test_an_unchanged_reimport_changes_nothing(host, plane, cycle, project):
    """The same cycle again updates nothing, also where Plane's timestamps moved for comments, links and no-op edits."""
    items = [plane.add_item(f"Item {number}", cycle=cycle, state="In Progress") for number in range(5)]
    assert _counts(host.bring(cycle, project)) == (5, 0, 0)
    plane.comment(items[0], "<p>hello</p>")
    plane.touch_item(items[1])
    again = host.bring(cycle, project)
    assert _counts(again) == (0, 0, 5)
    assert {detail["reason"] for detail in again["details"]} == {"already_imported"}


def test_250_items_in_pages_of_100(host, plane, project):
    """Every item of every page arrives."""
    cycle = plane.add_cycle("A large one")
    for number in range(250):
        plane.add_item(f"Item {number}", cycle=cycle)
    plane.forget_calls()
    assert _counts(host.bring(cycle, project)) == (250, 0, 0)
    assert len(_calls_of(plane, "/cycle-issues/")) == 3


def test_a_child_before_its_parent_keeps_it(host, plane, cycle, project):
    """Dependencies are resolved after all items are in: the order of the list does not matter."""
    child = plane.add_item("Child", cycle=cycle)
    parent = plane.add_item("Parent", cycle=cycle)
    plane.edit_item(child, parent=parent)
    host.bring(cycle, project)
    assert _waits_for(host, project) == {"Child": {"Parent"}}


def test_what_an_item_waits_for_follows_in_the_background(host, plane, cycle, project, wait_until):
    """blocked_by relations are fetched by the worker afterwards; the answer says how many wait."""
    login, pay = plane.add_item("Login", cycle=cycle), plane.add_item("Pay", cycle=cycle)
    plane.relate(pay, blocked_by=login)
    assert host.bring(cycle, project)["relations_pending"] >= 2
    wait_until(lambda: host.get("/sync-status").json()["relations_pending"] == 0)
    assert _waits_for(host, project) == {"Pay": {"Login"}}


def test_priorities_states_categories_and_steps(host, plane, cycle, project):
    """Priority, state group, category and steps are mapped as documented, on create."""
    names = ["urgent", "high", "medium", "low", "none"]
    for priority in names:
        plane.add_item(priority, cycle=cycle, priority=priority)
    for state in ("Backlog", "Todo", "In Progress", "Done"):
        plane.add_item(state, cycle=cycle, state=state, labels=["api", "web"], description="<ul><li>one</li><li>two</li></ul>")
    host.bring(cycle, project)
    items = _items_of(host, project)
    assert [items[name].priority for name in names] == [1, 2, 3, 4, 5]
    assert [(items[name].state, items[name].passing) for name in ("Backlog", "Todo", "In Progress")] == [
        (State.TO_DO, False), (State.TO_DO, False), (State.IN_PROGRESS, False)
    ]  # fmt: skip
    assert items["Done"].passing is True
    assert (items["urgent"].category, items["Todo"].category) == ("functional", "api")
    assert (list(items["urgent"].steps), list(items["Todo"].steps)) == (["urgent"], ["one", "two"])


def test_an_edit_in_plane_wins(host, plane, cycle, project):
    """Name, description and priority follow Plane on a re-import, and so does reopening; recorded runs stay."""
    item = plane.add_item("Login", cycle=cycle, priority="low", state="Done")
    host.bring(cycle, project)
    with host.forge() as forge:
        forge.work.record_test_run(forge.work.items(project)[0], passed=True)
    plane.edit_item(item, name="Sign in", priority="urgent", state="Todo")
    answer = host.bring(cycle, project)
    assert (_counts(answer), answer["details"][0]["action"], answer["details"][0]["feature_id"]) == ((0, 1, 0), "updated", 1)
    found = _items_of(host, project)["Sign in"]
    assert (found.priority, found.passing) == (1, False)
    assert host.get("/test-report", params={"project_name": project}).json()["total_test_runs"] == 1


def test_an_item_that_left_is_kept_and_told_once(host, plane, cycle, project):
    """An item that left the cycle is reported once as removed and freed if it was in progress."""
    plane.add_item("Stays", cycle=cycle)
    leaver = plane.add_item("Leaves", cycle=cycle, state="In Progress")
    host.bring(cycle, project)
    plane.remove_from_cycle(leaver)
    answer = host.bring(cycle, project)
    assert [(detail["name"], detail["reason"]) for detail in answer["details"]] == [
        ("Stays", "already_imported"),
        ("Leaves", "removed_from_cycle"),
    ]
    assert _items_of(host, project)["Leaves"].state is State.TO_DO
    assert _counts(host.bring(cycle, project)) == (0, 0, 1)


def test_an_empty_cycle_is_imported_as_empty(host, plane, cycle, project):
    """A cycle that exists and is empty is no error."""
    assert _counts(host.bring(cycle, project)) == (0, 0, 0)


@pytest.mark.parametrize("cycle_id", ["cycle-1", NOBODY, "x" * 100, "weekly sprint 4", "ünïcode"])
def test_an_unknown_cycle_is_404_and_stores_nothing(host, plane, cycle, project, cycle_id):
    """Plane answers an unknown cycle's items with an empty list: here it is 404, and the active cycle and projects stay."""
    before = host.get("/config").json()
    answer = host.post("/import-cycle", {"cycle_id": cycle_id, "project_name": project})
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])
    assert host.get("/config").json() == before
    assert host.get("/test-report", params={"project_name": project}).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"cycle_id": "", "project_name": "p"},
        {"cycle_id": "x" * 101, "project_name": "p"},
        {"cycle_id": "a\nb", "project_name": "p"},
        {"cycle_id": "a\x00b", "project_name": "p"},
        {"cycle_id": "../projects", "project_name": "p"},
        {"cycle_id": "a/b", "project_name": "p"},
        {"cycle_id": "..", "project_name": "p"},
        {"cycle_id": 5, "project_name": "p"},
        {"cycle_id": None, "project_name": "p"},
        {"project_name": "p"},
        {"cycle_id": "c"},
        {"cycle_id": "c", "project_name": ""},
        {"cycle_id": "c", "project_name": "x" * 101},
        {"cycle_id": "c", "project_name": "-rf"},
        {"cycle_id": "c", "project_name": ".."},
        {"cycle_id": "c", "project_name": "a/b"},
        {"cycle_id": "c", "project_name": "a b"},
        {"cycle_id": "c", "project_name": "é"},
        {"cycle_id": "c", "project_name": "a\n"},
        {"cycle_id": "c", "project_name": "p", "repository": "/etc"},
        [],
        None,
    ],
)
def test_a_bad_order_is_400_and_reaches_no_plane(host, plane, body):
    """A cycle id or project name that breaks its rule is 400, before any call leaves."""
    plane.forget_calls()
    answer = host.api.post("/api/plane/import-cycle", json=body)
    assert (answer.status_code, "detail" in answer.json()) == (400, True), answer.text
    assert _calls_of(plane) == []


@pytest.mark.parametrize("name", ["a", "0", "A.b_c-9", "x" * 100])
def test_good_project_names(host, plane, name):
    """Letters, digits, hyphens, underscores and dots, up to 100."""
    assert _counts(host.bring(plane.add_cycle(f"For {name[:5]}"), name)) == (0, 0, 0)


def test_an_import_selects_the_cycle(host, plane, cycle, project):
    """Success stores the active cycle and shows its name."""
    plane.add_item("Login", cycle=cycle)
    host.bring(cycle, project)
    assert host.get("/config").json()["plane_active_cycle_id"] == cycle
    status = host.get("/sync-status").json()
    assert (status["active_cycle_name"], status["items_synced"], status["last_error"]) == ("Sprint 1", 1, None)
    assert status["last_sync_at"].endswith("Z")


@pytest.mark.parametrize("fault", [{"status": 500, "times": 9}, {"status": 200, "body": b'{"results": 5}', "times": 9}])
def test_a_failure_in_the_middle_leaves_nothing(host, plane, project, fault):
    """Everything is fetched before anything is written: a later page that fails leaves no item, no project, no active cycle."""
    cycle = plane.add_cycle("Broken")
    plane.add_item("Login", cycle=cycle)
    before = host.get("/config").json()
    plane.fail_next(**fault, path="/cycle-issues/")
    answer = host.post("/import-cycle", {"cycle_id": cycle, "project_name": project})
    assert (answer.status_code, list(answer.json())) == (502, ["detail"])
    assert host.get("/config").json() == before
    assert host.get("/test-report", params={"project_name": project}).status_code == 404


def test_many_imports_at_once_make_each_item_once(host, plane, cycle, project):
    """Concurrent imports of one cycle create each item once between them."""
    for number in range(20):
        plane.add_item(f"Item {number}", cycle=cycle)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: host.bring(cycle, project), range(8)))
    assert sum(answer["imported"] for answer in answers) == 20
    assert sorted(item.number for item in _items_of(host, project).values()) == list(range(1, 21))


def test_local_changes_are_pushed_and_nothing_else(host, plane, project, wait_until):
    """Passing goes to the first completed state, in progress to the first started; "In Review" is within it and stays."""
    review = plane.add_state("In Review", "started")
    cycle = plane.add_cycle("Pushed")
    ids = {name: plane.add_item(name, cycle=cycle, state=state) for name, state in
           {"Pass": "Todo", "Start": "Todo", "Review": "In Review", "Alone": "Todo"}.items()}  # fmt: skip
    host.bring(cycle, project)
    host.post("/config", {"plane_sync_enabled": True})
    with host.forge() as forge:
        items = {item.name: item for item in forge.work.items(project)}
        forge.work.change_item(items["Start"], state=State.IN_PROGRESS)
        forge.work.record_test_run(items["Pass"], passed=True)
        forge.work.change_item(items["Review"], name="Review, renamed here")
    wait_until(lambda: (plane.state_of(ids["Pass"]), plane.state_of(ids["Start"])) == ("Done", "In Progress"))
    host.post("/config", {"plane_sync_enabled": False})
    assert (plane.item(ids["Review"])["state"], plane.state_of(ids["Alone"])) == (review, "Todo")
    assert {call.path.rstrip("/").rpartition("/")[2] for call in plane.calls if call.method == "PATCH"} == {ids["Pass"], ids["Start"]}
    assert _counts(host.bring(cycle, project))[1] == 0


def test_other_requests_do_not_wait_for_imports(host, plane, wait_until):
    """While several imports wait for a Plane that does not answer, other requests are answered."""
    cycle = plane.add_cycle("Slow")
    plane.add_item("Login", cycle=cycle)
    plane.hold()
    with ThreadPoolExecutor(4) as pool, ExitStack() as after:
        after.callback(plane.heal)
        orders = [pool.submit(host.bring, cycle, f"slow-{host.name}-{number}") for number in range(4)]
        wait_until(lambda: plane.held >= 4)
        assert [host.get("/sync-status").status_code for _ in range(20)] == [200] * 20
        assert not any(order.done() for order in orders)
    assert [_counts(order.result()) for order in orders] == [(1, 0, 0)] * 4
