"""What can go wrong on purpose."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import attrs


@attrs.define(kw_only=True)
class Fault:
    """An answer other than the true one.

    Attributes:
        status: The status to answer; None to close the connection without an answer.
        body: The bytes to answer.
        headers: Further headers.
        after_write: Whether the request takes effect all the same.
        method: Only requests with this method.
        path: Only requests whose path contains this.
        after: How many requests that fit are still answered truly first.
        times: How many requests it still meets.

    """

    status: int | None
    body: bytes = b""
    headers: Mapping[str, str] = attrs.field(factory=dict)
    after_write: bool = False
    method: str | None = None
    path: str = ""
    after: int = 0
    times: int = 1


@attrs.define(kw_only=True, eq=False)
class Hold:
    """Requests that are kept waiting.

    Attributes:
        method: Those with this method; None for any.
        path: Those whose path contains this.
        after: How many of them go through first.

    """

    method: str | None
    path: str
    after: int


class Faults:
    """The faults to come, how slow the server is, and what it keeps waiting. Thread-safe where a method says so."""

    def __init__(self) -> None:
        """Begin without any."""
        self.delay = 0.0
        self._waiting: list[Fault] = []
        self._holds: list[Hold] = []
        self._held = 0
        self._changed = threading.Condition()

    def add(self, fault: Fault) -> None:
        """Let a fault meet the next requests that fit."""
        self._waiting.append(fault)

    def meet(self, method: str, path: str) -> Fault | None:
        """Return the fault that a request meets, and use it up."""
        for fault in self._waiting:
            if fault.method in (None, method) and fault.path in path:
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None

    def hold(self, method: str | None, path: str, after: int) -> None:
        """Keep requests that fit waiting until ``clear``. Thread-safe."""
        with self._changed:
            self._holds.append(Hold(method=method, path=path, after=after))

    @property
    def held(self) -> int:
        """How many requests are kept waiting now. Thread-safe."""
        with self._changed:
            return self._held

    def wait(self, method: str, path: str) -> None:
        """Let a request wait as long as it has to before it is answered. Thread-safe."""
        time.sleep(self.delay)
        with self._changed:
            hold = next((each for each in self._holds if each.method in (None, method) and each.path in path), None)
            if hold is None:
                return
            if hold.after > 0:
                hold.after -= 1
                return
            self._held += 1
            self._changed.wait_for(lambda: hold not in self._holds)
            self._held -= 1

    def clear(self) -> None:
        """Forget all faults, and let go on what waits. Thread-safe."""
        self._waiting.clear()
        self.delay = 0.0
        with self._changed:
            self._holds.clear()
            self._changed.notify_all()
