"""What can go wrong on purpose."""

from __future__ import annotations

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


class Faults:
    """The faults to come, and how slow the server is."""

    def __init__(self) -> None:
        """Begin without any."""
        self.delay = 0.0
        self._waiting: list[Fault] = []

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

    def clear(self) -> None:
        """Forget all faults."""
        self._waiting.clear()
        self.delay = 0.0
