"""GitLab's webhooks: pipelines, jobs and deployments (``object_kind`` is ``pipeline``, ``build`` and ``deployment``).

A retried pipeline keeps its id and begins again: its later end holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from forgekit.builds.models import FINISHED, BuildRecord, Job, Status
from forgekit_ci._look import Look
from forgekit_ci._reader import Payload, Reader, text_at
from forgekit_ci.gitlab.words import WORDS


def _claims(payload: Payload) -> bool:
    return bool(text_at(payload, "object_kind"))


def _tell(look: Look) -> Sequence[BuildRecord]:
    match look.text("object_kind"):
        case "pipeline":
            return _pipeline(look)
        case "build":
            return _job(look)
        case "deployment":
            return _deployment(look)
        case _:
            return []


def _pipeline(look: Look) -> Sequence[BuildRecord]:
    pipeline = look.at("object_attributes")
    status = pipeline.status("status", WORDS)
    queued = pipeline.time("created_at")
    ended = pipeline.time("finished_at") if status in FINISHED else None
    jobs = [job for each in look.each("builds") for job in _listed(each)]
    return look.sighting(
        provider="gitlab",
        project=look.at("project").text("path_with_namespace", required=True),
        build_id=pipeline.text("id", required=True),
        status=status,
        branch=pipeline.text("ref"),
        commit=pipeline.text("sha"),
        workflow=pipeline.text("name"),
        event=pipeline.text("source"),
        actor=look.at("user").text("username"),
        url=pipeline.text("url"),
        queued_at=queued,
        started_at=_start(pipeline, queued, jobs),
        finished_at=ended,
        updated_at=ended,
        duration_seconds=pipeline.seconds("duration"),
        committed_at=look.at("commit").time("timestamp"),
        jobs=jobs,
    )


def _listed(job: Look) -> tuple[Job, ...]:
    status = job.status("status", WORDS)
    return job.job(name=job.text("name"), status=status, started_at=job.time("started_at"), finished_at=job.time("finished_at"))


def _start(pipeline: Look, queued: datetime | None, jobs: Sequence[Job]) -> datetime | None:
    """Return when a pipeline started: GitLab tells how long it waited, and nothing where that was less than a second."""
    waited = pipeline.seconds("queued_duration")
    if queued is not None and waited is not None:
        try:
            return queued + timedelta(seconds=waited)
        except OverflowError:
            pipeline.problem("queued_duration", "must end before the end of time")
    return min((job.started_at for job in jobs if job.started_at is not None), default=None)


def _job(look: Look) -> Sequence[BuildRecord]:
    """Read a job; its times have Ruby's form and, on newer servers, ISO's beside it."""
    status = look.status("build_status", WORDS)
    project = look.at("project").text("path_with_namespace")
    waits = status is Status.QUEUED
    return look.sighting(
        provider="gitlab",
        # Of older servers only this, with spaces around the slash where the names are shown.
        project=project or (look.text("project_name", required=True) or "").replace(" / ", "/"),
        build_id=look.text("pipeline_id") or look.at("commit").text("id", required=True),
        status=Status.QUEUED if waits else Status.RUNNING,
        branch=look.text("ref"),
        commit=look.text("sha"),
        actor=look.at("user").text("username"),
        jobs=look.job(
            name=look.text("build_name", required=True),
            status=status,
            started_at=look.time("build_started_at_iso") or look.time("build_started_at"),
            finished_at=look.time("build_finished_at_iso") or look.time("build_finished_at"),
        ),
    )


def _deployment(look: Look) -> Sequence[BuildRecord]:
    status = look.status("status", WORDS)
    moment = look.time("status_changed_at")
    ended = status in FINISHED
    return look.sighting(
        provider="gitlab",
        project=look.at("project").text("path_with_namespace", required=True),
        build_id=f"deployment-{look.text('deployment_id', required=True)}",
        status=status,
        branch=look.text("ref"),
        # The whole hash stands in the address alone.
        commit=(look.text("commit_url") or "").partition("/commit/")[2] or look.text("short_sha"),
        workflow="deployment",
        event="deployment",
        actor=look.at("user").text("username"),
        url=look.text("deployable_url"),
        environment=look.text("environment"),
        queued_at=moment if status is Status.QUEUED else None,
        started_at=moment if status is Status.RUNNING else None,
        finished_at=moment if ended else None,
        updated_at=moment,
    )


GITLAB = Reader(system="GitLab", claims=_claims, tell=_tell)
"""The reader ``gitlab``."""
