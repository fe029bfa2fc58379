"""The tracker: calls, errors and old servers."""

from __future__ import annotations

from datetime import date

import pytest

from forgekit.errors import (
    BudgetExhausted,
    InvalidInput,
    NotConfigured,
    RemoteConflict,
    RemoteForbidden,
    RemoteMalformed,
    RemoteNotFound,
    RemoteRateLimited,
    RemoteRefused,
    RemoteUnauthorized,
    RemoteUnavailable,
    UsageError,
)
from forgekit.kernel.clock import SystemClock
from forgekit.kernel.net.budgets import Priority
from forgekit.sprints.models import StateGroup
from forgekit.sprints.ports import TrackerContext
from forgekit.testing import FakePlane
from forgekit_plane import PlaneSettings
from forgekit_plane.plugin import adapter

MIB = 1 << 20


@pytest.fixture
def cycle(plane):
    """A cycle with one item."""
    cycle_id = plane.add_cycle("Sprint 4")
    plane.add_item("Login", cycle=cycle_id)
    return cycle_id


@pytest.fixture
def item(plane, cycle):
    """That item."""
    return next(iter(plane.world.bridges))


def test_an_import_is_two_calls(plane, tracker, cycle):
    """Up to a thousand items and their cycle cost two calls, also for a tracker that knows nothing yet."""
    tracker.cycle(cycle)
    tracker.items(cycle)
    assert [call.path.rsplit("/", 2)[-2] for call in plane.calls] == [cycle, "cycle-issues"]


@pytest.mark.parametrize(("items", "calls"), [(0, 1), (7, 1), (8, 2), (14, 2), (15, 3)])
def test_each_further_page_is_one_call(plane, open_tracker, items, calls):
    """The list costs one call for each full or partial page."""
    cycle_id = plane.add_cycle("S")
    for number in range(items):
        plane.add_item(f"Item {number}", cycle=cycle_id)
    assert len(open_tracker(plane, page_size=7).items(cycle_id)) == items
    assert plane.count() == calls


def test_dates_are_those_of_the_project(open_tracker):
    """Days are told in the project's time zone, whether it was asked for or is read off the instants."""
    with FakePlane(timezone="Asia/Tokyo", rate_limit=None) as plane:
        cycle_id = plane.add_cycle("S", starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 14))
        tracker = open_tracker(plane)
        guessed = tracker.cycle(cycle_id)
        assert (guessed.starts_on, guessed.ends_on) == (date(2027, 3, 1), date(2027, 3, 14))
        assert plane.count() == 1
        assert list(tracker.cycles()) == [guessed]


def test_a_known_time_zone_is_not_asked_for_again(plane, open_tracker, cycle):
    """The project is read once for all trackers of a forge."""
    for _ in range(3):
        open_tracker(plane).cycles()
    assert plane.count() == 4


def test_a_check_tells_everything(plane, tracker):
    """``check`` tells workspace, project, version and who the key belongs to."""
    connection = tracker.check()
    assert (connection.workspace, connection.project, connection.version) == ("acme", "Shop", "1.3.1")
    assert connection.user_id == plane.user_id


def test_a_server_may_hide_its_version(open_tracker):
    """No version is no failure."""
    with FakePlane(tells_version=False) as plane:
        assert open_tracker(plane).check().version is None


def test_a_bad_key_is_told_apart_from_no_access(plane, open_tracker):
    """Plane says 403 to both; only a bad key is unauthorized."""
    with pytest.raises(RemoteUnauthorized) as caught:
        open_tracker(plane, api_key="plane_api_wrong").check()
    assert caught.value.data["status"] == 403
    for user in ("bob", "mallory"):
        with pytest.raises(RemoteForbidden):
            open_tracker(plane, api_key=plane.add_key(user)).check()
    with pytest.raises(RemoteForbidden):
        open_tracker(plane, workspace_slug="elsewhere").check()
    with pytest.raises(RemoteNotFound):
        open_tracker(plane, project_id="00000000-0000-4000-8000-000000000000").check()


