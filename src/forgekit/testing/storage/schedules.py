"""Schedules: loops that one process runs at a time, and work on demand whose last request always has a run after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from forgekit.hookspecs import StorageEngine
from forgekit.kernel.events.models import Claim, Outcome, Queue, ScheduleState
from forgekit.testing.storage.base import LEASE, NOW, SECOND, Contract, present
from forgekit.testing.storage.queues import settle

DELAY = 2 * SECOND
AT_MOST = 5 * SECOND


def ensure(storage: StorageEngine, name: str = "loop", *, enabled: bool = True, due_at: datetime | None = NOW) -> None:
    """Make a schedule."""
    with storage.transaction() as tx:
        storage.claims(tx).ensure_schedule(name, enabled=enabled, due_at=due_at)


def enable(storage: StorageEngine, *, enabled: bool, due_at: datetime | None) -> None:
    """Turn the schedule ``loop`` on or off."""
    with storage.transaction() as tx:
        storage.claims(tx).enable_schedule("loop", enabled=enabled, due_at=due_at)


def request(storage: StorageEngine, now: datetime = NOW, *, delay: timedelta = DELAY) -> None:
    """Ask for a run of the schedule ``loop``."""
    with storage.transaction() as tx:
        storage.claims(tx).request_schedule("loop", now=now, delay=delay, at_most=AT_MOST)


def claim(storage: StorageEngine, now: datetime = NOW) -> Sequence[Claim]:
    """Claim what is due of ``loop`` and ``other``."""
    with storage.transaction() as tx:
        return storage.claims(tx).claim(Queue.SCHEDULES, handlers=["loop", "other"], now=now, lease=LEASE, limit=20)


def state(storage: StorageEngine, now: datetime = NOW) -> ScheduleState:
    """Return the state of ``loop``."""
    with storage.transaction(write=False) as tx:
        return present(storage.claims(tx).schedule("loop", now=now))


class ScheduleContract(Contract):
    """What schedules promise."""

    def test_a_stored_choice_goes_before_the_default(self, storage: StorageEngine) -> None:
        """A schedule that is there is left as it is."""
        ensure(storage, enabled=False, due_at=None)
        ensure(storage, enabled=True, due_at=NOW)
        assert state(storage) == ScheduleState(name="loop", enabled=False, due_at=None, running=False)

    def test_an_unknown_schedule_has_no_state(self, storage: StorageEngine) -> None:
        """What was never made is not there."""
        with storage.transaction(write=False) as tx:
            assert storage.claims(tx).schedule("loop", now=NOW) is None

    def test_schedules_are_told_by_name(self, storage: StorageEngine) -> None:
        """All schedules come in the order of their names."""
        for name in ("b", "a", "C"):
            ensure(storage, name)
        with storage.transaction(write=False) as tx:
            assert [found.name for found in storage.claims(tx).schedules(now=NOW)] == ["C", "a", "b"]

    def test_a_due_loop_is_claimed_once(self, storage: StorageEngine) -> None:
        """A loop that is due runs in one place, and says so."""
        ensure(storage)
        (claimed,) = claim(storage)
        assert (claimed.key, claimed.handler, claimed.attempt) == ("loop", "loop", 1)
        assert not claim(storage)
        assert state(storage, NOW).running

    def test_a_dead_holders_loop_comes_back(self, storage: StorageEngine) -> None:
        """After the lease another process may take the loop, and the old holder has lost it."""
        ensure(storage)
        (first,) = claim(storage)
        assert not state(storage, NOW + LEASE).running
        (second,) = claim(storage, NOW + LEASE)
        assert not settle(storage, first, Outcome.again(NOW))
        assert settle(storage, second, Outcome.again(NOW + 2 * LEASE))

    def test_a_loop_runs_again_when_it_said(self, storage: StorageEngine) -> None:
        """The end of a run tells when the next one begins."""
        ensure(storage)
        settle(storage, claim(storage)[0], Outcome.again(NOW + SECOND))
        assert not claim(storage, NOW)
        assert claim(storage, NOW + SECOND)[0].attempt == 1

    def test_failed_runs_are_counted(self, storage: StorageEngine) -> None:
        """Attempts grow with errors, and start anew after a run without one."""
        ensure(storage)
        settle(storage, claim(storage)[0], Outcome.again(NOW, "no answer"))
        (second,) = claim(storage)
        assert second.attempt == 2
        settle(storage, second, Outcome.again(NOW))
        assert claim(storage)[0].attempt == 1

    def test_a_disabled_loop_rests(self, storage: StorageEngine) -> None:
        """A loop that is turned off is not claimed; turned on it is."""
        ensure(storage)
        enable(storage, enabled=False, due_at=None)
        assert not claim(storage, NOW + LEASE)
        enable(storage, enabled=True, due_at=NOW)
        assert claim(storage)

    def test_a_loop_turned_off_while_it_runs_stays_off(self, storage: StorageEngine) -> None:
        """The end of a run does not turn a loop on again."""
        ensure(storage)
        (claimed,) = claim(storage)
        enable(storage, enabled=False, due_at=None)
        settle(storage, claimed, Outcome.again(NOW + SECOND))
        assert not claim(storage, NOW + LEASE)
        assert state(storage).due_at is None

    def test_enabling_makes_the_row(self, storage: StorageEngine) -> None:
        """A choice can be stored before any process knows the loop."""
        enable(storage, enabled=True, due_at=NOW)
        assert claim(storage)

    def test_a_request_runs_on_the_trailing_edge(self, storage: StorageEngine) -> None:
        """The run comes a delay after the last request of a burst."""
        request(storage, NOW)
        request(storage, NOW + SECOND)
        assert state(storage).due_at == NOW + SECOND + DELAY
        assert not claim(storage, NOW + DELAY)
        assert claim(storage, NOW + SECOND + DELAY)

    def test_a_request_does_not_wait_for_ever(self, storage: StorageEngine) -> None:
        """However long a burst lasts, the run comes at most so long after its first request."""
        for seconds in range(5):
            request(storage, NOW + seconds * SECOND)
        assert state(storage).due_at == NOW + AT_MOST
        assert claim(storage, NOW + AT_MOST)

    def test_an_answered_request_is_over(self, storage: StorageEngine) -> None:
        """One run answers all requests before it."""
        request(storage)
        request(storage)
        settle(storage, claim(storage, NOW + DELAY)[0], Outcome.again(None))
        assert state(storage).due_at is None
        assert not claim(storage, NOW + LEASE)

    def test_a_request_during_a_run_is_answered_after_it(self, storage: StorageEngine) -> None:
        """A run that had begun cannot have seen what was asked for later: it runs once more, and a new burst begins."""
        request(storage)
        (claimed,) = claim(storage, NOW + DELAY)
        request(storage, NOW + 4 * SECOND)
        assert settle(storage, claimed, Outcome.again(None))
        assert state(storage).due_at == NOW + 4 * SECOND + DELAY
        assert claim(storage, NOW + 4 * SECOND + DELAY)

    def test_a_request_moves_a_loops_next_turn_forward_only(self, storage: StorageEngine) -> None:
        """The earlier of both reasons counts."""
        ensure(storage, due_at=NOW + SECOND)
        request(storage)
        assert state(storage).due_at == NOW + SECOND
        settle(storage, claim(storage, NOW + SECOND)[0], Outcome.again(NOW + LEASE))
        assert state(storage).due_at == NOW + LEASE

    def test_a_disabled_loop_answers_requests(self, storage: StorageEngine) -> None:
        """Turned off means no turns of its own; who asks is served."""
        ensure(storage, enabled=False, due_at=None)
        request(storage)
        settle(storage, claim(storage, NOW + DELAY)[0], Outcome.again(NOW + 3 * SECOND))
        assert not claim(storage, NOW + LEASE)

    def test_a_failed_run_has_answered_nothing(self, storage: StorageEngine) -> None:
        """A request whose run went wrong is run again at the next attempt, on a disabled loop too."""
        request(storage)
        settle(storage, claim(storage, NOW + DELAY)[0], Outcome.again(NOW + LEASE, "no answer"))
        assert not claim(storage, NOW + LEASE - SECOND)
        (again,) = claim(storage, NOW + LEASE)
        assert again.attempt == 2

    def test_a_run_that_was_given_up_waits_for_a_request(self, storage: StorageEngine) -> None:
        """Failed for good is failed until somebody asks again."""
        request(storage)
        settle(storage, claim(storage, NOW + DELAY)[0], Outcome.failed("no"))
        assert not claim(storage, NOW + 2 * LEASE)
        request(storage, NOW + LEASE)
        assert claim(storage, NOW + LEASE + DELAY)

    def test_a_late_holder_leaves_requests_alone(self, storage: StorageEngine) -> None:
        """Who lost a schedule answers nothing."""
        request(storage)
        (first,) = claim(storage, NOW + DELAY)
        (second,) = claim(storage, NOW + DELAY + LEASE)
        assert not settle(storage, first, Outcome.again(None))
        assert settle(storage, second, Outcome.again(None))

    def test_a_heartbeat_keeps_a_schedule(self, storage: StorageEngine) -> None:
        """A long run prolongs its lease."""
        ensure(storage)
        (claimed,) = claim(storage)
        with storage.transaction() as tx:
            storage.claims(tx).extend([claimed], NOW + 3 * LEASE)
        assert not claim(storage, NOW + 2 * LEASE)
        assert claim(storage, NOW + 3 * LEASE)

    def test_the_next_due_time_of_schedules(self, storage: StorageEngine) -> None:
        """A sleeping worker learns of turns, requests and leases."""
        ensure(storage, due_at=NOW + 30 * SECOND)
        ensure(storage, "other", due_at=NOW)
        claim(storage)
        with storage.transaction(write=False) as tx:
            claims = storage.claims(tx)
            assert claims.next_due(Queue.SCHEDULES, handlers=["loop"]) == NOW + 30 * SECOND
            assert claims.next_due(Queue.SCHEDULES, handlers=["other"]) == NOW + LEASE
            assert claims.next_due(Queue.SCHEDULES, handlers=["unknown"]) is None
            assert claims.counts(Queue.SCHEDULES) == {"ready": 1, "leased": 1}

    def test_schedules_are_never_purged(self, storage: StorageEngine) -> None:
        """Retention leaves schedules alone."""
        ensure(storage)
        with storage.transaction() as tx:
            assert storage.claims(tx).purge(Queue.SCHEDULES, before=NOW + LEASE, limit=9) == 0
