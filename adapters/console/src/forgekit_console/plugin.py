"""What this package offers to a forge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forgekit import hookimpl

if TYPE_CHECKING:
    from forgekit.hookspecs import SurfaceFactory


@hookimpl
def forgekit_surfaces() -> Mapping[str, SurfaceFactory]:
    """Offer the pages under the name ``console``."""
    from forgekit_console.surface import make_surface

    return {"console": make_surface}
