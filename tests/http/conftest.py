"""A sample surface, and two drivers that speak to an application as its servers would."""

from __future__ import annotations

import asyncio
import enum
import io
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import attrs
import pytest
from attrs import validators as v

from forgekit import errors
from forgekit.http import (
    UNSET,
    App,
    Caller,
    EventStream,
    File,
    Hub,
    Open,
    Page,
    RawRequest,
    Redirect,
    Reply,
    ServerEvent,
    Surface,
    Unset,
    cookie,
    detail_problems,
    given,
    header,
    named,
)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen(kw_only=True)
class InProject:
    project_id: int
    limit: int = attrs.field(default=10, validator=[v.ge(1), v.le(50)])
    tags: list[str] = attrs.field(factory=list)
    loud: bool = False
    agent: str | None = attrs.field(default=None, metadata=header("X-Agent"))
    visit: str | None = attrs.field(default=None, metadata=cookie("visit"))


@attrs.frozen(kw_only=True)
class NewTask:
    title: str = attrs.field(validator=[v.min_len(1), v.max_len(20)])
    priority: int | None = attrs.field(default=None, validator=v.optional(v.in_([1, 2, 3])))
    due: datetime | None = None
    colour: Colour = Colour.RED
    labels: list[str] = attrs.field(factory=list, validator=v.deep_iterable(v.max_len(5)))
    note: str | Unset | None = attrs.field(default=UNSET, validator=given(v.optional(v.max_len(5))))
    wire_name: bool = attrs.field(default=False, metadata=named("wireName"))


@attrs.frozen(kw_only=True)
class Task:
    project: int
    title: str
    priority: int | None
    due: datetime | None
    colour: Colour
    made: datetime
    wire_name: bool = attrs.field(metadata=named("wireName"))


@attrs.frozen(kw_only=True)
class Commit:
    type: Literal["COMMIT"]
    hash: str = attrs.field(validator=v.matches_re("[0-9a-f]{4,40}"))


@attrs.frozen(kw_only=True)
class Result:
    type: Literal["RESULT"]
    passed: bool


@attrs.frozen
class Named:
    name: str


@attrs.frozen
class Receipt:
    action: str
    size: int


NOW = datetime(2026, 2, 10, 14, 30, tzinfo=UTC)


class Bench:
    """What the sample's operations work with, in place of a forge."""

    def __init__(self):
        self.hub = Hub()
        self.received: Future[Receipt] | None = None
        self.seen: list[Any] = []
        self.stream = {"heartbeat": 60.0, "close_after": 60.0}


def make_surface(guard=None, *, statuses=None):  # noqa: C901 - a list of operations, not one function
    """Declare the sample surface."""
    surface = Surface("demo", prefix="/api/demo", guard=guard or Open(), problems=detail_problems(statuses))

    @surface.op("POST", "/projects/{project_id}/tasks", status=201)
    def create_task(forge, caller: Caller, params: InProject, body: NewTask) -> Task:
        """Create a task."""
        forge.seen.append((caller, params, body))
        return Task(project=params.project_id, made=NOW, **attrs.asdict(body, filter=lambda field, _: field.name not in ("labels", "note")))

    @surface.op("GET", "/projects/{project_id}/tasks")
    def list_tasks(forge, params: InProject) -> dict[str, Any]:
        """Show what was asked for."""
        forge.seen.append(params)
        return attrs.asdict(params)

    @surface.op("GET", "/projects/templates")
    def list_templates() -> list[str]:
        """List the templates."""
        return ["plain"]

    @surface.op("GET", "/projects/{name}")
    def show_project(params: Named) -> dict[str, str]:
        """Show a project."""
        return {"name": params.name}

    @surface.op("DELETE", "/projects/{name}", status=204)
    def delete_project(params: Named) -> None:
        """Delete a project."""

    @surface.op("POST", "/log", also={202: Receipt})
    def log(body: Commit | Result) -> Receipt | Reply[Receipt]:
        """Log something."""
        receipt = Receipt(body.type, 1)
        return receipt if isinstance(body, Commit) else Reply(receipt, status=202, headers=[("X-Log", "1")])

    @surface.op("POST", "/maybe")
    def maybe(body: Named | None) -> bool:
        """Take a body or none."""
        return body is not None

    @surface.op("POST", "/anything")
    def anything(body: dict[str, Any]) -> dict[str, Any]:
        """Give back what came."""
        return body

    @surface.op("POST", "/hooks", inline=True, max_body=100)
    def hooks(forge, raw: RawRequest) -> Future[Receipt]:
        """Receive a webhook."""
        forge.seen.append(raw)
        if forge.received is not None:
            return forge.received
        done: Future[Receipt] = Future()
        done.set_result(Receipt("processed", len(raw.body)))
        return done

    @surface.op("POST", "/fail/{name}", hidden=True)
    def fail(params: Named) -> None:
        """Fail in the way that is asked for."""
        raise {
            "bug": ZeroDivisionError("the inner secret"),
            "busy": errors.RateLimited(retry_after=1.2),
            "usage": errors.UsageError("the inner secret"),
            "conflict": errors.Conflict("Taken."),
            "key": errors.Unauthenticated("No."),
        }[params.name]

    @surface.op("GET", "/page", hidden=True)
    def page() -> Page:
        """Show a page."""
        return Page("<p>hello</p>")

    @surface.op("GET", "/file", hidden=True)
    def file() -> File:
        """Give a file."""
        return File(b"a,b\n", "text/csv", etag="v1")

    @surface.op("GET", "/away", hidden=True)
    def away() -> Redirect:
        """Send away."""
        return Redirect("/else where\r\nX-Evil: 1")

    @surface.op("GET", "/events", hidden=True)
    def events(forge) -> EventStream:
        """Stream events."""

        def subscribe(sink):
            leave = forge.hub.subscribe(["t"], sink.send)
            sink.send(ServerEvent({"n": 0}, event="ready"))
            forge.sink = sink
            return leave

        return EventStream(subscribe=subscribe, **forge.stream)

    return surface


