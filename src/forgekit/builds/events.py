"""What happened to builds."""

from __future__ import annotations

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
