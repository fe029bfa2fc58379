"""The worker: threads that run what is due, until they are told to stop."""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from forgekit.errors import ForgeClosed, UsageError
from forgekit.kernel.events.driver import BATCH, LEASE, Driver
from forgekit.kernel.events.models import Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

_log = logging.getLogger(__name__)

_IDLE = 1.0
"""Longest pause in seconds between two looks at a queue: how soon work of another process is noticed."""

_THREADS = {Queue.INBOX: (1, BATCH), Queue.OUTBOX: (1, BATCH), Queue.SCHEDULES: (3, 1)}
"""Threads a queue, and rows that one of them takes at a time. A schedule may wait for a budget: it must not hold up the others."""

_ENDLESS = 1_000
"""So many rounds of one drain can only be work that makes itself due again at once."""


class Wakeup:
    """Tells sleeping threads that there is work; remembers nothing once everyone has looked."""

    def __init__(self) -> None:
        """Start with nothing to tell."""
        self._condition = threading.Condition()
        self._count = 0

    def wake(self) -> None:
        """Wake every thread that waits, and keep those that are about to wait from sleeping."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    @property
    def count(self) -> int:
        """How often ``wake`` was called."""
        return self._count

    def wait(self, seen: int, timeout: float) -> None:
        """Sleep until ``wake`` is called more often than ``seen`` times, or for ``timeout`` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: self._count != seen, timeout)


class Worker:
    """Runs loops, deliveries and chores; a context manager for programs, ``drain()`` for tests and scripts."""

    def __init__(self, driver: Driver, wakeup: Wakeup, prepare: Callable[[], None]) -> None:
        """Take a driver; ``prepare`` makes the rows of the schedules and is called before the first work."""
        self._driver = driver
        self._wakeup = wakeup
        self._prepare = prepare
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop, and wait for what is running."""
        self.stop()

    def start(self) -> None:
        """Start the threads.

        Raises:
            UsageError: They run already.

        """
        if self._threads:
            message = "This worker runs already."
            raise UsageError(message)
        self._prepare()
        self._stop.clear()
        for of, (count, limit) in _THREADS.items():
            for number in range(count):
                self._spawn(f"forgekit-{of.value}-{number}", self._loop, of, limit)
        self._spawn("forgekit-heartbeat", self._beat)

    def stop(self, timeout: float | None = 30.0) -> None:
        """Take up nothing more and wait for what is running, at most ``timeout`` seconds in all.

        What does not end in time keeps its lease until the process ends and is taken up again after that.
        """
        self._stop.set()
        self._wakeup.wake()
        deadline = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        self._threads.clear()

    def serve(self, ready: Callable[[], object] | None = None) -> None:
        """Run until SIGINT or SIGTERM ends it, in the main thread of a process that does nothing else; a second one ends it at once.

        Args:
            ready: Called when the threads run and a signal would be heeded.

        Raises:
            UsageError: The threads run already.
            ValueError: This is not the main thread, which alone hears signals.

        """
        # In this order: while what runs is waited for, a second signal does what it would have done before.
        with self, _heeding(signal.SIGINT, signal.SIGTERM) as wait:
            if ready is not None:
                ready()
            wait()

    def drain(self) -> int:
        """Run, on the calling thread, all that is due by the forge's clock, and what becomes due by that; return how many rows.

        Raises:
            UsageError: Work makes itself due again without end.

        """
        self._prepare()
        total = 0
        for _ in range(_ENDLESS):
            done = sum(self._driver.run_due(each) for each in Queue)
            if not done:
                return total
            total += done
        message = "Some work becomes due again at once, without end."
        raise UsageError(message)

    def _spawn(self, name: str, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, name=name, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _loop(self, of: Queue, limit: int) -> None:
        while not self._stop.is_set():
            seen = self._wakeup.count
            pause = self._work(of, limit)
            if pause > 0 and not self._stop.is_set():
                self._wakeup.wait(seen, pause)

    def _work(self, of: Queue, limit: int) -> float:
        """Run what is due and return how long to pause, in seconds."""
        try:
            if self._driver.run_due(of, limit=limit):
                return 0.0
            seconds = self._driver.seconds_until_due(of)
        except ForgeClosed:
            self._stop.set()
            return 0.0
        except Exception:  # noqa: BLE001 - the database may be away for a while; a worker that died of it would miss its return
            _log.exception("the %s queue could not be looked at", of.value)
            return _IDLE
        return _IDLE if seconds is None else min(max(seconds, 0.01), _IDLE)

    def _beat(self) -> None:
        while not self._stop.wait(LEASE.total_seconds() / 3):
            try:
                self._driver.beat()
            except Exception:  # noqa: BLE001 - the next beat may succeed
                _log.exception("the heartbeat could not be stored")


@contextmanager
def _heeding(*numbers: signal.Signals) -> Iterator[Callable[[], None]]:
    """Take signals in the main thread, and give what waits for one of them."""
    told, teller = socket.socketpair()
    with told, teller:
        teller.settimeout(0)  # as the interpreter asks of such a socket
        before = {number: signal.signal(number, lambda *_: None) for number in numbers}
        # A thread that is about to wait for a lock, an Event or a queue does not hear a signal any more; one that reads a socket does.
        fd = signal.set_wakeup_fd(teller.fileno())

        def wait() -> None:
            while told.recv(1)[0] not in numbers:
                pass  # another signal, which somebody else handles

        try:
            yield wait
        finally:
            signal.set_wakeup_fd(fd)
            for number, handler in before.items():
                signal.signal(number, handler)
