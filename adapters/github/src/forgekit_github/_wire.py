"""Pure: what GitHub's REST API (version 2022-11-28) and its webhooks tell of runs, jobs and deployments.

The same objects come from both. A run carries no end: ``updated_at`` at its completion stands in, marked as an estimate, until its
jobs tell the end. https://docs.github.com/en/rest/actions/workflow-runs
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from forgekit.builds import FINISHED, BuildRecord, Job, Status, parse_status
from forgekit.builds.models import GREATEST

PROVIDER = "github"

Row = Mapping[str, Any]

_YEARS = range(1970, 2200)
_MAX_TEXT = 1000
_COMPLETED = "completed"
_UNAPPROVED = "action_required"
_RUNNING = frozenset({"in_progress", "completed"})
_WAITING = frozenset({"queued", "requested", "waiting", "pending"})
# https://docs.github.com/en/billing/reference/actions-minute-multipliers
_RATES = {"windows": 2.0, "macos": 10.0}


class Malformed(ValueError):
    """A row is not of its shape; the first argument is the pointer to what is wrong, the second says what."""

    @property
    def pointer(self) -> str:
        """Where it is wrong."""
        return str(self.args[0])

    @property
    def problem(self) -> str:
        """What is wrong."""
        return str(self.args[1])


# Single values


def part(row: Row, name: str) -> Row:
    """Return an object within an object; an empty one where it is absent or null (a deleted fork, a commit that is gone)."""
    value = row.get(name)
    return value if isinstance(value, Mapping) else {}


def text(row: Row, name: str) -> str | None:
    """Return a text that is not empty; None for anything else. NUL, which no database holds, is left out."""
    value = row.get(name)
    return value.replace("\0", "")[:_MAX_TEXT] or None if isinstance(value, str) else None


def moment(row: Row, name: str) -> datetime | None:
    """Return a time; None where it is absent or makes no sense: jobs that never ran have some of the year 1."""
    value = row.get(name)
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if read is None:
        return None
    try:
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except OverflowError:
        return None
    return read if read.year in _YEARS else None


def number(row: Row, name: str, pointer: str) -> int:
    """Return an id.

    Raises:
        Malformed: It is absent, or no whole number above zero.

    """
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 63:
        raise Malformed(f"{pointer}/{name}", "is not an id")
    return value


def attempt_of(row: Row) -> int:
    """Return a run's or job's attempt; before there were re-runs none was told."""
    value = row.get("run_attempt")
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= GREATEST else 1


def status_of(row: Row) -> Status:
    """Return where a run, a job or a check suite stands.

    One that says ``completed`` without a conclusion has not ended: nobody knows yet how. A conclusion that is not known yet ended it
    without a judgement.
    """
    status, conclusion = text(row, "status"), text(row, "conclusion")
    if status in _WAITING:
        return Status.QUEUED
    if status != _COMPLETED or conclusion is None:
        return Status.RUNNING
    try:
        found = parse_status(conclusion)
    except ValueError:
        return Status.SKIPPED
    return found if found in FINISHED else Status.SKIPPED


# Runs


def parse_run(row: Row, *, project: str | None = None, language: str | None = None, pointer: str = "") -> BuildRecord:
    """Return one attempt of a run.

    Args:
        row: The run.
        project: The repository it belongs to; read off the run where absent.
        language: The repository's main language.
        pointer: Where the run stands in what was read, for the error.

    Raises:
        Malformed: It has no id, or belongs to no repository.

    """
    project = project or text(part(row, "repository"), "full_name")
    if project is None:
        raise Malformed(f"{pointer}/repository/full_name", "is absent")
    status, attempt = status_of(row), attempt_of(row)
    started = moment(row, "run_started_at") or moment(row, "created_at")
    changed = moment(row, "updated_at")
    # A run that somebody must approve is told as completed, and as the same attempt begins and ends once that is done.
    unapproved = status in FINISHED and text(row, "conclusion") == _UNAPPROVED
    ended = max(filter(None, (started, changed)), default=None) if status in FINISHED and not unapproved else None
    return BuildRecord(
        provider=PROVIDER,
        project=project,
        build_id=str(number(row, "id", pointer)),
        attempt=attempt,
        status=status,
        # Of a re-run ``created_at`` is still when the first attempt was asked for.
        queued_at=moment(row, "created_at") if attempt == 1 else started,
        started_at=None if status is Status.QUEUED or unapproved else started,
        finished_at=ended,
        end_estimated=ended is not None,
        branch=branch_of(row, project),
        commit=text(row, "head_sha"),
        committed_at=moment(part(row, "head_commit"), "timestamp"),
        workflow=text(row, "name"),
        event=text(row, "event"),
        actor=text(part(row, "triggering_actor"), "login") or text(part(row, "actor"), "login"),
        language=language,
        url=text(row, "html_url"),
        updated_at=changed,
    )


def branch_of(row: Row, project: str) -> str | None:
    """Return a run's branch: one of a fork as ``owner:branch``, for a fork's ``main`` is not the project's."""
    branch, head = text(row, "head_branch"), part(row, "head_repository")
    source, own = text(head, "full_name"), text(part(row, "repository"), "full_name") or project
    if branch is None or source is None or source.lower() == own.lower():
        return branch
    return f"{source.partition('/')[0]}:{branch}"


def created_at(row: Row) -> datetime:
    """Return when a run was first asked for, which is what lists are sorted and filtered by.

    Raises:
        Malformed: It does not tell.

    """
    created = moment(row, "created_at")
    if created is None:
        raise Malformed("/created_at", "is no time")
    return created


# Jobs


def parse_job(row: Row) -> Job:
    """Return a job.

    Raises:
        Malformed: It has no name.

    """
    name, status = text(row, "name"), status_of(row)
    if name is None:
        raise Malformed("/name", "is absent")
    started, ended = moment(row, "started_at"), moment(row, "completed_at")
    # A job that waits is given the time of its making as its start.
    started = None if status is Status.QUEUED else started
    ended = None if status not in FINISHED else ended
    if started is not None and ended is not None and ended < started:
        started = ended  # of skipped jobs
    return Job(name=name, status=status, started_at=started, finished_at=ended, rate=rate_of(row.get("labels")))


def rate_of(labels: object) -> float:
    """Return what a minute on a machine with these labels costs, in minutes of the cheapest."""
    names = [label.lower() for label in labels if isinstance(label, str)] if isinstance(labels, Sequence) else []
    if "self-hosted" in names:
        return 1.0
    return max((rate for system, rate in _RATES.items() for name in names if name.startswith(system)), default=1.0)


def parse_jobs(rows: Sequence[Row], attempt: int) -> tuple[Job, ...]:
    """Return the jobs of one attempt: those that a re-run took over from the attempt before did not run in it.

    Raises:
        Malformed: One is not of its shape.

    """
    return tuple(parse_job(row) for row in rows if attempt_of(row) == attempt or "run_attempt" not in row)


# Lists


def parse_list(body: object, name: str) -> tuple[list[Row], int | None]:
    """Return the rows of a list, and how many it has in all.

    Raises:
        Malformed: The answer is no list of such rows.

    """
    rows = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Malformed(f"/{name}", "is no list")
    total = body.get("total_count")
    return rows, total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
