from __future__ import annotations

import gzip
import json
import logging
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from forgekit.errors import (
    BudgetExhausted,
    ConfigurationError,
    ForgeClosed,
    NetworkInTransaction,
    RemoteMalformed,
    RemoteRateLimited,
    RemoteUnavailable,
    UsageError,
)
from forgekit.kernel.net.budgets import BudgetPolicy, Priority
from forgekit.kernel.net.http import Http, Response
from forgekit.kernel.secrets import Secret
from forgekit.kernel.storage.transaction import counted_write

KEY = "plane_api_0123456789abcdef"
BASE = "https://plane.example.org/api/v1"


class Outside:
    """A system at the other end, with answers prepared; it keeps every request, and time passes only by sleeping."""

    def __init__(self):
        self.answers = []
        self.requests = []
        self.slept = []
        self.moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.http = Http(clock=self, transport=httpx.MockTransport(self.answer), max_body=1000, sleep=self.sleep, noise=lambda: 1.0)

    def now(self):
        return self.moment

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)

    def answer(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else httpx.Response(200, json={"ok": True})
        if isinstance(answer, Exception):
            raise answer
        return answer

    def session(self, **options):
        return self.http.session(system="plane", base_url=BASE, headers={"X-Api-Key": Secret(KEY)}, **options)

    def ticket(self, calls=60):
        return self.http.budgets.ticket("c" * 64, BudgetPolicy(calls=calls), Priority.PEOPLE)


@pytest.fixture
def outside():
    """A system at the other end."""
    made = Outside()
    yield made
    made.http.close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.seen.append({name.lower(): value for name, value in self.headers.items()})
        body = json.dumps({"echo": len(self.server.seen)}).encode()
        self.send_response(200)
        self.send_header("Set-Cookie", "session=of-the-first-credential; Path=/")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server():
    """A real HTTP server on loopback that keeps the headers it saw."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.seen, made.daemon_threads = [], True
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        made.url = f"http://127.0.0.1:{made.server_port}"
        yield made
        made.shutdown()
        thread.join()


def _network_error(kind=httpx.ConnectError):
    return kind("refused", request=httpx.Request("GET", BASE, headers={"X-Api-Key": KEY}))


def test_a_request_carries_what_it_was_given(outside):
    """Method, address, query, headers and body go out as asked; a parameter of None stays at home."""
    response = outside.session().request("patch", "cycles/a%2Fb/", params={"page": 2, "cursor": None}, json={"name": "Sprint 5 ✓"})
    (request,) = outside.requests
    assert (request.method, str(request.url)) == ("PATCH", f"{BASE}/cycles/a%2Fb/?page=2")
    assert request.headers["x-api-key"] == KEY
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"name": "Sprint 5 ✓"}
    assert (response.status, response.json(), response.headers["content-type"]) == (200, {"ok": True}, "application/json")


def test_exact_bytes_can_be_sent(outside):
    """A body that was signed goes out byte for byte."""
    outside.session().request("POST", "hook/", content=b'{"a":  1}')
    assert outside.requests[0].content == b'{"a":  1}'


@pytest.mark.parametrize("status", [201, 204, 301, 302, 400, 401, 403, 404, 409, 413])
def test_whatever_the_system_decided_is_returned(outside, status):
    """A status that is no fault of the server is the adapter's to judge; redirects are not followed."""
    outside.answers = [httpx.Response(status, headers={"Location": "https://elsewhere.example.org/"})]
    assert outside.session().request("GET", "x").status == status
    assert len(outside.requests) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_passing_fault_is_tried_three_times(outside, status):
    """Gateway faults of a GET are tried again twice, with growing pauses, before they are an error."""
    outside.answers = [httpx.Response(status) for _ in range(3)]
    with pytest.raises(RemoteUnavailable) as caught:
        outside.session().request("GET", "x")
    assert caught.value.data == {"system": "plane", "status": status}
    assert len(outside.requests) == 3
    assert outside.slept == [0.5, 1.0]


@pytest.mark.parametrize("kind", [httpx.ConnectError, httpx.ReadError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_a_network_fault_is_tried_again(outside, kind):
    """When the line is bad once, the caller never learns of it."""
    outside.answers = [_network_error(kind)]
    assert outside.session().request("GET", "x").status == 200
    assert len(outside.requests) == 2


@pytest.mark.parametrize("status", [500, 501, 505, 599])
def test_a_lasting_fault_is_not_tried_again(outside, status):
    """A server that stumbles over a request would stumble again."""
    outside.answers = [httpx.Response(status)]
    with pytest.raises(RemoteUnavailable):
        outside.session().request("GET", "x")
    assert len(outside.requests) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_write_is_not_repeated_unless_allowed(outside, method):
    """A write may have happened although no answer came; only the adapter knows whether it may be repeated."""
    outside.answers = [_network_error()]
    with pytest.raises(RemoteUnavailable):
        outside.session().request(method, "x")
    outside.answers = [_network_error()]
    assert outside.session().request(method, "x", retry=True).status == 200


def test_a_read_can_be_tried_once(outside):
    """``retry=False`` turns repeating off."""
    outside.answers = [httpx.Response(503)]
    with pytest.raises(RemoteUnavailable):
        outside.session().request("GET", "x", retry=False)
    assert len(outside.requests) == 1


def test_a_short_wish_to_wait_is_honoured(outside):
    """A 503 that asks for up to five seconds gets them, as seconds or as a date."""
    date = "Fri, 20 Nov 2026 12:00:09 GMT"
    outside.answers = [httpx.Response(503, headers={"Retry-After": "5"}), httpx.Response(503, headers={"Retry-After": date})]
    assert outside.session().request("GET", "x").status == 200
    assert outside.slept == [5.0, 4.0]


def test_a_long_wish_to_wait_is_handed_on(outside):
    """A 503 that asks for more is an error at once, which tells for how long."""
    outside.answers = [httpx.Response(503, headers={"Retry-After": "6"})]
    with pytest.raises(RemoteUnavailable) as caught:
        outside.session().request("GET", "x")
    assert caught.value.retry_after == 6.0
    assert outside.slept == []


def test_a_refusal_for_haste_blocks_the_budget(outside):
    """After a 429 nobody with that credential calls before its Retry-After is over."""
    outside.answers = [httpx.Response(429, headers={"Retry-After": "57"})]
    with pytest.raises(RemoteRateLimited) as caught:
        outside.session(budget=outside.ticket()).request("GET", "x")
    assert caught.value.retry_after == 57.0
    with pytest.raises(BudgetExhausted) as exhausted:
        outside.session(budget=outside.ticket()).request("GET", "y")
    assert exhausted.value.retry_after == 57.0
    assert len(outside.requests) == 1


def test_a_refusal_without_a_word_backs_off(outside):
    """A 429 without Retry-After blocks by our own backoff; without a budget the wait is unknown."""
    outside.answers = [httpx.Response(429), httpx.Response(429)]
    with pytest.raises(RemoteRateLimited) as caught:
        outside.session(budget=outside.ticket()).request("GET", "x")
    assert 1.0 <= caught.value.retry_after <= 2.0
    with pytest.raises(RemoteRateLimited) as caught:
        outside.session().request("GET", "x")
    assert caught.value.retry_after is None


def test_a_refusal_tells_until_when(outside):
    """Who has to wait is told until when, and until when the budget is blocked."""
    outside.answers = [httpx.Response(429, headers={"Retry-After": "57"})]
    with pytest.raises(RemoteRateLimited, match="until 12:00 UTC") as caught:
        outside.session().request("GET", "x")
    assert caught.value.data["until"] == "2026-11-20T12:00:57+00:00"


def test_a_system_may_tell_haste_in_its_own_way(outside):
    """What a session's own reading calls a refusal of too many calls is one, whatever its status; anything else is an answer."""
    outside.answers = [httpx.Response(403, headers={"x-wait": "7"}), httpx.Response(403)]
    session = outside.session(haste=lambda answer, _now: float(answer.headers["x-wait"]) if "x-wait" in answer.headers else None)
    with pytest.raises(RemoteRateLimited) as caught:
        session.request("GET", "x")
    assert caught.value.retry_after == 7.0
    assert session.request("GET", "x").status == 403


def test_a_request_may_have_headers_of_its_own(outside):
    """Headers of one request go beside the session's and are not remembered; one that HTTP cannot carry is refused."""
    session = outside.session()
    session.request("GET", "x", headers={"If-None-Match": '"abc"'})
    session.request("GET", "x")
    assert [request.headers.get("if-none-match") for request in outside.requests] == ['"abc"', None]
    assert all(request.headers["x-api-key"] == KEY for request in outside.requests)
    with pytest.raises(ConfigurationError):
        session.request("GET", "x", headers={"If-None-Match": "a\r\nb"})


def test_every_attempt_is_paid_from_the_budget(outside):
    """A repeated call costs as often as it is sent, so the outside system's count is ours."""
    outside.answers = [httpx.Response(503), httpx.Response(503)]
    session = outside.session(budget=outside.ticket(calls=4))
    session.request("GET", "x")
    session.request("GET", "x")
    with pytest.raises(BudgetExhausted):
        session.request("GET", "x")
    assert len(outside.requests) == 4


def test_nothing_leaves_inside_a_write_transaction(outside):
    """A call while this thread holds a write transaction is refused before anything is sent or paid."""
    with counted_write(), pytest.raises(NetworkInTransaction):
        outside.session().request("GET", "x")
    assert outside.requests == []


def test_a_long_answer_is_cut_off(outside):
    """An answer beyond the bound is refused, compressed or not, and not tried again."""
    bomb = gzip.compress(b"0" * 100_000)
    outside.answers = [httpx.Response(200, content=b"0" * 1001), httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=bomb)]
    for _ in range(2):
        with pytest.raises(RemoteMalformed, match="longer than 1000 bytes"):
            outside.session().request("GET", "x")
    assert len(outside.requests) == 2
    assert len(outside.session().request("GET", "x").content) < 1000


def test_a_trickling_answer_is_cut_off(outside):
    """A server that sends a byte now and then does not hold a thread for ever."""

    class Trickle(httpx.SyncByteStream):
        def __iter__(self):
            while True:
                outside.moment += timedelta(seconds=9)
                yield b"."

    outside.answers = [httpx.Response(200, stream=Trickle()) for _ in range(3)]
    with pytest.raises(RemoteUnavailable, match="did not finish"):
        outside.session().request("GET", "x")


def test_a_wrongly_compressed_answer_is_malformed(outside):
    """An answer that is not compressed as it says is the system's mistake."""

    class Raw(httpx.SyncByteStream):
        def __iter__(self):
            yield b"not gzip"

    outside.answers = [httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Raw())]
    with pytest.raises(RemoteMalformed):
        outside.session().request("GET", "x")


NO_JSON = [b"", b"<html>", b"\xff", b"[" * 200_000, b'"\\ud800"', b'{"a": "\\uDEAD"}', b"1" * 5000]


@pytest.mark.parametrize("content", NO_JSON, ids=lambda body: repr(body)[:20])
def test_an_answer_that_is_no_json_is_malformed(content):
    """Whatever cannot be JSON or text is one error, and its content is not repeated."""
    with pytest.raises(RemoteMalformed) as caught:
        Response(status=200, headers={}, content=content, system="plane").json()
    assert caught.value.data == {"system": "plane", "status": 200}


def test_escaped_pairs_are_fine():
    """Characters beyond the basic plane may be escaped as JSON does it."""
    assert Response(status=200, headers={}, content=b'"\\ud83d\\ude00"').json() == "\U0001f600"


@pytest.mark.parametrize("base_url", ["ftp://example.org", "https://user:hunter2@example.org", "example.org", ""])
def test_an_unusable_address_is_refused_at_once(outside, base_url):
    """A wrong base address is a configuration error, before anything is sent."""
    with pytest.raises(ConfigurationError) as caught:
        outside.http.session(system="plane", base_url=base_url)
    assert "hunter2" not in str(caught.value)


def test_an_unusable_key_is_refused_without_showing_it(outside):
    """A key with a line end, as a file often has, is told by its header."""
    with pytest.raises(ConfigurationError, match="X-Api-Key") as caught:
        outside.http.session(system="plane", base_url=BASE, headers={"X-Api-Key": Secret(f"{KEY}\n")})
    assert KEY not in str(caught.value)


def test_a_path_cannot_lead_elsewhere(outside):
    """An unquoted path is refused, and no path changes the host."""
    with pytest.raises(UsageError):
        outside.session().request("GET", "../../admin")
    outside.session().request("GET", "//evil.example.org/x")
    assert outside.requests[0].url.host == "plane.example.org"


BAD_ANSWERS = {
    "unreachable": _network_error(),
    "protocol": _network_error(httpx.LocalProtocolError),
    "fault": httpx.Response(500),
    "haste": httpx.Response(429),
    "long": httpx.Response(200, content=b"0" * 2000),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_no_error_leads_back_to_the_key(outside, answer):
    """No error shows the key, keeps the library's error that could, or has it in its frames' report."""
    outside.answers = [answer]
    with pytest.raises((RemoteUnavailable, RemoteRateLimited, RemoteMalformed)) as caught:
        outside.session().request("POST", "x")
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert KEY not in "".join(shown.format()) + repr(error) + repr(error.data)


def test_nothing_prints_the_key(outside):
    """Sessions, responses and requests keep their headers to themselves."""
    session = outside.session(budget=outside.ticket())
    shown = repr(session) + repr(session.request("GET", "x")) + repr(session._request("GET", "x", None, None, {}))
    assert KEY not in shown
    assert "plane" in shown


def test_no_log_holds_the_key(server, caplog):
    """Over a real connection, at the most talkative level of every library, no log line holds the key."""
    caplog.set_level(logging.DEBUG)
    http = Http(clock=Outside())
    session = http.session(system="plane", base_url=server.url, headers={"X-Api-Key": Secret(KEY), "Authorization": f"Bearer {KEY}"})
    session.request("GET", "x")
    http.close()
    assert server.seen[0]["x-api-key"] == KEY
    assert len(caplog.records) > 5
    assert KEY not in caplog.text + repr([record.args for record in caplog.records])


def test_no_cookie_travels_between_credentials(server):
    """A cookie that one credential was given is not sent with another, nor with the same."""
    http = Http(clock=Outside())
    for _ in range(2):
        http.session(system="plane", base_url=server.url).request("GET", "x")
    http.close()
    assert [seen.get("cookie") for seen in server.seen] == [None, None]
    assert server.seen[0]["user-agent"] == "forgekit"


def test_threads_share_the_door(server):
    """Many threads may use one session at once."""
    http = Http(clock=Outside())
    session = http.session(system="plane", base_url=server.url)
    with ThreadPoolExecutor(8) as pool:
        assert {response.status for response in pool.map(lambda _: session.request("GET", "x"), range(40))} == {200}
    http.close()
    assert len(server.seen) == 40


def test_an_unreachable_system_is_unavailable():
    """Nobody at the port is the same error as a timeout."""
    http = Http(clock=Outside(), sleep=lambda seconds: None)
    with pytest.raises(RemoteUnavailable, match="cannot be reached"):
        http.session(system="plane", base_url="http://127.0.0.1:1").request("GET", "x")
    http.close()


def test_an_application_can_stand_in_for_the_network():
    """A WSGI application answers instead of the network, in tests."""

    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["HTTP_X_API_KEY"].encode()]

    http = Http(clock=Outside(), transport=httpx.WSGITransport(application))
    session = http.session(system="plane", base_url=BASE, headers={"X-Api-Key": Secret(KEY)})
    assert session.request("GET", "x").content == KEY.encode()
    http.close()


def test_after_closing_nothing_is_sent(outside):
    """Requests and turns after the close are refused; closing twice is allowed."""
    session = outside.session()
    session.request("GET", "x")
    outside.http.close()
    outside.http.close()
    with pytest.raises(ForgeClosed):
        session.request("GET", "x")


def test_a_request_that_meets_the_close_says_so(outside, monkeypatch):
    """A pool that another thread closes at the last moment is a closed forge, and no other error."""
    outside.session().request("GET", "x")
    pool = outside.http._client
    outside.http.close()
    monkeypatch.setattr(outside.http, "_open", lambda: pool)
    with pytest.raises(ForgeClosed):
        outside.session().request("GET", "x")


def test_a_mistake_below_is_not_taken_for_the_close(outside):
    """While the forge is open, an error that nobody foresaw is not hidden."""
    outside.answers = [RuntimeError("unforeseen")]
    with pytest.raises(RuntimeError, match="unforeseen"):
        outside.session().request("GET", "x")


@pytest.mark.parametrize("host", ["xn--", "exa<mple.org", "a" * 70])
def test_an_impossible_host_is_an_error_of_ours(outside, host):
    """A host name that no resolver would take is told as a mistake in the address, or cannot be reached."""
    http = Http(clock=outside, sleep=outside.sleep)
    with pytest.raises((ConfigurationError, RemoteUnavailable)):
        http.session(system="plane", base_url=f"https://{host}/api").request("GET", "x", retry=False)
    http.close()


def test_closing_interrupts_a_pause(monkeypatch):
    """A thread that pauses between attempts ends with the forge."""
    monkeypatch.setattr("forgekit.kernel.net.http._LONGEST_PAUSE", 3600.0)
    asked = threading.Event()

    def answer(request):
        asked.set()
        return httpx.Response(503, headers={"Retry-After": "3600"})

    http = Http(clock=Outside(), transport=httpx.MockTransport(answer))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(http.session(system="plane", base_url=BASE).request, "GET", "x")
        assert asked.wait(60)
        http.close()
        with pytest.raises(ForgeClosed):
            waiting.result(timeout=60)


def test_a_door_that_nobody_used_costs_nothing():
    """Making a door and a session loads no HTTP library."""
    program = """
import sys
from forgekit.kernel.clock import SystemClock
from forgekit.kernel.net.http import Http
Http(clock=SystemClock()).session(system="plane", base_url="https://plane.example.org").request
print(sys.modules.keys() & {"httpx", "cryptography", "limits", "http.client", "email.utils"})
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stdout
    assert printed.strip() == "set()"


def test_answers_are_closed(outside):
    """A refused answer gives its connection back."""
    closed = []

    class Long(httpx.SyncByteStream):
        def __iter__(self):
            yield b"0" * 2000

        def close(self):
            closed.append(True)

    outside.answers = [httpx.Response(200, stream=Long())]
    with pytest.raises(RemoteMalformed):
        outside.session().request("GET", "x")
    assert closed
