"""forgekit: the back office of a software forge, as a library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgekit.lazy import lazily as _lazily

if TYPE_CHECKING:
    from forgekit import builds
    from forgekit.concurrency import offload
    from forgekit.errors import ForgekitError
    from forgekit.forge import Forge
    from forgekit.kernel.secrets import Secret
    from forgekit.markers import hookimpl
    from forgekit.sprints.models import ImportProgress, SprintCompleted, SprintImported

__all__ = ["Forge", "ForgekitError", "ImportProgress", "Secret", "SprintCompleted", "SprintImported", "builds", "hookimpl", "offload"]

__getattr__, __dir__ = _lazily(
    __name__,
    {
        "Forge": "forgekit.forge",
        "ForgekitError": "forgekit.errors",
        "ImportProgress": "forgekit.sprints.models",
        "Secret": "forgekit.kernel.secrets",
        "SprintCompleted": "forgekit.sprints.models",
        "SprintImported": "forgekit.sprints.models",
        "builds": "forgekit.builds",
        "hookimpl": "forgekit.markers",
        "offload": "forgekit.concurrency",
    },
)
