"""A build, its jobs, and what a rate or a window is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import attrs

GREATEST = 2**31 - 1
"""The greatest number of anything: seconds (68 years), tests, attempts."""

_FIRST_YEAR = 1970
_LAST_YEAR = 2199

UNDATED = 0
"""The day of a build that says neither when it started nor when it was queued."""


class Status(StrEnum):
    """Where a build or a job stands, in TravisTorrent's words where it has one."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"
    SKIPPED = "skipped"
    RUNNING = "running"
    QUEUED = "queued"

    # A member equals its text; Enum's own hash is written in Python and would be the dearest line of the fold.
    __hash__ = str.__hash__


FINISHED = frozenset({Status.PASSED, Status.FAILED, Status.ERRORED, Status.TIMED_OUT, Status.CANCELED, Status.SKIPPED})
"""An attempt in one of these has ended."""

COUNTED = frozenset({Status.PASSED, Status.FAILED, Status.ERRORED, Status.TIMED_OUT})
"""Only these are in denominators: what was cancelled, skipped or has not ended says nothing about the code."""

BROKEN = frozenset({Status.FAILED, Status.ERRORED, Status.TIMED_OUT})
"""These turn a branch red."""


class Key(NamedTuple):
    """What identifies a build: the same four values are the same build."""

    provider: str
    project: str
    build_id: str
    attempt: int


def _utc(moment: datetime | None) -> datetime | None:
    """Return the moment in UTC; one without an offset is taken to be in UTC already."""
    if moment is None:
        return None
    # One build of the year 1 would make every list of weeks a hundred thousand long.
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        message = f"a time must be between {_FIRST_YEAR} and {_LAST_YEAR}, not in {moment.year}"
        raise ValueError(message)
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _between(lowest: int) -> Callable[[object, attrs.Attribute[Any], float | None], None]:
    def check(_instance: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
        # A NaN compares false with everything, and is refused too.
        if value is not None and not lowest <= value <= GREATEST:
            message = f"{attribute.name} must be between {lowest} and {GREATEST}, not {value!r}"
            raise ValueError(message)

    return check


@attrs.frozen(kw_only=True)
class Job:
    """A job of a build.

    Attributes:
        name: Its name, the same in every run.
        status: Where it stands.
        started_at: When a machine took it up; a time without offset is UTC.
        finished_at: When it ended.
        rate: What a minute of it costs in minutes of the cheapest machine.

    """

    name: str
    status: Status = attrs.field(converter=Status)
    started_at: datetime | None = attrs.field(default=None, converter=_utc)
    finished_at: datetime | None = attrs.field(default=None, converter=_utc)
    rate: float = attrs.field(default=1.0, validator=_between(0))


@attrs.frozen(kw_only=True)
class BuildRecord:
    """One attempt of a build, as its system tells of it.

    Attributes:
        build_id: The run's id there, the same for all attempts.
        project: What it builds (``owner/repository``).
        status: Where it stands.
        started_at: When this attempt started; a time without offset is UTC. None only while it is queued, or where nobody knows.
        provider: The system it comes from.
        attempt: 1 for the first, higher for a re-run.
        duration_seconds: How long the system says that it ran; the wall time stands in where this is None.
        queued_at: When it was asked for.
        finished_at: When it ended.
        branch: Its branch.
        commit: The commit that it builds.
        workflow: Its pipeline's name.
        event: What caused it.
        actor: Who caused it.
        language: The project's main language.
        tests_run: How many tests ran; None where nobody counted.
        tests_failed: How many of them failed.
        url: Where people look at it.
        jobs: Its jobs, where they are known.
        updated_at: When the system last changed what it says of this attempt: of two versions, the later holds.
        end_estimated: Whether ``finished_at`` is a guess (GitHub tells no end of a run).
        environment: Where it deploys to; None for a build that is no deployment.
        committed_at: When the commit was made.

    """

    build_id: str
    project: str
    status: Status = attrs.field(converter=Status)
    started_at: datetime | None = attrs.field(default=None, converter=_utc)
    provider: str = "api"
    attempt: int = attrs.field(default=1, validator=_between(1))
    duration_seconds: float | None = attrs.field(default=None, validator=_between(0))
    queued_at: datetime | None = attrs.field(default=None, converter=_utc)
    finished_at: datetime | None = attrs.field(default=None, converter=_utc)
    branch: str | None = None
    commit: str | None = None
    workflow: str | None = None
    event: str | None = None
    actor: str | None = None
    language: str | None = None
    tests_run: int | None = attrs.field(default=None, validator=_between(0))
    tests_failed: int | None = attrs.field(default=None, validator=_between(0))
    url: str | None = None
    jobs: tuple[Job, ...] = attrs.field(default=(), converter=tuple[Job, ...])
    updated_at: datetime | None = attrs.field(default=None, converter=_utc)
    end_estimated: bool = False
    environment: str | None = None
    committed_at: datetime | None = attrs.field(default=None, converter=_utc)

    @property
    def key(self) -> Key:
        """What identifies it."""
        return Key(self.provider, self.project, self.build_id, self.attempt)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended: as told, else start and duration together."""
        if self.finished_at is not None or self.started_at is None or self.duration_seconds is None:
            return self.finished_at
        return self.started_at + timedelta(seconds=self.duration_seconds)

    @property
    def day(self) -> int:
        """The UTC day that everything it causes is counted on, as ``date.toordinal``; ``UNDATED`` where it tells no time."""
        moment = self.started_at or self.queued_at
        return moment.toordinal() if moment is not None else UNDATED


@attrs.frozen(kw_only=True)
class Incident:
    """Something that a deployment broke.

    Attributes:
        id: Unique within the project.
        project: The project that was hit.
        deployment: The build that caused it; None where nobody knows.
        resolved_at: When service was back; None while it is not.

    """

    id: str
    project: str
    deployment: Key | None = None
    resolved_at: datetime | None = attrs.field(default=None, converter=_utc)


@attrs.frozen
class Rate:
    """A share, with the counts that it comes from.

    Attributes:
        numerator: How many are so.
        denominator: Of how many.

    """

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.numerator / self.denominator if self.denominator else None

    def __float__(self) -> float:
        """Return the share, 0.0 of nothing."""
        return self.value or 0.0


@attrs.frozen
class Mean:
    """An average, with the sum and the count that it comes from.

    Attributes:
        total: The sum.
        count: Of how many.

    """

    total: float
    count: int

    @property
    def value(self) -> float | None:
        """The average; None of nothing."""
        return self.total / self.count if self.count else None


@attrs.frozen
class Window:
    """Whole UTC days, both ends included.

    Attributes:
        since: First day.
        until: Last day.

    """

    since: date
    until: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.until - self.since).days + 1

    @property
    def prior(self) -> Window:
        """The window of the same length just before it."""
        return Window(self.since - timedelta(days=self.days), self.since - timedelta(days=1))

    def __contains__(self, day: int) -> bool:
        """Tell whether a day (``date.toordinal``) is in it."""
        return self.since.toordinal() <= day <= self.until.toordinal()
