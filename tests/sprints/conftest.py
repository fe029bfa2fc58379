"""A desk to work at: the services on a database, beside a tracker that is a few dictionaries."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

from forgekit.errors import RemoteNotFound
from forgekit.kernel.events.driver import Driver, EventJob, ScheduleJob
from forgekit.kernel.events.models import Event, Queue
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.events.signals import Signals
from forgekit.kernel.events.worker import Wakeup, Worker
from forgekit.sprints.git import Git
from forgekit.sprints.models import Connection, Cycle, CycleStatus, StateGroup, TrackerItem
from forgekit.sprints.service import SprintService
from forgekit.testing import FakeClock
from forgekit.work.service import WorkService
from forgekit_sql import open_postgresql, open_sqlite

START = datetime(2026, 11, 21, 12, tzinfo=UTC)


class DictTracker:
    """A tracker in memory that counts its calls and fails on demand."""

    API_VERSION = 1

    def __init__(self, clock):
        self.clock = clock
        self.names = {"cycle-1": "Sprint 5"}
        self.contents = {"cycle-1": []}
        self.descriptions = {}
        self.comments = {}
        self.waits = {}
        self.written = {}
        self.calls = []
        self.failures = []
        self.before = lambda call: None
        self.priority = None

    def opened(self, priority):
        self.priority = priority
        return self

    def _call(self, *call):
        self.calls.append(call)
        self.before(call)
        if self.failures and (failure := self.failures.pop(0)):
            raise failure

    def put(self, external_id, group=StateGroup.UNSTARTED, *, cycle="cycle-1", **fields):
        """Add or change an item, as a person there would."""
        rows = self.contents[cycle]
        old = next((row for row in rows if row.id == external_id), None)
        base = old or TrackerItem(id=external_id, name=external_id.upper(), group=group, position=len(rows), updated_at=self.clock.now())
        item = attrs.evolve(base, group=group, updated_at=self.clock.now(), **fields)
        if old is None:
            rows.append(item)
        else:
            rows[rows.index(old)] = item

    def remove(self, external_id, *, cycle="cycle-1"):
        self.contents[cycle] = [row for row in self.contents[cycle] if row.id != external_id]

    def touch(self, *external_ids):
        """Move ``updated_at`` and nothing else, as comments, links and relations do."""
        for rows in self.contents.values():
            rows[:] = [attrs.evolve(row, updated_at=self.clock.now()) if row.id in external_ids else row for row in rows]

    def relate(self, external_id, *blockers):
        """Let an item wait for these and no others, as a person there would."""
        self.waits[external_id] = blockers
        self.touch(external_id, *blockers)

    def group(self, external_id):
        return next(row.group for rows in self.contents.values() for row in rows if row.id == external_id)

    # The port

    def check(self):
        self._call("check")
        return Connection(workspace="w", project="Shop")

    def cycles(self):
        self._call("cycles")
        return [self._cycle(cycle_id) for cycle_id in self.names]

    def _cycle(self, cycle_id):
        return Cycle(
            id=cycle_id, name=self.names[cycle_id], description="Ship it", status=CycleStatus.CURRENT,
            starts_on=date(2026, 11, 18), ends_on=date(2026, 11, 24),
        )  # fmt: skip

    def cycle(self, cycle_id):
        self._call("cycle", cycle_id)
        if cycle_id not in self.names:
            raise RemoteNotFound
        return self._cycle(cycle_id)

    def items(self, cycle_id, *, progress=None):
        self._call("items", cycle_id)
        rows = list(self.contents.get(cycle_id, []))
        if progress is not None:
            progress(len(rows), len(rows))
        return rows

    def set_group(self, item_id, group):
        self._call("set_group", item_id, group)
        for rows in self.contents.values():
            for index, row in enumerate(rows):
                if row.id == item_id:
                    rows[index] = attrs.evolve(row, group=group)
                    self._write(item_id)
                    return group
        raise RemoteNotFound

    def comment(self, item_id, text, *, marker):
        self._call("comment", item_id)
        self.comments.setdefault(marker, (item_id, text))
        self._write(item_id)

    def _write(self, item_id):
        self.touch(item_id)
        self.written[item_id] = self.clock.now()

    def written_at(self, item_id):
        return self.written.get(item_id)

    def append_to_cycle(self, cycle_id, text, *, marker):
        self._call("append", cycle_id)
        if marker not in self.descriptions.get(cycle_id, ""):
            self.descriptions[cycle_id] = self.descriptions.get(cycle_id, "") + text + marker

    def blockers(self, item_id):
        self._call("blockers", item_id)
        return self.waits.get(item_id, ())


class Desk:
    """The services on one database, as a forge puts them together."""

    def __init__(self, storage, clock, tracker, *, projects_dir=None, git=None, rules=None, pause=None, noise=lambda: 0.5):
        self.storage, self.clock, self.tracker = storage, clock, tracker
        self.seen, self.wakeup, self.interval = [], Wakeup(), 30.0
        signals = Signals()
        self.recorder = Recorder(storage, clock, signals, self.wakeup.wake)
        self.work = WorkService(storage, self.recorder, clock, projects_dir=projects_dir)
        self.sprints = SprintService(
            storage, self.recorder, clock, work=self.work, trackers={"t": tracker.opened}, git=git or Git(), rules=rules or {},
            wake=self.wakeup.wake, noise=noise, pause=pause or (lambda _: None), patience=2.0,
        )  # fmt: skip
        self.recorder.register(self.sprints.handlers())
        for kind in Event.__subclasses__():
            signals.on(kind, self.seen.append)

    def worker(self):
        jobs = {
            Queue.INBOX: {},
            Queue.OUTBOX: {name: EventJob(handler, self.recorder) for name, handler in self.recorder.handlers.items()},
            Queue.SCHEDULES: {schedule.name: ScheduleJob(schedule, self.clock) for schedule in self.schedules()},
        }
        return Worker(Driver(self.storage, self.clock, jobs), self.wakeup, self.prepare)

    def schedules(self):
        return self.sprints.schedules(lambda tracker: self.interval)

    def prepare(self):
        with self.storage.transaction() as tx:
            for schedule in self.schedules():
                due = self.clock.now() if schedule.every and schedule.enabled else None
                self.storage.claims(tx).ensure_schedule(schedule.name, enabled=schedule.enabled, due_at=due)

    def drain(self, *, after=0.0):
        """Let time pass, then run all that is due."""
        self.clock.advance(after)
        return self.worker().drain()

    def link(self, external_id):
        with self.storage.transaction(write=False) as tx:
            project = self.work.project("shop", tx=tx)
            return self.storage.sprints(tx).links("t", project.id, external_ids=[external_id])[external_id]

    def item(self, external_id):
        return self.work.item(self.link(external_id).item_id)

    def needs(self, external_id):
        """Return the names of what an item waits for, with where that comes from."""
        item = self.item(external_id)
        with self.storage.transaction(write=False) as tx:
            found = self.storage.work(tx).dependencies([item.id]).get(item.id, {})
        return {self.work.item(item_id).name: origin.value for item_id, origin in found.items()}

    def heard(self, kind):
        return [event for event in self.seen if isinstance(event, kind)]


@pytest.fixture
def clock():
    """A clock that stands still."""
    return FakeClock(START)


@pytest.fixture
def tracker(clock):
    """A tracker in memory."""
    return DictTracker(clock)


@pytest.fixture
def storage(clock):
    """A database in memory."""
    opened = open_sqlite("sqlite://", clock)
    yield opened
    opened.close()


@pytest.fixture
def desk(storage, clock, tracker):
    """The services on a database in memory."""
    return Desk(storage, clock, tracker)


@pytest.fixture
def make_desk(clock, tracker):
    """Make desks on databases of the test's choice: two desks on one database are two processes."""
    opened = []

    def make(url, **parts):
        storage = (open_postgresql if url.startswith("postgresql") else open_sqlite)(url, clock)
        opened.append(storage)
        storage.upgrade()
        return Desk(storage, clock, tracker, **parts)

    yield make
    for storage in opened:
        storage.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of a database that two desks can share, on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'forge.db'}"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture
def in_threads():
    """Run functions at the same moment, and return what each returned or raised."""

    def run(*functions):
        results = [None] * len(functions)
        barrier = threading.Barrier(len(functions))

        def one(index, function):
            barrier.wait()
            try:
                results[index] = function()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                results[index] = error

        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(functions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    return run


@pytest.fixture
def tree(tmp_path):
    """A git work tree with two commits, in a folder of projects."""
    import subprocess

    path = tmp_path / "projects" / "shop"
    path.mkdir(parents=True)

    def git(*arguments):
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        subprocess.run(["git", "-C", path, *identity, *arguments], check=True, capture_output=True)

    git("init", "-q")
    for subject in ("feat: one", "fix: two"):
        git("commit", "--allow-empty", "-q", "-m", subject)
    return Path(path)


@pytest.fixture
def statements():
    """Count the statements that a function sends to any database."""
    from sqlalchemy import Engine, event

    def count(function):
        sent = []

        def hear(connection, cursor, statement, parameters, context, executemany):
            sent.append(statement)

        event.listen(Engine, "before_cursor_execute", hear)
        try:
            function()
        finally:
            event.remove(Engine, "before_cursor_execute", hear)
        return len(sent)

    return count
