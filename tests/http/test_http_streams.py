from __future__ import annotations

import asyncio
import threading

import anyio
import pytest

from forgekit.http import App, EventStream, Hub, Open, ServerEvent, Surface
from forgekit.http.sse import LoopSink


class Client:
    """One client of a stream, below any server: it can read, stall and leave."""

    def __init__(self, app, wires, path="/api/demo/events", method="GET"):
        self.app, self.scope = app, wires.scope(method, path)
        self.sent, self.data, self.changed = [], b"", asyncio.Event()
        self.gone, self.flowing = asyncio.Event(), asyncio.Event()
        self.flowing.set()
        self.task = asyncio.create_task(app.asgi(self.scope, self._receive, self._send))

    async def _receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        await self.flowing.wait()
        self.sent.append(message)
        self.data += message.get("body", b"")
        self.changed.set()

    async def until(self, text):
        """Wait until the stream holds a text."""
        while text not in self.data:
            self.changed.clear()
            await self.changed.wait()

    async def end(self):
        """Wait for the end of the stream."""
        await asyncio.wait_for(self.task, 60)


def run(body):
    """Run a coroutine function within a minute."""
    return asyncio.run(asyncio.wait_for(body(), 60))


def test_an_event_is_written_as_the_standard_says():
    """Id, event and data stand in lines of their own, and no line break can forge another."""
    frame = ServerEvent({"a": "x\ny"}, event="sta\nte", id="1").frame
    assert frame == b'id: 1\nevent: sta te\ndata: {"a":"x\\ny"}\n\n'


def test_a_stream_tells_state_and_then_events(app, bench, wires):
    """What subscribe sends comes first, then what is published from any thread; leaving ends the registration."""

    async def body():
        client = Client(app, wires)
        await client.until(b"event: ready")
        threading.Thread(target=bench.hub.publish, args=("t", ServerEvent({"n": 1}))).start()
        await client.until(b'data: {"n":1}\n\n')
        client.gone.set()
        await client.end()
        return client.sent[0]

    start = run(body)
    assert start["status"] == 200
    assert (b"Content-Type", b"text/event-stream; charset=utf-8") in start["headers"]
    assert bench.hub.publish("t", ServerEvent(2)) == 0


def test_silence_is_filled_with_heartbeats(app, bench, wires):
    """A comment is sent when nothing else was for so many seconds."""
    bench.stream = {"heartbeat": 0.01, "close_after": 60.0}

    async def body():
        client = Client(app, wires)
        await client.until(b": heartbeat\n\n: heartbeat\n\n")
        client.gone.set()
        await client.end()
        return b"".join(message.get("body", b"") for message in client.sent)

    ready, *others = run(body).split(b"\n\n")
    assert (ready.startswith(b"event: ready"), set(others)) == (True, {b": heartbeat", b""})


def test_a_stream_ends_after_its_time(app, bench, wires):
    """The stream is closed by us after so many seconds, and the registration with it."""
    bench.stream = {"heartbeat": 60.0, "close_after": 0.05}

    async def body():
        client = Client(app, wires)
        await client.end()
        return client.sent[-1]

    assert run(body)["more_body"] is False
    assert bench.hub.publish("t", ServerEvent(2)) == 0


def test_the_sink_can_end_the_stream(app, bench, wires):
    """What is queued is still sent."""

    async def body():
        client = Client(app, wires)
        await client.until(b"ready")
        bench.hub.publish("t", ServerEvent("last"))
        bench.sink.close()
        await client.end()
        bench.sink.send(ServerEvent("too late"))
        return client.data

    assert run(body).endswith(b'data: "last"\n\n')


def test_a_client_that_does_not_read_is_dropped(app, bench, wires):
    """Beyond its buffer a stalled client loses its connection, and nobody waits for it."""
    bench.stream = {"heartbeat": 60.0, "close_after": 60.0, "buffer": 3}

    async def body():
        client = Client(app, wires)
        await client.until(b"ready")
        client.flowing.clear()
        bench.hub.publish("t", ServerEvent("stuck"))
        await wires.until(lambda: not bench.hub.publish("t", ServerEvent("more")))
        await client.end()

    run(body)
    assert bench.hub.publish("t", ServerEvent(2)) == 0


