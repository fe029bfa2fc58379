"""A process that receives webhooks, to be killed: ``burst`` receives and handles, ``report`` tells what is there afterwards.

Every handled webhook adds a row to ``effects``, in the transaction that ends its own: two of one subject are a double effect.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import text

from forgekit.kernel.clock import SystemClock
from forgekit.kernel.events.driver import Driver, InboxJob
from forgekit.kernel.events.models import Queue
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.events.signals import Signals
from forgekit.kernel.events.worker import Wakeup, Worker
from forgekit.testing.signing import PayloadSigner
from forgekit.webhooks import PROVIDERS, ProviderConfiguration, Relevance, SigningSecret, WebhookService
from forgekit_sql import open_postgresql, open_sqlite

SECRET = "of the burst"
PROVIDER = "lemonsqueezy"
THREADS = 16


class LaterClock(SystemClock):
    """The machine's clock, some minutes ahead: the leases of the dead have run out."""

    def now(self):
        return super().now() + timedelta(minutes=5)


class Noting:
    """Notes each handled webhook's subject in a table."""

    def configuration(self):
        return ProviderConfiguration(secrets=(SigningSecret(id="burst", value=SECRET),), configured=True)

    def relevance(self, event):
        return Relevance.WANTED

    def handle(self, event, tx):
        tx.connection.execute(text("INSERT INTO effects VALUES (:subject)"), {"subject": event.subject})


class Inbox:
    """A webhook service with a worker, on one database."""

    def __init__(self, url, clock):
        self.storage = (open_sqlite if url.startswith("sqlite") else open_postgresql)(url, clock)
        self.storage.upgrade()
        with self.storage.transaction() as tx:
            if tx.connection.dialect.name == "postgresql":  # IF NOT EXISTS of two at once may still collide in PostgreSQL's catalogue
                tx.connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
            tx.connection.execute(text("CREATE TABLE IF NOT EXISTS effects (subject TEXT)"))
        self.clock = clock
        wakeup = Wakeup()
        recorder = Recorder(self.storage, clock, Signals(), wakeup.wake)
        self.service = WebhookService(self.storage, clock, recorder, {}, {PROVIDER: Noting()}, wake=wakeup.wake)
        handlers = {name: InboxJob(handle) for name, handle in self.service.inbox_handlers().items()}
        jobs = {Queue.INBOX: handlers, Queue.OUTBOX: {}, Queue.SCHEDULES: {}}
        self.worker = Worker(Driver(self.storage, clock, jobs), wakeup, lambda: None)

    def receive(self, number):
        body = json.dumps({"meta": {"event_name": "order_created"}, "data": {"id": f"order-{number}"}}).encode()
        headers = PayloadSigner(PROVIDERS[PROVIDER].scheme, SECRET).sign(body, self.clock.now(), event="order_created")
        return self.service.receive(PROVIDER, headers, body).action.value

    def close(self):
        self.service.close()
        self.storage.close()


def burst(arguments):
    """Receive so many webhooks in an order of this process's own, and print the number of each that is answered."""
    inbox = Inbox(arguments.url, SystemClock())
    numbers = list(range(arguments.count))
    random.Random(arguments.seed).shuffle(numbers)

    def receive(number):
        answer = inbox.receive(number)
        os.write(1, f"{number} {answer}\n".encode())

    with inbox.worker, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(receive, numbers))
    inbox.close()


def report(arguments):
    """Deliver again what was answered (standard input, one number a line), let the worker finish, and print what there is."""
    inbox = Inbox(arguments.url, LaterClock())
    answers = Counter(inbox.receive(int(line)) for line in sys.stdin)
    inbox.worker.drain()
    found = inbox.service.statistics(PROVIDER)
    with inbox.storage.transaction(write=False) as tx:
        rows = tx.connection.execute(text("SELECT count(*) FROM effects GROUP BY subject")).scalars().all()
    inbox.close()
    told = {"received": found.received, "waiting": found.waiting, "failed": found.failed, "answers": answers, "effects": Counter(rows)}
    sys.stdout.write(json.dumps(told))


def main():
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["burst", "report"])
    parser.add_argument("url")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    {"burst": burst, "report": report}[arguments.what](arguments)


if __name__ == "__main__":
    main()
