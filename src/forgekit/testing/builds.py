"""The suite that every build source passes.

::

    class TestShopSource(BuildSourceContract):
        @pytest.fixture
        def stage(self):
            with ShopServer() as server:
                yield ShopStage(server)

``stage`` is the one fixture to write: the source under test, and the other side, where builds run. What a system need not have is a
fixture too, to be overridden with False.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from forgekit.builds import FINISHED, BuildRecord, Status
from forgekit.builds.ports import BuildPage, BuildQuery, BuildSource, Newest, TellsAttempts, TellsJobs, TellsNews
from forgekit.errors import InvalidInput, RemoteError, RemoteNotFound

STRANGE_PROJECTS = ("", ".", "..", "acme/no-such-thing", "../../user", "a/b/../c", "acme/shop?x=1", "#", "käse/🧀", "x" * 500)
STRANGE_CURSORS = ("", "x", "{}x", "[]", "null", '{"page": 0}', '{"page": "1"}', "[" * 2000, "🧀")
EVERYTHING = BuildQuery()
_START = datetime(2026, 3, 2, 10, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


class BuildSourceStage(Protocol):
    """A source under test, and the system on its other side, which has one project."""

    @property
    def source(self) -> BuildSource:
        """The source under test; the same one each time."""
        ...

    @property
    def provider(self) -> str:
        """The name that the source is offered under, which is its builds' provider."""
        ...

    @property
    def project(self) -> str:
        """The project's name."""
        ...

    def add_build(
        self,
        *,
        created_at: datetime,
        status: Status = Status.PASSED,
        branch: str = "main",
        workflow: str = "ci",
        commit: str | None = None,
    ) -> str:
        """Make a build that was asked for at a moment (whole seconds) and stands so; return its id."""
        ...

    def workflow(self, name: str) -> str:
        """Return how a query names the workflow of this name; never called where ``knows_workflows`` is False."""
        ...

    def finish(self, build_id: str, status: Status) -> None:
        """Let a build that runs end so, a while after its start."""
        ...

    def rerun(self, build_id: str, status: Status) -> None:
        """Run a build once more, with this end; never called where ``knows_attempts`` is False."""
        ...


