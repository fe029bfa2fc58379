"""GitHub Actions as a ``BuildSource``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import attrs

from forgekit.builds import BuildRecord, Job, Status
from forgekit.builds.ports import BuildPage, BuildQuery, Newest, SourceProject
from forgekit.errors import InvalidInput, RemoteMalformed, RemoteNotFound
from forgekit.kernel.net.http import Param
from forgekit_github import _listing, _wire
from forgekit_github._client import Client
from forgekit_github._judge import SYSTEM
from forgekit_github._listing import Place

_T = TypeVar("_T")

_MAX_PAGES = 1000
_NO_JOBS = frozenset({Status.ERRORED, Status.SKIPPED})


class GithubSource:
    """The workflow runs of repositories (``forgekit.builds.ports.BuildSource`` with all its optional parts).

    Calls, each one of the token's hour: ``pages`` one for each 100 runs, ``newest`` one, which costs nothing where nothing changed
    and a token is given; ``run`` one for each attempt; ``earlier`` one for each attempt before; ``jobs`` one for each 100 jobs;
    ``project`` one.
    """

    API_VERSION: ClassVar[int] = 1

    def __init__(self, client: Client, *, cap: int = _listing.CAP) -> None:
        """Keep the client; makes no call. ``cap`` is how many runs GitHub shows of one search."""
        self._client = client
        self._cap = cap

    @property
    def calls(self) -> int:
        """How many requests were sent; see ``CountsCalls.calls``."""
        return self._client.calls

    def project(self, name: str) -> SourceProject:
        """Return a repository under its present name; see ``BuildSource.project``."""
        row = _mapping(self._client.repository(name))
        return SourceProject(
            name=_wire.text(row, "full_name") or name,
            private=row.get("private") is True,
            default_branch=_wire.text(row, "default_branch"),
        )

    def pages(self, project: str, query: BuildQuery, *, cursor: str | None = None) -> Iterator[BuildPage]:
        """Yield the runs of a repository, each in its latest attempt; see ``BuildSource.pages``."""
        place: Place | None = _listing.first(query) if cursor is None else _listing.read_cursor(cursor, size=self._client.page_size)
        while place is not None:
            sheet = self._page(project, query, place)
            if sheet is None:
                raise RemoteMalformed("GitHub says that a list has not changed, and nobody asked.", system=SYSTEM, status=304)
            yield sheet.page
            place = sheet.following

    def newest(self, project: str, query: BuildQuery, *, mark: str | None = None) -> Newest:
        """Return the newest runs, or that they are as they were; see ``TellsNews.newest``."""
        sheet = self._page(project, query, _listing.first(query), mark)
        return Newest(page=None, mark=mark) if sheet is None else Newest(page=sheet.page, mark=sheet.mark, since=sheet.since)

    def run(self, project: str, build_id: str) -> Sequence[BuildRecord]:
        """Return every attempt of a run, the first one first; see ``BuildSource.run``."""
        if not _is_run(build_id):
            raise InvalidInput("A run's id is a number.", problems=[{"pointer": "/build_id", "message": "must be a number"}])
        try:
            latest = _parse(_wire.parse_run, _mapping(self._client.run(project, build_id)))
        except RemoteNotFound:
            return ()
        return (*self.earlier(latest), latest)

    def earlier(self, build: BuildRecord) -> Sequence[BuildRecord]:
        """Return the attempts before one; see ``TellsAttempts.earlier``."""
        attempts = (self._attempt(build, number) for number in range(1, build.attempt))
        return tuple(attempt for attempt in attempts if attempt is not None)

    def jobs(self, build: BuildRecord) -> Sequence[Job]:
        """Return the jobs of an attempt; what never started has none, and is not asked for them; see ``TellsJobs.jobs``."""
        if build.status in _NO_JOBS or not _is_run(build.build_id):
            return ()
        rows: list[_wire.Row] = []
        for page in range(1, _MAX_PAGES):
            try:
                more, total = _parse(_wire.parse_list, self._client.jobs(build.project, build.build_id, build.attempt, page), "jobs")
            except RemoteNotFound:
                return ()
            rows += more
            if len(more) < self._client.page_size or len(rows) == total:
                break
        return _parse(_wire.parse_jobs, rows, build.attempt)

    def _attempt(self, build: BuildRecord, attempt: int) -> BuildRecord | None:
        try:
            row = self._client.run(build.project, build.build_id, attempt)
        except RemoteNotFound:
            return None
        return _parse(_wire.parse_run, _mapping(row), project=build.project)

    def _page(self, project: str, query: BuildQuery, place: Place, mark: str | None = None) -> _Sheet | None:
        """Read one page; None where it has not changed since the mark was given."""
        body, mark = self._client.runs(project, query.workflow, _params(query, place), mark)
        if body is None:
            return None
        rows, total = _parse(_wire.parse_list, body, "workflow_runs")
        created = [_parse(_wire.created_at, row) for row in rows]
        following = _listing.following(query, place, created, total, size=self._client.page_size, cap=self._cap)
        pairs = [(_parse(_wire.parse_run, row), moment) for row, moment in zip(rows, created, strict=True)]
        # A fork's branch of the same name is listed too, and is another branch.
        asked = [build for build, moment in pairs if _listing.within(query, moment)]
        builds = [build for build in asked if query.branch in (None, build.branch)]
        others = len(asked) - len(builds)
        if following is None and place.page == 1 and place.whole is None:
            total, others = len(builds), 0
        elif place.upper is None and query.since is not None:
            total = None
        cursor = None if following is None else _listing.write_cursor(following, size=self._client.page_size)
        page = BuildPage(builds=builds, cursor=cursor, total=total if place.whole is None else place.whole, others=others)
        return _Sheet(page=page, following=following, mark=mark, since=_complete_since(created, following))


@attrs.frozen(kw_only=True)
class _Sheet:
    """A page as it was read.

    Attributes:
        page: The page.
        following: The page behind it.
        mark: What tells whether it has changed.
        since: Every run created at this moment or later is on the page, where it is the first.

    """

    page: BuildPage
    following: Place | None
    mark: str | None
    since: datetime | None


def _is_run(build_id: str) -> bool:
    """Tell whether an id is a run's: deployments and check suites, of which webhooks tell, have others."""
    return build_id.isascii() and build_id.isdigit()


def _params(query: BuildQuery, place: Place) -> dict[str, Param]:
    page = None if place.page == 1 else place.page
    return {"branch": query.branch, "created": _listing.window(query, place), "page": page}


def _complete_since(created: Sequence[datetime], following: Place | None) -> datetime | None:
    if not created:
        return None
    # Of the last run's second there may be more behind it.
    return min(created) if following is None else min(created) + timedelta(seconds=1)


def _mapping(body: Any) -> _wire.Row:
    if not isinstance(body, Mapping):
        raise RemoteMalformed("GitHub answered something that is no object.", system=SYSTEM)
    return body


def _parse(read: Callable[..., _T], *values: Any, **options: Any) -> _T:
    """Read something that GitHub told.

    Raises:
        RemoteMalformed: It is not of its shape.

    """
    try:
        return read(*values, **options)
    except _wire.Malformed as error:
        raise RemoteMalformed(f"GitHub answered something odd: {error.pointer} {error.problem}.", system=SYSTEM) from None
