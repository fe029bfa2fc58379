"""CDEvents 0.3 to 0.6: runs of pipelines and their tasks, and deployments of services.

They come bare or as the data of a structured CloudEvent, which some libraries write in base64; a binary CloudEvent has the bare event as
its body, and its headers repeat it. Events of a sender's own (``dev.cdeventsx``) tell of no builds.
The vocabulary tells neither branch nor commit nor attempt: a sender puts those under ``customData.forgekit``, by the names of
``BuildRecord``. The version is part of each type and is not looked at: fields are read as far as they are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forgekit.builds.models import BuildRecord, Status
from forgekit_ci._look import Look
from forgekit_ci._reader import Payload, Reader, object_at, text_at

_PREFIX = "dev.cdevents."
_CUSTOM = "dev.cdeventsx."
_WORDS = {"cancel": Status.CANCELED, "error": Status.ERRORED, "failure": Status.FAILED, "success": Status.PASSED}
_DEPLOYED = frozenset({"deployed", "upgraded"})
_STAGES = {"queued": Status.QUEUED, "started": Status.RUNNING}


def _claims(payload: Payload) -> bool:
    return _kind(object_at(payload, "context")) or ("specversion" in payload and _kind(payload))


def _kind(value: Payload) -> bool:
    return text_at(value, "type").startswith((_PREFIX, _CUSTOM))


def _tell(look: Look) -> Sequence[BuildRecord]:
    event = _event(look)
    kind = event.at("context").text("type", required=True) or ""
    subject, predicate = [*kind.removeprefix(_PREFIX).split("."), "", ""][:2]
    match subject:
        case "pipelinerun" if predicate in {*_STAGES, "finished"}:
            return look.sighting(**{**_run(event, predicate), **_ours(event)})
        case "taskrun" if predicate in {"started", "finished"}:
            return look.sighting(**{**_task(event, predicate), **_ours(event)})
        case "service" if predicate in _DEPLOYED:
            return look.sighting(**{**_deployment(event), **_ours(event)})
        case _:
            return []


def _event(look: Look) -> Look:
    if look.has("context"):
        return look
    return look.encoded("data_base64") if look.has("data_base64") else look.at("data")


def _named(event: Look) -> dict[str, Any]:
    """Return what every event tells: the subject's source, or the event's, stands for the project."""
    subject, context = event.at("subject"), event.at("context")
    return {
        "provider": "cdevents",
        "project": subject.text("source") or context.text("source", required=True),
        "build_id": subject.text("id", required=True),
    }


def _run(event: Look, predicate: str) -> dict[str, Any]:
    content, moment = event.at("subject").at("content"), event.at("context").time("timestamp")
    told = {
        **_named(event),
        "workflow": content.text("pipelineName"),
        "url": content.text("uri") or content.text("url"),
        "updated_at": moment,
    }
    match predicate:
        case "queued":
            return {**told, "status": Status.QUEUED, "queued_at": moment}
        case "started":
            return {**told, "status": Status.RUNNING, "started_at": moment}
        case _:
            return {**told, "status": _outcome(content), "finished_at": moment}


def _outcome(content: Look) -> Status | None:
    """Return how it ended; of an end without an outcome only errors say anything."""
    if content.has("outcome"):
        return content.status("outcome", _WORDS)
    return Status.FAILED if content.has("errors") else Status.SKIPPED


def _task(event: Look, predicate: str) -> dict[str, Any]:
    subject, moment = event.at("subject"), event.at("context").time("timestamp")
    content = subject.at("content")
    run = content.at("pipelineRun")
    ended = predicate == "finished"
    jobs = subject.job(
        name=content.text("taskName") or subject.text("id", required=True),
        status=_outcome(content) if ended else Status.RUNNING,
        started_at=None if ended else moment,
        finished_at=moment if ended else None,
    )
    named = {**_named(event), "build_id": run.text("id", required=True)}
    return {**named, "project": run.text("source") or named["project"], "status": Status.RUNNING, "jobs": jobs}


def _deployment(event: Look) -> dict[str, Any]:
    """Return a deployment as a build of its own: one service may be deployed often, so the event's id names the build."""
    context, content = event.at("context"), event.at("subject").at("content")
    moment = context.time("timestamp")
    environment = content.at("environment")
    return {
        **_named(event),
        "build_id": context.text("id", required=True),
        "workflow": event.at("subject").text("id"),
        "status": Status.PASSED,
        "environment": environment.text("name") or environment.text("id"),
        "event": "deployment",
        "started_at": moment,
        "finished_at": moment,
        "updated_at": moment,
    }


def _ours(event: Look) -> dict[str, Any]:
    """Return what stands under ``customData.forgekit``, which goes before what the event says."""
    if not event.holds("customData"):
        return {}  # custom data may be text, and is nothing to us then
    own = event.at("customData").at("forgekit")
    told = {
        **{
            name: own.text(name) for name in ("project", "branch", "commit", "workflow", "event", "actor", "language", "environment", "url")
        },
        **{name: own.time(name) for name in ("queued_at", "started_at", "committed_at")},
        **{name: own.count(name) for name in ("attempt", "tests_run", "tests_failed")},
        "duration_seconds": own.seconds("duration_seconds"),
    }
    return {name: value for name, value in told.items() if value is not None}


CDEVENTS = Reader(system="CDEvents", claims=_claims, tell=_tell)
"""The reader ``cdevents``."""
