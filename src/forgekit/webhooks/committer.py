"""The group committer: many callers, one write transaction for all that wait."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

import attrs

from forgekit.errors import ForgeClosed, ForgeForked, StorageBusy, StorageError

_log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C")

CAPACITY = 2_000
"""Items that may wait; more are refused, so that memory stays bounded."""

MAX_SIZE = 128 * 1024 * 1024
"""Bytes that may wait: two thousand bodies of the usual 20 kB are 40 MB, two thousand of the largest would be 10 GB."""

BATCH = 256
"""Items in one transaction at most."""


class Wakeups:
    """Collects the event loops' waiters of one batch, so that each loop is woken once a batch and not once an item."""

    def __init__(self) -> None:
        """Start with none."""
        self._waiters: defaultdict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = defaultdict(list)
        self._thread: int | None = None

    def bind(self) -> None:
        """Collect what is settled on the calling thread from now on."""
        self._thread = threading.get_ident()

    def add(self, waiter: asyncio.Future[None]) -> None:
        """Wake ``waiter`` with the next flush; at once where it is another thread than the collecting one that settles it."""
        if threading.get_ident() == self._thread:
            self._waiters[waiter.get_loop()].append(waiter)
        else:
            _call(waiter.get_loop(), [waiter])

    def flush(self) -> None:
        """Wake everyone that was collected."""
        waiters, self._waiters = self._waiters, defaultdict(list)
        for loop, group in waiters.items():
            _call(loop, group)


def _call(loop: asyncio.AbstractEventLoop, waiters: Sequence[asyncio.Future[None]]) -> None:
    try:
        loop.call_soon_threadsafe(_wake, waiters)
    except RuntimeError:
        _log.debug("an event loop ended before its answers came")


def _wake(waiters: Sequence[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


class Pending(Future[R]):
    """A result to come: ``result()`` from threads, ``await`` from a coroutine on asyncio.

    Awaiting it costs less than ``asyncio.wrap_future``: the results of one batch wake the event loop together.
    """

    def __init__(self, wakeups: Wakeups) -> None:
        """Belong to a committer."""
        super().__init__()
        self._wakeups = wakeups

    def then(self, convert: Callable[[R], C]) -> Pending[C]:
        """Return what ``convert`` makes of the result, once it is there; quick, for it runs on the committer's thread."""
        converted = Pending[C](self._wakeups)

        def pass_on(done: Future[R]) -> None:
            try:
                converted.set_result(convert(done.result()))
            except Exception as error:  # noqa: BLE001 - whatever it is belongs to whoever waits
                converted.set_exception(error)

        self.add_done_callback(pass_on)
        return converted

    def __await__(self) -> Generator[Any, None, R]:
        """Wait on the running event loop; a cancelled waiter does not cancel the work."""
        if not self.done():
            waiter = asyncio.get_running_loop().create_future()
            self.add_done_callback(lambda _: self._wakeups.add(waiter))
            yield from waiter
        return self.result()


@attrs.frozen
class _Job(Generic[T, R]):
    item: T
    size: int
    pending: Pending[R]


class GroupCommitter(Generic[T, R]):
    """One daemon thread that writes whatever waits, together.

    The thread starts with the first item, never before. Items keep the order in which they were submitted.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Sequence[R]],
        *,
        size: Callable[[T], int] = lambda _: 0,
        capacity: int = CAPACITY,
        max_size: int = MAX_SIZE,
        batch: int = BATCH,
        name: str = "forgekit-committer",
    ) -> None:
        """Take what writes.

        Args:
            write: Writes all items in one transaction, or none, and returns one result an item. Called on the committer's thread.
                After an error with several items it is called again with each of them alone, unless the error is a ``StorageError``:
                that is no single item's fault, and all hear of it.
            size: Tells how many bytes an item holds.
            capacity: Items that may be unanswered.
            max_size: Bytes that may be unanswered; a single item may be larger.
            batch: Items of one transaction at most.
            name: The thread's name.

        """
        self._write = write
        self._size = size
        self._capacity = capacity
        self._max_size = max_size
        self._batch = batch
        self._name = name
        self._queue: SimpleQueue[_Job[T, R] | None] = SimpleQueue()
        self._wakeups = Wakeups()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._unanswered = 0
        self._unanswered_size = 0
        self._pid = os.getpid()

    def submit(self, item: T) -> Pending[R]:
        """Hand an item over and return at once.

        Raises:
            StorageBusy: Too many items wait.
            ForgeClosed: It was closed.
            ForgeForked: It belongs to another process.

        """
        if os.getpid() != self._pid:
            raise ForgeForked
        job = _Job(item, self._size(item), Pending[R](self._wakeups))
        with self._lock:
            if self._closed:
                raise ForgeClosed
            self._make_room(job.size)
            if self._thread is None:
                self._thread = self._start()
            self._queue.put(job)
        return job.pending

    def close(self, timeout: float | None = 30.0) -> None:
        """Refuse new items and wait until the submitted ones are written, at most ``timeout`` seconds."""
        with self._lock:
            self._closed = True
            thread = self._thread
            if thread is not None:
                self._queue.put(None)
        if thread is not None and os.getpid() == self._pid:
            thread.join(timeout)

    def _make_room(self, size: int) -> None:
        if self._unanswered >= self._capacity or self._unanswered_size > max(self._max_size - size, 0):
            raise StorageBusy("Too much waits to be stored.", retry_after=1)
        self._unanswered += 1
        self._unanswered_size += size

    def _give_room(self, jobs: Sequence[_Job[T, R]]) -> None:
        with self._lock:
            self._unanswered -= len(jobs)
            self._unanswered_size -= sum(job.size for job in jobs)

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        self._wakeups.bind()
        going = True
        while going:
            jobs, going = self._collect()
            # A caller that gave up before its turn (Future.cancel) wants nothing written.
            self._settle([job for job in jobs if job.pending.set_running_or_notify_cancel()])
            self._wakeups.flush()
            self._give_room(jobs)

    def _collect(self) -> tuple[list[_Job[T, R]], bool]:
        """Return what waits, at least one item, and whether more may come."""
        job = self._queue.get()
        jobs: list[_Job[T, R]] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == self._batch:
                return jobs, True
            try:
                job = self._queue.get_nowait()
            except Empty:
                return jobs, True
        return jobs, False

    def _settle(self, jobs: Sequence[_Job[T, R]]) -> None:
        if not jobs:
            return
        try:
            results = self._write([job.item for job in jobs])
        except StorageError as error:
            _fail(jobs, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._one_by_one(jobs) if len(jobs) > 1 else _fail(jobs, error)
        else:
            for job, result in zip(jobs, results, strict=True):
                job.pending.set_result(result)

    def _one_by_one(self, jobs: Sequence[_Job[T, R]]) -> None:
        """Write each alone, so that a bad one does not take the others with it; a storage that is busy or away is not asked again."""
        for number, job in enumerate(jobs):
            try:
                (result,) = self._write([job.item])
            except StorageError as error:
                _fail(jobs[number:], error)
                return
            except Exception as error:  # noqa: BLE001 - as above
                _fail([job], error)
            else:
                job.pending.set_result(result)


def _fail(jobs: Sequence[_Job[T, R]], error: Exception) -> None:
    for job in jobs:
        job.pending.set_exception(error)
