"""What the adapter offers to a forge (entry point ``plane`` of the group ``forgekit``)."""

from __future__ import annotations

from collections.abc import Mapping

from forgekit.errors import UsageError
from forgekit.markers import hookimpl
from forgekit.sprints.ports import Tracker, TrackerAdapter, TrackerContext
from forgekit.webhooks.ports import Provider
from forgekit_plane._client import Client, Memories
from forgekit_plane.settings import PlaneSettings, access
from forgekit_plane.tracker import PlaneTracker
from forgekit_plane.webhooks import PLANE


def adapter() -> TrackerAdapter:
    """Return the tracker's adapter, with a memory of its own of what its servers told."""
    memories = Memories()

    def open_tracker(context: TrackerContext) -> Tracker:
        if not isinstance(context.settings, PlaneSettings):
            raise UsageError("Plane's tracker is opened with PlaneSettings.")
        given = access(context.settings)
        return PlaneTracker(given, Client(given, context.http, context.priority, memories.of(given)), context.clock)

    return TrackerAdapter(settings=PlaneSettings, open=open_tracker)


@hookimpl
def forgekit_trackers() -> Mapping[str, TrackerAdapter]:
    """Offer the tracker ``plane``."""
    return {"plane": adapter()}


@hookimpl
def forgekit_webhook_providers() -> Mapping[str, Provider]:
    """Offer the sender ``plane``."""
    return {"plane": PLANE}
