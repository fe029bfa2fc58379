"""Pure: what an answer of another system comes to: its body, or an error. What a system does in a way of its own its adapter says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import attrs

from forgekit.errors import RemoteError, RemoteForbidden, RemoteMalformed, RemoteNotFound, RemoteRefused, RemoteUnauthorized
from forgekit.kernel.net.http import Response

MAX_PROBLEM = 300
"""Characters of what a system says went wrong."""

_MAX_READ = 10_000  # characters of it that are looked at


@attrs.frozen(kw_only=True)
class Refusal:
    """An answer with a status of 400 or more.

    Attributes:
        system: Who answered.
        status: The status.
        problem: What went wrong in the system's words, one line without the secret; empty where it says nothing.
        body: The decoded body; None where it is no JSON, such as a proxy's page.

    """

    system: str
    status: int
    problem: str
    body: Any = attrs.field(repr=False)


def content_of(
    response: Response, fail: Callable[[Refusal], RemoteError], *, problem_of: Callable[[Any], str], redirected: str, hide: str = ""
) -> Any:
    """Return the decoded body of an answer that is a success; None where it has none.

    Args:
        response: The answer; limits and faults of the server have been raised by the session already.
        fail: Says which error a refusal is.
        problem_of: Returns what the body of an error says, of any length.
        redirected: What is said of a redirect that nobody follows.
        hide: A secret that must not stand in an error, though the server repeats it; empty for none.

    Raises:
        RemoteError: What ``fail`` says.
        RemoteMalformed: A redirect, or a body that is not JSON.

    """
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return response.json() if response.content else None
    if response.status < HTTPStatus.BAD_REQUEST:
        raise RemoteMalformed(redirected, system=response.system, status=response.status)
    body = error_body(response)
    problem = _one_line(problem_of(body), hide)
    raise fail(Refusal(system=response.system, status=response.status, problem=problem, body=body))


def error_body(response: Response) -> Any:
    """Return the body of an error; None where it is no JSON: the status still tells what happened."""
    try:
        return response.json()
    except RemoteMalformed:
        return None


def text_of(body: Any, *names: str) -> str:
    """Return the first of some members of an error's body that is a text with anything in it; the empty text where there is none."""
    found = (body.get(name) for name in names) if isinstance(body, Mapping) else ()
    return next((text for text in found if isinstance(text, str) and text), "")


def shown(response: Response, what: str, *, name: str, problem_of: Callable[[Any], str], hide: str = "") -> Any:
    """Return what a system was asked to show, decoded, where nothing but the status tells why it does not.

    Args:
        response: The answer.
        what: What was asked for: ``the repository acme/shop``.
        name: The system for people: ``GitHub``.
        problem_of: As for ``content_of``.
        hide: The token that was shown, which must not stand in an error; empty where none was.

    Raises:
        RemoteUnauthorized: The token is refused (401).
        RemoteForbidden: The token may not (403).
        RemoteNotFound: There is no such thing, or not for this token (404, 410).
        RemoteRefused: Any other 4xx.
        RemoteMalformed: A redirect that leads nowhere, or a body that is not JSON.

    """

    def fail(refusal: Refusal) -> RemoteError:
        data: dict[str, Any] = {"system": refusal.system, "status": refusal.status}
        match refusal.status:
            case HTTPStatus.UNAUTHORIZED:
                return RemoteUnauthorized(f"{name} refuses the token: it is wrong, expired or revoked.", **data)
            case HTTPStatus.FORBIDDEN:
                return RemoteForbidden(f"{name} does not permit to see {what}: {refusal.problem or 'no reason given'}", **data)
            case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
                # What one may not see looks as if it were not there.
                return RemoteNotFound(f"{name} does not know {what}, or not {'for this' if hide else 'without a'} token.", **data)
            case _:
                return RemoteRefused(f"{name} refuses to show {what}: {refusal.problem or f'HTTP {refusal.status}'}", **data)

    return content_of(response, fail, problem_of=problem_of, redirected=f"{name} redirects {what}: was it renamed?", hide=hide)


def _one_line(text: str, hide: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text[:_MAX_READ]).split())
    # Before it is cut: of a secret at the end a part would stay.
    return (plain.replace(hide, "****") if hide else plain)[:MAX_PROBLEM].rstrip()
