"""The contract's frame: prefix, guard, and which status each error has."""

from __future__ import annotations

from forgekit import errors
from forgekit.hosting import host_guard
from forgekit.http import Surface, detail_problems
from forgekit.kernel.net.buckets import limit

TRACKER = "plane"
"""The name of the tracker, and of the webhook provider, that this surface shows."""

# Bounds on what this host does, not on Plane's patience: the budget of outgoing calls keeps that. None for webhooks: they are
# received on the event loop, where a shared count might block, and a refused one would be lost.
IMPORTS = limit("plane.import", "120/minute", doc="Imports that one caller asks for.")
TESTS = limit("plane.test", "60/minute", doc="Connection tests that one caller asks for, three or four calls to Plane each.")

surface = Surface(
    "plane",
    prefix="/api/plane",
    guard=host_guard(),
    problems=detail_problems(
        {
            errors.InvalidInput: 400,
            errors.SettingsInvalid: 400,
            errors.SettingPinned: 400,
            errors.EmptySecret: 400,
            errors.UnknownPlugin: 404,
            # The document's own words: 401 is "Plane API key invalid or not configured".
            errors.NotConfigured: 401,
            errors.RemoteUnauthorized: 401,
            # Plane says "no permission" of what it does not show: to the caller that is the same as not being there.
            errors.RemoteForbidden: 404,
            errors.RemoteNotFound: 404,
            errors.RemoteRateLimited: 429,
        }
    ),
    description="A sprint in Plane becomes work here, and results go back.",
)
