"""A house to receive webhooks in: a storage in memory that can be told to fail, and a receiver that writes down what it was given."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import attrs
import pytest

from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.events.signals import Signals
from forgekit.kernel.storage.transaction import Transaction
from forgekit.webhooks import SCHEMES, InboxEntry, JsonProvider, ProviderConfiguration, Relevance, SigningSecret, Stored, WebhookService
from forgekit.webhooks.providers import Reading, text

SECRET = "the secret of these tests"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.time = START

    def now(self):
        return self.time

    def move(self, seconds):
        self.time += timedelta(seconds=seconds)


@attrs.define
class Row:
    arrival: object
    state: str
    purged: bool = False


class MemoryInbox:
    """The rules of ``InboxRepository``, on a list."""

    def __init__(self, rows):
        self.rows = rows

    def store(self, arrivals, *, burst):
        return [self._store(arrival, burst) for arrival in arrivals]

    def _store(self, arrival, burst):
        same = [row for row in self.rows if row.arrival.provider == arrival.provider]
        for row in same:
            if row.arrival.dedup_key == arrival.dedup_key:
                row.state = "ready" if row.state == "failed" else row.state
                return Stored(id=self.rows.index(row) + 1, duplicate=True, burst=False)
        since = arrival.received_at - burst
        in_burst = any(
            arrival.event_key and row.arrival.event_key == arrival.event_key and row.arrival.received_at >= since for row in same
        )
        self.rows.append(Row(arrival, "ready" if arrival.wanted else "done"))
        return Stored(id=len(self.rows), duplicate=False, burst=in_burst)

    def entry(self, inbox_id):
        return self._entry(inbox_id) if 0 < inbox_id <= len(self.rows) else None

    def entries(self, provider, *, limit, state=None):
        found = [self._entry(number + 1) for number, row in enumerate(self.rows) if row.arrival.provider == provider]
        return [entry for entry in reversed(found) if state in {None, entry.state}][:limit]

    def rearm(self, inbox_id, now):
        row = self.rows[inbox_id - 1]
        if row.state not in {"done", "failed"} or row.purged:
            return False
        row.state = "ready"
        return True

    def rearm_range(self, provider, *, since, until, states, now):
        chosen = [
            number
            for number, row in enumerate(self.rows, start=1)
            if row.arrival.provider == provider and since <= row.arrival.received_at < until and row.state in states
        ]
        return sum(self.rearm(number, now) for number in chosen)

    def totals(self, provider):
        times = [row.arrival.received_at for row in self.rows if row.arrival.provider == provider]
        return len(times), max(times, default=None)

    def states(self, provider):
        states = [row.state for row in self.rows if row.arrival.provider == provider]
        return {state: states.count(state) for state in set(states)}

    def drop_bodies(self, inbox_ids):
        for inbox_id in inbox_ids:
            self.rows[inbox_id - 1].purged = True

    def purge(self, *, before, limit, provider=None):
        old = [
            row
            for row in self.rows
            if row.state == "done" and not row.purged and row.arrival.received_at < before and provider in {None, row.arrival.provider}
        ][:limit]
        for row in old:
            row.purged = True
        return len(old)

    def _entry(self, inbox_id):
        row = self.rows[inbox_id - 1]
        arrival = row.arrival
        return InboxEntry(
            id=inbox_id, provider=arrival.provider, dedup_key=arrival.dedup_key, kind=arrival.kind, event=arrival.event,
            delivery_id=arrival.delivery_id, state=row.state, attempts=0, error=None, received_at=arrival.received_at,
            body=b"" if row.purged else arrival.body,
        )  # fmt: skip


class MemoryStorage:
    """Transactions over one list: a failed one leaves it as it was. ``before_commit`` may raise or wait."""

    def __init__(self):
        self.rows = []
        self.outbox = []
        self.commits = 0
        self.before_commit = lambda rows: None
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self, *, write=True):
        with self._lock:
            copy = [attrs.evolve(row) for row in self.rows]
            tx = Transaction(copy, writes=write)
            yield tx
            if write:
                self.before_commit(copy[len(self.rows) :])
                self.rows = copy
                self.commits += 1
        tx.close()()

    def inbox(self, tx):
        return MemoryInbox(tx.connection)

    def claims(self, tx):
        return SimpleNamespace(add_outbox=self.outbox.extend)


class Notes:
    """A receiver that writes down what it was given; ``idle``, ``unconfigured`` and the kind ``other`` are as their names say."""

    def __init__(self):
        self.secrets = (SigningSecret(id="tests", value=SECRET),)
        self.configured = True
        self.active = True
        self.handled = []

    def configuration(self):
        return ProviderConfiguration(secrets=self.secrets, configured=self.configured)

    def relevance(self, event):
        if event.kind == "other":
            return Relevance.OTHER
        return Relevance.WANTED if self.active else Relevance.IDLE

    def handle(self, event, tx):
        tx.check(writing=True)
        self.handled.append(event)


def _read(body, header):
    return Reading(kind=text(body, "kind"), action=text(body, "action"), subject=text(body, "subject"))


class Forgetful(Notes):
    """Notes whose bodies are kept for a time of their own."""

    def __init__(self, keep):
        super().__init__()
        self.keep = keep

    def keep_bodies(self, tx=None):
        return self.keep


class House:
    """A webhook service with all that it needs, and one provider, ``notes``, that signs as Plane does."""

    def __init__(self, *, keep=None, **options):
        self.clock = HandClock()
        self.storage = MemoryStorage()
        self.notes = Notes() if keep is None else Forgetful(keep)
        self.signals = Signals()
        self.wakes = 0
        self.recorder = Recorder(self.storage, self.clock, self.signals, self._wake)
        self.service = WebhookService(
            self.storage, self.clock, self.recorder,
            providers={"notes": JsonProvider(name="notes", scheme=SCHEMES["plane"], read=_read)},
            receivers={"notes": self.notes}, wake=self._wake, **options,
        )  # fmt: skip

    def _wake(self):
        self.wakes += 1

    def body(self, kind="issue", subject="1", **more):
        return json.dumps({"kind": kind, "action": "updated", "subject": subject, **more}).encode()

    def headers(self, body):
        return {"X-Plane-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(), "X-Plane-Event": "issue"}

    def receive(self, body):
        return self.service.receive("notes", self.headers(body), body)

    def work(self):
        """Handle what is due, as a worker would."""
        handle = self.service.inbox_handlers()["notes"]
        with self.storage.transaction() as tx:
            for number, row in enumerate(tx.connection, start=1):
                if row.state == "ready":
                    arrival = row.arrival
                    told = {"received_at": arrival.received_at, "body": arrival.body, "event": arrival.event, "delivery_id": ""}
                    handle({**told, "id": number}, tx)
                    row.state = "done"


@pytest.fixture(scope="session")
def make_house():
    """The class, for tests that need several."""
    return House


@pytest.fixture
def house():
    """A house, closed afterwards."""
    made = House()
    yield made
    made.service.close()
