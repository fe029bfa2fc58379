"""Receive webhooks over real sockets, beside the very same application that keeps nothing.

Four servers run at once, each a process of its own: uvicorn with h11 and with httptools, with the inbox on SQLite (every commit
synced to the disk) and without. One load generator, also its own process, plays short slices against one of them at a time, in an
order that rotates from round to round, so that the machine's mood hits all alike: read the ratios, not the rates.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import attrs

from forgekit import Forge
from forgekit.hosting import application
from forgekit.webhooks import Receipt, ReceiptAction
from forgekit.webhooks.committer import Pending, Wakeups

SECRET = "benchmark"
PATH = "/api/plane/webhooks"
CONNECTIONS = 16
GOALS = {("h11", "unique"): 0.5, ("h11", "duplicate"): 0.65, ("httptools", "unique"): 0.4, ("httptools", "duplicate"): 0.45}


# The server


class KeepsNothing:
    """In the committer's place: answers every webhook as stored, without storing it."""

    def submit(self, _filing: object) -> Pending[Receipt]:
        """Answer at once."""
        answer = Pending[Receipt](Wakeups())
        answer.set_result(Receipt(action=ReceiptAction.PROCESSED, id=1))
        return answer

    def close(self) -> None:
        """There is nothing to close."""


def serve(arguments: argparse.Namespace) -> None:
    """Run one server until it is killed."""
    import uvicorn

    config = {
        "plane": {
            "api_url": "http://127.0.0.1:9",
            "api_key": "plane_api_benchmark",
            "workspace_slug": "w",
            "project_id": "p",
            "webhook_secret": SECRET,
        }
    }
    forge = Forge.open(f"sqlite:///{arguments.directory}/forge.db", discover=True, config=config)
    if not arguments.database:
        forge.webhooks._committer = KeepsNothing()  # type: ignore[assignment]  # one part less, the rest alike
    app = application(forge, ["plane"])
    uvicorn.run(
        app.asgi, host="127.0.0.1", port=arguments.port, http=arguments.http, log_level="warning", access_log=False, proxy_headers=False
    )


