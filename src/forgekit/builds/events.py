"""What happened to builds."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

import attrs

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
