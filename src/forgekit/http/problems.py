"""How errors become answers: a table from error class to status, and a shape for the body."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import attrs

from forgekit import errors
from forgekit.http import failures
from forgekit.http.messages import Headers

Statuses = Mapping[type[errors.ForgekitError], int]

STATUSES: Statuses = {
    errors.InvalidInput: 422,
    failures.BodyMalformed: 400,
    errors.Unauthenticated: 401,
    errors.PermissionDenied: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RateLimited: 429,
    errors.BudgetExhausted: 429,
    errors.WebhookRejected: 400,
    errors.SignatureMissing: 401,
    errors.SignatureInvalid: 401,
    errors.TimestampOutOfRange: 401,
    errors.PayloadTooLarge: 413,
    errors.RemoteError: 502,
    errors.StorageBusy: 503,
    failures.RequestRefused: 400,
    failures.BodyTooLarge: 413,
    failures.LengthRequired: 411,
    failures.MediaTypeUnsupported: 415,
    failures.MethodNotAllowed: 405,
    failures.StreamUnsupported: 501,
    failures.AnswerLate: 503,
    failures.InternalFault: 500,
}
"""The statuses of a surface that says nothing else. An error class that is not here, nor a base of it, is a bug: 500."""


@attrs.frozen(kw_only=True)
class Problem:
    """The answer to an error: ``body`` is JSON-able, or a `forgekit.http.Page` where people look on."""

    status: int
    body: Any
    media_type: str = "application/json"
    headers: Headers = attrs.field(factory=list)


class Problems(Protocol):
    """What a surface makes of an error."""

    def __call__(self, error: errors.ForgekitError, /) -> Problem:
        """Give the answer. An error that is no caller's business becomes `failures.InternalFault`."""


Shape = Callable[[errors.ForgekitError, int], Any]


def _completed(statuses: Statuses) -> Statuses:
    return {**STATUSES, **statuses}


@attrs.frozen(kw_only=True)
class ProblemTable:
    """Statuses by error class, the most specific class wins, and one shape of body.

    Attributes:
        shape: Makes the body from the error and the status.
        statuses: What departs from `STATUSES`.
        media_type: The Content-Type of the answer.
        schema: The JSON Schema of the body, for the OpenAPI document.

    """

    shape: Shape
    statuses: Statuses = attrs.field(factory=dict, converter=_completed)
    media_type: str = "application/json"
    schema: Mapping[str, Any] = attrs.field(factory=dict)

    def __call__(self, error: errors.ForgekitError, /) -> Problem:
        """Give the answer to an error, with Retry-After where the error knows when to come back."""
        status = self.status_of(type(error))
        if status is None:
            error = failures.InternalFault()
            status = self.status_of(type(error)) or 500
        headers = retry_after(error)
        return Problem(status=status, body=self.shape(error, status), media_type=self.media_type, headers=headers)

    def status_of(self, kind: type[errors.ForgekitError]) -> int | None:
        """Find the status of an error class through its bases; None where the table knows none."""
        return next((self.statuses[base] for base in kind.__mro__ if base in self.statuses), None)


def retry_after(error: errors.ForgekitError) -> Headers:
    """Make the Retry-After header, in whole seconds rounded up (RFC 9110, 10.2.3)."""
    if error.retry_after is None:
        return []
    return [("Retry-After", str(max(0, math.ceil(error.retry_after))))]


def field_problems(error: errors.ForgekitError) -> list[Any]:
    """Give the places and reasons of an `errors.InvalidInput`; empty for any other error."""
    return list(error.data.get("problems", ())) if isinstance(error, errors.InvalidInput) else []


def detail_body(error: errors.ForgekitError, _status: int) -> dict[str, Any]:
    """``{"detail": "…"}``, with ``errors`` where fields are wrong."""
    body: dict[str, Any] = {"detail": error.message}
    if problems := field_problems(error):
        body["errors"] = problems
    return body


def rfc9457_body(error: errors.ForgekitError, status: int) -> dict[str, Any]:
    """Problem Details: ``type``, ``title``, ``status``, ``code``, and ``errors`` where fields are wrong."""
    body: dict[str, Any] = {"type": "about:blank", "title": error.message, "status": status, "code": error.code}
    if problems := field_problems(error):
        body["errors"] = problems
    return body


_FIELD_ERRORS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
        "required": ["pointer", "message"],
    },
}


def detail_problems(statuses: Statuses | None = None) -> ProblemTable:
    """Answer errors as ``{"detail": "…"}``."""
    schema = {
        "type": "object",
        "properties": {"detail": {"type": "string"}, "errors": _FIELD_ERRORS},
        "required": ["detail"],
    }
    return ProblemTable(shape=detail_body, statuses=statuses or {}, schema=schema)


def rfc9457_problems(statuses: Statuses | None = None) -> ProblemTable:
    """Answer errors as Problem Details (RFC 9457)."""
    text = {"type": "string"}
    schema = {
        "type": "object",
        "properties": {"type": text, "title": text, "status": {"type": "integer"}, "code": text, "errors": _FIELD_ERRORS},
        "required": ["type", "title", "status", "code"],
    }
    return ProblemTable(shape=rfc9457_body, statuses=statuses or {}, schema=schema, media_type="application/problem+json")
