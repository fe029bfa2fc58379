"""The loop: pull, push, relations, backoff, and what is told of it."""

from __future__ import annotations

import threading

import attrs
import pytest

from forgekit.errors import BudgetExhausted, InvalidInput, RemoteNotFound, RemoteRateLimited, RemoteRefused, RemoteUnavailable
from forgekit.kernel.net.budgets import Priority
from forgekit.sprints.models import StateGroup
from forgekit.work.models import State


@pytest.fixture
def sprint(desk, tracker):
    """Two items imported, their relations fetched, no call counted yet."""
    tracker.put("a")
    tracker.put("b", StateGroup.STARTED, state="In Review")
    desk.sprints.import_cycle("cycle-1", project="shop")
    desk.drain()
    tracker.calls.clear()
    return desk


def _calls(tracker):
    names = [call[0] for call in tracker.calls]
    tracker.calls.clear()
    return names


# Polling


def test_the_loop_is_off_until_it_is_turned_on(sprint, tracker):
    """Nothing is fetched before somebody turns the synchronisation on, nor after it is turned off."""
    sprint.drain(after=60)
    assert _calls(tracker) == []
    assert sprint.sprints.toggle().state.enabled
    sprint.drain()
    assert _calls(tracker) == ["items"]
    assert not sprint.sprints.toggle().state.enabled
    sprint.drain(after=60)
    assert _calls(tracker) == []


def test_an_idle_iteration_is_one_call(sprint, tracker):
    """When nothing changed, the loop asks for the items and for nothing else, at its interval."""
    sprint.sprints.toggle(True)
    for _ in range(3):
        sprint.drain(after=30)
        assert _calls(tracker) == ["items"]
    assert tracker.priority is Priority.POLL
    status = sprint.sprints.status()
    assert (status.state.last_sync_at, status.state.items_synced, status.running) == (sprint.clock.now(), 0, True)


def test_a_changed_interval_holds_from_the_next_iteration(sprint, tracker):
    """The interval is asked for in each iteration, so nobody has to start the worker again."""
    sprint.sprints.toggle(True)
    worker = sprint.worker()
    worker.drain()
    sprint.interval = 300.0
    sprint.clock.advance(30)
    worker.drain()
    tracker.calls.clear()
    for after, calls in ((299, []), (1, ["items"])):
        sprint.clock.advance(after)
        worker.drain()
        assert _calls(tracker) == calls


def test_an_item_that_left_costs_one_more_call(sprint, tracker):
    """Before anything is believed to have left, the cycle itself is asked for."""
    tracker.remove("a")
    sprint.sprints.sync()
    assert _calls(tracker) == ["items", "cycle"]
    assert sprint.item("a").sprint_id is None
    sprint.sprints.sync()
    assert _calls(tracker) == ["items"]


def test_a_deleted_cycle_takes_nothing_away(sprint, tracker):
    """An unknown cycle looks empty; then the items here stay, and the status says why."""
    del tracker.names["cycle-1"], tracker.contents["cycle-1"]
    with pytest.raises(RemoteNotFound):
        sprint.sprints.sync()
    assert sprint.item("a").sprint_id is not None
    assert sprint.sprints.status().state.last_error is not None


def test_an_emptied_cycle_is_believed(sprint, tracker):
    """A cycle that exists and is empty empties the sprint."""
    tracker.contents["cycle-1"] = []
    sprint.sprints.sync()
    assert sprint.sprints.status().statistics.total == 0


def test_failures_back_off(sprint, tracker):
    """Each failed iteration doubles the wait, stores why, and success forgets both."""
    sprint.sprints.toggle(True)
    tracker.failures = [RemoteUnavailable("no answer"), RemoteUnavailable("no answer")]
    sprint.drain()
    assert (sprint.sprints.status().state.last_error, sprint.sprints.status().state.failures) == ("no answer", 1)
    sprint.drain(after=59)
    assert _calls(tracker) == ["items"]
    sprint.drain(after=1)
    assert sprint.sprints.status().state.failures == 2
    sprint.drain(after=119)
    assert _calls(tracker) == ["items"]
    sprint.drain(after=1)
    assert (sprint.sprints.status().state.last_error, sprint.sprints.status().state.failures) == (None, 0)


@pytest.mark.parametrize("error", [RemoteRateLimited(retry_after=1000), BudgetExhausted(retry_after=1000)])
def test_the_loop_waits_as_long_as_it_is_asked_to(sprint, tracker, error):
    """Retry-After goes before our own backoff."""
    sprint.sprints.toggle(True)
    tracker.failures = [error]
    sprint.drain()
    sprint.drain(after=999)
    assert _calls(tracker) == ["items"]
    sprint.drain(after=1)
    assert _calls(tracker) == ["items"]


def test_a_failing_push_backs_off_too(sprint, tracker):
    """A pull that works does not hide that the push fails again and again."""
    sprint.sprints.toggle(True)
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    tracker.before = lambda call: tracker.failures.append(RemoteUnavailable()) if call[0] == "set_group" else None
    for _ in range(3):
        sprint.drain(after=400)
    assert sprint.sprints.status().state.failures >= 3


