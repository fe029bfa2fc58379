"""The HTTP server: from sockets to a fake's door and back."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl, urlsplit

import attrs

from forgekit.testing.loopback.answers import Answer, RawRequest
from forgekit.testing.loopback.faults import Fault, Faults

MAX_BODY = 5 * 1024 * 1024
"""Bytes; of a longer body only one byte more than this is kept."""

_GZIP_FROM = 200


class Door(Protocol):
    """What answers: a fake without its sockets.

    Attributes:
        url: Its own address, told by the server.

    """

    url: str

    def answer(self, raw: RawRequest, /) -> Answer:
        """Return the answer to a request."""
        ...


@attrs.frozen
class Call:
    """A request that was answered.

    Attributes:
        method: In capitals.
        path: Without the query.
        query: The last of equal names.
        status: What was answered; 0 where the connection was closed.

    """

    method: str
    path: str
    query: Mapping[str, str]
    status: int


class Server(ThreadingHTTPServer):
    """Serves a door on a free port of the loopback."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, door: Door, faults: Faults, *, name: str = "fake") -> None:
        """Bind; ``start`` serves."""
        self.door = door
        self.name = name
        self.faults = faults
        self.calls: list[Call] = []
        self.lock = threading.RLock()
        self._open: set[socket.socket] = set()
        self._thread: threading.Thread | None = None
        super().__init__(("127.0.0.1", 0), _Handler)
        door.url = f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Serve in a thread."""
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving, let go on what is kept waiting, and close every connection, also those that clients keep open."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
        self.faults.clear()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Remember each connection."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that is closed."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; anything else is a fault of this fake."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def respond(self, raw: RawRequest) -> tuple[Answer, bytes] | None:
        """Return the answer and its bytes; None to close the connection."""
        self.faults.wait(raw.method, raw.path)
        with self.lock:
            fault = self.faults.meet(raw.method, raw.path)
            answer = self.door.answer(raw) if fault is None or fault.after_write else Answer(0)
            if fault is not None:
                answer = Answer(fault.status or 0, headers=fault.headers)
            # Rendered under the lock: the body may share lists with rows that the next request changes.
            body = _bytes(answer, fault)
            self.calls.append(Call(raw.method, raw.path, raw.query, answer.status))
        return (answer, body) if answer.status else None


def _bytes(answer: Answer, fault: Fault | None) -> bytes:
    if fault is not None:
        return fault.body
    return b"" if answer.body is None else json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()


class _Handler(BaseHTTPRequestHandler):
    """Reads one request after another from a connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer: headers and body apart cost a delayed acknowledgement each
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def _serve(self) -> None:
        server = cast("Server", self.server)
        parts = urlsplit(self.path)
        raw = RawRequest(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._read_body(),
        )
        responded = server.respond(raw)
        if responded is None:
            self.close_connection = True
        else:
            self._write(*responded, squeeze="gzip" in raw.headers.get("accept-encoding", ""))

    def _read_body(self) -> bytes:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(min(length, MAX_BODY + 1))
        left = length - len(body)
        while left > 0 and (chunk := self.rfile.read(min(left, 1 << 16))):
            left -= len(chunk)
        return body

    def _write(self, answer: Answer, body: bytes, *, squeeze: bool) -> None:
        headers = dict(answer.headers)
        if body:
            headers.setdefault("content-type", "application/json")
        if squeeze and len(body) > _GZIP_FROM:
            body = gzip.compress(body, compresslevel=1)
            headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _serve  # noqa: N815 - http.server's names
