"""Errors as people see them: what went wrong and what to do, as a page or for the page's own script."""

from __future__ import annotations

import math
from http import HTTPStatus

import attrs

from forgekit import errors
from forgekit.http import Page, Problem, Problems, detail_problems
from forgekit_console.rendering import page

_STATUSES = detail_problems(
    {
        errors.NotConfigured: 409,
        errors.RemoteRateLimited: 429,
        errors.UnknownPlugin: 404,
        errors.InvalidInput: 400,
    }
)

_ADVICE: dict[type[errors.ForgekitError], str] = {
    errors.RemoteUnauthorized: "Set another key, e.g. as PLANE_API_KEY.",
    errors.RemoteForbidden: "Is the key's user a member, and the workspace's name right?",
    errors.RemoteNotFound: "Was the cycle deleted, or is the project's id wrong?",
    errors.RemoteMalformed: "Does the server's address lead to a Plane?",
    errors.BudgetExhausted: "Plane allows a key so many calls a minute, and background work uses them, too.",
}


def words(error: errors.ForgekitError) -> str:
    """Say what went wrong, what to do, and when to try again."""
    advice = next((_ADVICE[kind] for kind in type(error).__mro__ if kind in _ADVICE), "")
    again = "" if error.retry_after is None else f"Try again in {max(1, math.ceil(error.retry_after))} s."
    return " ".join(part for part in (_sentence(error.message), *_details(error), advice, again) if part)


def _sentence(message: str) -> str:
    # Some messages are a contract's or the tracker's own words.
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _details(error: errors.ForgekitError) -> list[str]:
    problems = error.data.get("problems", ()) if isinstance(error, errors.InvalidInput) else ()
    return [f"{each['pointer'].lstrip('/')}: {_sentence(each['message'])}" for each in problems if each["message"] != error.message]


def json_problems(error: errors.ForgekitError) -> Problem:
    """Answer the page's own script."""
    problem = _STATUSES(error)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return problem  # what is no caller's business keeps the machine's words
    return attrs.evolve(problem, body={"detail": words(error)})


def page_problems(error: errors.ForgekitError) -> Problem:
    """Answer a person, with the sign-in where the host asks for its token."""
    return page_problems_below("")(error)


def page_problems_below(up: str) -> Problems:
    """Return what answers a person on a page from which ``up`` leads to where the host mounted the application."""

    def answer(error: errors.ForgekitError) -> Problem:
        problem = json_problems(error)
        return attrs.evolve(problem, body=_page_of(error, problem, up))

    return answer


def _page_of(error: errors.ForgekitError, problem: Problem, up: str) -> Page:
    if isinstance(error, errors.Unauthenticated):
        return page("sign_in.html", up=up)
    return page("problem.html", up=up, message=problem.body["detail"])
