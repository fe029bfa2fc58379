"""The contract's frame: prefix, guard, limit, and which status each error has."""

from __future__ import annotations

from forgekit import errors
from forgekit.hosting import ApiKeyGuard
from forgekit.http import Surface, detail_problems
from forgekit.kernel.net.buckets import limit

SCOPE = "builds"
"""What an API key must allow."""

# None for webhooks: a sender that is refused may never send again.
CALLS = limit("builds.key", "100/minute", doc="Calls that one API key makes to the builds surface; webhooks are not counted.")

surface = Surface(
    "builds",
    prefix="/api/v1",
    guard=ApiKeyGuard(SCOPE),
    problems=detail_problems({errors.StorageError: 503}),
    description="CI systems send builds, and ask what they come to.",
)
