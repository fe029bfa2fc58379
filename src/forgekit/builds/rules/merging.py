"""What several sightings of one build come to: webhooks tell a build in pieces, twice, and in any order."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from forgekit.builds.models import FINISHED, BuildRecord, Job, Status
from forgekit.errors import UsageError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_GRAVITY = {
    status: place
    for place, status in enumerate(
        (
            Status.QUEUED,
            Status.RUNNING,
            Status.SKIPPED,
            Status.CANCELED,
            Status.PASSED,
            Status.TIMED_OUT,
            Status.ERRORED,
            Status.FAILED,
        )
    )
}
"""What holds where two statuses are of one moment: the graver, of those that ended. Queued and running end nothing."""

_EARLIEST = ("queued_at", "started_at", "committed_at")
_GREATEST = ("duration_seconds", "tests_run", "tests_failed")
_FULLEST = ("branch", "commit", "workflow", "event", "actor", "language", "url", "environment")


def combined(known: BuildRecord, sighting: BuildRecord) -> BuildRecord:
    """Return what two sightings of one attempt tell together; ``known`` itself where they are equal.

    Each part is decided for itself, by an order of its own: only so does it make no difference in which order sightings come, how
    they are grouped and how often each comes. What one of two leaves out, the other tells; where both tell, these hold:

    - the status, with its ``updated_at``: of an attempt that ended before one that runs before one that waits, as in
      ``precedence.holds``; then of the later ``updated_at``, where one without is older than any; then the graver;
    - the end: a known one before an estimate; of two known ones the later, for some systems take up a run again that had ended; of two
      estimates the earlier;
    - the earliest ``queued_at``, ``started_at`` and ``committed_at``;
    - the greatest duration and numbers of tests: systems count them up;
    - the longest text, as an abbreviated commit is the less of two; of two as long, the last in the order of their characters;
    - jobs join by their names (see ``_joined``), sorted by name.

    Sightings that tell of jobs alone say ``running`` without ``updated_at``: that ends no run, and reopens none.

    Raises:
        UsageError: They are not of one attempt.

    """
    if known == sighting:
        return known
    if known.key != sighting.key:
        raise UsageError("Only sightings of one attempt of one build can be combined.")
    latest = max(known, sighting, key=_stage)
    end = max(known, sighting, key=_end)
    told: dict[str, Any] = {
        "status": latest.status,
        "updated_at": latest.updated_at,
        "finished_at": end.finished_at,
        "end_estimated": end.end_estimated,
        "jobs": _joined((*known.jobs, *sighting.jobs)),
    }
    told.update((name, min(_told(known, sighting, name), default=None)) for name in _EARLIEST)
    told.update((name, max(_told(known, sighting, name), default=None)) for name in _GREATEST)
    told.update((name, max(_told(known, sighting, name), default=None, key=_fullness)) for name in _FULLEST)
    return attrs.evolve(known, **told)


def _told(known: BuildRecord, sighting: BuildRecord, name: str) -> list[Any]:
    return [value for value in (getattr(known, name), getattr(sighting, name)) if value is not None]


def _fullness(text: str) -> tuple[int, str]:
    return len(text), text


def _stage(record: BuildRecord) -> tuple[bool, bool, datetime, int]:
    ended = record.status in FINISHED
    return ended, ended or record.status is Status.RUNNING, record.updated_at or _LONG_AGO, _GRAVITY[record.status]


def _end(record: BuildRecord) -> tuple[bool, bool, timedelta]:
    since_1970 = (record.finished_at or _EPOCH) - _EPOCH
    return record.finished_at is not None, not record.end_estimated, -since_1970 if record.end_estimated else since_1970


def _joined(jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Return each job once, by name.

    A job's status and end come from the further advanced of its tellings: one that ended before one that runs before one that waits,
    then the later end, then the graver. Its start is the latest that is told: some systems give a waiting job the time at which it was
    made, and others take a job up again under its name.
    """
    found: dict[str, Job] = {}
    for job in jobs:
        known = found.get(job.name)
        found[job.name] = job if known is None else _job(known, job)
    return tuple(found[name] for name in sorted(found))


def _job(known: Job, other: Job) -> Job:
    further = max(known, other, key=_advance)
    starts = (job.started_at for job in (known, other) if job.started_at is not None)
    return attrs.evolve(further, started_at=max(starts, default=None), rate=max(known.rate, other.rate))


def _advance(job: Job) -> tuple[bool, bool, datetime, int]:
    ended = job.status in FINISHED
    return ended, ended or job.status is Status.RUNNING, job.finished_at or _LONG_AGO, _GRAVITY[job.status]
