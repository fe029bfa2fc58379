"""The one claim driver: takes due rows of any queue by lease, runs them, and settles them with a fence."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

import attrs

from forgekit.errors import ForgekitError, StorageError
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Claim, Handler, Outcome, Queue, Schedule
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.events.rules import backoff, next_attempt
from forgekit.kernel.storage.ports import KernelRepositories, TransactionSource
from forgekit.kernel.storage.transaction import Transaction

_log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
"""How long a claim stays ours without a heartbeat: work of a killed process is taken up again after this."""

BATCH = 20
"""Rows claimed at a time: measured 8 to 10 times as fast as one at a time."""


class Job(Protocol):
    """What a queue's rows of one handler name are run by."""

    @property
    def external(self) -> bool:
        """Whether it talks to the outside: then it runs without a transaction."""
        ...

    def run(self, claim: Claim, tx: Transaction | None) -> Outcome:
        """Do the work; ``tx`` is None for external jobs."""
        ...

    def failed(self, claim: Claim, error: Exception, clock: Clock, noise: float) -> Outcome:
        """Decide what comes after a failure."""
        ...


def describe(error: Exception) -> str:
    """Return what may be stored of an error: our own message, else only its class (a foreign text may hold anything)."""
    return error.message if isinstance(error, ForgekitError) else type(error).__name__


def _retry(claim: Claim, error: Exception, clock: Clock, noise: float) -> Outcome:
    retryable = error.retryable if isinstance(error, ForgekitError) else True
    retry_after = error.retry_after if isinstance(error, ForgekitError) else None
    due_at = next_attempt(clock.now(), claim.attempt, noise, retry_after, retryable=retryable)
    return Outcome.failed(describe(error)) if due_at is None else Outcome.again(due_at, describe(error))


@attrs.frozen
class EventJob:
    """Runs outbox rows of one durable handler."""

    handler: Handler
    recorder: Recorder

    @property
    def external(self) -> bool:
        """Whether the handler talks to the outside."""
        return self.handler.external

    def run(self, claim: Claim, tx: Transaction | None) -> Outcome:
        """Call the handler with the event, and with the transaction or the delivery id."""
        event = self.recorder.load(self.handler, claim.payload)
        self.handler.run(event, claim.key if tx is None else tx)
        return Outcome.done()

    failed = staticmethod(_retry)


@attrs.frozen
class InboxJob:
    """Runs inbox rows of one provider, each in the transaction that ends it."""

    handle: Callable[[Mapping[str, Any], Transaction], None]
    external: bool = False

    def run(self, claim: Claim, tx: Transaction | None) -> Outcome:
        """Call the handler with the stored webhook."""
        assert tx is not None  # noqa: S101 - the driver opens one for every job that is not external
        self.handle({**claim.payload, "id": int(claim.key)}, tx)
        return Outcome.done()

    failed = staticmethod(_retry)


@attrs.frozen
class ScheduleJob:
    """Runs a loop, or work on demand; never given up."""

    schedule: Schedule
    clock: Clock
    external: bool = True

    def run(self, claim: Claim, tx: Transaction | None) -> Outcome:  # noqa: ARG002 - the same shape as every job
        """Call the function and plan its next call."""
        seconds = self.schedule.run()
        wait = timedelta(seconds=seconds) if seconds is not None else self.schedule.every
        return Outcome.again(None if wait is None else self.clock.now() + wait)

    def failed(self, claim: Claim, error: Exception, clock: Clock, noise: float) -> Outcome:
        """Plan the next call after a pause that grows with each failure in a row."""
        wait = max(backoff(claim.attempt, noise), self.schedule.every or timedelta(0))
        retry_after = error.retry_after if isinstance(error, ForgekitError) else None
        if retry_after is not None:
            wait = max(wait, timedelta(seconds=retry_after))
        return Outcome.again(clock.now() + wait, describe(error))


class _DriverStorage(TransactionSource, KernelRepositories, Protocol):
    """What the driver needs of a storage."""


class _LeaseLost(Exception):
    """Another process took the row over: undo our effect."""


