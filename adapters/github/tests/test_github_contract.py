"""The adapter, looking at FakeGitHub, is a build source like any other."""

from __future__ import annotations

import attrs
import pytest

from forgekit.builds import Status
from forgekit.builds.ports import BuildSource
from forgekit.testing import BuildSourceContract, FakeGitHub

STATES = {Status.RUNNING: "in_progress", Status.QUEUED: "queued"}
CONCLUSIONS = {Status.PASSED: "success", Status.FAILED: "failure", Status.CANCELED: "cancelled"}


@attrs.frozen
class GithubStage:
    """A person who pushes to a repository."""

    github: FakeGitHub
    source: BuildSource
    project: str = "acme/shop"
    provider: str = "github"

    def add_build(self, *, created_at, status=Status.PASSED, branch="main", workflow="ci", commit=None):
        conclusion = CONCLUSIONS.get(status, "success")
        told = {"workflow": workflow, "file": f"{workflow}.yml", "branch": branch, "sha": commit, "created_at": created_at}
        run_id = self.github.add_run(self.project, status=STATES.get(status, "completed"), conclusion=conclusion, **told)
        return str(run_id)

    def workflow(self, name):
        return f"{name}.yml"

    def finish(self, build_id, status):
        self.github.finish_run(int(build_id), CONCLUSIONS[status])

    def rerun(self, build_id, status):
        self.github.rerun(int(build_id), conclusion=CONCLUSIONS[status])


class TestGithubSource(BuildSourceContract):
    @pytest.fixture
    def stage(self, github, source):
        github.add_repository("acme/shop")
        return GithubStage(github, source)


class TestSmallPages(TestGithubSource):
    """The same with pages of seven, so that every list of the suite has several."""

    @pytest.fixture
    def stage(self, github, open_source):
        github.add_repository("acme/shop")
        return GithubStage(github, open_source(github, page_size=7))


class TestSmallCap(TestGithubSource):
    """The same where a search shows two pages of seven, so that every list of the suite has several windows."""

    @pytest.fixture
    def stage(self, github, open_source):
        github.add_repository("acme/shop")
        github._gate.cap = 14
        return GithubStage(github, open_source(github, cap=14, page_size=7))

    @pytest.fixture
    def many(self, request):
        """As many as the contract wants; of one second GitHub shows no more than its cap."""
        return 14 if "one_moment" in request.node.name else 30
