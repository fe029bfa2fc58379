"""Builds as rows, and back: plain values, for the driver's own statements."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from forgekit.builds import BuildRecord, Job, Key
from forgekit.builds.models import UNDATED, Status
from forgekit.builds.rules.runs import Verdict
from forgekit.builds.rules.timelines import Line, Point
from forgekit_sql.tables.types import dump_json, from_micros, load_json, to_micros

KEY = ("project", "provider", "build_id", "attempt")

COLUMNS = (
    *KEY,
    *("status", "started_at", "queued_at", "finished_at", "ended_at", "duration_seconds", "branch", "workflow", "line", "commit_id"),
    *("event", "actor", "language", "tests_run", "tests_failed", "url", "jobs", "updated_at", "end_estimated", "environment"),
    "committed_at",
)

_STATUSES = {status.value: status for status in Status}
_DAY = 86_400_000_000
_EPOCH_DAY = datetime(1970, 1, 1).toordinal()  # noqa: DTZ001 - a day has no zone


def micros(moment: datetime | None) -> int | None:
    """Return a moment as it is stored."""
    return None if moment is None else to_micros(moment)


def moment_of(value: int | None) -> datetime | None:
    """Return a stored moment."""
    return None if value is None else from_micros(value)


def line_text(line: Line) -> str:
    """Return a timeline's branch and workflow as one text."""
    return _line_text(line.branch, line.workflow)


@lru_cache(maxsize=65_536)
def _line_text(branch: str | None, workflow: str | None) -> str:
    return json.dumps([branch, workflow], separators=(",", ":"))


def line_of(project: str, text: str) -> Line:
    """Return the timeline of such a text."""
    return Line(project, *_line_parts(text))


@lru_cache(maxsize=65_536)
def _line_parts(text: str) -> tuple[str | None, str | None]:
    branch, workflow = json.loads(text)
    return branch, workflow


def row_of(build: BuildRecord) -> tuple[Any, ...]:
    """Return a build's row, in the order of ``COLUMNS``."""
    return (
        build.project,
        build.provider,
        build.build_id,
        build.attempt,
        build.status.value,
        micros(build.started_at),
        micros(build.queued_at),
        micros(build.finished_at),
        micros(build.ended_at),
        build.duration_seconds,
        build.branch,
        build.workflow,
        _line_text(build.branch, build.workflow),
        build.commit,
        build.event,
        build.actor,
        build.language,
        build.tests_run,
        build.tests_failed,
        build.url,
        dump_json([_job_values(job) for job in build.jobs]) if build.jobs else None,
        micros(build.updated_at),
        int(build.end_estimated),
        build.environment,
        micros(build.committed_at),
    )


def _job_values(job: Job) -> list[Any]:
    return [job.name, job.status.value, micros(job.started_at), micros(job.finished_at), job.rate]


def _job_of(values: list[Any]) -> Job:
    name, status, started, finished, rate = values
    return Job(name=name, status=status, started_at=moment_of(started), finished_at=moment_of(finished), rate=rate)


def build_of(row: Any) -> BuildRecord:
    """Return the build of a row in the order of ``COLUMNS``."""
    project, provider, build_id, attempt, status, started_at, queued_at, finished_at, _, duration, branch, workflow, _, commit = row[:14]
    event, actor, language, tests_run, tests_failed, url, jobs, updated_at, end_estimated, environment, committed_at = row[14:]
    return BuildRecord(
        project=project,
        provider=provider,
        build_id=build_id,
        attempt=attempt,
        status=_STATUSES[status],
        started_at=moment_of(started_at),
        queued_at=moment_of(queued_at),
        finished_at=moment_of(finished_at),
        duration_seconds=duration,
        branch=branch,
        workflow=workflow,
        commit=commit,
        event=event,
        actor=actor,
        language=language,
        tests_run=tests_run,
        tests_failed=tests_failed,
        url=url,
        jobs=() if jobs is None else tuple(map(_job_of, load_json(jobs))),
        updated_at=moment_of(updated_at),
        end_estimated=bool(end_estimated),
        environment=environment,
        committed_at=moment_of(committed_at),
    )


POINT = ("ended_at", "started_at", "provider", "build_id", "attempt", "status")


def point_of(row: Any) -> Point:
    """Return the point of a row with the columns of ``POINT``."""
    ended, started, provider, build_id, attempt, status = row
    return Point(from_micros(ended), from_micros(started), provider, build_id, attempt, _STATUSES[status], day_of(started))


VERDICT = (*KEY, "workflow", "commit_id", "status", "started_at")


def verdict_of(row: Any) -> Verdict:
    """Return the verdict of a row with the columns of ``VERDICT``."""
    project, provider, build_id, attempt, workflow, commit, status, started = row
    key = Key(provider, project, build_id, attempt)
    return Verdict(key, project, workflow, commit, _STATUSES[status], from_micros(started), day_of(started))


def day_of(value: int | None) -> int:
    """Return the UTC day of a stored moment as ``date.toordinal``."""
    return UNDATED if value is None else value // _DAY + _EPOCH_DAY