class Driver:
    """Runs due work of every queue; thread-safe, shared by all threads of a worker."""

    def __init__(
        self,
        storage: _DriverStorage,
        clock: Clock,
        jobs: Mapping[Queue, Mapping[str, Job]],
        *,
        lease: timedelta = LEASE,
        noise: Callable[[], float] = random.random,
    ) -> None:
        """Take the jobs by queue and handler name; nothing runs yet."""
        self._storage = storage
        self._clock = clock
        self._jobs = jobs
        self._lease = lease
        self._noise = noise
        self._held: dict[tuple[Queue, str], Claim] = {}
        self._lock = threading.Lock()

    def run_due(self, queue: Queue, *, limit: int = BATCH) -> int:
        """Claim up to ``limit`` due rows, run them one after another, and return how many there were."""
        claims = self._claim(queue, limit)
        with self._holding(claims):
            for claim in claims:
                self._run(claim)
                self._release(claim)
        return len(claims)

    def seconds_until_due(self, queue: Queue) -> float | None:
        """Return in how many seconds the next row becomes due (0 or less: now); None where none waits."""
        with self._storage.transaction(write=False) as tx:
            due_at = self._storage.claims(tx).next_due(queue, handlers=self._jobs[queue].keys())
        return None if due_at is None else (due_at - self._clock.now()).total_seconds()

    def beat(self) -> None:
        """Prolong the lease of everything that is running (called by the worker's heartbeat)."""
        with self._lock:
            held = list(self._held.values())
        if held:
            with self._storage.transaction() as tx:
                self._storage.claims(tx).extend(held, self._clock.now() + self._lease)

    def _claim(self, queue: Queue, limit: int) -> Sequence[Claim]:
        # A look costs no write lock; a claim does. Idle workers only look.
        seconds = self.seconds_until_due(queue)
        if seconds is None or seconds > 0:
            return ()
        with self._storage.transaction() as tx:
            return self._storage.claims(tx).claim(
                queue, handlers=self._jobs[queue].keys(), now=self._clock.now(), lease=self._lease, limit=limit
            )

    @contextmanager
    def _holding(self, claims: Sequence[Claim]) -> Iterator[None]:
        with self._lock:
            self._held.update({(claim.queue, claim.key): claim for claim in claims})
        try:
            yield
        finally:
            for claim in claims:
                self._release(claim)

    def _release(self, claim: Claim) -> None:
        with self._lock:
            self._held.pop((claim.queue, claim.key), None)

    def _run(self, claim: Claim) -> None:
        job = self._jobs[claim.queue][claim.handler]
        try:
            self._run_external(job, claim) if job.external else self._run_in_transaction(job, claim)
        except _LeaseLost:
            _log.info("%s %s was taken over by another process", claim.queue.value, claim.key)
        except Exception as error:  # noqa: BLE001 - one row's failure must not take the others with it
            self._fail(job, claim, error)

    def _run_external(self, job: Job, claim: Claim) -> None:
        outcome = job.run(claim, None)
        with self._storage.transaction() as tx:
            self._settle(claim, outcome, tx)

    def _run_in_transaction(self, job: Job, claim: Claim) -> None:
        with self._storage.transaction() as tx:
            # The fence is checked before the effect: on PostgreSQL that also locks the row against a second holder.
            self._settle(claim, Outcome.done(), tx)
            job.run(claim, tx)

    def _settle(self, claim: Claim, outcome: Outcome, tx: Transaction) -> None:
        if not self._storage.claims(tx).settle(claim, outcome):
            raise _LeaseLost

    def _fail(self, job: Job, claim: Claim, error: Exception) -> None:
        expected = isinstance(error, ForgekitError)
        _log.log(
            logging.WARNING if expected else logging.ERROR,
            "%s of %s %s failed (attempt %d): %s",
            claim.handler, claim.queue.value, claim.key, claim.attempt, describe(error),
            exc_info=None if expected else error,
        )  # fmt: skip
        outcome = job.failed(claim, error, self._clock, self._noise())
        try:
            with self._storage.transaction() as tx:
                self._storage.claims(tx).settle(claim, outcome)
        except StorageError as lost:
            # The lease runs out by itself and the row comes back.
            _log.warning("the end of %s %s could not be stored: %s", claim.queue.value, claim.key, lost.message)
