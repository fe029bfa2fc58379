"""How an error is told to a person: what went wrong, where, and what to do."""

from __future__ import annotations

import math
from collections.abc import Iterator

import click

from forgekit.errors import (
    BudgetExhausted,
    ConfigurationError,
    ForgekitError,
    NotConfigured,
    ProjectNotFound,
    RemoteError,
    RemoteForbidden,
    RemoteNotFound,
    RemoteUnauthorized,
    RemoteUnavailable,
    SchemaStale,
    SettingsInvalid,
    SignatureInvalid,
    SprintNotFound,
    StorageBusy,
    StorageError,
    UnknownPlugin,
)

_HINTS: dict[type[ForgekitError], str] = {
    NotConfigured: "set the variables (PLANE_API_URL, PLANE_API_KEY, …; see .env.example), or store them through the host's configuration",
    ProjectNotFound: "see `forgekit project list`; an import makes its project by itself",
    RemoteForbidden: "check the workspace slug, the project id, and that the key's owner is a member of the project",
    RemoteNotFound: "see `forgekit sprint cycles` for what there is",
    RemoteUnauthorized: "make a new key in the tracker's profile settings and configure it",
    RemoteUnavailable: "check the address and that the server runs, then try again",
    SchemaStale: "run `forgekit db upgrade`",
    SignatureInvalid: "check that sender and receiver have the same secret, and that the body is the exact bytes that were sent",
    SprintNotFound: "see `forgekit sprint status`; `forgekit sprint import` brings one in",
    StorageBusy: "try again in a moment",
    StorageError: "check --database or FORGEKIT_DATABASE_URL, and that the file or the server that it names is there",
    UnknownPlugin: "see `forgekit plugins` for what is installed",
}

_OF_SYSTEM: dict[tuple[str, type[ForgekitError]], str] = {
    ("github", RemoteForbidden): "the token must be allowed to read Actions of this repository",
    ("github", RemoteNotFound): "write it as in its address on GitHub (owner/repository); a private one needs GITHUB_TOKEN",
    ("github", RemoteUnauthorized): "set GITHUB_TOKEN to a token that may read Actions, or to none: public repositories need none",
    ("gitlab", RemoteForbidden): "the token must be allowed to read the API of this project",
    ("gitlab", RemoteNotFound): "write it as in its address on GitLab (group/project); a private one needs GITLAB_TOKEN",
    ("gitlab", RemoteUnauthorized): "set GITLAB_TOKEN to a token with the scope read_api, or to none: public projects need none",
}
"""Hints that depend on which outside system it was."""


def exit_code(error: ForgekitError) -> int:
    """Return the exit code that stands for an error."""
    if isinstance(error, ConfigurationError):
        return 3
    if isinstance(error, RemoteError | BudgetExhausted):
        return 4
    return 1


def _lines(error: ForgekitError) -> Iterator[str]:
    yield f"error: {error.message}"
    place = "path" if isinstance(error, SettingsInvalid) else "pointer"
    for problem in error.data.get("problems", ()):
        if problem["message"] not in error.message:
            yield f"  {problem[place]}: {problem['message']}"
    if error.retry_after is not None:
        yield f"hint: try again in {math.ceil(error.retry_after)} s"
    for kind in type(error).__mro__:
        hint = _OF_SYSTEM.get((error.data.get("system", ""), kind)) or _HINTS.get(kind)
        if hint is not None:
            yield f"hint: {hint}"
            return


def tell(error: ForgekitError) -> None:
    """Print an error for a person, on standard error."""
    for line in _lines(error):
        click.echo(line, err=True)
