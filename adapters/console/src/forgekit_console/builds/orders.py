"""What people type into the page's two forms, and what is wrong with it, field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import parse_qsl, urlencode

import attrs

from forgekit.errors import InvalidInput
from forgekit.http import RawRequest

MOST_BYTES = 16_384
"""Bytes that the form of an import may have."""

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20
_MOST_LETTERS = 255
_NAME = r"[A-Za-z0-9_.-]{1,100}"
# People paste what stands in the browser's address: the name is the beginning of its path.
_ADDRESS = re.compile(rf"https?://[^/\s]{{1,255}}/({_NAME}/{_NAME})(?:[/?#].*)?", re.ASCII)
_PROJECT = re.compile(rf"{_NAME}/{_NAME}", re.ASCII)


@attrs.frozen(kw_only=True)
class Order:
    """An import as it was asked for: every value as it was typed.

    Attributes:
        repository: ``owner/repository``.
        branch: Of this branch only; empty for all.
        workflow: Of this workflow only; empty for all.
        since: From this day on; empty for all.
        jobs: Whether to fetch jobs, too.
        problems: What is wrong, by field.

    """

    repository: str = ""
    branch: str = ""
    workflow: str = ""
    since: str = ""
    jobs: bool = False
    problems: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def project(self) -> str:
        """The repository's name, whatever stood around it."""
        found = _ADDRESS.fullmatch(self.repository)
        return found[1].removesuffix(".git") if found is not None else self.repository

    def wanted(self) -> dict[str, Any]:
        """Return what ``forge.builds.request_import`` takes; the order has no problems."""
        since = _day(self.since)
        return {
            "project": self.project,
            "branch": self.branch or None,
            "workflow": self.workflow or None,
            "since": None if since is None else datetime.combine(since, time(), UTC),
            "jobs": self.jobs,
        }


def read_order(raw: RawRequest) -> Order:
    """Read the form of an import, with its problems.

    Raises:
        InvalidInput: It is no such form.

    """
    kind = next((value for name, value in raw.headers if name == "content-type"), "")
    if kind.partition(";")[0].strip().lower() != _FORM:
        raise InvalidInput("The form is sent as the page sends it.")
    try:
        pairs = parse_qsl(raw.body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise InvalidInput("The form is sent as the page sends it.") from None
    given = {name: value.strip() for name, value in pairs}
    order = Order(
        repository=given.get("repository", ""),
        branch=given.get("branch", ""),
        workflow=given.get("workflow", ""),
        since=given.get("since", ""),
        jobs="jobs" in given,
    )
    return attrs.evolve(order, problems=_problems_of(order))


def _problems_of(order: Order) -> dict[str, str]:
    problems = {name: _not_plain(getattr(order, name)) for name in ("branch", "workflow")}
    problems["since"] = _no_day(order.since)
    if not order.repository:
        problems["repository"] = "Name a repository, such as octocat/hello-world."
    elif not _PROJECT.fullmatch(order.project) or {".", ".."} & set(order.project.split("/")):
        problems["repository"] = "A repository is named owner/repository, as in its address on GitHub."
    return {name: problem for name, problem in problems.items() if problem}


@attrs.frozen(kw_only=True)
class Filters:
    """Which builds the analysis is about, as the address says it.

    Attributes:
        project: Of this project; empty for all.
        branch: Of this branch; empty for all.
        since: From this day on.
        until: Until this day.

    """

    project: str = ""
    branch: str = ""
    since: str = ""
    until: str = ""

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by field."""
        found = {name: _not_plain(getattr(self, name)) for name in ("project", "branch")}
        found |= {name: _no_day(getattr(self, name)) for name in ("since", "until")}
        return {name: problem for name, problem in found.items() if problem}

    @property
    def given(self) -> dict[str, str]:
        """What is set."""
        return {name: value for name, value in attrs.asdict(self).items() if value}

    @property
    def query(self) -> str:
        """The same as a query, with its question mark; empty where nothing is set."""
        return f"?{urlencode(self.given)}" if self.given else ""

    def wanted(self) -> dict[str, Any]:
        """Return what ``forge.builds.analysis`` takes; nothing is wrong with the filters."""
        return {
            "project": self.project or None,
            "branch": self.branch or None,
            "since": _day(self.since),
            "until": _day(self.until),
        }


def _not_plain(value: str) -> str:
    plain = len(value) <= _MOST_LETTERS and value.isprintable()
    return "" if plain else f"That must be text on one line of at most {_MOST_LETTERS} letters."


def _no_day(value: str) -> str:
    try:
        _day(value)
    except ValueError:
        return "That must be a day, such as 2026-02-10."
    return ""


def _day(value: str) -> date | None:
    return date.fromisoformat(value) if value else None
