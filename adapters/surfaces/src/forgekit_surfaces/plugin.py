"""What this package offers to a forge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forgekit import hookimpl

if TYPE_CHECKING:
    from forgekit.hookspecs import SurfaceFactory


@hookimpl
def forgekit_surfaces() -> Mapping[str, SurfaceFactory]:
    """Offer the surfaces by name."""
    from forgekit_surfaces import builds, plane

    return {"builds": lambda _forge: builds.surface, "plane": lambda _forge: plane.surface}
