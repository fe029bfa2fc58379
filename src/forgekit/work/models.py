"""Projects, work items and test runs: the one model that every surface is a view of."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import ClassVar

import attrs

from forgekit.kernel.events.models import Event


class State(Enum):
    """The stored state of a work item."""

    TO_DO = "TO_DO"
    IN_PROGRESS = "IN_PROGRESS"
    REVIEW = "REVIEW"
    BLOCKED = "BLOCKED"
    DONE = "DONE"


class Kind(Enum):
    """An item whose parent is in the same sprint is a task, any other a story."""

    STORY = "story"
    TASK = "task"


class Origin(Enum):
    """Where a dependency between two items comes from; each origin is replaced as a whole."""

    PARENT = "parent"
    RELATION = "relation"
    LOCAL = "local"


@attrs.frozen(kw_only=True)
class Project:
    """A project.

    Attributes:
        id: UUIDv7.
        key: Globally unique; see ``rules.check_project_key``.
        name: For people.
        repository: Path of its git work tree on this machine; None without one.
        created_at: When it was made.

    """

    id: str
    key: str
    name: str
    repository: str | None
    created_at: datetime


@attrs.frozen(kw_only=True)
class WorkItem:
    """A story or a task.

    Attributes:
        id: UUIDv7.
        project_id: Its project.
        number: Small integer, unique in the project; surfaces call it ``feature_id``.
        sprint_id: The sprint it is in; None when in none.
        parent_id: The item it is part of.
        kind: Story or task.
        name: One line, at most 255 characters.
        description: Plain text.
        steps: How to see that it is done, one line each.
        category: Where it belongs, e.g. ``functional``.
        priority: 1 (urgent) to 5 (none).
        state: Where it stands.
        passing: The newer word of the last test run and of the tracker's state.
        passing_at: When ``passing`` was last decided; None when nobody has.
        position: Order in its sprint, ascending.
        created_at: When it was made here.
        updated_at: When a field of it last changed here.

    """

    id: str
    project_id: str
    number: int
    sprint_id: str | None = None
    parent_id: str | None = None
    kind: Kind = Kind.STORY
    name: str
    description: str = ""
    steps: tuple[str, ...] = ()
    category: str = "functional"
    priority: int = 5
    state: State = State.TO_DO
    passing: bool = False
    passing_at: datetime | None = None
    position: int = 0
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class TestRun:
    """One run of an item's tests.

    Attributes:
        id: UUIDv7.
        item_id: The item.
        passed: Its result.
        at: When it ran.
        note: What the runner wants to say, plain text, at most 10,000 characters.

    """

    __test__: ClassVar[bool] = False  # pytest would take the class for a test

    id: str
    item_id: str
    passed: bool
    at: datetime
    note: str = ""


@attrs.frozen(kw_only=True)
class RunSummary:
    """An item's test runs in numbers.

    Attributes:
        total: How many runs.
        passed: How many passed.
        last_at: When the newest one ran; of two at one moment that is the one recorded later.
        last_passed: Its result.

    """

    total: int
    passed: int
    last_at: datetime
    last_passed: bool


@attrs.frozen(kw_only=True)
class ProjectCreated(Event):
    """A project was made."""

    name: ClassVar[str] = "work.project_created"

    project_id: str
    key: str


@attrs.frozen(kw_only=True)
class ItemChanged(Event):
    """A work item was changed here, by a person or by a test run (not by an import)."""

    name: ClassVar[str] = "work.item_changed"

    project_id: str
    item_id: str


@attrs.frozen(kw_only=True)
class TestRunRecorded(Event):
    """A test run was recorded."""

    __test__: ClassVar[bool] = False
    name: ClassVar[str] = "work.test_run_recorded"

    project_id: str
    item_id: str
    passed: bool
