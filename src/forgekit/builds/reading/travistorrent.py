"""The columns of TravisTorrent: the form that build data of many projects was published in, and that its users' tools write.

Names are those of the published tables: ``tr_build_id``, ``gh_project_name``, ``tr_status``, ``tr_duration``, ``gh_build_started_at``.
A row there is a *job*; rows of one build stand together, repeat the build's own columns, and differ in ``tr_job_id`` and the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from forgekit.builds.models import BuildRecord, Status
from forgekit.builds.reading.flat import PARSERS, absent
from forgekit.builds.reading.strict import REQUIRED
from forgekit.errors import InvalidInput

COLUMNS: Mapping[str, str] = {
    "build_id": "tr_build_id",
    "project": "gh_project_name",
    "status": "tr_status",
    "duration_seconds": "tr_duration",
    "started_at": "gh_build_started_at",
    "language": "gh_lang",
    "tests_run": "tr_log_num_tests_run",
    "tests_failed": "tr_log_num_tests_failed",
    "branch": "git_branch",
    "commit": "git_trigger_commit",
    "attempt": "run_attempt",
}
"""Fields of a record, and the columns that they come from. The last is none of TravisTorrent's, whose builds were not run again."""

REQUIRED_COLUMNS = tuple(COLUMNS[name] for name in REQUIRED)
"""The columns that every row has; a build without a start tells no time."""

PROVIDER = "travistorrent"
_PASSED_OVER = frozenset({"NA", "null", "None", "nan"})


def is_travistorrent(row: object) -> bool:
    """Tell whether a row has TravisTorrent's columns."""
    return isinstance(row, Mapping) and COLUMNS["build_id"] in row


def parse_row(row: Mapping[str, Any]) -> BuildRecord:
    """Return the build that a row tells of. A row without a start is a build that tells no time.

    Raises:
        InvalidInput: Fields are missing or wrong; ``data["problems"]`` lists all of them, by column.

    """
    problems = []
    values: dict[str, Any] = {}
    for name, column in COLUMNS.items():
        value = row.get(column)
        if absent(value) or value in _PASSED_OVER:
            if name in REQUIRED:
                problems.append({"pointer": f"/{column}", "message": "is required"})
            continue
        try:
            values[name] = PARSERS[name](value)
        except ValueError as error:
            problems.append({"pointer": f"/{column}", "message": str(error)})
    if problems:
        told = "; ".join(f"{each['pointer']} {each['message']}" for each in problems)
        raise InvalidInput(f"A row cannot be read: {told}.", problems=problems)
    try:
        return BuildRecord(provider=PROVIDER, **values)
    except ValueError as error:  # a number or a time beyond what a build may have; the first word names the number
        column = COLUMNS.get(str(error).partition(" ")[0], COLUMNS["started_at"])
        problem = {"pointer": f"/{column}", "message": str(error)}
        raise InvalidInput(f"A row cannot be read: {problem['pointer']} {error}.", problems=[problem]) from None


def join_jobs(rows: Iterable[tuple[BuildRecord, object]]) -> Iterator[BuildRecord]:
    """Yield one record a build from one a job, each with its ``tr_job_id``: the rows of one build that follow each other are joined.

    The tests of a build are those of its jobs together. A row whose job was there already is a repetition, and counts once.
    """
    current: BuildRecord | None = None
    seen: set[object] = set()
    for record, job in rows:
        if current is None or current.key != record.key:
            if current is not None:
                yield current
            current, seen = record, {job}
        elif absent(job):
            # Without a job's id nothing tells a job from a repetition or a correction: the fold decides.
            yield current
            current = record
        elif job not in seen:
            seen.add(job)
            current = attrs.evolve(
                current,
                tests_run=_together(current.tests_run, record.tests_run),
                tests_failed=_together(current.tests_failed, record.tests_failed),
            )
    if current is not None:
        yield current


def _together(one: int | None, other: int | None) -> int | None:
    return other if one is None else one + (other or 0)


_WORDS = {Status.TIMED_OUT: "errored", Status.SKIPPED: None, Status.RUNNING: "started", Status.QUEUED: "created"}


def to_travistorrent(record: BuildRecord) -> dict[str, Any]:
    """Return a build as a row with TravisTorrent's columns; what is not known is None.

    A build that timed out is ``errored`` there; one that was skipped has no status. Attempts of one build share its ``tr_build_id`` and
    are told apart by a column more, ``run_attempt``.
    """
    row: dict[str, Any] = {column: getattr(record, name) for name, column in COLUMNS.items()}
    row["tr_status"] = _WORDS.get(record.status, record.status.value)
    row["gh_build_started_at"] = record.started_at.strftime("%Y-%m-%d %H:%M:%S") if record.started_at else None
    row["gh_is_pr"] = record.event.startswith("pull_request") if record.event else None
    if row["tr_duration"] is None and record.started_at and record.finished_at:
        row["tr_duration"] = (record.finished_at - record.started_at).total_seconds()
    return row