@attrs.frozen
class Server:
    """A running server."""

    port: int
    pid: int

    def processor_seconds(self) -> float:
        """Return the processor time that it has used, in all its threads; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def server(http: str, *, database: bool) -> Iterator[Server]:
    """Start a server and give it once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, __file__, "serve", "--http", http, "--directory", directory, "--port", str(port)]
        process = subprocess.Popen([*command, *(["--database"] if database else [])])
        try:
            _wait_until_it_answers(process, port)
            yield Server(port, process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("A server did not start.")


# The load


def request(number: int) -> bytes:
    """Return a signed delivery, such as Plane sends; another number is another event."""
    person = {"id": "1c7a", "first_name": "Ada", "last_name": "L", "email": "ada@forge.example", "avatar": "", "display_name": "a"}
    body = json.dumps(
        {
            "event": "issue",
            "action": "updated",
            "webhook_id": "0bd7975f-68dd-4612-bcc7-5b456c309e57",
            "workspace_id": "w",
            "data": {
                "id": f"item-{number}",
                "project": "p",
                "name": "Füge Prüfungen hinzu",
                "description_html": "<p>Given a shop, when somebody buys, then stock falls.</p>" * 8,
                "state": {"id": "s", "name": "In Progress", "color": "#f59e0b", "group": "started"},
                "labels": [{"id": f"l{i}", "name": f"label {i}", "color": "#000000"} for i in range(3)],
                "assignees": [person, person],
                "updated_at": "2026-11-01T10:00:00.000000Z",
            },
            "activity": {"field": "state", "old_value": "a", "new_value": "b", "actor": person},
        }
    ).encode()
    headers = {
        "Host": "127.0.0.1",
        "User-Agent": "Autopilot",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "X-Plane-Delivery": "a9557ba0-bc95-4516-9ede-4be7ad218d86",
        "X-Plane-Event": "issue",
        "X-Plane-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        "Content-Length": str(len(body)),
    }
    head = f"POST {PATH} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode() + b"\r\n" + body


class Connection(asyncio.Protocol):
    """Sends the next request when the last one is answered."""

    def __init__(self, requests: Iterator[bytes], until: float) -> None:
        """Start when connected; stop asking after ``until`` (``time.perf_counter``)."""
        self._requests = requests
        self._until = until
        self._buffer = b""
        self._sent_at = 0.0
        self.latencies: list[float] = []
        self.failures = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport: Any = transport
        self._next(time.perf_counter())

    def connection_lost(self, _error: Exception | None) -> None:
        """Count a connection that ended early."""
        if not self.over.done():
            self.failures += 1
            self.over.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Count the answer once it is whole."""
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(rest) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]):
            return
        self._buffer = b""
        now = time.perf_counter()
        self.latencies.append(now - self._sent_at)
        self.failures += not head.startswith(b"HTTP/1.1 200")
        self._next(now)

    def _next(self, now: float) -> None:
        content = next(self._requests, None) if now < self._until else None
        if content is None:
            if not self.over.done():
                self.over.set_result(None)
            self._transport.close()
            return
        self._sent_at = now
        self._transport.write(content)


async def play(port: int, requests: Iterator[bytes], seconds: float) -> dict[str, float]:
    """Play one slice and return its figures."""
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    made = [loop.create_connection(lambda: Connection(requests, start + seconds), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    connections = [protocol for _, protocol in await asyncio.gather(*made)]
    await asyncio.gather(*(connection.over for connection in connections))
    latencies = sorted(itertools.chain.from_iterable(connection.latencies for connection in connections))
    return {
        "answers": len(latencies),
        "rate": len(latencies) / (time.perf_counter() - start),
        "p99": latencies[int(len(latencies) * 0.99)] * 1_000,
        "failures": sum(connection.failures for connection in connections),
    }


def load(_arguments: argparse.Namespace) -> None:
    """Play the slices that are asked for, one JSON line each."""
    numbers = itertools.count(time.time_ns())
    repeated = request(0)
    for line in sys.stdin:
        wanted = json.loads(line)
        # Signed before the clock runs.
        fresh = [request(next(numbers)) for _ in range(wanted["prepared"])] if wanted["unique"] else []
        requests = iter(fresh) if wanted["unique"] else itertools.repeat(repeated)
        print(json.dumps(asyncio.run(play(wanted["port"], requests, wanted["seconds"]))), flush=True)


# The measurement

Way = tuple[str, bool, bool]
"""Which implementation of HTTP, whether it keeps, whether each webhook is new."""
Figures = dict[str, float]


def measure(arguments: argparse.Namespace) -> None:
    """Run the rounds and print the table."""
    kinds = list(itertools.product(arguments.implementations, [True, False]))
    ways: list[Way] = [(http, database, unique) for http, database in kinds for unique in (True, False)]
    found: dict[Way, list[Figures]] = {way: [] for way in ways}
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(server(kind[0], database=kind[1])) for kind in kinds}
        generator = stack.enter_context(Generator())
        for way in ways:
            generator.play(servers[way[:2]], 0.5, unique=way[2])
        for number in range(arguments.rounds):
            turn = number % len(ways)
            for way in ways[turn:] + ways[:turn]:
                found[way].append(generator.play(servers[way[:2]], arguments.seconds, unique=way[2]))
    report(found)


class Generator:
    """The process that makes the load."""

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen([sys.executable, __file__, "load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_error: object) -> None:
        """End it."""
        self._process.communicate()

    def play(self, target: Server, seconds: float, *, unique: bool) -> Figures:
        """Play one slice; ``cpu`` is the server's processor time a request, in microseconds, where the system tells."""
        assert self._process.stdin
        assert self._process.stdout
        wanted = {"port": target.port, "unique": unique, "seconds": seconds, "prepared": int(10_000 * seconds)}
        before = target.processor_seconds()
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        figures: Figures = json.loads(self._process.stdout.readline())
        if figures["failures"]:
            raise SystemExit(f"{figures['failures']:.0f} webhooks were not answered with 200: nothing to compare.")
        return figures | {"cpu": (target.processor_seconds() - before) / max(figures["answers"], 1) * 1e6}


def report(found: dict[Way, list[Figures]]) -> None:
    """Print two lines for each way of receiving."""
    rounds = len(next(iter(found.values())))
    print(f"{CONNECTIONS} connections, {rounds} rounds; ratio to the same application without a database, median (lowest to highest)")
    for http, unique in sorted({(http, unique) for http, _, unique in found}, reverse=True):
        stored, plain = found[http, True, unique], found[http, False, unique]
        kind = "unique" if unique else "duplicate"
        rates = _spread(ours["rate"] / base["rate"] for ours, base in zip(stored, plain, strict=True))
        # How the rates would compare if neither the disk nor another program made anyone wait.
        cpu = _spread(base["cpu"] / ours["cpu"] for ours, base in zip(stored, plain, strict=True))
        print(f"{http:9} {kind:9} {rates} on the clock, {cpu} of the processor, goal at least {GOALS[http, kind]:.2f}")
        print(
            f"{'':20}{_median(stored, 'rate'):5.0f}/s of {_median(plain, 'rate'):5.0f}/s, p99 {_median(stored, 'p99'):5.1f} ms, "
            f"{_median(stored, 'cpu'):3.0f} us of the processor instead of {_median(plain, 'cpu'):3.0f} us"
        )


def _spread(ratios: Iterable[float]) -> str:
    each = sorted(ratios)
    return f"{statistics.median(each):4.2f} ({each[0]:.2f} to {each[-1]:.2f})"


def _median(figures: list[Figures], name: str) -> float:
    return statistics.median(each[name] for each in figures)


def main() -> None:
    """Read the command line: without one, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.set_defaults(run=measure)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.8)
    parser.add_argument("--implementations", nargs="+", default=["h11", "httptools"], choices=["h11", "httptools"])
    commands = parser.add_subparsers()
    serving = commands.add_parser("serve")
    serving.set_defaults(run=serve)
    serving.add_argument("--http", required=True)
    serving.add_argument("--directory", type=Path, required=True)
    serving.add_argument("--port", type=int, required=True)
    serving.add_argument("--database", action="store_true")
    commands.add_parser("load").set_defaults(run=load)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
