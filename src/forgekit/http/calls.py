"""One call of one operation, free of any server: admit, read, run, render.

A face asks `Call.admit` before it reads the body, then hands the body to `Call.run`. Neither ever raises: an error is
an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import attrs

from forgekit import errors
from forgekit.http import failures
from forgekit.http.codec import decode_body, encode
from forgekit.http.guards import Caller
from forgekit.http.limits import Limiter, bucket_key, limit_headers, state_of_refusal
from forgekit.http.messages import PAGE_POLICY, File, Headers, Page, RawRequest, Redirect, Reply, RequestHead, Response
from forgekit.http.operations import Operation
from forgekit.http.params import params_reader
from forgekit.http.problems import Problems
from forgekit.http.scalars import MOST_PROBLEMS, Invalid
from forgekit.http.streams import EventStream

_log = logging.getLogger(__name__)

_API_HEADERS: Headers = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
_PAGE_HEADERS: Headers = [*_API_HEADERS, ("Referrer-Policy", "same-origin"), ("X-Frame-Options", "DENY")]

Outcome = Response | EventStream | Future[Any]


@attrs.frozen(kw_only=True)
class Route:
    """An operation made ready to be called."""

    operation: Operation
    read_params: Callable[[RequestHead, Sequence[str]], Any] | None
    reads_body: bool
    guard_inline: bool
    challenge: str | None


def prepare(operation: Operation, names: Sequence[str]) -> Route:
    """Make an operation ready; ``names`` are its path's parameters in their order."""
    return Route(
        operation=operation,
        read_params=None if operation.params is None else params_reader(operation.params, names),
        reads_body=operation.reads_body,
        guard_inline=bool(getattr(operation.guard, "inline", False)),
        challenge=getattr(operation.guard, "challenge", None),
    )


@attrs.define(kw_only=True)
class Call:
    """A request that found its operation."""

    route: Route
    head: RequestHead
    values: Sequence[str]
    forge: Any
    limiter: Limiter | None = None
    _caller: Caller | None = None
    _limit_headers: Headers = attrs.field(factory=list)

    @property
    def admits_inline(self) -> bool:
        """Whether `admit` may be called on an event loop."""
        operation = self.route.operation
        return self.route.guard_inline and (operation.inline or operation.limit is None or self.limiter is None)

    def admit(self) -> Response | None:
        """Ask the guard, then the bucket, then the headers of the body; None when the body may be read."""
        try:
            self._caller = self.route.operation.guard(self.head, self.forge)
            self._take_from_bucket(self._caller)
            if self.route.reads_body:
                self._check_body_headers()
        except Exception as error:  # noqa: BLE001 - every error is an answer
            return self.refuse(error)
        return None

    def run(self, body: bytes = b"") -> Outcome:
        """Decode, call the operation, render. A promised value comes back as its Future, for `settle`."""
        try:
            value = self.route.operation.function(**self._arguments(body))
            return value if isinstance(value, Future) else self._render(value)
        except Exception as error:  # noqa: BLE001 - every error is an answer
            return self.refuse(error)

    def admit_and_run(self) -> Outcome:
        """Do both at once, for an operation that reads no body."""
        return self.admit() or self.run()

    def settle(self, future: Future[Any]) -> Response | EventStream:
        """Render what a Future that is done holds."""
        try:
            return self._render(future.result(timeout=0))
        except Exception as error:  # noqa: BLE001 - every error is an answer
            return self.refuse(error)

    def refuse(self, error: Exception) -> Response:
        """Answer an error in the surface's shape; one that nobody raised on purpose is logged and not shown."""
        answer = error_response(self.route.operation.problems, error, f"{self.route.operation.method} {self.route.operation.path}")
        if isinstance(error, errors.Unauthenticated) and self.route.challenge:
            answer.headers.append(("WWW-Authenticate", self.route.challenge))
        answer.headers.extend(self._limit_headers)
        return answer

    def _take_from_bucket(self, caller: Caller) -> None:
        name = self.route.operation.limit
        if name is None or self.limiter is None:
            return
        try:
            state = self.limiter(name, bucket_key(caller, self.head))
        except errors.RateLimited as refusal:
            state = state_of_refusal(refusal)
            self._limit_headers = [] if state is None else limit_headers(state)
            raise
        if state is not None:
            self._limit_headers = limit_headers(state)

    def _check_body_headers(self) -> None:
        if (self.head.header("content-encoding") or "identity").strip().lower() != "identity":
            raise failures.MediaTypeUnsupported
        if "body" in self.route.operation.takes and not _is_json(self.head.header("content-type")):
            raise failures.MediaTypeUnsupported
        check_length(self.head, self.route.operation.max_body)

    def _arguments(self, body: bytes) -> dict[str, Any]:
        operation = self.route.operation
        takes = operation.takes
        offered = (("forge", self.forge), ("caller", self._caller), ("head", self.head))
        arguments: dict[str, Any] = {name: value for name, value in offered if name in takes}
        if self.route.read_params is not None:
            arguments["params"] = self.route.read_params(self.head, self.values)
        if "raw" in takes:
            arguments["raw"] = RawRequest(headers=self.head.headers, body=body, peer=self.head.peer)
        elif "body" in takes:
            arguments["body"] = None if operation.body_optional and not body.strip() else _decode(body, operation.body)
        return arguments

    def _render(self, value: Any) -> Response | EventStream:
        if isinstance(value, EventStream):
            return value
        response = self._respond(value)
        response.headers.extend(self._limit_headers)
        return response

    def _respond(self, value: Any) -> Response:
        operation = self.route.operation
        if isinstance(value, Response):
            return value
        if isinstance(value, Page):
            return page_response(value)
        if isinstance(value, File):
            return _file_response(value, self.head)
        if isinstance(value, Redirect):
            return Response(status=value.status, headers=[*_API_HEADERS, *value.headers, ("Location", value.url)])
        status, headers = operation.status, []
        if isinstance(value, Reply):
            status, headers, value = value.status or status, value.headers, value.value
        if status == 204:  # noqa: PLR2004
            return Response(status=204, headers=[*_API_HEADERS, *headers])
        return json_response(operation.envelope.wrap(value, status), status, headers)


