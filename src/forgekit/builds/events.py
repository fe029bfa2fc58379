"""What happened to builds."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

import attrs

from forgekit.builds.imports import ImportStatus
from forgekit.kernel.events.models import Event


@attrs.frozen(kw_only=True)
class BuildsSubmitted(Event):
    """Builds of a project were stored.

    Attributes:
        project: The project.
        accepted: How many are new.
        updated: How many changed.

    """

    name: ClassVar[str] = "builds.submitted"

    project: str
    accepted: int
    updated: int


@attrs.frozen(kw_only=True)
class AnalysisRequested(Event):
    """An analysis was asked for; a durable handler makes it.

    Attributes:
        job_id: Names the request.
        project: The project; None for all.
        branch: The branch; None for all.
        since: First UTC day that counts; None for the first with a build.
        until: Last UTC day that counts; None for the last with a build.

    """

    name: ClassVar[str] = "builds.analysis_requested"

    job_id: str
    project: str | None = None
    branch: str | None = None
    since: date | None = None
    until: date | None = None


@attrs.frozen(kw_only=True)
class AnalysisMade(Event):
    """An analysis that was asked for is made.

    Attributes:
        job_id: The request.
        n_builds: How many builds it is about.
        success_rate: Passed of counted builds, 0.0 of none.

    """

    name: ClassVar[str] = "builds.analysed"

    job_id: str
    n_builds: int
    success_rate: float


@attrs.frozen(kw_only=True)
class BuildImportChanged(Event):
    """An import in the background was asked for, began, waits, or ended; while it goes on, how far it is.

    Recorded where its status changes, in the transaction that stores it. How far it is comes as a signal alone, at most once a second:
    nothing durable hangs on it. ``forge.builds.import_state`` tells the rest.

    Attributes:
        import_id: The import.
        source: The system.
        project: The project, as it was named.
        status: How it stands.
        fetched: How many builds, and with ``jobs`` builds' jobs, have come so far.
        total: How many there are, as far as is known.
        retry_at: Until when it waits; None where it does not.
        code: Code of the error that it waits for or failed at; None without one.

    """

    name: ClassVar[str] = "builds.import_changed"

    import_id: str
    source: str
    project: str
    status: ImportStatus
    fetched: int
    total: int | None = None
    retry_at: datetime | None = None
    code: str | None = None
