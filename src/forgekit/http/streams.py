"""Server-Sent Events, as an operation sees them.

An operation returns an `EventStream`; the ASGI face then calls ``subscribe`` on a worker thread with a `Sink`, and from
there on holds no thread. ``subscribe`` registers first and reads the present state after, both into the sink: so nothing
that happens between the two is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import attrs

from forgekit.http.codec import encode

HEARTBEAT_FRAME = b": heartbeat\n\n"


@attrs.frozen
class ServerEvent:
    """One event: ``data`` is rendered as JSON, once for all who get it."""

    data: Any
    event: str | None = None
    id: str | None = None

    @cached_property
    def frame(self) -> bytes:
        """The event as it stands in the stream."""
        head = b"".join(
            name + b": " + value.replace("\r", " ").replace("\n", " ").encode() + b"\n"
            for name, value in ((b"id", self.id), (b"event", self.event))
            if value is not None
        )
        return head + b"data: " + encode(self.data) + b"\n\n"


class Sink(Protocol):
    """The writing end of one client's stream; thread-safe, and it never blocks."""

    def send(self, event: ServerEvent, /) -> None:
        """Queue an event. A client that does not keep up loses its connection, not single events."""

    def close(self) -> None:
        """End the stream after what is queued."""


@attrs.frozen(kw_only=True)
class EventStream:
    """An answer that goes on.

    Attributes:
        subscribe: Given the sink, registers it, sends the present state, and returns what ends the registration. Called
            on a worker thread; so is what it returns.
        heartbeat: Seconds of silence after which a comment is sent.
        close_after: Seconds after which the stream ends, so that clients come back with fresh credentials.
        buffer: Events that may wait for a slow client before it is dropped.

    """

    subscribe: Callable[[Sink], Callable[[], object]] = attrs.field(repr=False)
    heartbeat: float = 25.0
    close_after: float = 240.0
    buffer: int = 1000
