"""Both hosts answer alike: status, body and the named headers, to good requests and bad ones."""

from __future__ import annotations

import socket

import pytest

from forgekit.testing import FakePlane

pytestmark = pytest.mark.host

HEADERS = ("content-type", "cache-control", "allow", "www-authenticate", "retry-after")
BODY = b'{"project_name": "nowhere"}'
JSON = {"Content-Type": "application/json"}
REQUESTS = [
    ("GET", "/api/plane/config", {}, b""),
    ("HEAD", "/api/plane/config", {}, b""),
    ("OPTIONS", "/api/plane/config", {}, b""),
    ("PUT", "/api/plane/config", {}, b""),
    ("DELETE", "/api/plane/webhooks", {}, b""),
    ("PATCH", "/api/plane/cycles", JSON, b"{}"),
    ("TRACE", "/api/plane/cycles", {}, b""),
    ("BREW", "/api/plane/cycles", {}, b""),
    ("GET", "/api/plane/config/", {}, b""),
    ("GET", "/api/plane", {}, b""),
    ("GET", "/api/plane/", {}, b""),
    ("GET", "/api/plane/nothing", {}, b""),
    ("GET", "/nothing", {}, b""),
    ("GET", "//api/plane/config", {}, b""),
    ("GET", "/api/plane/%63onfig", {}, b""),
    ("GET", "/api/plane/../plane/config", {}, b""),
    ("GET", "/api/plane/config?x=%ff%fe&y", {}, b""),
    ("GET", "/api/plane/config", {"Accept": "text/html"}, b""),
    ("GET", "/api/plane/config", {"Origin": "http://evil.example"}, b""),
    ("GET", "/api/plane/config", {"Sec-Fetch-Site": "cross-site"}, b""),
    ("GET", "/api/plane/config", {"Host": "evil.example"}, b""),
    ("GET", "/api/plane/config", {"X-Forwarded-For": "203.0.113.9"}, b""),
    ("GET", "/api/plane/config", {"Authorization": "Bearer whatever"}, b""),
    ("GET", "/api/plane/cycles?format=list", {}, b""),
    ("GET", "/api/plane/cycles?format=xml", {}, b""),
    ("GET", "/api/plane/cycles?format=list&format=object", {}, b""),
    ("GET", "/api/plane/test-report", {}, b""),
    ("GET", "/api/plane/test-report?project_name=nowhere", {}, b""),
    ("GET", "/api/plane/test-report?project_name=%00", {}, b""),
    ("GET", "/api/plane/test-report?project_name=" + "x" * 101, {}, b""),
    ("GET", "/api/plane/sync-status", {}, b""),
    ("HEAD", "/api/plane/nothing", {}, b""),
    ("POST", "/api/plane/test-connection", {}, b""),
    ("POST", "/api/plane/test-connection", JSON, b"{}"),
    ("POST", "/api/plane/complete-sprint", JSON, BODY),
    ("POST", "/api/plane/complete-sprint", {}, BODY),
    ("POST", "/api/plane/complete-sprint", {"Content-Type": "text/plain"}, BODY),
    ("POST", "/api/plane/complete-sprint", {"Content-Type": "application/x-www-form-urlencoded"}, b"project_name=nowhere"),
    ("POST", "/api/plane/complete-sprint", {"Content-Type": "application/json; charset=latin-1"}, BODY),
    ("POST", "/api/plane/complete-sprint", {**JSON, "Content-Encoding": "gzip"}, BODY),
    ("POST", "/api/plane/complete-sprint", JSON, b""),
    ("POST", "/api/plane/complete-sprint", JSON, b"{"),
    ("POST", "/api/plane/complete-sprint", JSON, b"\xff\xfe"),
    ("POST", "/api/plane/complete-sprint", JSON, b'"text"'),
    ("POST", "/api/plane/complete-sprint", JSON, b"[" * 100_000),
    ("POST", "/api/plane/complete-sprint", JSON, b'{"a":' * 100_000),
    ("POST", "/api/plane/complete-sprint", JSON, b'{"project_name": "a", "project_name": "b"}'),
    ("POST", "/api/plane/complete-sprint", JSON, b'{"project_name": "\\ud800"}'),
    ("POST", "/api/plane/complete-sprint", JSON, b'{"project_name": 1e999}'),
    ("POST", "/api/plane/complete-sprint", JSON, b'{"project_name": ' + b"9" * 10_000 + b"}"),
    ("POST", "/api/plane/complete-sprint", JSON, b" " * 6_000_000),
    ("POST", "/api/plane/import-cycle", JSON, b'{"cycle_id": "", "project_name": "/"}'),
    ("POST", "/api/plane/import-cycle", JSON, b'{"cycle_id": "nowhere", "project_name": "shop"}'),
    ("POST", "/api/plane/config", JSON, b'{"plane_poll_interval": 1, "other": 2}'),
    ("POST", "/api/plane/config", JSON, b"{}"),
    ("POST", "/api/plane/webhooks", JSON, b"{}"),
    ("POST", "/api/plane/webhooks", {**JSON, "X-Plane-Signature": "00" * 32}, b"{}"),
    ("POST", "/api/plane/webhooks", {**JSON, "X-Plane-Signature": b"\xe9" * 64}, b"{}"),
    ("POST", "/api/plane/webhooks", {"Content-Type": "text/plain"}, b"{}"),
    ("POST", "/api/plane/webhooks", {**JSON, "Content-Encoding": "gzip"}, b"{}"),
    ("POST", "/api/plane/webhooks", JSON, b" " * 6_000_000),
    ("GET", "/openapi.json", {}, b""),
    ("GET", "/docs", {}, b""),
    ("GET", "/docs/swagger-ui.css", {}, b""),
    ("GET", "/docs/../../etc/passwd", {}, b""),
]


