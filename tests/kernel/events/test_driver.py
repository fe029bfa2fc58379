"""The claim driver on a real SQLite database and a clock of our own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import attrs
import pytest

import forgekit_sql.plugin
from forgekit.errors import PluginConflict, RemoteRateLimited, RemoteRefused, UsageError
from forgekit.kernel.events import worker as worker_module
from forgekit.kernel.events.driver import Driver, EventJob, InboxJob, ScheduleJob
from forgekit.kernel.events.models import Event, Handler, Queue, Schedule
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.events.signals import Signals
from forgekit.kernel.events.worker import Wakeup, Worker
from forgekit.testing import FakeClock


@attrs.frozen(kw_only=True)
class Happened(Event):
    name: ClassVar[str] = "tests.happened"

    what: str
    at: datetime


@pytest.fixture
def clock():
    """A clock that stands still."""
    return FakeClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def storage(clock):
    """An SQLite database."""
    engine = forgekit_sql.plugin.forgekit_storages()["sqlite"]("sqlite://", clock)
    yield engine
    engine.close()


class House:
    """A recorder and a driver over one storage."""

    def __init__(self, storage, clock):
        self.storage, self.clock = storage, clock
        self.signals, self.wakeup = Signals(), Wakeup()
        self.recorder = Recorder(storage, clock, self.signals, self.wakeup.wake)
        self.schedules: list[Schedule] = []

    def handle(self, run, *, external=False, name="tests.handler"):
        self.recorder.register([Handler(name=name, event=Happened, run=run, external=external)])

    def driver(self):
        jobs = {
            Queue.OUTBOX: {name: EventJob(handler, self.recorder) for name, handler in self.recorder.handlers.items()},
            Queue.INBOX: {"sender": InboxJob(lambda payload, tx: None)},
            Queue.SCHEDULES: {schedule.name: ScheduleJob(schedule, self.clock) for schedule in self.schedules},
        }
        return Driver(self.storage, self.clock, jobs, noise=lambda: 0.5)

    def worker(self):
        return Worker(self.driver(), self.wakeup, self.prepare)

    def prepare(self):
        with self.storage.transaction() as tx:
            for schedule in self.schedules:
                due_at = self.clock.now() if schedule.every else None
                self.storage.claims(tx).ensure_schedule(schedule.name, enabled=True, due_at=due_at)

    def record(self, what="it"):
        with self.storage.transaction() as tx:
            self.recorder.record(tx, Happened(what=what, at=self.clock.now()))

    def counts(self):
        with self.storage.transaction(write=False) as tx:
            return dict(self.storage.claims(tx).counts(Queue.OUTBOX))


@pytest.fixture
def house(storage, clock):
    """A recorder and a driver."""
    return House(storage, clock)


def test_a_handler_gets_the_event_as_it_was_recorded(house):
    """An event comes out of its row equal to what went in."""
    seen = []
    house.handle(lambda event, tx: seen.append(event))
    house.record("first")
    assert house.worker().drain() == 1
    assert seen == [Happened(what="first", at=house.clock.now())]


def test_an_external_handler_gets_a_stable_id_and_no_transaction(house):
    """Over attempts the delivery id stays the same."""
    ids = []

    def run(event, delivery_id):
        ids.append(delivery_id)
        if len(ids) == 1:
            raise RemoteRateLimited(retry_after=100)

    house.handle(run, external=True)
    house.record()
    house.worker().drain()
    house.clock.advance(timedelta(seconds=100))
    house.worker().drain()
    assert len(ids) == 2
    assert ids[0] == ids[1]


def test_a_rolled_back_event_never_happened(house):
    """Neither a row nor a signal is left of an event whose transaction was rolled back."""
    seen = []
    house.handle(lambda event, tx: seen.append(event))
    house.signals.on(Happened, seen.append)

    def fail():
        with house.storage.transaction() as tx:
            house.recorder.record(tx, Happened(what="never", at=house.clock.now()))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    house.worker().drain()
    assert seen == []


def test_a_failed_transactional_handler_leaves_no_effect(house):
    """What a handler wrote before it failed is undone together with the row's end."""

    def run(event, tx):
        house.storage.claims(tx).ensure_schedule("half done", enabled=True, due_at=None)
        raise ZeroDivisionError

    house.handle(run)
    house.record()
    house.worker().drain()
    with house.storage.transaction(write=False) as tx:
        assert not house.storage.claims(tx).schedules(now=house.clock.now())
    assert house.counts() == {"ready": 1}


def test_one_failing_row_does_not_take_the_others(house):
    """Rows claimed together succeed or fail one by one."""
    seen = []

    def run(event, tx):
        if event.what == "bad":
            raise ZeroDivisionError
        seen.append(event.what)

    house.handle(run)
    for what in ("a", "bad", "b"):
        house.record(what)
    house.worker().drain()
    assert sorted(seen) == ["a", "b"]


