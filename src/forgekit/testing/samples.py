"""Webhooks that tell of made-up builds, for trying out a receiver."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs

from forgekit.testing.fake_github import hooks, rows
from forgekit.testing.fake_github.world import DONE, Attempt, Change, Job, Repository, Run

_API = "https://api.github.com"
_STATES = {"success": "success", "failure": "failure"}
_STATUSES = {"success": "passed", "failure": "failed", "timed_out": "errored", "startup_failure": "errored"}

CONCLUSIONS = ("success", "failure", "cancelled", "skipped", "timed_out", "action_required", "neutral", "stale", "startup_failure")
"""How a run of GitHub Actions may end."""


@attrs.frozen(kw_only=True)
class SampleBuild:
    """A made-up build that has ended.

    Attributes:
        ended_at: When it ended, aware; it ran for a minute.
        repository: ``owner/name``.
        branch: Its branch.
        conclusion: How it ended, in GitHub's words.
        run_id: Its id; by default one that is made from the end, so that another build has another.
        workflow: The workflow's name.

    """

    ended_at: datetime
    repository: str = "octo-org/example"
    branch: str = "main"
    conclusion: str = "success"
    run_id: int = attrs.field()
    workflow: str = "CI"

    @run_id.default
    def _run_id(self) -> int:
        return int(self.ended_at.timestamp() * 1000)

    @property
    def commit(self) -> str:
        """The commit that it builds."""
        return hashlib.sha1(str(self.run_id).encode(), usedforsecurity=False).hexdigest()

    @property
    def started_at(self) -> datetime:
        """When it started."""
        return self.ended_at - timedelta(minutes=1)


def sample_github(event: str, build: SampleBuild) -> dict[str, Any]:
    """Return the body of a webhook as GitHub sends it of such a build.

    Args:
        event: One of ``GITHUB_EVENTS``. A check suite is one of another app than GitHub Actions, whose runs tell of themselves.
        build: The build.

    """
    return _GITHUB[event](build)


def sample_flat(build: SampleBuild) -> dict[str, Any]:
    """Return a build in the flat form, as ``POST /webhook/generic`` takes it."""
    return {
        "build_id": str(build.run_id),
        "project": build.repository,
        "status": _STATUSES.get(build.conclusion, "canceled"),
        "started_at": rows.iso(build.started_at),
        "finished_at": rows.iso(build.ended_at),
        "duration_seconds": (build.ended_at - build.started_at).total_seconds(),
        "branch": build.branch,
        "commit": build.commit,
        "workflow": build.workflow,
    }


def _repository(build: SampleBuild) -> Repository:
    return Repository(id=1, name=build.repository, private=False, default_branch="main", language="Python")


def _change(build: SampleBuild) -> Change:
    queued_at = build.started_at - timedelta(seconds=5)
    run = Run(
        id=build.run_id, number=1, repository=_repository(build), workflow=build.workflow, file="ci.yml", branch=build.branch,
        sha=build.commit, event="push", actor="octocat", created_at=queued_at,
    )  # fmt: skip
    job = Job(
        id=build.run_id + 1, name="build", attempt=1, labels=("ubuntu-latest",), created_at=queued_at, started_at=build.started_at,
        completed_at=build.ended_at, status=DONE, conclusion=build.conclusion,
    )  # fmt: skip
    attempt = Attempt(
        number=1, started_at=build.started_at, updated_at=build.ended_at, actor="octocat", status=DONE, conclusion=build.conclusion,
        jobs=[job],
    )  # fmt: skip
    run.attempts.append(attempt)
    return Change("completed", run, attempt, job)


def _workflow_job(build: SampleBuild) -> dict[str, Any]:
    return hooks.payload(_change(build), _API)[1]


def _workflow_run(build: SampleBuild) -> dict[str, Any]:
    return hooks.payload(attrs.evolve(_change(build), job=None), _API)[1]


def _ping(build: SampleBuild) -> dict[str, Any]:
    return hooks.ping(rows.repository(_repository(build), _API, whole=True))


def _common(build: SampleBuild, action: str) -> dict[str, Any]:
    return {"action": action, "repository": rows.repository(_repository(build), _API, whole=True), "sender": rows.user("octocat")}


def _check_suite(build: SampleBuild) -> dict[str, Any]:
    suite = {
        "id": build.run_id,
        "head_branch": build.branch,
        "head_sha": build.commit,
        "status": DONE,
        "conclusion": build.conclusion,
        "url": f"{_API}/repos/{build.repository}/check-suites/{build.run_id}",
        "pull_requests": [],
        "app": {"id": 1, "slug": "example-ci", "name": "Example CI", "owner": rows.user("octo-org")},
        "created_at": rows.iso(build.started_at),
        "updated_at": rows.iso(build.ended_at),
        "latest_check_runs_count": 1,
        "head_commit": {"id": build.commit, "message": "Change 1", "timestamp": rows.iso(build.started_at)},
    }
    return {**_common(build, "completed"), "check_suite": suite}


def _deployment_status(build: SampleBuild) -> dict[str, Any]:
    deployment = {
        "id": build.run_id,
        "sha": build.commit,
        "ref": build.branch,
        "task": "deploy",
        "environment": "production",
        "creator": rows.user("octocat"),
        "created_at": rows.iso(build.started_at),
        "updated_at": rows.iso(build.ended_at),
    }
    state = {
        "id": build.run_id + 1,
        "state": _STATES.get(build.conclusion, "error"),
        "environment": "production",
        "creator": rows.user("octocat"),
        "created_at": rows.iso(build.ended_at),
        "updated_at": rows.iso(build.ended_at),
        "description": "",
        "target_url": "",
    }
    return {**_common(build, "created"), "deployment_status": state, "deployment": deployment}


_GITHUB: Mapping[str, Callable[[SampleBuild], dict[str, Any]]] = {
    "check_suite": _check_suite,
    "deployment_status": _deployment_status,
    "ping": _ping,
    "workflow_job": _workflow_job,
    "workflow_run": _workflow_run,
}

GITHUB_EVENTS = tuple(_GITHUB)
"""The events that can be made up."""