def test_without_an_active_cycle_the_loop_is_silent(desk, tracker):
    """There is nothing to ask before a cycle is chosen."""
    desk.sprints.toggle(True)
    desk.drain()
    desk.sprints.sync()
    assert tracker.calls == []


def test_a_selected_cycle_is_imported_by_the_next_iteration(sprint, tracker):
    """A cycle that is chosen in the configuration goes into the project of the last import."""
    tracker.names["cycle-2"], tracker.contents["cycle-2"] = "Sprint 6", []
    tracker.put("c", cycle="cycle-2")
    sprint.sprints.select_cycle("cycle-2")
    sprint.sprints.sync()
    assert _calls(tracker) == ["items", "cycle", "blockers"]
    assert sprint.sprints.active("shop").name == "Sprint 6"
    with pytest.raises(InvalidInput):
        sprint.sprints.select_cycle("../x")
    sprint.sprints.select_cycle(None)
    sprint.sprints.sync()
    assert _calls(tracker) == []


def test_a_cycle_that_was_deselected_meanwhile_is_not_written(sprint, tracker):
    """What an iteration fetched of a cycle that is no longer the active one is thrown away."""
    tracker.put("a", priority=1)
    tracker.before = lambda call: sprint.sprints.select_cycle("cycle-9")
    sprint.sprints.sync()
    assert sprint.item("a").priority == 5
    assert sprint.sprints.status().state.active_cycle_id == "cycle-9"


def test_the_choice_survives_a_restart(database_url, make_desk, tracker):
    """Another process on the same database sees the loop on, and runs it."""
    tracker.put("a")
    first = make_desk(database_url)
    first.sprints.import_cycle("cycle-1", project="shop")
    first.sprints.toggle(True)
    second = make_desk(database_url)
    assert second.sprints.status().state.enabled
    tracker.calls.clear()
    second.drain()
    assert [call[0] for call in tracker.calls].count("items") == 1


def test_two_workers_run_one_loop(database_url, make_desk, tracker, in_threads):
    """Two processes on one database fetch once, not twice."""
    desks = [make_desk(database_url), make_desk(database_url)]
    desks[0].sprints.import_cycle("cycle-1", project="shop")
    desks[0].sprints.toggle(True)
    for desk in desks:
        desk.prepare()
    tracker.calls.clear()
    in_threads(*(desk.drain for desk in desks))
    assert [call[0] for call in tracker.calls].count("items") == 1


def test_a_loop_that_nobody_runs_is_not_running(sprint):
    """Turned on without a worker, the loop is soon told to be standing."""
    assert sprint.sprints.toggle(True).running
    sprint.clock.advance(60)
    assert not sprint.sprints.status().running


# Pushing


def test_a_passing_item_is_completed_there(sprint, tracker):
    """A run that passes moves the item, once, and its echo is no change."""
    sprint.sprints.toggle(True)
    sprint.drain()
    tracker.calls.clear()
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    sprint.drain(after=2)
    assert tracker.calls == [("items", "cycle-1"), ("set_group", "a", StateGroup.COMPLETED)]
    assert tracker.group("a") is StateGroup.COMPLETED
    assert sprint.sprints.status().state.items_synced == 1
    report = sprint.sprints.import_cycle("cycle-1", project="shop")
    assert (report.updated, report.skipped) == (0, 2)
    assert not sprint.link("a").push_pending


def test_what_did_not_change_here_is_never_pushed(sprint, tracker):
    """An item in review there stays in review: nothing here changed, and in progress is within the same group."""
    sprint.sprints.sync()
    sprint.work.change_item(sprint.item("b"), name="local name")
    sprint.drain()
    sprint.sprints.sync()
    assert "set_group" not in _calls(tracker)
    assert not sprint.link("b").push_pending


def test_work_in_progress_is_started_there(sprint, tracker):
    """An item that is taken up here is started there."""
    sprint.work.change_item(sprint.item("a"), state=State.IN_PROGRESS)
    sprint.drain()
    sprint.sprints.sync()
    assert tracker.group("a") is StateGroup.STARTED


def test_results_go_back_before_anybody_chose(sprint, tracker):
    """As long as nobody turned the synchronisation on or off, the loop does not run, and a result is told all the same."""
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    assert _calls(tracker) == ["items", "set_group"]
    sprint.drain(after=3600)
    assert _calls(tracker) == []
    assert not sprint.sprints.status().state.enabled


def test_a_push_that_failed_is_tried_again(sprint, tracker):
    """Without a loop, too, a result is told once the tracker is back."""
    tracker.failures = [RemoteUnavailable()]
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    assert sprint.link("a").push_pending
    sprint.drain(after=3600)
    assert tracker.group("a") is StateGroup.COMPLETED


