"""Sprint sync with Plane: ``/api/plane``, bare JSON."""

from __future__ import annotations

from forgekit_surfaces.plane import configuration, sprints, webhooks
from forgekit_surfaces.plane.contract import surface

__all__ = ["configuration", "sprints", "surface", "webhooks"]
