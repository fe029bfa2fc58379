"""Bitbucket's ``commit_status`` events, which any CI system causes there, and pipelines as its REST API shows them."""

from __future__ import annotations

from collections.abc import Sequence

from forgekit.builds.models import FINISHED, BuildRecord, Status
from forgekit_ci._look import Look
from forgekit_ci._reader import Payload, Reader, object_at, text_at

_WORDS = {
    **dict.fromkeys(("in_progress", "building", "running", "paused", "halted"), Status.RUNNING),
    "parsing": Status.QUEUED,
    "expired": Status.TIMED_OUT,
    "completed": Status.SKIPPED,  # with no result beside it
}
_SHORT = 12


def _claims(payload: Payload) -> bool:
    return (
        bool(object_at(payload, "commit_status"))
        or _is_pipeline(payload)
        or _is_pipeline(object_at(payload, "pipeline"))
        or text_at(object_at(payload, "repository"), "type") == "repository"
    )


def _is_pipeline(value: Payload) -> bool:
    return text_at(value, "type") == "pipeline" and "uuid" in value


def _tell(look: Look) -> Sequence[BuildRecord]:
    if look.has("commit_status"):
        return _commit_status(look, look.at("commit_status"))
    if look.text("type") == "pipeline":
        return _pipeline(look, look)
    return _pipeline(look, look.at("pipeline")) if look.has("pipeline") else []


def _commit_status(look: Look, told: Look) -> Sequence[BuildRecord]:
    """Read a status; its key is unique for its commit, so both together name the build."""
    commit = told.at("commit")
    key, sha = told.text("key", required=True), commit.text("hash", required=True)
    status = told.status("state", _WORDS)
    updated = told.time("updated_on")
    ended = status in FINISHED
    return look.sighting(
        provider="bitbucket",
        project=look.at("repository").text("full_name", required=True),
        build_id=f"{key}@{(sha or '')[:_SHORT]}",
        status=status,
        branch=told.text("refname"),
        commit=sha,
        workflow=told.text("name"),
        actor=look.at("actor").text("display_name"),
        url=told.text("url"),
        started_at=told.time("created_on"),
        finished_at=updated if ended else None,
        end_estimated=True if ended and updated else None,
        updated_at=updated,
        committed_at=commit.time("date"),
    )


def _pipeline(look: Look, pipeline: Look) -> Sequence[BuildRecord]:
    state, target = pipeline.at("state"), pipeline.at("target")
    result = state.at("result").status("name", _WORDS, required=False)
    status = result or state.status("name", _WORDS)
    ended = pipeline.time("completed_on") if status in FINISHED else None
    created = pipeline.time("created_on")
    repository = pipeline.at("repository").text("full_name")
    return look.sighting(
        provider="bitbucket",
        project=repository or look.at("repository").text("full_name", required=True),
        build_id=pipeline.text("uuid", required=True),
        status=status,
        branch=target.text("ref_name"),
        commit=target.at("commit").text("hash"),
        workflow=target.at("selector").text("pattern"),
        event=pipeline.at("trigger").text("name"),
        actor=pipeline.at("creator").text("display_name"),
        queued_at=created,
        started_at=None if status is Status.QUEUED else created,
        finished_at=ended,
        updated_at=ended,
        duration_seconds=pipeline.seconds("duration_in_seconds") if status in FINISHED else None,
    )


BITBUCKET = Reader(system="Bitbucket", claims=_claims, tell=_tell)
"""The reader ``bitbucket``."""
