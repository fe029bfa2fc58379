"""GitLab CI as a ``BuildSource``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from forgekit.builds.models import BuildRecord, Job
from forgekit.builds.ports import BuildPage, BuildQuery, SourceProject
from forgekit.errors import RemoteNotFound
from forgekit_ci.gitlab import _wire
from forgekit_ci.gitlab._client import Client
from forgekit_ci.gitlab._wire import Place

_MAX_PAGES = 1000


class GitLabSource:
    """The pipelines of a project (``forgekit.builds.ports.BuildSource``, ``TellsJobs`` and ``CountsCalls``).

    A pipeline that is retried keeps its id, so each has one attempt. Deployments are builds of their own; they come by webhooks, and
    ``run`` follows them up.

    Calls: ``pages`` one for each page and one for each pipeline on it that has begun, whose times a list does not tell; ``run`` one;
    ``jobs`` one for each page of them; ``project`` one.
    """

    API_VERSION: ClassVar[int] = 1

    def __init__(self, client: Client) -> None:
        """Keep the client; makes no call."""
        self._client = client

    @property
    def calls(self) -> int:
        """How many requests were sent; see ``CountsCalls.calls``."""
        return self._client.calls

    def project(self, name: str) -> SourceProject:
        """Return a project; see ``BuildSource.project``."""
        return _wire.parse_project(self._client.project(name))

    def pages(self, project: str, query: BuildQuery, *, cursor: str | None = None) -> Iterator[BuildPage]:
        """Yield the pipelines of a project, each whole; see ``BuildSource.pages``."""
        place: Place | None = Place() if cursor is None else _wire.read_cursor(cursor)
        while place is not None:
            body, response = self._client.pipelines(project, _wire.params(query), place.page)
            rows = _wire.parse_list(body)
            following = _wire.following(response, place, rows, query, size=self._client.page_size)
            # What joined the list while it was read moved the rest down: that was read before.
            fresh = [row for row in rows if place.below is None or row.id < place.below]
            builds = [self._whole(project, row) for row in fresh if _wire.wanted(query, row)]
            cursor = None if following is None else _wire.write_cursor(following)
            yield BuildPage(builds=builds, cursor=cursor, total=_wire.total(response, query))
            place = following

    def run(self, project: str, build_id: str) -> Sequence[BuildRecord]:
        """Return a pipeline or a deployment; see ``BuildSource.run``."""
        number = build_id.removeprefix(_wire.DEPLOYMENT)
        if not _wire.is_number(number):
            return ()
        try:
            if number != build_id:
                return (_wire.parse_deployment(self._client.deployment(project, number), project),)
            return (_wire.parse_pipeline(self._client.pipeline(project, build_id), project),)
        except RemoteNotFound:
            return ()

    def jobs(self, build: BuildRecord) -> Sequence[Job]:
        """Return the jobs of a pipeline, none of a deployment; see ``TellsJobs.jobs``."""
        if build.build_id.startswith(_wire.DEPLOYMENT):
            return ()
        jobs: list[Job] = []
        for page in range(1, _MAX_PAGES):
            try:
                more = _wire.parse_jobs(self._client.jobs(build.project, build.build_id, page))
            except RemoteNotFound:
                return ()
            jobs += more
            if len(more) < self._client.page_size:
                break
        return jobs

    def _whole(self, project: str, listed: _wire.Listed) -> BuildRecord:
        row = listed.row if _wire.is_open(listed.row) else self._detail(project, listed)
        return _wire.parse_pipeline(row, project)

    def _detail(self, project: str, listed: _wire.Listed) -> _wire.Row:
        try:
            row: _wire.Row = self._client.pipeline(project, str(listed.id))
        except RemoteNotFound:
            return listed.row  # deleted since it was listed
        return row
