"""What GitLab's statuses mean."""

from __future__ import annotations

from forgekit.builds.models import Status

WORDS = {
    **dict.fromkeys(("created", "waiting_for_resource", "waiting_for_callback", "preparing", "pending", "scheduled"), Status.QUEUED),
    **dict.fromkeys(("running", "canceling"), Status.RUNNING),
    "success": Status.PASSED,
    "failed": Status.FAILED,
    "canceled": Status.CANCELED,
    # Everything that could run has run, and the rest waits for a person who may never come.
    **dict.fromkeys(("skipped", "manual", "blocked"), Status.SKIPPED),
}
