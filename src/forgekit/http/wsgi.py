"""The WSGI face (PEP 3333): everything on the server's own thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from forgekit.http import failures
from forgekit.http.calls import Call
from forgekit.http.messages import RequestHead, Response
from forgekit.http.streams import EventStream

if TYPE_CHECKING:
    from forgekit.http.app import App

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

_CHUNK = 65_536
_UNPREFIXED = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


class WsgiFace:
    """A WSGI application."""

    def __init__(self, app: App, answer_timeout: float) -> None:
        """Serve an application, waiting so many seconds for a promised answer."""
        self._app = app
        self._answer_timeout = answer_timeout

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        head = read_head(environ)
        found = self._app.find(head)
        answer = found if isinstance(found, Response) else self._answer(found, environ)
        headers = list(answer.headers)
        if answer.status not in (204, 304):
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(_status_line(answer.status), headers)
        return [b"" if head.method == "HEAD" else answer.body]

    def _answer(self, call: Call, environ: Environ) -> Response:
        refusal = call.admit()
        if refusal is not None:
            return refusal
        try:
            body = _read_body(call, environ) if call.route.reads_body else b""
        except failures.RequestRefused as refused:
            return call.refuse(refused)
        outcome = call.run(body)
        if isinstance(outcome, Future):
            outcome = self._wait(call, outcome)
        return call.refuse(failures.StreamUnsupported()) if isinstance(outcome, EventStream) else outcome

    def _wait(self, call: Call, future: Future[Any]) -> Response | EventStream:
        with suppress(TimeoutError, CancelledError):
            future.exception(timeout=self._answer_timeout)
        if future.done():
            return call.settle(future)
        # Not cancelled when late: the work was accepted and will be done.
        return call.refuse(failures.AnswerLate(retry_after=self._answer_timeout))


def read_head(environ: Environ) -> RequestHead:
    """Read the head of a request from a WSGI environment."""
    headers = [(name[5:].replace("_", "-").lower(), value) for name, value in environ.items() if name.startswith("HTTP_")]
    headers += [(name, environ[key]) for key, name in _UNPREFIXED.items() if environ.get(key)]
    return RequestHead(
        method=environ["REQUEST_METHOD"],
        path=_decoded(environ.get("PATH_INFO", "")) or "/",
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        peer=environ.get("REMOTE_ADDR") or None,
        scheme=environ.get("wsgi.url_scheme", "http"),
        root_path=_decoded(environ.get("SCRIPT_NAME", "")),
    )


def _decoded(path: str) -> str:
    # PEP 3333 hands bytes over as Latin-1; what is not UTF-8 then names nothing, as under ASGI.
    try:
        return path.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:  # a server that decoded it already, such as httpx.WSGITransport
        return path


def _read_body(call: Call, environ: Environ) -> bytes:
    most = call.route.operation.max_body
    length = environ.get("CONTENT_LENGTH")
    if length:
        body = _read_up_to(environ["wsgi.input"], int(length))
        if len(body) < int(length):
            raise failures.RequestRefused("The body ended early.")
        return body
    if "chunked" not in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return b""
    if not environ.get("wsgi.input_terminated"):  # without it nobody can tell where the body ends
        raise failures.LengthRequired
    body = _read_up_to(environ["wsgi.input"], most + 1)
    if len(body) > most:
        raise failures.BodyTooLarge
    return body


def _read_up_to(stream: Any, most: int) -> bytes:
    chunks: list[bytes] = []
    while most > 0:
        chunk = stream.read(min(most, _CHUNK))
        if not chunk:
            break
        chunks.append(chunk)
        most -= len(chunk)
    return b"".join(chunks)


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"