def test_a_client_that_leaves_while_subscribing_leaves_nothing_behind(bench, wires):
    """The registration that was on its way is ended as well."""
    began, may_end, left = threading.Event(), threading.Event(), threading.Event()

    def subscribe(sink):
        began.set()
        may_end.wait(60)
        return left.set

    surface = Surface("s", guard=Open())
    surface.op("GET", "/x")(lambda: EventStream(subscribe=subscribe))

    async def body():
        client = Client(App([surface], bench), wires, "/x")
        await wires.until(began.is_set)
        client.gone.set()
        may_end.set()
        await client.end()

    run(body)
    assert left.is_set()


def test_a_subscription_that_fails_ends_the_stream(bench, wires, caplog):
    """The client is told with an error event, the log with a traceback."""
    surface = Surface("s", guard=Open())
    surface.op("GET", "/x")(lambda: EventStream(subscribe=lambda sink: 1 / 0))

    async def body():
        client = Client(App([surface], bench), wires, "/x")
        await client.end()
        return client.data

    assert b"event: error" in run(body)
    assert "ZeroDivisionError" in caplog.text


def test_head_of_a_stream_is_its_head(app, bench, wires):
    """HEAD subscribes nobody."""

    async def body():
        client = Client(app, wires, method="HEAD")
        await client.end()
        return client.data

    assert run(body) == b""
    assert bench.hub.publish("t", ServerEvent(1)) == 0


def test_five_hundred_clients_lose_nothing(app, bench, wires):
    """Every client of many gets every event, in order, whatever thread it came from."""
    expected = b"".join(ServerEvent({"i": number}).frame for number in range(20))

    def publish():
        for number in range(20):
            bench.hub.publish("t", ServerEvent({"i": number}))

    async def body():
        clients = [Client(app, wires) for _ in range(500)]
        for client in clients:
            await client.until(b"ready")
        await anyio.to_thread.run_sync(publish)
        for client in clients:
            await client.until(b'{"i":19}')
            client.gone.set()
        await asyncio.gather(*(client.task for client in clients))
        return [client.data.endswith(expected) for client in clients]

    assert all(asyncio.run(asyncio.wait_for(body(), 300)))


def test_one_bad_listener_does_not_silence_the_others(caplog):
    """A listener that raises is logged, the others hear."""
    hub, heard = Hub(), []
    hub.subscribe(["a"], lambda event: 1 / 0)
    leave = hub.subscribe(["a", "b"], heard.append)
    assert hub.publish("a", ServerEvent(1)) == 2
    leave()
    assert (hub.publish("a", ServerEvent(2)), hub.publish("b", ServerEvent(2))) == (1, 0)
    assert (heard, "a listener of a failed" in caplog.text) == ([ServerEvent(1)], True)


def test_the_hub_survives_coming_and_going():
    """Listeners may come and go on many threads while events are published."""
    hub = Hub()

    def churn():
        for _ in range(200):
            hub.subscribe(["a"], lambda event: None)()

    threads = [threading.Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(200):
        hub.publish("a", ServerEvent(1))
    for thread in threads:
        thread.join()
    assert hub.publish("a", ServerEvent(1)) == 0


def test_a_sink_outlives_its_loop():
    """Sending after the loop is closed does nothing."""
    loop = asyncio.new_event_loop()
    sink = LoopSink(loop, 10, lambda: None)
    loop.close()
    sink.send(ServerEvent(1))
    assert sink.closed


@pytest.mark.parametrize("patience", [0.0, 0.01])
def test_a_closed_sink_gives_nothing(patience):
    """Nothing is what ends the copying."""

    async def body():
        sink = LoopSink(asyncio.get_running_loop(), 10, lambda: None)
        sink.close()
        return await sink.take(patience)

    assert run(body) == b""
