"""What the verbs of sprints are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import attrs

from forgekit.errors import UnknownPlugin
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.ports import SprintStorage, Tracker
from forgekit.work.service import WorkService


@attrs.frozen(kw_only=True)
class Parts:
    """The dependencies that the verbs share.

    Attributes:
        storage: Where it all is.
        recorder: Takes events.
        clock: The forge's clock.
        work: Projects and work items.
        trackers: Opens a tracker for those who wait for its calls, by the tracker's name.
        wake: Tells the worker that there is work.

    """

    storage: SprintStorage
    recorder: Recorder
    clock: Clock
    work: WorkService
    trackers: Mapping[str, Callable[[Priority], Tracker]]
    wake: Callable[[], None]

    def name(self, tracker: str | None) -> str:
        """Return the tracker's name; the only one's when absent.

        Raises:
            UnknownPlugin: There is no such tracker, or none was named and there is not exactly one.

        """
        offered = sorted(self.trackers)
        if tracker is None and len(offered) == 1:
            return offered[0]
        if tracker is None or tracker not in self.trackers:
            message = f"No plugin offers the tracker {tracker!r}." if tracker else "Name a tracker: there is not exactly one."
            raise UnknownPlugin(f"{message} Offered: {', '.join(offered) or 'none'}.", name=tracker)
        return tracker

    def open(self, tracker: str, priority: Priority) -> Tracker:
        """Open a tracker.

        Raises:
            UnknownPlugin: There is no such tracker.
            NotConfigured: It lacks a setting.

        """
        return self.trackers[self.name(tracker)](priority)

    def request(self, tx: Transaction, schedule: str, *, delay: float = 0.0, at_most: float = 0.0) -> None:
        """Ask for a run of work on demand, ``delay`` seconds after the last such request, at most ``at_most`` after the first."""
        self.storage.claims(tx).request_schedule(
            schedule, now=self.clock.now(), delay=timedelta(seconds=delay), at_most=timedelta(seconds=at_most)
        )
        tx.after_commit(self.wake)

    def request_later(self, schedule: str, seconds: float) -> None:
        """Ask for another run of work on demand, in a transaction of its own (what a run leaves undone must survive its process)."""
        with self.storage.transaction() as tx:
            self.request(tx, schedule, delay=seconds, at_most=seconds)


def poll_schedule(tracker: str) -> str:
    """Return the name of a tracker's loop."""
    return f"sprints.poll:{tracker}"


def import_schedule(tracker: str) -> str:
    """Return the name of a tracker's import on demand (webhooks)."""
    return f"sprints.import:{tracker}"


def relations_schedule(tracker: str) -> str:
    """Return the name of what fetches relations."""
    return f"sprints.relations:{tracker}"


def push_schedule(tracker: str) -> str:
    """Return the name of what tells local changes."""
    return f"sprints.push:{tracker}"


COMPLETIONS = "sprints.completions"
"""Name of what finishes completions whose process died."""
