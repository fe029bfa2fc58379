"""The ASGI 3 face: one thread hop a request, none for inline operations."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar

from forgekit.http import failures
from forgekit.http.calls import Call, Outcome
from forgekit.http.messages import RequestHead, Response
from forgekit.http.sse import serve_stream
from forgekit.http.streams import EventStream

if TYPE_CHECKING:
    from forgekit.http.app import App

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
T = TypeVar("T")


class _ClientGone(Exception):
    """The client left before its request was whole."""


class AsgiFace:
    """An ASGI 3 application, for asyncio event loops."""

    def __init__(self, app: App, threads: int) -> None:
        """Serve an application with at most so many operations on threads at a time, per event loop."""
        self._app = app
        self._threads = threads
        # One limiter a loop: anyio's are not shared between loops, and a test or a host may run several.
        self._limiter: RunVar[anyio.CapacityLimiter] = RunVar("forgekit.http.threads")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one connection scope."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(read_head(scope), receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _serve(self, head: RequestHead, receive: Receive, send: Send) -> None:
        found = self._app.find(head)
        try:
            answer = found if isinstance(found, Response) else await self._answer(found, receive)
        except _ClientGone:
            return
        if isinstance(answer, EventStream):
            await serve_stream(answer, receive, send, self._hop, body=head.method != "HEAD")
        else:
            await _send(answer, send, body=head.method != "HEAD")

    async def _answer(self, call: Call, receive: Receive) -> Response | EventStream:
        outcome = await self._outcome(call, receive)
        if not isinstance(outcome, Future):
            return outcome
        await _done(outcome)
        return call.settle(outcome)

    async def _outcome(self, call: Call, receive: Receive) -> Outcome:
        operation, reads_body = call.route.operation, call.route.reads_body
        if not reads_body and not operation.inline:
            return await self._hop(call.admit_and_run)
        refusal = call.admit() if call.admits_inline else await self._hop(call.admit)
        if refusal is not None:
            return refusal
        body = await _read_body(receive, operation.max_body) if reads_body else b""
        if body is None:
            return call.refuse(failures.BodyTooLarge())
        return call.run(body) if operation.inline else await self._hop(lambda: call.run(body))

    async def _hop(self, work: Callable[[], T]) -> T:
        # Not abandoned on cancellation: what began is finished, whoever left.
        return await anyio.to_thread.run_sync(work, limiter=self._thread_limiter())

    def _thread_limiter(self) -> anyio.CapacityLimiter:
        limiter = self._limiter.get(None)
        if limiter is None:
            limiter = anyio.CapacityLimiter(self._threads)
            self._limiter.set(limiter)
        return limiter


def read_head(scope: MutableMapping[str, Any]) -> RequestHead:
    """Read the head of a request from an ASGI scope."""
    path, root = scope["path"], scope.get("root_path", "")
    # Servers differ in whether the path still holds the place where the application is mounted.
    if root and (path == root or path.startswith(f"{root}/")):
        path = path[len(root) :] or "/"
    client = scope.get("client")
    return RequestHead(
        method=scope["method"],
        path=path,
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        peer=client[0] if client else None,
        scheme=scope.get("scheme", "http"),
        root_path=root,
    )


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _read_body(receive: Receive, most: int) -> bytes | None:
    """Read the whole body; None as soon as it is larger than allowed."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        return body if len(body) <= most else None
    chunks, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise _ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            return None
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()


async def _done(future: Future[Any]) -> None:
    """Wait for a Future of another thread without ever cancelling it, as asyncio.wrap_future would."""
    if future.done():
        return
    if isinstance(future, Awaitable):
        # A group committer's: all of its batch wake this loop together.
        with suppress(Exception):
            await future
        return
    loop = asyncio.get_running_loop()
    woken = asyncio.Event()
    future.add_done_callback(lambda _: loop.call_soon_threadsafe(woken.set))
    await woken.wait()


async def _send(response: Response, send: Send, *, body: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status not in (204, 304):
        headers.append((b"Content-Length", b"%d" % len(response.body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body if body else b""})
