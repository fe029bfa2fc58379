"""Pure: whether an answer is a success, which error it is where it is none, and how long it asks to wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from forgekit.errors import RemoteError, RemoteForbidden, RemoteMalformed, RemoteNotFound, RemoteRefused, RemoteUnauthorized
from forgekit.kernel.net.http import Response
from forgekit.kernel.net.rules import MAX_BLOCK, retry_after

SYSTEM = "github"

UNTOLD = 60.0
"""Seconds to wait where GitHub does not say: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api."""

_LIMITED = (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_WORDS = ("rate limit", "abuse detection")
_MAX_PROBLEM = 300


def haste(response: Response, now: datetime) -> float | None:
    """Return for how many seconds an answer asks to wait; None where it is no refusal of too many calls.

    GitHub refuses with 403 or 429 alike: with ``Retry-After``; or with nothing left and the moment at which the hour begins anew; or,
    for the secondary limits, with nothing but its words.
    """
    if response.status not in _LIMITED:
        return None
    wanted = retry_after(response.headers.get("retry-after"), now)
    if wanted is not None:
        return wanted
    if response.headers.get("x-ratelimit-remaining") == "0":
        return until_reset(response, now) or UNTOLD
    limited = response.status == HTTPStatus.TOO_MANY_REQUESTS or any(word in problem_of(response).lower() for word in _WORDS)
    return UNTOLD if limited else None


def exhausted(response: Response, now: datetime) -> float | None:
    """Return for how many seconds nothing is left after this answer, however it turned out; None where something is."""
    return until_reset(response, now) if response.headers.get("x-ratelimit-remaining") == "0" else None


def until_reset(response: Response, now: datetime) -> float | None:
    """Return in how many seconds the hour begins anew, at least one and at most an hour; None where that is not told."""
    text = response.headers.get("x-ratelimit-reset", "")
    if not (text.isascii() and text.isdigit()) or len(text) > len("9999999999"):
        return None
    seconds = (datetime.fromtimestamp(int(text), UTC) - now).total_seconds()
    return min(max(seconds, 1.0), MAX_BLOCK)


def judge(response: Response, what: str, *, hide: str = "") -> Any:
    """Return the decoded body of an answer that is a success.

    Args:
        response: The answer.
        what: What was asked for, for the error: ``the repository acme/shop``.
        hide: A secret that must not stand in an error, though the server repeats it.

    Raises:
        RemoteUnauthorized: The token is refused.
        RemoteForbidden: The token may not.
        RemoteNotFound: There is no such thing, or not for this token: GitHub answers alike.
        RemoteRefused: Any other 4xx.
        RemoteMalformed: A redirect that leads nowhere, or a body that is not JSON.

    """
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return response.json()
    if response.status < HTTPStatus.BAD_REQUEST:
        raise RemoteMalformed(f"GitHub redirects {what} elsewhere.", system=SYSTEM, status=response.status)
    problem = problem_of(response)
    raise _failure(
        response.status, what, problem.replace(hide, "****") if hide else problem, "for this token" if hide else "without a token"
    )


def _failure(status: int, what: str, problem: str, who: str) -> RemoteError:
    data: dict[str, Any] = {"system": SYSTEM, "status": status}
    match status:
        case HTTPStatus.UNAUTHORIZED:
            return RemoteUnauthorized("GitHub refuses the token: it is wrong, expired or revoked.", **data)
        case HTTPStatus.FORBIDDEN:
            return RemoteForbidden(f"GitHub does not permit to see {what}: {problem or 'no reason given'}", **data)
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return RemoteNotFound(f"GitHub does not know {what}, or not {who}.", **data)
        case _:
            return RemoteRefused(f"GitHub refuses to show {what}: {problem or f'HTTP {status}'}", **data)


def problem_of(response: Response) -> str:
    """Return what an error says, as one line; a proxy's page of HTML says nothing."""
    try:
        body = response.json()
    except RemoteMalformed:
        return ""
    message = body.get("message") if isinstance(body, Mapping) else None
    return " ".join("".join(c for c in message if c.isprintable()).split())[:_MAX_PROBLEM] if isinstance(message, str) else ""
