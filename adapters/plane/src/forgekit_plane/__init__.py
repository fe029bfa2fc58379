"""The tracker Plane for forgekit: cycles and work items over its REST API, and its webhooks."""

from forgekit_plane.html import html_to_text
from forgekit_plane.settings import PlaneSettings
from forgekit_plane.tracker import PlaneTracker
from forgekit_plane.webhooks import PLANE

__all__ = ["PLANE", "PlaneSettings", "PlaneTracker", "html_to_text"]
