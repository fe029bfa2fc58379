"""forgekit: the back office of a software forge, as a library."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forgekit import builds
    from forgekit.concurrency import offload
    from forgekit.errors import ForgekitError
    from forgekit.forge import Forge
    from forgekit.kernel.secrets import Secret
    from forgekit.markers import hookimpl
    from forgekit.sprints.models import ImportProgress, SprintCompleted, SprintImported

__all__ = ["Forge", "ForgekitError", "ImportProgress", "Secret", "SprintCompleted", "SprintImported", "builds", "hookimpl", "offload"]

_HOMES = {
    "Forge": "forgekit.forge",
    "ForgekitError": "forgekit.errors",
    "ImportProgress": "forgekit.sprints.models",
    "Secret": "forgekit.kernel.secrets",
    "SprintCompleted": "forgekit.sprints.models",
    "SprintImported": "forgekit.sprints.models",
    "hookimpl": "forgekit.markers",
    "offload": "forgekit.concurrency",
}
"""Where each name lives: imported on first use (PEP 562), so that ``import forgekit`` stays cheap for those who need one name."""


_PACKAGES = {"builds"}
"""Domains that are of use without a forge, as ``forgekit.builds.analyse(records)``."""


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name in _PACKAGES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, imported or not."""
    return sorted({*globals(), *__all__})
