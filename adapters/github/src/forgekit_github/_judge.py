"""Pure: whether an answer is a success, which error it is where it is none, and how long it asks to wait."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from forgekit.kernel.net.answers import error_body, shown, text_of
from forgekit.kernel.net.http import Response
from forgekit.kernel.net.rules import retry_after, until

SYSTEM = "github"

UNTOLD = 60.0
"""Seconds to wait where GitHub does not say: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api."""

_LIMITED = (HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
_WORDS = ("rate limit", "abuse detection")


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
    if _nothing_left(response):
        return exhausted(response, now) or UNTOLD
    said = _problem(error_body(response)).lower()
    limited = response.status == HTTPStatus.TOO_MANY_REQUESTS or any(word in said for word in _WORDS)
    return UNTOLD if limited else None


def exhausted(response: Response, now: datetime) -> float | None:
    """Return for how many seconds nothing is left after this answer, however it turned out; None where something is."""
    return until(response.headers.get("x-ratelimit-reset"), now) if _nothing_left(response) else None


def _nothing_left(response: Response) -> bool:
    return response.headers.get("x-ratelimit-remaining") == "0"


def judge(response: Response, what: str, *, hide: str) -> Any:
    """Return what GitHub shows, or raise what ``shown`` does."""
    return shown(response, what, name="GitHub", problem_of=_problem, hide=hide)


def _problem(body: Any) -> str:
    return text_of(body, "message")
