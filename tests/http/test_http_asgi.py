from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future

import pytest

from forgekit import errors
from forgekit.http import App, Open, Surface

HOOKS = "/api/demo/hooks"


def request(*chunks):
    """Make the messages of a body in chunks."""
    last = len(chunks) - 1
    return [{"type": "http.request", "body": chunk, "more_body": index < last} for index, chunk in enumerate(chunks)]


def test_lifespan_is_tolerated(app, wires):
    """Startup and shutdown are completed without doing anything."""
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = asyncio.run(wires.run(app.asgi, {"type": "lifespan"}, messages))
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_websockets_are_closed(app, wires):
    """A websocket is refused without an error."""
    sent = asyncio.run(wires.run(app.asgi, {"type": "websocket"}, []))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_body_is_read_no_further_than_its_limit(app, wires):
    """Reading stops with the chunk that exceeds the limit, however much would follow."""
    taken = []

    async def receive():
        taken.append(1)
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    async def run():
        sent = []

        async def send(message):
            sent.append(message)

        await app.asgi(wires.scope("POST", HOOKS), receive, send)
        return sent[0]["status"]

    assert asyncio.run(run()) == 413
    assert len(taken) == 2


def test_a_client_that_leaves_in_its_body_gets_nothing_done(app, bench, wires):
    """An unfinished request calls no operation and is not answered."""
    messages = [{"type": "http.request", "body": b"x", "more_body": True}, {"type": "http.disconnect"}]
    assert asyncio.run(wires.run(app.asgi, wires.scope("POST", HOOKS), messages)) == []
    assert bench.seen == []


def test_inline_operations_stay_on_the_loop(bench, wires):
    """An inline operation runs on the event loop's thread, any other does not."""
    surface = Surface("s", guard=Open())

    def where():
        return threading.get_ident()

    surface.op("GET", "/inline", inline=True)(where)
    surface.op("GET", "/thread")(where)
    app = App([surface], bench)
    bodies = [asyncio.run(wires.run(app.asgi, wires.scope("GET", path), request(b"")))[1]["body"] for path in ("/inline", "/thread")]
    assert [int(body) == threading.get_ident() for body in bodies] == [True, False]


async def answered(app, wires, bench, finish):
    """Receive a webhook whose answer is promised, and have it finished from another thread."""
    bench.received = Future()
    task = asyncio.create_task(wires.run(app.asgi, wires.scope("POST", HOOKS), request(b"x")))
    await wires.until(lambda: bench.seen)
    thread = threading.Thread(target=finish, args=(bench.received,))
    thread.start()
    start, body = await task
    thread.join()
    return start["status"], json.loads(body["body"])


def test_a_promised_answer_is_awaited(app, bench, wires):
    """The loop goes on until another thread keeps the promise."""
    outcome = asyncio.run(answered(app, wires, bench, lambda future: future.set_result({"action": "late"})))
    assert outcome == (200, {"action": "late"})


def test_a_promise_that_fails_is_answered(app, bench, wires):
    """An error in the promise is answered like one that was raised."""
    outcome = asyncio.run(answered(app, wires, bench, lambda future: future.set_exception(errors.StorageBusy(retry_after=1))))
    assert outcome == (503, {"detail": "The storage has no room for this now."})


def test_a_cancelled_request_does_not_cancel_the_work(app, bench, wires):
    """When the server gives a request up, the promised work stays as it is."""

    async def run():
        bench.received = Future()
        task = asyncio.create_task(wires.run(app.asgi, wires.scope("POST", HOOKS), request(b"x")))
        await wires.until(lambda: bench.seen)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not bench.received.cancelled()
        bench.received.set_result(None)
        await asyncio.sleep(0)

    asyncio.run(run())


def test_work_on_a_thread_is_finished_when_its_request_is_cancelled(bench, wires):
    """An operation that began on a thread ends there, whoever left."""
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        began.set()
        may_end.wait(60)
        ended.set()

    surface = Surface("s", guard=Open())
    surface.op("POST", "/work", status=204)(work)
    app = App([surface], bench)

    async def run():
        task = asyncio.create_task(wires.run(app.asgi, wires.scope("POST", "/work"), request(b"")))
        await wires.until(began.is_set)
        task.cancel()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert ended.wait(60)


def test_threads_are_bounded(bench, wires):
    """No more operations run at the same time than the application has threads."""
    lock, running, most = threading.Lock(), [0], [0]
    gate = threading.Barrier(2, timeout=60)

    def work():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        gate.wait()
        with lock:
            running[0] -= 1

    surface = Surface("s", guard=Open())
    surface.op("POST", "/work", status=204)(work)
    app = App([surface], bench, threads=2)

    async def run():
        await asyncio.gather(*(wires.run(app.asgi, wires.scope("POST", "/work"), request(b"")) for _ in range(6)))

    asyncio.run(run())
    assert most == [2]


def test_a_guard_that_blocks_is_asked_on_a_thread(bench, wires):
    """A guard that does not say it never blocks leaves the loop alone, and comes before the body is read."""
    asked = []

    def guard(request, forge):
        asked.append(threading.get_ident())
        raise errors.PermissionDenied

    surface = Surface("s", guard=guard)

    @surface.op("POST", "/x")
    def take(body: int) -> int:
        return body

    sent = asyncio.run(wires.run(App([surface], bench).asgi, wires.scope("POST", "/x"), []))
    assert sent[0]["status"] == 403
    assert asked != [threading.get_ident()]


def test_the_root_path_may_be_left_out_of_the_path(app, wires):
    """Servers that strip the mount from the path are understood as well."""
    scope = {**wires.scope("GET", "/api/demo/projects/templates"), "root_path": "/forge", "client": None}
    assert asyncio.run(wires.run(app.asgi, scope, request(b"")))[0]["status"] == 200