def test_a_project_without_cycles_is_refused(plane, tracker):
    """``check`` says when cycles are switched off."""
    plane.world.projects[plane.project_id]["cycle_view"] = False
    with pytest.raises(RemoteRefused, match="not enabled"):
        tracker.check()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"error":"no"}', RemoteRefused),
        (401, b'{"detail":"no"}', RemoteUnauthorized),
        (403, b"<html>", RemoteForbidden),
        (404, b"", RemoteNotFound),
        (409, b'{"error":"no","id":"x"}', RemoteConflict),
        (413, b'{"error":"no"}', RemoteRefused),
        (301, b"", RemoteMalformed),
        (200, b"<html>", RemoteMalformed),
        (200, b"[]", RemoteMalformed),
        (200, b"{}", RemoteMalformed),
        (500, b"{}", RemoteUnavailable),
        (502, b"<html>", RemoteUnavailable),
        (429, b"{}", RemoteRateLimited),
    ],
)
def test_each_answer_has_its_error(plane, tracker, cycle, status, body, error):
    """Whatever the server answers becomes one of our errors."""
    plane.fail_next(status, body=body, times=3)
    with pytest.raises(error):
        tracker.cycle(cycle)


@pytest.mark.parametrize(
    "body", [b"5", b'{"results":5}', b'{"results":[5]}', b'{"results":[{}]}', b'{"results":[],"next_page_results":true}']
)
def test_a_list_that_is_none_is_malformed(plane, tracker, cycle, body):
    """A list of another shape is not taken for an empty one."""
    plane.fail_next(200, body=body)
    with pytest.raises(RemoteMalformed):
        tracker.items(cycle)


def test_a_list_that_loses_entries_is_read_again(plane, tracker, cycle):
    """Where entries are missing the list is read once more, and not believed the second time either."""
    plane.fail_next(200, body=b'{"total_count":1,"results":[]}')
    assert len(tracker.items(cycle)) == 1
    plane.fail_next(200, body=b'{"total_count":1,"results":[]}', times=2)
    with pytest.raises(RemoteUnavailable, match="changed"):
        tracker.items(cycle)


def test_a_list_without_end_is_malformed(plane, tracker, cycle, monkeypatch):
    """A server that always promises another page is stopped."""
    monkeypatch.setattr("forgekit_plane._client._MAX_PAGES", 3)
    for number in range(3):
        page = b'{"results":[{"id":"%d"}],"next_page_results":true,"next_cursor":"1:%d:0"}' % (number, number + 1)
        plane.fail_next(200, body=page)
    with pytest.raises(RemoteMalformed, match="does not end"):
        tracker.items(cycle)


def test_a_secret_that_the_server_repeats_is_masked(plane, tracker, cycle):
    """No error holds the key, even where the server's words do."""
    plane.fail_next(400, body=b'{"error":"key %s is odd"}' % plane.api_key.encode())
    with pytest.raises(RemoteRefused) as caught:
        tracker.cycle(cycle)
    assert "****" in caught.value.message
    assert plane.api_key not in repr(caught.value) + str(caught.value.data)


@pytest.mark.parametrize("cycle_id", ["", ".", "..", "\ud800"])
def test_no_id_leads_out_of_the_project(plane, tracker, cycle_id):
    """What could never be an id makes no call."""
    with pytest.raises(InvalidInput):
        tracker.cycle(cycle_id)
    assert plane.count() == 0


def test_a_state_within_the_group_costs_one_call(plane, tracker, cycle):
    """What is "In Review" is started already, so nothing is written."""
    plane.add_state("In Review", "started")
    item_id = plane.add_item("x", cycle=cycle, state="In Review")
    assert tracker.set_group(item_id, StateGroup.STARTED) is StateGroup.STARTED
    assert (plane.state_of(item_id), plane.count()) == ("In Review", 1)


def test_states_are_read_once_a_tracker(plane, tracker, cycle, item):
    """Two moves ask for the states once."""
    tracker.set_group(item, StateGroup.STARTED)
    tracker.set_group(item, StateGroup.COMPLETED)
    assert (plane.count(path="/states/"), plane.count()) == (1, 5)
    assert plane.state_of(item) == "Done"


def test_a_group_without_states_is_refused(plane, tracker, item):
    """A project whose board lacks the group cannot take the item there."""
    for state in [row for row in plane.world.states.values() if row["group"] == "completed"]:
        del plane.world.states[state["id"]]
    with pytest.raises(RemoteRefused, match="no state"):
        tracker.set_group(item, StateGroup.COMPLETED)