def json_response(value: Any, status: int = 200, headers: Headers | None = None, media_type: str = "application/json") -> Response:
    """Render a value as JSON."""
    return Response(status=status, headers=[("Content-Type", media_type), *_API_HEADERS, *(headers or [])], body=encode(value))


def page_response(page: Page) -> Response:
    """Render an HTML page; headers that it brings replace the machine's."""
    base: Headers = [("Content-Type", "text/html; charset=utf-8"), *_PAGE_HEADERS, ("Content-Security-Policy", PAGE_POLICY)]
    return Response(status=page.status, headers=_replaced(base, page.headers), body=page.html.encode())


def error_response(problems: Problems, error: Exception, place: str) -> Response:
    """Answer an error; what nobody raised on purpose is logged with its traceback and answered without it."""
    if not isinstance(error, errors.ForgekitError):
        _log.error("%s failed", place, exc_info=error)
        error = failures.InternalFault()
    problem = problems(error)
    if problem.status == 500 and not isinstance(error, failures.InternalFault):  # noqa: PLR2004
        _log.error("%s failed", place, exc_info=error)
    if isinstance(problem.body, Page):
        return page_response(attrs.evolve(problem.body, status=problem.status, headers=[*problem.body.headers, *problem.headers]))
    return json_response(problem.body, problem.status, problem.headers, problem.media_type)


def check_length(head: RequestHead, most: int) -> None:
    """Refuse a body that says beforehand that it is too large, or whose length is no number.

    Raises:
        failures.BodyTooLarge: It is too large.
        failures.RequestRefused: Content-Length is not a number.

    """
    length = head.header("content-length")
    if not length:
        return
    if not (length.isascii() and length.isdigit()):
        raise failures.RequestRefused("Content-Length is not a number.")
    if len(length.lstrip("0")) > 15 or int(length) > most:  # noqa: PLR2004 - int() of endless digits is an attack of its own
        raise failures.BodyTooLarge


def _decode(body: bytes, kind: Any) -> Any:
    try:
        return decode_body(body, kind)
    except Invalid as wrong:
        problems = [{"pointer": problem.pointer, "message": problem.message} for problem in wrong.problems[:MOST_PROBLEMS]]
        raise errors.InvalidInput("The body is not valid.", problems=problems) from None
    except ValueError as wrong:
        raise failures.BodyMalformed(f"The body {wrong}.", problems=[{"pointer": "", "message": str(wrong)}]) from None


def _is_json(content_type: str | None) -> bool:
    if content_type is None:
        return True
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _file_response(file: File, head: RequestHead) -> Response:
    base: Headers = [("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache" if file.etag else "no-store")]
    if file.etag is not None:
        base.append(("ETag", f'"{file.etag}"'))
    headers = _replaced(base, file.headers)
    if file.etag is not None and f'"{file.etag}"' in (head.header("if-none-match") or ""):
        return Response(status=304, headers=headers)
    return Response(status=200, headers=[("Content-Type", file.media_type), *headers], body=file.content)


def _replaced(base: Headers, given: Headers) -> Headers:
    names = {name.lower() for name, _ in given}
    return [*((name, value) for name, value in base if name.lower() not in names), *given]
