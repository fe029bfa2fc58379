from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import uvicorn

from forgekit.http import HostGuard, ServerEvent

TASKS = "/api/demo/projects/7/tasks"
HEADERS = {"Content-Type": "application/json"}


class QuietHandler(WSGIRequestHandler):
    """Serve without a word."""

    def log_message(self, *_args):
        """Say nothing."""


@contextmanager
def asgi_server(app):
    """Serve on a real socket with uvicorn."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app.asgi, log_level="error", http="h11", proxy_headers=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.001)
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def wsgi_server(app):
    """Serve on a real socket with wsgiref."""
    with make_server("127.0.0.1", 0, app.wsgi, handler_class=QuietHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(params=[asgi_server, wsgi_server], ids=["uvicorn", "wsgiref"])
def serve(request):
    """A server for either face."""
    return request.param


def ask(port, method, target, body=None, **headers):
    """Make one request over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, target, body, {**HEADERS, **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_is_served(build, serve):
    """An operation answers over a real socket, to a near caller, under the host's own guard."""
    with serve(build(HostGuard(token=lambda _: None), statuses={})) as port:
        status, body = ask(port, "POST", TASKS, json.dumps({"title": "Add"}))
        assert (status, json.loads(body)["title"]) == (201, "Add")
        assert ask(port, "GET", "/api/demo/projects/caf%C3%A9")[1] == '{"name":"café"}'.encode()
        assert ask(port, "GET", "/api/demo/projects/%ff")[0] == 404
        assert ask(port, "GET", TASKS, **{"X-Forwarded-For": "10.0.0.1"})[0] == 200
        assert ask(port, "GET", TASKS, Host="evil.example")[0] == 403


def test_a_large_body_is_refused_over_a_socket(app, serve):
    """A body that says it is too large is refused before it is read."""
    with serve(app) as port, socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(b"POST /api/demo/hooks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n\r\n")
        assert b" 413 " in client.recv(1000)


def test_a_stream_goes_over_a_socket_and_ends_with_its_client(app, bench, wait_until):
    """Events arrive as they happen, and a client that hangs up is forgotten."""
    with asgi_server(app) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b"GET /api/demo/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            seen = b""
            while b"ready" not in seen:
                seen += client.recv(1000)
            bench.hub.publish("t", ServerEvent({"n": 1}))
            while b'{"n":1}' not in seen:
                seen += client.recv(1000)
        wait_until(lambda: bench.hub.publish("t", ServerEvent(2)) == 0)