@pytest.fixture(scope="module")
def pair(spawn):
    """Both hosts on databases of their own, configured for one Plane with a cycle."""
    with FakePlane(rate_limit=None) as plane:
        cycle = plane.add_cycle("Sprint 1", cycle_id="5c0ffee0-0000-4000-8000-000000000001")
        plane.add_item("Login", cycle=cycle)
        hosts = [spawn("fastapi"), spawn("django")]
        for host in hosts:
            host.configure(plane)
        yield hosts
        for host in hosts:
            host.end()


def _answer(host, method, path, headers, body):
    request = host.api.build_request(method, host.address, headers=headers, content=body)
    request.url = request.url.copy_with(raw_path=path.encode())
    found = host.api.send(request)
    return found.status_code, found.content, {name: found.headers.get(name) for name in HEADERS}


@pytest.mark.parametrize(("method", "path", "headers", "body"), REQUESTS, ids=range(len(REQUESTS)))
def test_both_hosts_answer_alike(pair, method, path, headers, body):
    """One request, two hosts, one answer; and it is never a 5xx."""
    one, two = (_answer(host, method, path, headers, body) for host in pair)
    assert one == two
    assert one[0] < 500


def _raw(host, text):
    """Send bytes that no client library would, and return the first line of the answer."""
    with socket.create_connection(("127.0.0.1", host.port), timeout=60) as connection:
        connection.sendall(text)
        return connection.makefile("rb").readline()


@pytest.mark.parametrize(
    "text",
    [
        b"GET /api/plane/config HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /api/plane/config HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /api/plane/config HTTP/1.1\r\nHost: [bad\r\n\r\n",
        b"POST /api/plane/config HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/plane/config HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_both_hosts_answer_raw_bytes_alike(pair, text):
    """What no well-behaved client sends is answered alike too, without a 5xx."""
    one, two = (_raw(host, text) for host in pair)
    assert one == two
    assert b" 500" not in one


def test_an_import_is_answered_alike(pair):
    """The import's body, numbers included, is the same on both hosts, the second time too."""
    order = {"cycle_id": "5c0ffee0-0000-4000-8000-000000000001", "project_name": "shop"}
    for _ in range(2):
        one, two = (host.post("/import-cycle", order) for host in pair)
        assert (one.status_code, one.json()) == (two.status_code, two.json())


def test_the_log_tells_of_no_crash(pair):
    """None of all this left a traceback in either host's log."""
    assert [host.name for host in pair if "Traceback" in host.log] == []
