from __future__ import annotations

import io
from concurrent.futures import Future
from wsgiref.validate import validator

import pytest

HOOKS = "/api/demo/hooks"
CHUNKED = [("Transfer-Encoding", "chunked")]


class Endless:
    """A body that never ends, and counts what is read of it."""

    def __init__(self):
        self.given = 0

    def read(self, size):
        self.given += size
        return b"x" * size


def test_it_keeps_to_the_specification(app, wires):
    """The reference validator finds nothing to complain about."""

    class Checked:
        wsgi = staticmethod(validator(app.wsgi))

    environ = wires.environ("POST", HOOKS, [("Content-Length", "1")], b"x")
    environ |= {
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.version": (1, 0),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    environ["wsgi.input"].readline = environ["wsgi.input"].readline
    started = []
    answer = Checked.wsgi(environ, lambda status, headers, _info=None: started.append(status) or (lambda _: None))
    assert list(answer)
    answer.close()
    assert started == ["200 OK"]


def test_a_body_of_unknown_length_is_read_to_its_limit(app, wires):
    """Where the server ends the input, a chunked body is read, but no further than allowed."""
    endless = Endless()
    environ = wires.environ("POST", HOOKS, CHUNKED) | {"wsgi.input": endless, "wsgi.input_terminated": True}
    assert wires.run_wsgi(app, environ).status == 413
    assert endless.given == 101


def test_a_chunked_body_is_taken(app, bench, wires):
    """A chunked body within the limit reaches the operation."""
    environ = wires.environ("POST", HOOKS, CHUNKED) | {"wsgi.input": io.BytesIO(b"abc"), "wsgi.input_terminated": True}
    assert wires.run_wsgi(app, environ).status == 200
    assert bench.seen[0].body == b"abc"


def test_a_body_whose_end_nobody_knows_is_refused(app, wires):
    """A chunked body needs a server that ends the input."""
    assert wires.run_wsgi(app, wires.environ("POST", HOOKS, CHUNKED)).status == 411


def test_a_body_that_ends_early_is_refused(app, bench, wires):
    """Half a body calls no operation."""
    environ = wires.environ("POST", HOOKS, [("Content-Length", "9")], b"abc")
    assert wires.run_wsgi(app, environ).status == 400
    assert bench.seen == []


def test_no_body_is_an_empty_one(app, wires):
    """Without length and chunks nothing is read, since reading would wait for ever."""
    assert wires.run_wsgi(app, wires.environ("POST", HOOKS) | {"wsgi.input": None}).status == 200


def test_a_late_answer_is_not_waited_for(build, bench, wires):
    """A promise that is not kept in time is answered 503, and the work is not cancelled."""
    bench.received = Future()
    answer = wires.run_wsgi(build(answer_timeout=0.01), wires.environ("POST", HOOKS, body=b"x"))
    assert (answer.status, answer.header("retry-after")) == (503, "1")
    assert not bench.received.cancelled()


def test_a_promise_that_was_cancelled_is_a_fault(app, bench, wires):
    """Work that somebody cancelled is answered 500."""
    bench.received = Future()
    bench.received.cancel()
    assert wires.run_wsgi(app, wires.environ("POST", HOOKS, body=b"x")).status == 500


def test_streams_are_not_implemented(app, wires):
    """An event stream needs ASGI: 501."""
    assert wires.run_wsgi(app, wires.environ("GET", "/api/demo/events")).status == 501


@pytest.mark.parametrize("path", ["/api/demo/projects/\u20ac", "/api/demo/projects/\ufffd"])
def test_a_path_that_was_decoded_already_is_taken(app, wires, path):
    """A server that hands over text in place of Latin-1 bytes is understood where the text shows it."""
    environ = wires.environ("GET", "/") | {"PATH_INFO": path}
    assert wires.run_wsgi(app, environ).status == (404 if "\ufffd" in path else 200)