class BuildSourceContract:
    """What a ``BuildSource`` promises; subclass it and write the fixture ``stage``."""

    # What to override

    @pytest.fixture
    def stage(self) -> BuildSourceStage:
        """Return the source under test and its other side."""
        pytest.fail("a subclass of BuildSourceContract writes the fixture stage")

    @pytest.fixture
    def knows_workflows(self) -> bool:
        """Tell whether a project has several workflows, which can be asked for alone."""
        return True

    @pytest.fixture
    def knows_attempts(self) -> bool:
        """Tell whether a re-run is another attempt of the same build: elsewhere it is another build, or the same one begun again."""
        return True

    @pytest.fixture
    def many(self) -> int:
        """Return how many builds to list: more than fit on the source's first page."""
        return 30

    # What is promised

    def test_it_says_which_contract_it_was_written_for(self, stage: BuildSourceStage) -> None:
        """A source names the version of the port, so that a later forge knows what it has."""
        assert stage.source.API_VERSION == 1

    def test_a_project_is_known_by_its_name(self, stage: BuildSourceStage) -> None:
        """``project`` tells the name that builds are stored under."""
        stage.add_build(created_at=_START)
        name = stage.source.project(stage.project).name
        assert {build.project for build in _listed(stage)} == {name}

    @pytest.mark.parametrize("name", STRANGE_PROJECTS)
    def test_an_unknown_project_is_not_found(self, stage: BuildSourceStage, name: str) -> None:
        """No text leads anywhere but to a project: what is none is not found, or no name at all."""
        stage.add_build(created_at=_START)
        for ask in (lambda: stage.source.project(name), lambda: list(stage.source.pages(name, EVERYTHING))):
            with pytest.raises((RemoteNotFound, InvalidInput)):
                ask()

    def test_a_build_tells_what_it_is(self, stage: BuildSourceStage) -> None:
        """Identity, branch, commit and times arrive; times are in UTC and in order."""
        build_id = stage.add_build(created_at=_START, branch="topic", commit="c0ffee" * 6 + "c0de")
        (build,) = _listed(stage)
        assert build.key == (stage.provider, stage.source.project(stage.project).name, build_id, 1)
        assert (build.status, build.branch, build.commit) == (Status.PASSED, "topic", "c0ffee" * 6 + "c0de")
        assert build.queued_at == _START
        assert build.started_at is not None
        assert build.finished_at is not None
        assert _START <= build.started_at <= build.finished_at
        assert build.started_at.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("status", [Status.PASSED, Status.FAILED, Status.CANCELED, Status.RUNNING, Status.QUEUED])
    def test_a_build_tells_where_it_stands(self, stage: BuildSourceStage, status: Status) -> None:
        """Every status is recognised; an end is told of what ended alone, a start not of what waits."""
        stage.add_build(created_at=_START, status=status)
        (build,) = _listed(stage)
        assert build.status is status
        assert (build.finished_at is not None) is (status in FINISHED)
        assert build.started_at is None or status is not Status.QUEUED

    def test_builds_are_complete(self, stage: BuildSourceStage, many: int) -> None:
        """However many builds there are, each is in some page, the newest first."""
        made = _fill(stage, many)
        builds = _listed(stage)
        assert {build.build_id for build in builds} == set(made)
        created = [build.queued_at for build in builds]
        assert created == sorted(created, key=lambda moment: moment or _START, reverse=True)

    def test_builds_of_one_moment_are_complete(self, stage: BuildSourceStage, many: int) -> None:
        """Builds that were asked for in the same second are all listed."""
        made = {stage.add_build(created_at=_START) for _ in range(many)}
        assert {build.build_id for build in _listed(stage)} == made

    def test_the_total_is_how_many_there_are(self, stage: BuildSourceStage, many: int) -> None:
        """Where a total is told it is the number of builds of the whole query."""
        made = _fill(stage, many)
        assert {page.total for page in _pages(stage)} <= {None, len(made)}

    def test_listing_again_tells_the_same(self, stage: BuildSourceStage, many: int) -> None:
        """Where nothing happened meanwhile, the pages are the same."""
        _fill(stage, many)
        assert list(_pages(stage)) == list(_pages(stage))

    def test_a_project_without_builds_has_one_page(self, stage: BuildSourceStage) -> None:
        """A page comes in any case, so that who reads sees that it is the last."""
        stage.add_build(created_at=_START, branch="other")
        (page,) = stage.source.pages(stage.project, BuildQuery(branch="main"))
        assert (list(page.builds), page.cursor) == ([], None)

    def test_listing_goes_on_at_any_page(self, stage: BuildSourceStage, many: int) -> None:
        """From each page's cursor the rest comes, though builds were added since; the last page has none."""
        _fill(stage, many)
        pages = list(_pages(stage))
        stage.add_build(created_at=_START + timedelta(days=1))
        assert [page.cursor is None for page in pages] == [*(False for _ in pages[1:]), True]
        for number, page in enumerate(pages[:-1]):
            rest = _ids(pages[number + 1 :])
            assert rest <= _ids(stage.source.pages(stage.project, EVERYTHING, cursor=page.cursor))

    @pytest.mark.parametrize("cursor", STRANGE_CURSORS)
    def test_a_strange_cursor_is_refused(self, stage: BuildSourceStage, cursor: str) -> None:
        """What is no cursor is an error of the library's, never a crash."""
        stage.add_build(created_at=_START)
        with pytest.raises((InvalidInput, RemoteError)):
            list(stage.source.pages(stage.project, EVERYTHING, cursor=cursor))

    def test_a_branch_can_be_asked_for(self, stage: BuildSourceStage, many: int) -> None:
        """Builds of other branches do not come."""
        _fill(stage, many)
        wanted = {stage.add_build(created_at=_START - number * _MINUTE, branch="topic") for number in range(1, 4)}
        assert _ids(stage.source.pages(stage.project, BuildQuery(branch="topic"))) == wanted

    def test_a_workflow_can_be_asked_for(self, stage: BuildSourceStage, *, knows_workflows: bool) -> None:
        """Builds of other workflows do not come."""
        if not knows_workflows:
            pytest.skip("this system has one workflow a project")
        stage.add_build(created_at=_START, workflow="ci")
        wanted = stage.add_build(created_at=_START - _MINUTE, workflow="nightly")
        assert _ids(stage.source.pages(stage.project, BuildQuery(workflow=stage.workflow("nightly")))) == {wanted}

    def test_a_time_can_be_asked_for(self, stage: BuildSourceStage, many: int) -> None:
        """``since`` is the first moment that counts, ``until`` the first that does not."""
        made = _fill(stage, many)
        low, high = many // 4, many // 2
        query = BuildQuery(since=_START + low * _MINUTE, until=_START + high * _MINUTE)
        assert _ids(stage.source.pages(stage.project, query)) == set(made[low:high])
        assert _ids(stage.source.pages(stage.project, BuildQuery(since=query.since))) == set(made[low:])
        assert _ids(stage.source.pages(stage.project, BuildQuery(until=query.until))) == set(made[:high])

    def test_an_open_build_is_told_until_it_ends(self, stage: BuildSourceStage) -> None:
        """``run`` tells a build as it stands now."""
        build_id = stage.add_build(created_at=_START, status=Status.RUNNING)
        (before,) = stage.source.run(stage.project, build_id)
        stage.finish(build_id, Status.FAILED)
        (after,) = stage.source.run(stage.project, build_id)
        assert (before.key, before.status, after.status) == (after.key, Status.RUNNING, Status.FAILED)
        assert after.finished_at is not None

    @pytest.mark.parametrize("build_id", ["999999999999", "..", "a/b", "?x=1", "🧀"])
    def test_an_unknown_build_is_none(self, stage: BuildSourceStage, build_id: str) -> None:
        """``run`` of what the system does not know is empty; what cannot be an id may be refused."""
        stage.add_build(created_at=_START)
        try:
            assert not stage.source.run(stage.project, build_id)
        except InvalidInput:
            return

    def test_every_attempt_is_told(self, stage: BuildSourceStage, *, knows_attempts: bool) -> None:
        """A re-run is another attempt of the same build, and keeps the earlier ones as they ended."""
        if not knows_attempts:
            pytest.skip("this system does not keep the attempts of a build apart")
        build_id = stage.add_build(created_at=_START, status=Status.FAILED)
        stage.rerun(build_id, Status.PASSED)
        attempts = sorted(stage.source.run(stage.project, build_id), key=lambda build: build.attempt)
        assert [(build.attempt, build.status) for build in attempts] == [(1, Status.FAILED), (2, Status.PASSED)]
        assert attempts[0].started_at != attempts[1].started_at
        latest = max(_listed(stage), key=lambda build: build.attempt)
        assert latest == attempts[1]
        if isinstance(stage.source, TellsAttempts):
            assert list(stage.source.earlier(latest)) == attempts[:1]

    def test_jobs_are_told(self, stage: BuildSourceStage) -> None:
        """A source that tells jobs tells at least one of a build that ran, with its end."""
        if not isinstance(stage.source, TellsJobs):
            pytest.skip("this source tells no jobs")
        stage.add_build(created_at=_START)
        jobs = stage.source.jobs(_listed(stage)[0])
        assert jobs
        assert all(job.name and job.status is Status.PASSED and job.finished_at is not None for job in jobs)

    def test_news_are_told_once(self, stage: BuildSourceStage) -> None:
        """A source that tells news says so where there are none, and shows them where there are."""
        if not isinstance(stage.source, TellsNews):
            pytest.skip("this source has no cheap way to tell whether anything is new")
        stage.add_build(created_at=_START)
        first = stage.source.newest(stage.project, EVERYTHING)
        assert stage.source.newest(stage.project, EVERYTHING, mark=first.mark).page is None
        added = stage.add_build(created_at=_START + _MINUTE)
        news = stage.source.newest(stage.project, EVERYTHING, mark=first.mark)
        assert added in _ids([_page_of(news)])

    def test_the_newest_are_the_first_page(self, stage: BuildSourceStage, many: int) -> None:
        """``newest`` tells what the first page tells, and everything since the moment that it names is on it."""
        if not isinstance(stage.source, TellsNews):
            pytest.skip("this source has no cheap way to tell whether anything is new")
        _fill(stage, many)
        news = stage.source.newest(stage.project, EVERYTHING)
        page = _page_of(news)
        assert page == next(iter(_pages(stage)))
        assert news.since is not None
        assert {build.build_id for build in _listed(stage) if build.queued_at and build.queued_at >= news.since} <= _ids([page])


def _fill(stage: BuildSourceStage, many: int) -> list[str]:
    """Make builds a minute apart and return their ids, the oldest first."""
    return [stage.add_build(created_at=_START + number * _MINUTE) for number in range(many)]


def _pages(stage: BuildSourceStage) -> Iterable[BuildPage]:
    return stage.source.pages(stage.project, EVERYTHING)


def _listed(stage: BuildSourceStage) -> Sequence[BuildRecord]:
    """Return every build as it was listed, each once."""
    found = {build.key: build for page in _pages(stage) for build in page.builds}
    return list(found.values())


def _ids(pages: Iterable[BuildPage]) -> set[str]:
    return {build.build_id for page in pages for build in page.builds}


def _page_of(news: Newest) -> BuildPage:
    assert news.page is not None
    return news.page
