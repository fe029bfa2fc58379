"""GitLab's source is a build source like any other."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from forgekit.builds import Status
from forgekit.builds.ports import BuildSource
from forgekit.testing import BuildSourceContract

WORDS = {
    Status.PASSED: "success",
    Status.FAILED: "failed",
    Status.CANCELED: "canceled",
    Status.RUNNING: "running",
    Status.QUEUED: "pending",
}
PROJECT = "acme/team/shop"


@attrs.frozen
class GitLabStage:
    """A person who pushes to a project."""

    gitlab: Any
    source: BuildSource
    project: str = PROJECT
    provider: str = "gitlab"

    def add_build(self, *, created_at, status=Status.PASSED, branch="main", workflow="ci", commit=None):
        told = {"ref": branch, "name": workflow} | ({} if commit is None else {"sha": commit})
        build_id = self.gitlab.add_pipeline(PROJECT, created=created_at, status=WORDS[status], **told)
        row = self.gitlab.pipelines[PROJECT][int(build_id)]
        job = {"name": "test", "status": row["status"], "started_at": row["started_at"], "finished_at": row["finished_at"]}
        self.gitlab.jobs[int(build_id)] = [job]
        return build_id

    def workflow(self, name):
        return name

    def finish(self, build_id, status):
        end = "2026-03-02T12:00:00.000Z"
        self.gitlab.pipelines[PROJECT][int(build_id)] |= {"status": WORDS[status], "finished_at": end, "updated_at": end}

    def rerun(self, build_id, status):
        raise AssertionError


class TestGitLabSource(BuildSourceContract):
    @pytest.fixture
    def stage(self, fake_gitlab, open_source):
        gitlab = fake_gitlab()
        gitlab.add_project(PROJECT)
        return GitLabStage(gitlab, open_source(gitlab))

    @pytest.fixture
    def knows_attempts(self):
        """A pipeline that is retried keeps its id and begins again."""
        return False


class TestSmallPages(TestGitLabSource):
    """The same with pages of seven, on an older server that filters less and does not count."""

    @pytest.fixture
    def stage(self, fake_gitlab, open_source):
        gitlab = fake_gitlab(created_filters=False, counts=False)
        gitlab.add_project(PROJECT)
        return GitLabStage(gitlab, open_source(gitlab, page_size=7))
