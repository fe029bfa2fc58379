"""Pure: whether an answer is a success, and which error it is where it is none."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from forgekit.errors import (
    RemoteConflict,
    RemoteError,
    RemoteForbidden,
    RemoteMalformed,
    RemoteNotFound,
    RemoteRefused,
    RemoteUnauthorized,
)
from forgekit.kernel.net.http import Response
from forgekit_plane.html import clean_line

SYSTEM = "plane"
_MAX_PROBLEM = 300
_BAD_KEY = "api token is not valid"
_NO_ROUTE = "page not found"


def judge(response: Response, *, hide: str = "") -> Any:
    """Return the decoded body of an answer that is a success; None where it has no body.

    Args:
        response: The answer.
        hide: A secret that must not stand in an error, though the server repeats it.

    Raises:
        RemoteUnauthorized: No key, or one that is not valid: Plane says that with a 403 and its text.
        RemoteForbidden: Not a member; Plane says the same of a workspace or project that does not exist.
        RemoteNotFound: There is no such thing; ``data["route"]`` is False where this server lacks the whole endpoint.
        RemoteConflict: It was made before; ``data["id"]`` is its id.
        RemoteRefused: Any other 4xx.
        RemoteMalformed: A redirect, or a body that is not JSON.

    """
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return response.json() if response.content else None
    if response.status < HTTPStatus.BAD_REQUEST:
        raise RemoteMalformed("Plane redirects: is this its right address?", system=SYSTEM, status=response.status)
    body = _error_body(response)
    problem = problem_of(body)
    raise _failure(response.status, problem.replace(hide, "****") if hide else problem, body)


def _failure(status: int, problem: str, body: Any) -> RemoteError:
    data: dict[str, Any] = {"system": SYSTEM, "status": status}
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return RemoteUnauthorized("Invalid API key", **data)
        case HTTPStatus.FORBIDDEN if _BAD_KEY in problem.lower():
            return RemoteUnauthorized("Invalid API key", **data)
        case HTTPStatus.FORBIDDEN:
            return RemoteForbidden(problem or "Plane does not permit it.", **data)
        case HTTPStatus.NOT_FOUND:
            return RemoteNotFound("Plane does not know it.", route=_NO_ROUTE not in problem.lower(), **data)
        case HTTPStatus.CONFLICT:
            existing = body.get("id") if isinstance(body, Mapping) else None
            return RemoteConflict(problem or None, id=existing if isinstance(existing, str) else None, **data)
        case _:
            return RemoteRefused(problem or "Plane refuses the request.", **data)


def _error_body(response: Response) -> Any:
    """Return an error's body; a proxy's page of HTML is none, and the status still tells what happened."""
    try:
        return response.json()
    except RemoteMalformed:
        return None


def problem_of(body: Any) -> str:
    """Return what went wrong as one line, from any of the five shapes that errors have."""
    if not isinstance(body, Mapping):
        return ""
    for key in ("error", "detail", "message", "error_message"):
        if isinstance(body.get(key), str):
            return clean_line(body[key], _MAX_PROBLEM)
    parts = []
    for field, messages in body.items():
        texts = [text for text in messages if isinstance(text, str)] if isinstance(messages, list) else []
        parts += texts if field == "non_field_errors" else [f"{field}: {text}" for text in texts]
    return clean_line(" ".join(parts), _MAX_PROBLEM)
