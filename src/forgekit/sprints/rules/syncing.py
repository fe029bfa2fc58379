"""What is told to the tracker, and when the loop looks again."""

from __future__ import annotations

from datetime import datetime, timedelta

from forgekit.kernel.events.models import ScheduleState
from forgekit.sprints.models import StateGroup
from forgekit.work.models import State, WorkItem

LONGEST_WAIT = 300.0
"""Seconds; the loop looks at least this often, unless the tracker asks for more patience."""

_OVERDUE = timedelta(seconds=15)
"""A worker looks for due work every second: a row overdue by more than this has nobody who looks."""

_WORKING = {State.IN_PROGRESS, State.REVIEW}


def push_target(item: WorkItem) -> StateGroup | None:
    """Return the state group that the tracker should show for an item; None where there is nothing to tell."""
    if item.passing:
        return StateGroup.COMPLETED
    return StateGroup.STARTED if item.state in _WORKING else None


def backoff(failures: int, interval: float, *, noise: float, retry_after: float | None = None) -> float:
    """Return the seconds to wait after the loop has failed ``failures`` times in a row.

    Doubles with each failure, with a fifth of jitter to both sides so that loops which failed together do not come back together.

    Args:
        failures: At least 1.
        interval: The loop's own interval in seconds.
        noise: From 0 to 1.
        retry_after: Seconds that the tracker or our budget asks for; never shortened.

    """
    longest = max(LONGEST_WAIT, interval)
    wait = min(interval * 2.0 ** min(failures, 20), longest) * (0.8 + 0.4 * noise)
    return max(wait, retry_after or 0.0)


def is_alive(schedule: ScheduleState | None, now: datetime) -> bool:
    """Tell whether some worker runs the loop: it is on, and held now, or not overdue."""
    if schedule is None or not schedule.enabled:
        return False
    return schedule.running or (schedule.due_at is not None and schedule.due_at >= now - _OVERDUE)
