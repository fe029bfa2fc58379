"""What an import of builds is: how far it has come, how it stands, and what it brought."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import attrs

from forgekit.errors import InvalidInput

_MAX_TEXT = 500


@attrs.frozen(kw_only=True)
class ImportKey:
    """What is imported; no two imports of the same go on at once.

    Attributes:
        source: The system, by the name that it is offered under.
        project: The project, as it was named.
        branch: Of this branch only; empty for all.
        workflow: Of this workflow only; empty for all.

    """

    source: str
    project: str
    branch: str = ""
    workflow: str = ""


@attrs.frozen(kw_only=True)
class Wanted:
    """Which builds are to be imported.

    Attributes:
        key: What of.
        since: From when on; None from the beginning.
        jobs: Whether the jobs are wanted too.

    """

    key: ImportKey
    since: datetime | None = None
    jobs: bool = False


def wanted(
    source: str, project: str, *, branch: str | None = None, workflow: str | None = None, since: datetime | None = None, jobs: bool = False
) -> Wanted:
    """Return what somebody asks for, checked; see ``forge.builds.import_builds``.

    Raises:
        InvalidInput: A name is empty or too long, or ``since`` is no moment or has no time zone.

    """
    given = {"project": project, "branch": branch or "", "workflow": workflow or ""}
    problems = [
        {"pointer": f"/{name}", "message": f"must be text of at most {_MAX_TEXT} characters"}
        for name, value in given.items()
        if not _is_name(value)
    ]
    if not problems and not project.strip():
        problems.append({"pointer": "/project", "message": "must not be empty"})
    if since is not None and not _has_zone(since):
        problems.append({"pointer": "/since", "message": "must be a moment with a time zone"})
    if problems:
        raise InvalidInput("The import cannot be asked for so.", problems=problems)
    key = ImportKey(source=source, project=project.strip(), branch=branch or "", workflow=workflow or "")
    return Wanted(key=key, since=None if since is None else since.replace(microsecond=0), jobs=jobs)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_TEXT and value.isprintable()


def _has_zone(value: object) -> bool:
    return isinstance(value, datetime) and value.utcoffset() is not None


@attrs.frozen(kw_only=True)
class Checkpoint:
    """How far imports of a key have come, stored with the builds of every page.

    Builds created from ``covered_since`` to ``watermark`` are here. A list that was left off is resumed at ``cursor``.

    Attributes:
        key: What is imported.
        name: The project's own name, under which its builds are stored; None before the first build.
        label: The workflow's own name, likewise.
        watermark: When the newest build was created that a list which was read to its end had.
        covered_since: From when on; None from the beginning.
        cursor: Where a list was left off; None where none was.
        floor: From when on that list goes.
        ceiling: Until when it goes; None for a list of the newest.
        top: When its newest build was created.
        listed: How many builds of it were read.
        total: How many it has, as far as the system told.
        reruns: Runs whose earlier attempts are not here yet, as ``attempt:id``.
        mark: With which the source tells whether anything is new.
        mark_since: From when on the mark tells that.
        holder: Who imports now; None for nobody.
        held_until: Until when, unless they prolong it.

    """

    key: ImportKey
    name: str | None = None
    label: str | None = None
    watermark: datetime | None = None
    covered_since: datetime | None = None
    cursor: str | None = None
    floor: datetime | None = None
    ceiling: datetime | None = None
    top: datetime | None = None
    listed: int = 0
    total: int | None = None
    reruns: tuple[str, ...] = ()
    mark: str | None = None
    mark_since: datetime | None = None
    holder: str | None = None
    held_until: datetime | None = None


class ImportStatus(StrEnum):
    """How an import in the background stands."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    """It goes on by itself at ``retry_at``."""
    DONE = "done"
    FAILED = "failed"


UNFINISHED = (ImportStatus.QUEUED, ImportStatus.RUNNING, ImportStatus.WAITING)
"""An import in one of these goes on."""


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import brought.

    Attributes:
        fetched: How many builds came, re-runs among them.
        accepted: How many of them are new.
        updated: How many were known and changed.
        duplicates: How many were known so.
        open: How many have not ended yet; the next import asks for them again.
        calls: How many calls it took; None where the source does not count.
        total: How many builds the system says that the lists have which were read; None where it does not tell.
        complete: Whether as many came; None where the system does not tell.

    """

    fetched: int = 0
    accepted: int = 0
    updated: int = 0
    duplicates: int = 0
    open: int = 0
    calls: int | None = None
    total: int | None = None
    complete: bool | None = None


@attrs.frozen(kw_only=True)
class BuildImport:
    """An import in the background, as it stands.

    Attributes:
        id: Its id (UUIDv7).
        source: The system.
        project: The project, as it was named.
        branch: Of this branch only.
        workflow: Of this workflow only.
        since: From when on; None from the beginning.
        jobs: Whether jobs are fetched too.
        status: How it stands.
        fetched: How many builds, and with ``jobs`` builds' jobs, have come so far.
        total: How many there are, as far as is known.
        accepted: How many builds are new.
        updated: How many were known and changed.
        duplicates: How many were known so.
        calls: How many calls it took.
        complete: Whether all came that the system says it has; None before the end, or where it does not tell.
        error: What it waits for or failed at, for people.
        code: The error's code, for programs.
        failures: How often in a row the system could not be reached.
        retry_at: When it goes on.
        requested_at: When it was asked for.
        started_at: When it began.
        changed_at: When it last came on.
        finished_at: When it ended.

    """

    id: str
    source: str
    project: str
    branch: str | None = None
    workflow: str | None = None
    since: datetime | None = None
    jobs: bool = False
    status: ImportStatus = ImportStatus.QUEUED
    fetched: int = 0
    total: int | None = None
    accepted: int = 0
    updated: int = 0
    duplicates: int = 0
    calls: int = 0
    complete: bool | None = None
    error: str | None = None
    code: str | None = None
    failures: int = 0
    retry_at: datetime | None = None
    requested_at: datetime
    started_at: datetime | None = None
    changed_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def wanted(self) -> Wanted:
        """What it imports."""
        key = ImportKey(source=self.source, project=self.project, branch=self.branch or "", workflow=self.workflow or "")
        return Wanted(key=key, since=self.since, jobs=self.jobs)
