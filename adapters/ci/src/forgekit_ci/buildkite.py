"""Buildkite's webhooks: ``{"event": "build.finished", "build", "pipeline"}``, and for jobs the same with a ``job``."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from forgekit.builds.models import FINISHED, BuildRecord, Job, Status
from forgekit_ci._look import Look
from forgekit_ci._reader import Payload, Reader, object_at, text_at

_WORDS = {
    **dict.fromkeys(("failing", "canceling", "timing_out"), Status.RUNNING),
    **dict.fromkeys(("creating", "assigned", "accepted", "limited", "limiting", "unblocked"), Status.QUEUED),
    "broken": Status.SKIPPED,  # what it depends on failed: it never ran
    "expired": Status.ERRORED,  # no agent took it in time
}
_KINDS = ("build.", "job.", "agent.", "cluster_token.")
_ADDRESS = 4
"""Parts of a build's address: organization, pipeline, ``builds``, number."""


def _claims(payload: Payload) -> bool:
    event = text_at(payload, "event")
    return event.startswith(_KINDS) or (event == "ping" and bool(object_at(payload, "organization")))


def _tell(look: Look) -> Sequence[BuildRecord]:
    event = look.text("event") or ""
    if not event.startswith(("build.", "job.")):
        return []
    build, pipeline = look.at("build"), look.at("pipeline")
    status = build.status("state", _WORDS)
    started, ended = build.time("started_at"), build.time("finished_at") if status in FINISHED else None
    commit = build.text("commit")
    return look.sighting(
        provider="buildkite",
        project=_project(build, pipeline),
        build_id=build.text("id", required=True),
        status=status,
        branch=build.text("branch"),
        commit=commit if commit != "HEAD" else None,  # not resolved yet
        workflow=pipeline.text("name"),
        event=build.text("source"),
        actor=build.at("creator").text("name") or build.at("author").text("name"),
        url=build.text("web_url"),
        queued_at=build.time("created_at") or build.time("scheduled_at"),
        started_at=started,
        finished_at=ended,
        updated_at=ended or started,
        jobs=_job(look) if event.startswith("job.") else (),
    )


def _project(build: Look, pipeline: Look) -> str | None:
    """Return ``organization/pipeline``: a pipeline's slug is unique within its organization only, which the address names."""
    slug = pipeline.text("slug", required=True)
    parts = _path(build.text("web_url"))
    return f"{parts[0]}/{slug}" if len(parts) == _ADDRESS and parts[2] == "builds" else slug


def _path(address: str | None) -> list[str]:
    try:
        return urlsplit(address or "").path.strip("/").split("/")
    except ValueError:
        return []


def _job(look: Look) -> tuple[Job, ...]:
    job = look.at("job")
    # Waits, blocks and triggers are steps without a machine.
    if job.text("type") not in {None, "script"}:
        return ()
    name = job.text("name") or job.text("label") or job.text("step_key") or job.text("id", required=True)
    status = job.status("state", _WORDS)
    return job.job(name=name, status=status, started_at=job.time("started_at"), finished_at=job.time("finished_at"))


BUILDKITE = Reader(system="Buildkite", claims=_claims, tell=_tell)
"""The reader ``buildkite``."""
