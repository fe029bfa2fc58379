"""Pure: what GitLab's REST API (v4) is asked, how what it tells reads, and which error an answer is.

Of a list of pipelines a row tells neither when one started and ended nor how long it ran: that is told of one pipeline at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import attrs

from forgekit.builds.models import FINISHED, BuildRecord, Job, Status
from forgekit.builds.ports import BuildQuery, SourceProject
from forgekit.errors import InvalidInput, RemoteMalformed
from forgekit.kernel.net.answers import shown, text_of
from forgekit.kernel.net.http import Param, Response
from forgekit.kernel.net.rules import until
from forgekit_ci._look import Look
from forgekit_ci.gitlab.words import WORDS

SYSTEM = "gitlab"
DEPLOYMENT = "deployment-"
"""What stands before a deployment's id, which is no pipeline's."""

Row = Mapping[str, Any]
Value = TypeVar("Value")

_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.][A-Za-z0-9_.-]*){1,20}", re.ASCII)
_CURSOR = re.compile(r"([1-9][0-9]{0,8}):([1-9][0-9]{0,18})", re.ASCII)
_MAX_NAME = 500
_COUNT_DIGITS = 10
_ID_DIGITS = 19
_SECOND = timedelta(seconds=1)


def check_name(name: str) -> str:
    """Return a project's path.

    Raises:
        InvalidInput: No project can be called so.

    """
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name) or {".", ".."} & set(name.split("/")):
        problems = [{"pointer": "/project", "message": "must be a path: group/project"}]
        raise InvalidInput(f"{name!r:.80} is no project of GitLab's: that is group/project.", problems=problems)
    return name


def is_number(text: str) -> bool:
    """Tell whether text can be an id."""
    return text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS


# Lists


@attrs.frozen(kw_only=True)
class Place:
    """Where a reading of a list goes on.

    Attributes:
        page: The page to read.
        below: Only pipelines with smaller ids were not read yet; None at the beginning.

    """

    page: int = 1
    below: int | None = None


def read_cursor(text: str) -> Place:
    """Return the place that ``write_cursor`` wrote: one page before it, in case pipelines ahead of it were deleted meanwhile.

    Raises:
        InvalidInput: The text is something else.

    """
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InvalidInput("This is no cursor of a list of GitLab's.", problems=[{"pointer": "?cursor", "message": "is none"}])
    return Place(page=max(1, int(found[1]) - 1), below=int(found[2]))


def write_cursor(place: Place) -> str:
    """Return a place as text."""
    return f"{place.page}:{place.below}"


def params(query: BuildQuery) -> dict[str, Param]:
    """Return what a list is asked with. Servers before ``created_after`` pass over what they do not know: ``wanted`` looks again."""
    # Whether an end belongs to a filter is not promised anywhere: each is a second wider than the query.
    since = None if query.since is None else query.since - _SECOND
    return {
        "order_by": "id",
        "sort": "desc",
        "ref": query.branch,
        "name": query.workflow,
        # What was created later was changed later too.
        "updated_after": _text(since),
        "created_after": _text(since),
        "created_before": _text(None if query.until is None else query.until + _SECOND),
    }


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@attrs.frozen(kw_only=True)
class Listed:
    """A row of a list of pipelines.

    Attributes:
        id: The pipeline's.
        created_at: When it was made.
        branch: Its branch or tag.
        workflow: Its name.
        row: All of it.

    """

    id: int
    created_at: datetime
    branch: str | None
    workflow: str | None
    row: Row


def parse_list(body: Any) -> list[Listed]:
    """Read a page of pipelines."""
    return [_read(_listed, row) for row in _rows(body)]


def _listed(look: Look, row: Row) -> Listed:
    number, created = look.count("id"), look.moment("created_at")
    branch, name = look.text("ref"), look.text("name")
    if not number:
        look.problem("id", "is required")
    look.check()
    return Listed(id=number or 0, created_at=created, branch=branch, workflow=name, row=row)


def wanted(query: BuildQuery, listed: Listed) -> bool:
    """Tell whether a pipeline belongs to a query."""
    return (
        (query.since is None or listed.created_at >= query.since)
        and (query.until is None or listed.created_at < query.until)
        and query.branch in {None, listed.branch}
        and query.workflow in {None, listed.workflow}
    )


def following(response: Response, place: Place, rows: list[Listed], query: BuildQuery, *, size: int) -> Place | None:
    """Return where a list goes on behind a page; None where it ends, or where all that comes is older than the query."""
    if not rows or (query.since is not None and rows[-1].created_at < query.since):
        return None
    told = response.headers.get("x-next-page")
    if len(rows) < size if told is None else not told.strip():
        return None
    below = min(rows[-1].id, place.below or rows[-1].id)
    return Place(page=place.page + 1, below=below)


def total(response: Response, query: BuildQuery) -> int | None:
    """Return how many pipelines a list has, which large servers do not count, and which says nothing where we pass over some."""
    told = response.headers.get("x-total", "")
    whole = query.since is None and query.until is None and query.workflow is None
    return int(told) if whole and told.isascii() and told.isdigit() and len(told) <= _COUNT_DIGITS else None


# Things


def parse_project(body: Any) -> SourceProject:
    """Read a project."""
    return _read(_project, body)


def _project(look: Look, row: Row) -> SourceProject:
    name = look.text("path_with_namespace", required=True)
    branch = look.text("default_branch")
    look.check()
    return SourceProject(name=name or "", private=row.get("visibility") != "public", default_branch=branch)


def parse_pipeline(body: Any, project: str) -> BuildRecord:
    """Read a pipeline, as a list or its own address tells it."""
    return _read(lambda look, _row: _pipeline(look, project), body)


def _pipeline(look: Look, project: str) -> BuildRecord:
    status = look.status("status", WORDS)
    ended = look.time("finished_at") if status in FINISHED else None
    (record,) = look.sighting(
        provider="gitlab",
        project=project,
        build_id=look.text("id", required=True),
        status=status,
        branch=look.text("ref"),
        commit=look.text("sha"),
        workflow=look.text("name"),
        event=look.text("source"),
        actor=look.at("user").text("username"),
        url=look.text("web_url"),
        queued_at=look.time("created_at"),
        started_at=look.time("started_at"),
        finished_at=ended,
        duration_seconds=look.seconds("duration"),
        updated_at=look.time("updated_at") or ended,
    )
    return record


def parse_deployment(body: Any, project: str) -> BuildRecord:
    """Read a deployment."""
    return _read(lambda look, _row: _deployment(look, project), body)


def _deployment(look: Look, project: str) -> BuildRecord:
    status = look.status("status", WORDS)
    job = look.at("deployable")
    (record,) = look.sighting(
        provider="gitlab",
        project=project,
        build_id=f"{DEPLOYMENT}{look.text('id', required=True)}",
        status=status,
        branch=look.text("ref"),
        commit=look.text("sha"),
        workflow="deployment",
        event="deployment",
        actor=look.at("user").text("username"),
        url=job.text("web_url"),
        environment=look.at("environment").text("name"),
        queued_at=look.time("created_at"),
        started_at=job.time("started_at"),
        finished_at=job.time("finished_at") if status in FINISHED else None,
        updated_at=look.time("updated_at"),
    )
    return record


def parse_jobs(body: Any) -> list[Job]:
    """Read a page of jobs."""
    return [job for row in _rows(body) for job in _read(_jobs, row)]


def _jobs(look: Look, _row: Row) -> tuple[Job, ...]:
    status = look.status("status", WORDS)
    jobs = look.job(
        name=look.text("name", required=True), status=status, started_at=look.time("started_at"), finished_at=look.time("finished_at")
    )
    look.check()
    return jobs


def is_open(row: Row) -> bool:
    """Tell whether a listed pipeline has not begun, so that its own address tells no more than its row."""
    word = row.get("status")
    return isinstance(word, str) and WORDS.get(word) is Status.QUEUED


def _rows(body: Any) -> list[Any]:
    if not isinstance(body, list):
        raise RemoteMalformed("GitLab answered something that is no list.", system=SYSTEM)
    return body


def _read(read: Callable[[Look, Row], Value], body: Any) -> Value:
    """Read an object.

    Raises:
        RemoteMalformed: It is not of its shape.

    """
    if not isinstance(body, Mapping):
        raise RemoteMalformed("GitLab answered something that is no object.", system=SYSTEM)
    try:
        return read(Look(body, "GitLab"), body)
    except InvalidInput as error:
        first = error.data["problems"][0]
        raise RemoteMalformed(f"GitLab answered something odd: {first['pointer']} {first['message']}.", system=SYSTEM) from None


# Answers


def exhausted(response: Response, now: datetime) -> float | None:
    """Return for how many seconds nothing is left after this answer; None where something is, or nobody says."""
    return until(response.headers.get("ratelimit-reset"), now) if response.headers.get("ratelimit-remaining") == "0" else None


def judge(response: Response, what: str, *, hide: str) -> Any:
    """Return what GitLab shows, or raise what ``shown`` does."""
    return shown(response, what, name="GitLab", problem_of=lambda body: text_of(body, "message", "error"), hide=hide)
