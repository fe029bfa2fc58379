"""Pure: whether an answer is a success, and which error it is where it is none."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from forgekit.errors import (
    RemoteConflict,
    RemoteError,
    RemoteForbidden,
    RemoteNotFound,
    RemoteRefused,
    RemoteUnauthorized,
)
from forgekit.kernel.net.answers import Refusal, content_of, text_of
from forgekit.kernel.net.http import Response

SYSTEM = "plane"
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
    redirected = "Plane redirects: is this its right address?"
    return content_of(response, _failure, problem_of=problem_of, redirected=redirected, hide=hide)


def _failure(refusal: Refusal) -> RemoteError:
    data: dict[str, Any] = {"system": SYSTEM, "status": refusal.status}
    problem, body = refusal.problem, refusal.body
    match refusal.status:
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


def problem_of(body: Any) -> str:
    """Return what went wrong, from any of the five shapes that errors have."""
    if told := text_of(body, "error", "detail", "message", "error_message"):
        return told
    parts: list[str] = []
    for field, messages in body.items() if isinstance(body, Mapping) else ():
        texts = [text for text in messages if isinstance(text, str)] if isinstance(messages, list) else []
        parts += texts if field == "non_field_errors" else [f"{field}: {text}" for text in texts]
    return " ".join(parts)