def test_an_error_that_repeating_does_not_mend_is_given_up(house):
    """After five attempts a row whose error is not retryable is failed, and stays for people to see."""

    def run(event, delivery_id):
        raise RemoteRefused("no")

    house.handle(run, external=True)
    house.record()
    for _ in range(5):
        house.worker().drain()
        house.clock.advance(timedelta(hours=5))
    assert house.counts() == {"failed": 1}


def test_retry_after_is_honoured(house):
    """A row is not taken up again before the time that the other side asked for."""
    calls = []

    def run(event, delivery_id):
        calls.append(delivery_id)
        raise RemoteRateLimited(retry_after=500)

    house.handle(run, external=True)
    house.record()
    house.worker().drain()
    house.clock.advance(timedelta(seconds=499))
    house.worker().drain()
    assert len(calls) == 1


def test_a_lost_lease_undoes_the_effect(house):
    """A handler whose row was taken over by another process in the meantime has no effect."""
    seen = []
    house.handle(lambda event, tx: seen.append(event))
    house.record()
    driver = house.driver()
    stale = driver._claim(Queue.OUTBOX, 1)
    house.clock.advance(timedelta(minutes=2))
    house.driver()._claim(Queue.OUTBOX, 1)
    driver._run(stale[0])
    assert seen == []
    assert house.counts() == {"leased": 1}


def test_work_of_a_dead_process_comes_back(house):
    """A claimed row becomes due again when its lease runs out."""
    seen = []
    house.handle(lambda event, tx: seen.append(event))
    house.record()
    house.driver()._claim(Queue.OUTBOX, 1)
    assert house.worker().drain() == 0
    house.clock.advance(timedelta(seconds=61))
    assert house.worker().drain() == 1


def test_a_heartbeat_keeps_the_lease(house):
    """Work that takes longer than a lease is not taken over while its process is alive."""
    taken = []

    def run(event, delivery_id):
        house.clock.advance(timedelta(seconds=50))
        driver.beat()
        house.clock.advance(timedelta(seconds=50))
        taken.append(house.driver().run_due(Queue.OUTBOX))

    house.handle(run, external=True)
    house.record()
    driver = house.driver()
    driver.run_due(Queue.OUTBOX)
    assert taken == [0]
    assert house.counts() == {"done": 1}


def test_a_loop_runs_once_an_interval(house):
    """A schedule is called when it is due, and then after its interval."""
    calls = []
    house.schedules.append(Schedule(name="loop", run=lambda: calls.append(1), every=timedelta(seconds=30)))
    worker = house.worker()
    worker.drain()
    house.clock.advance(timedelta(seconds=29))
    worker.drain()
    house.clock.advance(timedelta(seconds=1))
    worker.drain()
    assert len(calls) == 2


def test_a_loop_may_say_when_it_wants_to_be_called(house):
    """What a schedule returns goes before its interval."""
    calls = []
    house.schedules.append(Schedule(name="loop", run=lambda: calls.append(1) or 5.0, every=timedelta(hours=1)))
    worker = house.worker()
    worker.drain()
    house.clock.advance(timedelta(seconds=5))
    worker.drain()
    assert len(calls) == 2


def test_a_failing_loop_goes_on(house):
    """A loop is never given up; its pauses grow and honour Retry-After."""
    calls = []

    def run():
        calls.append(house.clock.now())
        raise RemoteRateLimited(retry_after=90)

    house.schedules.append(Schedule(name="loop", run=run, every=timedelta(seconds=30)))
    for _ in range(25):
        house.worker().drain()
        house.clock.advance(timedelta(hours=5))
    assert len(calls) == 25


def test_endless_work_is_refused(house, monkeypatch):
    """A drain ends with an error where work makes itself due again at once."""
    monkeypatch.setattr(worker_module, "_ENDLESS", 20)
    house.schedules.append(Schedule(name="mad", run=lambda: 0.0, every=timedelta(seconds=30)))
    with pytest.raises(UsageError):
        house.worker().drain()


def test_two_handlers_of_one_name_are_refused(house):
    """A durable handler's name is unique."""
    house.handle(lambda event, tx: None)
    with pytest.raises(PluginConflict):
        house.handle(lambda event, tx: None)


def test_unknown_fields_of_an_older_version_are_left_out(house):
    """A row that another version wrote is read as far as this one knows its fields."""
    house.handle(lambda event, tx: None)
    payload = {**house.recorder.dump(Happened(what="x", at=house.clock.now())), "gone": 1}
    assert house.recorder.load(house.recorder.handlers["tests.handler"], payload).what == "x"


def test_a_failing_receiver_does_not_keep_the_others_from_hearing(house, caplog):
    """Every receiver of a signal is called, whatever another one does."""
    seen = []
    house.signals.on(Happened, lambda event: 1 / 0)
    house.signals.on(Happened, seen.append)
    house.record("heard")
    assert [event.what for event in seen] == ["heard"]
    assert "a receiver of tests.happened failed" in caplog.text


def test_an_ended_subscription_hears_nothing(house):
    """The function that a subscription returned ends it."""
    seen = []
    stop = house.signals.on(Happened, seen.append)
    stop()
    house.record()
    assert seen == []
