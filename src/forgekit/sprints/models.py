"""The sprint, what a tracker says of it, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, ClassVar

import attrs

from forgekit.kernel.events.models import Event


class SprintState(Enum):
    """Where a sprint stands; a project has at most one that is active."""

    PLANNED = "PLANNED"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"


class StateGroup(Enum):
    """The groups that trackers sort their states into."""

    BACKLOG = "backlog"
    UNSTARTED = "unstarted"
    STARTED = "started"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class CycleStatus(Enum):
    """Where a tracker's cycle stands, computed from its dates."""

    CURRENT = "current"
    UPCOMING = "upcoming"
    COMPLETED = "completed"
    DRAFT = "draft"


@attrs.frozen(kw_only=True)
class Sprint:
    """A sprint of a project.

    Attributes:
        id: UUIDv7.
        project_id: Its project.
        name: For people.
        goal: What it is for, plain text.
        state: Where it stands.
        starts_on: First day, in the project's time zone.
        ends_on: Last day.
        tracker: Name of the tracker it comes from; None for one made here.
        external_id: The cycle's id there.
        created_at: When it was made here.
        completed_at: When it was completed here.

    """

    id: str
    project_id: str
    name: str
    goal: str = ""
    state: SprintState = SprintState.PLANNED
    starts_on: date | None = None
    ends_on: date | None = None
    tracker: str | None = None
    external_id: str | None = None
    created_at: datetime
    completed_at: datetime | None = None


# What a tracker tells


@attrs.frozen(kw_only=True)
class Cycle:
    """A sprint as the tracker knows it.

    Attributes:
        id: The tracker's id.
        name: At most 255 characters.
        description: Plain text.
        starts_on: First day in the tracker project's time zone; None for a draft.
        ends_on: Last day; None for a draft.
        status: Computed from the dates.
        total: How many items are in it; None where the tracker does not count.
        completed: How many of them are completed.

    """

    id: str
    name: str
    description: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    status: CycleStatus
    total: int | None = None
    completed: int | None = None


@attrs.frozen(kw_only=True)
class TrackerItem:
    """A work item as the tracker knows it.

    Attributes:
        id: The tracker's id.
        key: The tracker's name of it for people (``SHOP-12``); empty where it has none.
        name: One line.
        description: Plain text; list items as ``- …``, boxes as ``- [ ] …``, headings as ``# …``.
        priority: 1 (urgent) to 5 (none).
        group: The group of its state.
        state: Name of its state, for people.
        category: Module or first label; None where it has neither.
        parent_id: The tracker's id of the item it is part of.
        position: Its order in the tracker, ascending.
        updated_at: When the tracker says it last changed; moves for more reasons than its content.

    """

    id: str
    key: str = ""
    name: str
    description: str = ""
    priority: int = 5
    group: StateGroup
    state: str = ""
    category: str | None = None
    parent_id: str | None = None
    position: int = 0
    updated_at: datetime


@attrs.frozen(kw_only=True)
class Connection:
    """A tracker that answered.

    Attributes:
        workspace: What the project lives in.
        project: The tracker project's name.
        version: The tracker's version; None where it does not tell.
        user_id: Who the credentials are; our own writes come back under this name.

    """

    workspace: str
    project: str
    version: str | None = None
    user_id: str | None = None


# What is kept of a synchronisation


@attrs.frozen(kw_only=True)
class Link:
    """The tie between a work item here and one in a tracker.

    Attributes:
        tracker: The tracker's name.
        project_id: The item's project; (tracker, project, external id) is unique, and so is the item.
        external_id: The item's id there.
        item_id: The item here.
        sprint_id: The sprint it was last seen in; None once it left.
        content_hash: Hash of what the tracker last said, apart from its state (``rules.content_hash``).
        group: The state group it was last seen in, our own writes included.
        remote_updated_at: The tracker's ``updated_at`` when last seen.
        written_at: When we last wrote to it, by the tracker's own clock; None where we did not, or the tracker did not tell.
        synced_at: When it was last imported or pushed.
        blockers: The tracker's ids of what it waits for, as last fetched, also of items that are not here (yet).
        relations_pending: Whether its blockers wait to be fetched.
        push_pending: Whether a local change waits to be told.

    """

    tracker: str
    project_id: str
    external_id: str
    item_id: str
    sprint_id: str | None
    content_hash: str
    group: StateGroup
    remote_updated_at: datetime
    written_at: datetime | None = None
    synced_at: datetime
    blockers: tuple[str, ...] = ()
    relations_pending: bool = False
    push_pending: bool = False


