"""Serving an `EventStream` over ASGI: no thread a client, no event lost, no client waited for."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import anyio

from forgekit.http.streams import HEARTBEAT_FRAME, EventStream, ServerEvent

_log = logging.getLogger(__name__)

Hop = Callable[[Callable[[], Any]], Awaitable[Any]]

_HEADERS = [
    (b"Content-Type", b"text/event-stream; charset=utf-8"),
    (b"Cache-Control", b"no-store"),
    (b"X-Content-Type-Options", b"nosniff"),
    # nginx would gather the events otherwise
    (b"X-Accel-Buffering", b"no"),
]
_LAST_WORDS = 1.0


class LoopSink:
    """A `Sink` whose reader waits on an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, buffer: int, drop: Callable[[], object]) -> None:
        """Queue up to ``buffer`` events; beyond that, ``drop`` is called on the loop."""
        self._loop = loop
        self._buffer = buffer
        self._drop = drop
        self._frames: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._ready = asyncio.Event()
        self.closed = False

    def send(self, event: ServerEvent, /) -> None:
        """Queue an event, from any thread."""
        frame = event.frame
        with self._lock:
            if self.closed:
                return
            if len(self._frames) < self._buffer:
                self._frames.append(frame)
                # One wake-up for a burst: the reader takes all there is.
                wake: Callable[[], object] | None = self._ready.set if len(self._frames) == 1 else None
            else:
                self.closed = True
                self._frames.clear()
                wake = self._drop
        if wake is not None:
            self._call(wake)

    def close(self) -> None:
        """End the stream after what is queued, from any thread."""
        self.closed = True
        self._call(self._ready.set)

    async def take(self, patience: float) -> bytes:
        """Wait for frames: all that are queued, a heartbeat after ``patience`` seconds, nothing at the end."""
        while not self._frames:
            if self.closed:
                return b""
            self._ready.clear()
            with anyio.move_on_after(patience) as waiting:
                await self._ready.wait()
            if waiting.cancelled_caught:
                return HEARTBEAT_FRAME
        with self._lock:
            frames = b"".join(self._frames)
            self._frames.clear()
        return frames

    def _call(self, wake: Callable[[], object]) -> None:
        try:
            self._loop.call_soon_threadsafe(wake)
        except RuntimeError:  # the loop is closed, and the client with it
            self.closed = True


async def serve_stream(
    stream: EventStream,
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    hop: Hop,
    *,
    body: bool,
) -> None:
    """Send a stream until its end, its client's, or its time's."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    if body:
        await _pump(stream, receive, send, hop)
    # A client that does not read would hold the last word for ever.
    with anyio.move_on_after(_LAST_WORDS):
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _pump(stream: EventStream, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]], hop: Hop) -> None:
    with anyio.move_on_after(stream.close_after):
        async with anyio.create_task_group() as tasks:
            sink = LoopSink(asyncio.get_running_loop(), stream.buffer, tasks.cancel_scope.cancel)
            tasks.start_soon(_watch, receive, tasks.cancel_scope)
            unsubscribe: list[Callable[[], object]] = []
            try:
                await hop(lambda: unsubscribe.extend(_subscribe(stream, sink)))
                await _copy(sink, send, stream.heartbeat)
            finally:
                sink.closed = True
                with anyio.CancelScope(shield=True):
                    for leave in unsubscribe:
                        await hop(leave)
            tasks.cancel_scope.cancel()


def _subscribe(stream: EventStream, sink: LoopSink) -> list[Callable[[], object]]:
    try:
        return [stream.subscribe(sink)]
    except Exception:  # noqa: BLE001 - the head is sent: all that can be told is told in the stream
        _log.exception("a subscription failed")
        sink.send(ServerEvent({"message": "The stream failed."}, event="error"))
        sink.close()
        return []


async def _copy(sink: LoopSink, send: Callable[[Any], Awaitable[None]], heartbeat: float) -> None:
    while frames := await sink.take(heartbeat):
        await send({"type": "http.response.body", "body": frames, "more_body": True})


async def _watch(receive: Callable[[], Awaitable[Any]], scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