def test_changes_wait_while_the_synchronisation_is_off(sprint, tracker):
    """Off means that nothing is told; what changed meanwhile is told once it is on."""
    sprint.sprints.toggle(False)
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain(after=60)
    assert _calls(tracker) == []
    assert sprint.link("a").push_pending
    sprint.sprints.toggle(True)
    sprint.drain()
    assert _calls(tracker) == ["items", "set_group"]


def test_a_push_that_was_asked_for_before_the_loop_was_turned_off_is_not_made(sprint, tracker):
    """Turning the synchronisation off also stops what was about to be told."""
    sprint.sprints.toggle(True)
    sprint.drain()
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    sprint.sprints.toggle(False)
    tracker.calls.clear()
    sprint.drain(after=60)
    assert _calls(tracker) == []


def test_reopening_there_goes_before_a_push(sprint, tracker):
    """The pull comes first: what was reopened there is not completed again by an older run."""
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    sprint.sprints.sync()
    sprint.clock.advance(10)
    tracker.put("a", StateGroup.UNSTARTED)
    sprint.sprints.sync()
    assert (sprint.item("a").passing, tracker.group("a")) == (False, StateGroup.UNSTARTED)


@pytest.mark.parametrize("error", [RemoteNotFound(), RemoteRefused()])
def test_a_refused_push_is_given_up(sprint, tracker, error):
    """An item that is gone there does not hold up the others."""
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.work.record_test_run(sprint.item("b"), passed=True)
    sprint.drain()
    tracker.failures = [None, error]
    sprint.sprints.sync()
    assert tracker.group("b") is StateGroup.COMPLETED
    assert not sprint.link("a").push_pending


def test_a_change_during_a_push_is_told_next(sprint, tracker):
    """What changes here while the tracker answers stays pending."""
    seen = []

    def fail_once(call):
        if call[0] == "set_group" and not seen:
            seen.append(sprint.work.record_test_run(sprint.item("a"), passed=False))

    tracker.before = fail_once
    sprint.work.record_test_run(sprint.item("a"), passed=True)
    sprint.drain()
    assert tracker.group("a") is StateGroup.STARTED
    assert not sprint.link("a").push_pending


def test_local_items_are_not_pushed(sprint, tracker):
    """An item that came from no tracker is nobody's business there."""
    item = sprint.work.create_item("shop", name="own")
    sprint.work.record_test_run(item, passed=True)
    sprint.drain()
    sprint.sprints.sync()
    assert _calls(tracker) == ["items"]


# Webhooks' side


def test_hints_are_coalesced_on_the_trailing_edge(sprint, tracker):
    """A burst of hints costs one import, after its last hint; a later, different edit is imported too."""
    seen = []
    for _ in range(5):
        with sprint.storage.transaction() as tx:
            assert sprint.sprints.request_import("t", tx)
        sprint.clock.advance(0.5)
    sprint.drain()
    assert _calls(tracker) == []
    tracker.put("a", priority=1)
    tracker.before = lambda call: seen.append(tracker.priority)
    sprint.drain(after=1.5)
    assert _calls(tracker) == ["items", "blockers"]
    assert seen[0] is Priority.WEBHOOKS
    assert sprint.item("a").priority == 1


def test_a_failed_import_on_a_hint_is_tried_again(sprint, tracker):
    """A hint is not lost because the tracker was away."""
    with sprint.storage.transaction() as tx:
        sprint.sprints.request_import("t", tx)
    tracker.failures = [RemoteUnavailable()]
    sprint.drain(after=2)
    sprint.drain(after=60)
    assert _calls(tracker) == ["items", "items"]


def test_a_hint_without_an_active_cycle_is_refused(desk):
    """There is nothing to import into before a cycle is active."""
    with desk.storage.transaction() as tx:
        assert not desk.sprints.request_import("t", tx)


def test_the_snapshot_of_the_active_cycle(database_url, make_desk, statements):
    """It is at most a second old, refreshed at once by this process, and costs nothing in between."""
    here, there = make_desk(database_url), make_desk(database_url)
    assert here.sprints.active_cycle("t") is None
    here.sprints.import_cycle("cycle-1", project="shop")
    assert here.sprints.active_cycle("t") == "cycle-1"
    there.sprints.select_cycle("cycle-2")
    assert statements(lambda: here.sprints.active_cycle("t")) == 0
    here.clock.advance(1)
    assert here.sprints.active_cycle("t") == "cycle-2"


def test_the_active_cycle_is_read_past_a_writer(database_url, make_desk):
    """A webhook on the event loop does not wait for a write transaction, not even for one that holds this very row."""
    desk = make_desk(database_url)
    desk.sprints.import_cycle("cycle-1", project="shop")
    answers = []
    reader = threading.Thread(target=lambda: answers.append(desk.sprints.active_cycle("t")))
    with desk.storage.transaction() as tx:
        state = desk.storage.sprints(tx).lock_sync_state("t")
        desk.storage.sprints(tx).save_sync_state(attrs.evolve(state, active_cycle_id="cycle-2"))
        reader.start()
        reader.join(60)
        assert answers == ["cycle-1"]
