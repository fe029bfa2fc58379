"""What the verbs of sprints answer."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import ClassVar

import attrs

from forgekit.sprints.models import Sprint, SprintStatistics, SyncState


class Action(Enum):
    """What an import did with an item."""

    CREATED = "created"
    UPDATED = "updated"
    SKIPPED = "skipped"


@attrs.frozen(kw_only=True)
class ImportDetail:
    """What an import did with one item.

    Attributes:
        external_id: The tracker's id of it.
        name: Its name.
        action: What was done.
        number: The item's number here; None where it has none.
        reason: Why it was skipped: ``cancelled``, ``already_imported`` or ``removed_from_cycle``.

    """

    external_id: str
    name: str
    action: Action
    number: int | None = None
    reason: str | None = None


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import did.

    Attributes:
        sprint: The sprint here.
        details: One entry an item, in the tracker's order.
        relations_pending: How many items' blockers are still to be fetched.

    """

    sprint: Sprint
    details: tuple[ImportDetail, ...]
    relations_pending: int = 0

    def _count(self, action: Action) -> int:
        return sum(detail.action is action for detail in self.details)

    @property
    def imported(self) -> int:
        """How many items are new."""
        return self._count(Action.CREATED)

    @property
    def updated(self) -> int:
        """How many items changed."""
        return self._count(Action.UPDATED)

    @property
    def skipped(self) -> int:
        """How many items were left alone."""
        return self._count(Action.SKIPPED)


@attrs.frozen(kw_only=True)
class SyncStatus:
    """What ``forge.sprints.status()`` tells.

    Attributes:
        state: What is stored.
        running: Whether the loop is alive: enabled, and held or waited for by a worker.
        statistics: The active sprint in numbers.
        relations_pending: How many items' blockers are still to be fetched.

    """

    state: SyncState
    running: bool
    statistics: SprintStatistics
    relations_pending: int = 0


@attrs.frozen(kw_only=True)
class CompletionReport:
    """What completing a sprint gave.

    Attributes:
        success: Whether the sprint is completed.
        features_completed: Items that pass.
        features_failed: Items that do not.
        git_tag: The tag that marks it; None without a repository or when git failed.
        change_log: ``git log --oneline`` since the previous sprint's tag; empty without a repository.
        release_notes_path: Where the notes are; None without a repository.
        error: Why it was refused, or what did not work though the sprint is completed.

    """

    success: bool
    features_completed: int
    features_failed: int
    git_tag: str | None = None
    change_log: str = ""
    release_notes_path: str | None = None
    error: str | None = None


@attrs.frozen(kw_only=True)
class ItemTests:
    """The test runs of one item in a report.

    Attributes:
        number: The item's number.
        name: Its name.
        total: How many runs.
        passed: How many passed.
        last_at: When the newest one ran.
        last_passed: Its result.

    """

    number: int
    name: str
    total: int
    passed: int
    last_at: datetime
    last_passed: bool


@attrs.frozen(kw_only=True)
class TestReport:
    """The test runs of the work items that are linked to a tracker.

    Attributes:
        total_items: Linked items.
        tested: Those with runs.
        statistics: All their runs.
        items: One entry an item with runs, by number.
        generated_at: When this was computed.

    """

    __test__: ClassVar[bool] = False

    total_items: int
    tested: int
    statistics: SprintStatistics
    items: tuple[ItemTests, ...]
    generated_at: datetime
