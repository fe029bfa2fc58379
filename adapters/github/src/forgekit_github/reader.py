"""What GitHub's webhooks tell of builds; pure. https://docs.github.com/en/webhooks/webhook-events-and-payloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from forgekit.builds import FINISHED, BuildRecord, Status
from forgekit.errors import InvalidInput
from forgekit_github import _wire
from forgekit_github._wire import Malformed, Row

_STATES = {
    "success": Status.PASSED,
    "failure": Status.FAILED,
    "error": Status.ERRORED,
    "in_progress": Status.RUNNING,
    "queued": Status.QUEUED,
    "pending": Status.QUEUED,
    "waiting": Status.QUEUED,
}
_ACTIONS_APP = 15368
"""The app that GitHub Actions is on github.com."""


class GithubReader:
    """Reads ``workflow_run``, ``workflow_job``, ``check_suite`` and ``deployment_status``; ``ping`` and the rest tell of no build.

    A workflow's run is told by ``workflow_run``, and its jobs by ``workflow_job``. Its check suite and its deployments are other views
    of the same run and must not count it again: the suites of GitHub Actions are passed over, and a deployment adds its environment to
    the run that made it. Only suites of other apps, once they ended, and deployments without a run are builds of their own.
    """

    def read(self, event: str, payload: Mapping[str, Any], /) -> Sequence[BuildRecord] | None:
        """Return what a webhook tells; see ``BuildReader.read``."""
        if not event or not isinstance(payload, Mapping):
            return None
        read = _READERS.get(event)
        if read is None:
            return () if event == "ping" or _wire.text(_wire.part(payload, "sender"), "login") else None
        try:
            return read(payload)
        except Malformed as error:
            message = f"A webhook {event} of GitHub's has an odd shape: {error.pointer} {error.problem}."
            raise InvalidInput(message, problems=[{"pointer": error.pointer, "message": error.problem}]) from None


def _run(payload: Row) -> Sequence[BuildRecord]:
    run, (project, language) = _object(payload, "workflow_run"), _repository(payload)
    return (_wire.parse_run(run, project=project, language=language, pointer="/workflow_run"),)


def _job(payload: Row) -> Sequence[BuildRecord]:
    row, (project, language) = _object(payload, "workflow_job"), _repository(payload)
    try:
        job = _wire.parse_job(row)
    except Malformed as error:
        raise Malformed(f"/workflow_job{error.pointer}", error.problem) from None
    # A job's end is not its run's. Its branch is left out, for nothing here tells a fork's branch from one of the project's own.
    sighting = BuildRecord(
        provider=_wire.PROVIDER,
        project=project,
        build_id=str(_wire.number(row, "run_id", "/workflow_job")),
        attempt=_wire.attempt_of(row),
        status=Status.QUEUED if job.status is Status.QUEUED else Status.RUNNING,
        commit=_wire.text(row, "head_sha"),
        workflow=_wire.text(row, "workflow_name"),
        language=language,
        jobs=(job,),
    )
    return (sighting,)


def _check_suite(payload: Row) -> Sequence[BuildRecord]:
    suite, (project, language) = _object(payload, "check_suite"), _repository(payload)
    app, status = _wire.part(suite, "app"), _wire.status_of(suite)
    if app.get("id") == _ACTIONS_APP or _wire.text(app, "slug") == "github-actions":
        return ()
    # Every app that may write checks is given a suite for every push, whether it ever runs one or not.
    if status not in FINISHED or suite.get("latest_check_runs_count") == 0:
        return ()
    started, ended = _wire.moment(suite, "created_at"), _wire.moment(suite, "updated_at")
    build = BuildRecord(
        provider=_wire.PROVIDER,
        project=project,
        build_id=f"check-suite-{_wire.number(suite, 'id', '/check_suite')}",
        status=status,
        queued_at=started,
        started_at=started,
        finished_at=max(filter(None, (started, ended)), default=None),
        end_estimated=started is not None or ended is not None,
        branch=_wire.text(suite, "head_branch"),
        commit=_wire.text(suite, "head_sha"),
        committed_at=_wire.moment(_wire.part(suite, "head_commit"), "timestamp"),
        workflow=_wire.text(app, "name"),
        event="check_suite",
        language=language,
        updated_at=ended,
    )
    return (build,)


def _deployment_status(payload: Row) -> Sequence[BuildRecord]:
    state, deployment = _object(payload, "deployment_status"), _object(payload, "deployment")
    project, language = _repository(payload)
    environment = _wire.text(state, "environment") or _wire.text(deployment, "environment")
    status = _STATES.get(_wire.text(state, "state") or "")
    if status is None:  # "inactive": a later deployment took its place
        return ()
    run = payload.get("workflow_run")
    if isinstance(run, Mapping):
        # A run may deploy to several places, one after another: it is known for one that it reached.
        reached = environment if status is Status.PASSED else None
        told = _wire.parse_run(run, project=project, language=language, pointer="/workflow_run")
        return () if reached is None else (_deploying(told, reached),)
    return (_deployment(deployment, state, status, project=project, language=language, environment=environment),)


def _deploying(run: BuildRecord, environment: str) -> BuildRecord:
    """Return what a deployment tells of its run: that it deploys, and to where; its status here is of an earlier moment."""
    return BuildRecord(
        provider=run.provider,
        project=run.project,
        build_id=run.build_id,
        attempt=run.attempt,
        status=Status.RUNNING,
        started_at=run.started_at,
        queued_at=run.queued_at,
        branch=run.branch,
        commit=run.commit,
        workflow=run.workflow,
        event=run.event,
        environment=environment,
    )


def _deployment(deployment: Row, state: Row, status: Status, *, project: str, language: str | None, environment: str | None) -> BuildRecord:
    started, told = _wire.moment(deployment, "created_at"), _wire.moment(state, "created_at")
    return BuildRecord(
        provider=_wire.PROVIDER,
        project=project,
        build_id=f"deployment-{_wire.number(deployment, 'id', '/deployment')}",
        status=status,
        queued_at=started,
        started_at=None if status is Status.QUEUED else started,
        finished_at=max(filter(None, (started, told)), default=None) if status in FINISHED else None,
        branch=_wire.text(deployment, "ref"),
        commit=_wire.text(deployment, "sha"),
        workflow=_wire.text(deployment, "task"),
        event="deployment",
        actor=_wire.text(_wire.part(deployment, "creator"), "login"),
        language=language,
        url=_wire.text(state, "log_url") or _wire.text(state, "target_url"),
        environment=environment,
        updated_at=told,
    )


def _object(payload: Row, name: str) -> Row:
    value = payload.get(name)
    if not isinstance(value, Mapping):
        raise Malformed(f"/{name}", "is absent")
    return value


def _repository(payload: Row) -> tuple[str, str | None]:
    repository = _wire.part(payload, "repository")
    name = _wire.text(repository, "full_name")
    if name is None:
        raise Malformed("/repository/full_name", "is absent")
    return name, _wire.text(repository, "language")


_READERS: Mapping[str, Callable[[Row], Sequence[BuildRecord]]] = {
    "workflow_run": _run,
    "workflow_job": _job,
    "check_suite": _check_suite,
    "deployment_status": _deployment_status,
}
