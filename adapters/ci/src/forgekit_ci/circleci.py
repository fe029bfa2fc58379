"""CircleCI's webhooks ``workflow-completed`` and ``job-completed``: a build is a workflow, and a re-run of one has an id of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forgekit.builds.models import BuildRecord, Status
from forgekit_ci._look import Look
from forgekit_ci._reader import Payload, Reader, object_at, text_at

_WORDS = {"unauthorized": Status.ERRORED, "on_hold": Status.RUNNING, "needs_setup": Status.RUNNING}
_HOSTS = frozenset({"gh", "github", "bb", "bitbucket"})


def _claims(payload: Payload) -> bool:
    return bool(text_at(payload, "type") and text_at(payload, "happened_at") and object_at(payload, "webhook"))


def _tell(look: Look) -> Sequence[BuildRecord]:
    kind = look.text("type")
    if kind not in {"workflow-completed", "job-completed"}:
        return []
    workflow, pipeline = look.at("workflow"), look.at("pipeline")
    told = _workflow(look, workflow) if kind == "workflow-completed" else _job(look)
    return look.sighting(
        provider="circleci",
        project=_project(look),
        build_id=workflow.text("id", required=True),
        workflow=workflow.text("name"),
        url=workflow.text("url"),
        queued_at=pipeline.time("created_at"),
        started_at=workflow.time("created_at"),
        **told,
        **_change(pipeline),
    )


def _workflow(look: Look, workflow: Look) -> dict[str, Any]:
    ended = workflow.time("stopped_at")
    return {"status": workflow.status("status", _WORDS), "finished_at": ended, "updated_at": ended or look.time("happened_at")}


def _job(look: Look) -> dict[str, Any]:
    job = look.at("job")
    return {
        "status": Status.RUNNING,  # the workflow goes on, and where it does not, its own event says so
        "jobs": job.job(
            name=job.text("name", required=True),
            status=job.status("status", _WORDS),
            started_at=job.time("started_at"),
            finished_at=job.time("stopped_at"),
        ),
    }


def _project(look: Look) -> str | None:
    """Return ``owner/repository``; projects of newer integrations have a slug of ids, and are named by their names."""
    slug = look.at("project").text("slug") or ""
    host, _, path = slug.partition("/")
    if host in _HOSTS and path:
        return path
    organization, name = look.at("organization").text("name"), look.at("project").text("name", required=not slug)
    return f"{organization}/{name}" if organization and name else slug or name


def _change(pipeline: Look) -> dict[str, Any]:
    vcs, git = pipeline.at("vcs"), pipeline.at("trigger_parameters").at("git")
    return {
        "branch": vcs.text("branch") or git.text("branch"),
        "commit": vcs.text("revision") or git.text("checkout_sha"),
        "committed_at": vcs.at("commit").time("committed_at"),
        "actor": vcs.at("commit").at("author").text("name") or git.text("commit_author_name"),
        "event": pipeline.at("trigger").text("type"),
    }


CIRCLECI = Reader(system="CircleCI", claims=_claims, tell=_tell)
"""The reader ``circleci``."""