@attrs.frozen
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name):
        """Give a header's value, or None."""
        return next((value for key, value in self.headers if key == name), None)


async def call_asgi(application, scope, messages):
    """Run one scope; further receives wait for ever, as on an open connection."""
    queue, sent = list(messages), []

    async def receive():
        if queue:
            return queue.pop(0)
        return await asyncio.Future()

    async def send(message):
        sent.append(message)

    await application(scope, receive, send)
    return sent


async def until(condition):
    """Let the loop go on until a condition holds."""
    while not condition():  # noqa: ASYNC110 - what is waited for happens on other threads
        await asyncio.sleep(0.001)


def http_scope(method, target, headers=(), peer="127.0.0.1", root_path=""):
    """Make the scope that uvicorn would make."""
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "method": method,
        "path": root_path + unquote_to_bytes(path).decode("utf-8", "replace"),
        "query_string": query.encode("latin-1"),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "client": (peer, 5000) if peer else None,
        "scheme": "http",
        "root_path": root_path,
    }


def ask_asgi(app, method, target, headers=(), body=b"", **scope):
    """Put one request to the ASGI face, its body in two pieces."""
    headers = [("Host", "localhost"), *headers, *([("Content-Length", str(len(body)))] if body else [])]
    half = len(body) // 2
    messages = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    start, *rest = asyncio.run(call_asgi(app.asgi, http_scope(method, target, headers, **scope), messages))
    named_headers = [(name.decode().lower(), value.decode()) for name, value in start["headers"]]
    return Answer(start["status"], sorted(named_headers), b"".join(message["body"] for message in rest))


def environ_of(method, target, headers=(), body=b"", peer="127.0.0.1", root_path=""):
    """Make the environment that wsgiref would make."""
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "SCRIPT_NAME": root_path,
        "QUERY_STRING": query,
        "REMOTE_ADDR": peer or "",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        "CONTENT_TYPE": "",
    }
    for name, value in (("Host", "localhost"), *headers):
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    if body:
        environ.setdefault("CONTENT_LENGTH", str(len(body)))
    return environ


def ask_wsgi(app, method, target, headers=(), body=b"", **rest):
    """Put one request to the WSGI face."""
    return run_wsgi(app, environ_of(method, target, headers, body, **rest))


def run_wsgi(app, environ):
    """Put an environment to the WSGI face."""
    started = []
    body = b"".join(app.wsgi(environ, lambda status, headers: started.append((status, headers))))
    status, headers = started[0]
    return Answer(int(status[:3]), sorted((name.lower(), value) for name, value in headers), body)


@pytest.fixture
def bench():
    """What the operations work with."""
    return Bench()


@pytest.fixture
def app(bench):
    """The sample surface as an application."""
    return App([make_surface()], bench, title="Demo", version="1")


@pytest.fixture
def build(bench):
    """Make an application of the sample surface with other options."""

    def make(guard=None, *, statuses=None, limiter=None, **options):
        return App([make_surface(guard, statuses=statuses)], bench, limiter=limiter, **options)

    return make


@pytest.fixture(params=["asgi", "wsgi"])
def ask(request):
    """Give a driver for either face; it takes the app, method, target, headers and body."""
    return ask_asgi if request.param == "asgi" else ask_wsgi


@pytest.fixture
def ask_both():
    """Ask both faces, check that they answer alike, and give the answer."""

    def ask(app, *args, **options):
        asgi, wsgi = ask_asgi(app, *args, **options), ask_wsgi(app, *args, **options)
        assert asgi == wsgi
        return asgi

    return ask


@pytest.fixture
def wires():
    """The drivers below the faces: scopes, environments, and how to run them."""

    class Wires:
        scope = staticmethod(http_scope)
        run = staticmethod(call_asgi)
        until = staticmethod(until)
        environ = staticmethod(environ_of)
        run_wsgi = staticmethod(run_wsgi)

    return Wires