def test_a_change_that_did_not_take_is_told(plane, tracker, cycle, item):
    """Plane answers 200 to what it ignores: the field itself is read back."""
    plane.fail_next(200, body=b'{"state":"elsewhere"}', method="PATCH")
    with pytest.raises(RemoteRefused, match="state"):
        tracker.set_group(item, StateGroup.STARTED)
    plane.fail_next(200, body=b'{"description":""}', method="PATCH")
    with pytest.raises(RemoteRefused, match="description"):
        tracker.append_to_cycle(cycle, "x", marker="m")


def test_a_comment_survives_a_fault_after_the_write(plane, tracker, item):
    """A 500 that came after the comment was written leads to no second one."""
    plane.fail_next(500, after_write=True)
    with pytest.raises(RemoteUnavailable):
        tracker.comment(item, "done", marker="one")
    plane.drop_connection(after_write=True)
    tracker.comment(item, "done", marker="one")
    assert plane.comments(item) == ["<p>done</p>"]


def test_an_append_survives_a_fault_after_the_write(plane, tracker, cycle):
    """The marker is found the second time."""
    plane.fail_next(500, after_write=True, method="PATCH")
    with pytest.raises(RemoteUnavailable):
        tracker.append_to_cycle(cycle, "went well", marker="one")
    tracker.append_to_cycle(cycle, "went well", marker="one")
    assert plane.cycle(cycle)["description"].count("went well") == 1


@pytest.mark.parametrize("version", ["0.24.1", "1.0.0"])
def test_old_servers_have_another_path(plane, tracker, item, version):
    """Before 1.1 items are under ``issues/``, which is asked for once and then remembered."""
    plane.world.version = version
    tracker.comment(item, "done", marker="one")
    tracker.comment(item, "again", marker="two")
    assert (len(plane.comments(item)), plane.count(path="/work-items/")) == (2, 1)
    assert tracker.blockers(item) is None


def test_very_old_lists_are_completed_singly(plane, tracker, cycle):
    """Where a cycle's list lacks the states, each item is fetched."""
    plane.world.version = "0.27.0"
    assert [entry.group for entry in tracker.items(cycle)] == [StateGroup.BACKLOG]
    assert tracker.items(cycle)[0].priority == 5


def test_blockers_of_an_item_that_is_gone_are_not_found(plane, tracker, item):
    """An unknown item is not taken for a server without relations."""
    plane.delete_item(item)
    with pytest.raises(RemoteNotFound):
        tracker.blockers(item)


def test_an_item_that_is_nowhere_is_not_found(plane, tracker):
    """An id that is no UUID is looked for under both names, and the name that works stays."""
    with pytest.raises(RemoteNotFound):
        tracker.comment("nowhere", "x", marker="m")
    assert plane.count(path="/nowhere/") == 2


def test_the_budget_holds_before_the_server_refuses(open_tracker, settings_of):
    """Our own limit comes first: the server never answers 429."""
    with FakePlane(rate_limit=5) as plane:
        tracker = open_tracker(plane, rate_limit=5)
        cycle_id = plane.add_cycle("S")
        for _ in range(5):
            tracker.cycle(cycle_id)
        with pytest.raises(BudgetExhausted) as caught:
            tracker.cycle(cycle_id)
        assert caught.value.retry_after > 5
        assert {call.status for call in plane.calls} == {200}


def test_the_address_may_name_the_api(plane, open_tracker, cycle):
    """``/api/v1/`` behind the address is what Plane's own pages show; it is the same server and the same budget."""
    assert open_tracker(plane, api_url=f"{plane.url}/api/v1/").cycle(cycle).name == "Sprint 4"


def test_what_is_missing_is_named(http):
    """A tracker without settings is refused with everything that is absent."""
    context = TrackerContext(settings=PlaneSettings(), http=http, clock=SystemClock(), priority=Priority.POLL)
    with pytest.raises(NotConfigured) as caught:
        adapter().open(context)
    assert caught.value.data["missing"] == ["api_url", "api_key", "workspace_slug", "project_id"]


def test_foreign_settings_are_refused(http):
    """The adapter opens with its own settings only."""
    with pytest.raises(UsageError):
        adapter().open(TrackerContext(settings=object(), http=http, clock=SystemClock(), priority=Priority.POLL))
