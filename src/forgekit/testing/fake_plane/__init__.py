"""A Plane on the loopback, true to the real one down to its traps."""

from forgekit.testing.fake_plane.hooks import Delivery
from forgekit.testing.fake_plane.plane import FakePlane
from forgekit.testing.loopback import Call, send

__all__ = ["Call", "Delivery", "FakePlane", "send"]
