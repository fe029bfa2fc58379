"""Jenkins, by its Notification plugin: ``{"name", "url": "job/…", "build": {"phase", "number", "status", "timestamp", "scm"}}``.

A build is told in phases. What ``timestamp`` means changes with them: when it was queued, when it started, when it ended, and in the last
phase, after all post-build steps, the present. Phases and times are those of the plugin from 1.12 on; older ones send no times.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from forgekit.builds.models import BuildRecord, Status
from forgekit_ci._look import Look
from forgekit_ci._reader import Payload, Reader, object_at, text_at

_WORDS = {
    "success": Status.PASSED,
    "failure": Status.FAILED,
    "unstable": Status.FAILED,
    "aborted": Status.CANCELED,
    "not_built": Status.SKIPPED,
}
_OPEN = {"QUEUED": Status.QUEUED, "STARTED": Status.RUNNING}
_PHASES = frozenset({"QUEUED", "STARTED", "COMPLETED", "FINALIZED", "NONE"})
_REMOTES = ("refs/heads/", "refs/remotes/origin/", "remotes/origin/", "origin/")


def _claims(payload: Payload) -> bool:
    # Buildkite has a build too, and an event beside it.
    return text_at(object_at(payload, "build"), "phase").upper() in _PHASES and "event" not in payload


def _tell(look: Look) -> Sequence[BuildRecord]:
    build = look.at("build")
    scm, tests = build.at("scm"), build.at("test_summary")
    phase = (build.text("phase") or "").upper()
    # Beside "started" stands what became of the build before.
    status = _OPEN.get(phase) or build.status("status", _WORDS, required=phase != "NONE") or Status.RUNNING
    return look.sighting(
        provider="jenkins",
        project=_project(look),
        build_id=build.text("number", required=True),
        status=status,
        branch=_branch(scm.text("branch")),
        commit=scm.text("commit"),
        url=build.text("full_url"),
        tests_run=tests.count("total"),
        tests_failed=tests.count("failed"),
        **_times(build, phase),
    )


def _project(look: Look) -> str | None:
    """Return a job's full name, which its address spells with a ``job/`` before each folder; numbers are unique within a job only."""
    address = (look.text("url") or "").strip("/")
    parts = [part.strip("/") for part in f"/{address}".split("/job/")[1:]]
    return "/".join(parts) if any(parts) else look.text("name", required=True)


def _branch(name: str | None) -> str | None:
    for remote in _REMOTES:
        if name is not None and name.startswith(remote):
            return name.removeprefix(remote) or None
    return name


def _times(build: Look, phase: str) -> dict[str, datetime | float | bool | None]:
    moment, took = build.millis("timestamp"), build.seconds("duration")
    duration = took / 1000 if took else None
    match phase:
        case "QUEUED":
            return {"queued_at": moment, "updated_at": moment}
        case "STARTED":
            return {"started_at": moment, "updated_at": moment}
        case "COMPLETED":
            return {
                "started_at": _before(build, moment, duration),
                "finished_at": moment,
                "updated_at": moment,
                "duration_seconds": duration,
            }
        case "FINALIZED":
            return {
                "started_at": _before(build, moment, duration),
                "finished_at": moment,
                "end_estimated": True if moment else None,
                "updated_at": moment,
                "duration_seconds": duration,
            }
        case _:
            return {"duration_seconds": duration}


def _before(build: Look, moment: datetime | None, duration: float | None) -> datetime | None:
    if moment is None or duration is None:
        return None
    try:
        return moment - timedelta(seconds=duration)
    except OverflowError:
        build.problem("duration", "must end after the beginning of time")
        return None


JENKINS = Reader(system="Jenkins", claims=_claims, tell=_tell)
"""The reader ``jenkins``."""