@attrs.frozen(kw_only=True)
class SyncState:
    """Where the synchronisation with a tracker stands.

    Attributes:
        tracker: The tracker's name.
        enabled: Whether the loop runs.
        muted: Whether somebody turned it off: then nothing recorded here is told to the tracker, until it is turned on again.
        project_id: The project that the active cycle is imported into.
        sprint_id: The sprint here that mirrors the active cycle.
        active_cycle_id: The tracker's id of the active cycle.
        active_cycle_name: Its name.
        last_sync_at: End of the last successful iteration.
        last_error: Why the last iteration failed; None when it did not.
        items_synced: How many items the last iteration created, updated or pushed.
        failures: How many iterations failed since the last success.
        relations: Whether the tracker's server tells relations, as far as is known; asked again with each new cycle.

    """

    tracker: str
    enabled: bool = False
    muted: bool = False
    project_id: str | None = None
    sprint_id: str | None = None
    active_cycle_id: str | None = None
    active_cycle_name: str | None = None
    last_sync_at: datetime | None = None
    last_error: str | None = None
    items_synced: int = 0
    failures: int = 0
    relations: bool = True


@attrs.frozen(kw_only=True)
class SprintStatistics:
    """A sprint in numbers.

    Attributes:
        total: Work items in it.
        passing: How many of them pass.
        test_runs: Runs recorded for them.
        passed_runs: How many of those passed.

    """

    total: int = 0
    passing: int = 0
    test_runs: int = 0
    passed_runs: int = 0

    @property
    def failed(self) -> int:
        """How many items do not pass."""
        return self.total - self.passing

    @property
    def pass_rate(self) -> float:
        """Passed runs over runs: a percentage with one decimal, 0.0 without runs."""
        return round(100 * self.passed_runs / self.test_runs, 1) if self.test_runs else 0.0

    @property
    def complete(self) -> bool:
        """Whether there are items and all pass."""
        return self.total > 0 and self.passing == self.total


@attrs.frozen(kw_only=True)
class Completion:
    """The record of a sprint's completion: which steps are done, and what each gave.

    Attributes:
        sprint_id: The sprint; there is one record a sprint.
        steps: Result of each step that is done, by the step's name, JSON-able.
        owner: Who works on the next step; empty when nobody does.
        lease_until: Until when ``owner`` is believed to be alive; None when nobody works on it.
        finished_at: When the last step was done; None before.

    """

    sprint_id: str
    steps: Mapping[str, Any] = attrs.field(factory=dict)
    owner: str = ""
    lease_until: datetime | None = None
    finished_at: datetime | None = None


# Events


@attrs.frozen(kw_only=True)
class ImportProgress(Event):
    """How far an import is (a signal only: nothing durable hangs on it).

    Attributes:
        cycle_id: The tracker's id of the cycle.
        project: Key of the project that it goes into.
        fetched: How many items are here.
        total: How many there are; None while unknown.
        phase: ``fetching``, ``writing``, and at the end ``done`` or ``failed``.

    """

    name: ClassVar[str] = "sprints.import_progress"

    cycle_id: str
    project: str
    fetched: int
    total: int | None
    phase: str


@attrs.frozen(kw_only=True)
class SprintImported(Event):
    """A cycle was imported; sent also when nothing changed."""

    name: ClassVar[str] = "sprints.imported"

    project_id: str
    sprint_id: str
    cycle_id: str
    imported: int
    updated: int
    skipped: int


@attrs.frozen(kw_only=True)
class SprintCompleted(Event):
    """A sprint was completed."""

    name: ClassVar[str] = "sprints.completed"

    project_id: str
    sprint_id: str
    sprint_name: str
    git_tag: str | None


@attrs.frozen(kw_only=True)
class CommentDue(Event):
    """A comment is to be written on a tracker's item."""

    name: ClassVar[str] = "sprints.comment_due"

    project_id: str
    tracker: str
    external_id: str
    text: str
    marker: str
