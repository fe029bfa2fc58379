"""Azure DevOps' service hooks ``build.complete`` and ``ms.vss-pipelines.run-state-changed-event``.

The second tells less: neither branch nor commit, and the project often by its id alone. A project should subscribe to one of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from forgekit.builds.models import FINISHED, BuildRecord, Status
from forgekit_ci._look import Look
from forgekit_ci._reader import Payload, Reader, text_at

_WORDS = {
    **dict.fromkeys(("inprogress", "cancelling", "canceling"), Status.RUNNING),
    **dict.fromkeys(("notstarted", "postponed"), Status.QUEUED),
    "completed": Status.SKIPPED,  # with no result beside it: it ended, and nobody judged
    "none": Status.SKIPPED,
    "unknown": Status.SKIPPED,
}
_RUN = "ms.vss-pipelines.run-state-changed-event"
_HEADS = "refs/heads/"


def _claims(payload: Payload) -> bool:
    return bool(text_at(payload, "eventType")) and ("publisherId" in payload or "resource" in payload)


def _tell(look: Look) -> Sequence[BuildRecord]:
    match look.text("eventType"):
        case "build.complete":
            return _build(look, look.at("resource"))
        case kind if kind == _RUN:
            return _run(look, look.at("resource"))
        case _:
            return []


def _build(look: Look, build: Look) -> Sequence[BuildRecord]:
    status = _judged(build, "status")
    ended = build.time("finishTime") if status in FINISHED else None
    url = build.at("_links").at("web").text("href")
    return look.sighting(
        provider="azure",
        project=_project(look, build, url),
        build_id=build.text("id", required=True),
        status=status,
        branch=(build.text("sourceBranch") or "").removeprefix(_HEADS) or None,
        commit=build.text("sourceVersion"),
        workflow=build.at("definition").text("name"),
        event=build.text("reason"),
        actor=build.at("requestedFor").text("displayName"),
        url=url,
        queued_at=build.time("queueTime"),
        started_at=build.time("startTime"),
        finished_at=ended,
        updated_at=ended or look.time("createdDate"),
    )


def _run(look: Look, resource: Look) -> Sequence[BuildRecord]:
    run = resource.at("run")
    status = _judged(run, "state")
    ended = run.time("finishedDate") if status in FINISHED else None
    url = run.at("_links").at("web").text("href")
    created = run.time("createdDate")
    return look.sighting(
        provider="azure",
        project=_project(look, resource, url),
        build_id=run.text("id", required=True),
        status=status,
        workflow=resource.at("pipeline").text("name") or run.at("pipeline").text("name"),
        url=url,
        queued_at=created,
        # It tells no start of its own; a run is made when it starts, if there is a machine for it.
        started_at=None if status is Status.QUEUED else created,
        finished_at=ended,
        updated_at=ended or look.time("createdDate"),
    )


def _judged(build: Look, stage: str) -> Status | None:
    """Return what the result says, which is there once the build ended; before that, how far it is."""
    told: Any = build.status("result", _WORDS, required=False)
    reached = build.status(stage, _WORDS, required=not build.has("result"))
    return reached if reached in {Status.RUNNING, Status.QUEUED} else told or reached


def _project(look: Look, resource: Look, url: str | None) -> str | None:
    name = resource.at("project").text("name") or _named(url)
    if name is not None:
        return name
    containers = look.at("resourceContainers").at("project")
    return containers.text("id", required=True)


def _named(address: str | None) -> str | None:
    """Return the project that an address of a build names: ``…/organization/project/_build/…``."""
    try:
        parts = urlsplit(address or "").path.split("/")
    except ValueError:
        return None
    place = parts.index("_build") if "_build" in parts else 0
    return unquote(parts[place - 1], errors="replace").replace("\0", "") or None if place else None


AZURE = Reader(system="Azure DevOps", claims=_claims, tell=_tell)
"""The reader ``azure``."""
