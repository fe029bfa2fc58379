"""What ``sprints`` needs from outside: a tracker, git, and repositories bound to a transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import attrs

from forgekit.kernel.clock import Clock
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.net.http import Http
from forgekit.kernel.secrets import Secret
from forgekit.kernel.storage.ports import KernelRepositories, TransactionSource
from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.models import Completion, Connection, Cycle, Link, Sprint, SprintStatistics, StateGroup, SyncState, TrackerItem
from forgekit.work.models import Project, WorkItem
from forgekit.work.ports import WorkRepositories

Progress = Callable[[int, int | None], None]
"""Called with how many items are fetched, and how many there are where that is known."""


class Tracker(Protocol):
    """A system that keeps sprints and work items, seen through one project's credentials.

    Every method may raise the ``Remote…`` errors and ``BudgetExhausted``. No method is called with a write transaction open.
    """

    API_VERSION: ClassVar[int] = 1

    def check(self) -> Connection:
        """Probe credentials, workspace and project."""
        ...

    def cycles(self) -> Sequence[Cycle]:
        """Return the project's cycles, newest first."""
        ...

    def cycle(self, cycle_id: str) -> Cycle:
        """Return one cycle.

        Raises:
            RemoteNotFound: The tracker does not know it.

        """
        ...

    def items(self, cycle_id: str, *, progress: Progress | None = None) -> Sequence[TrackerItem]:
        """Return every item of a cycle, all pages of it, in the tracker's order. An unknown cycle may look empty."""
        ...

    def set_group(self, item_id: str, group: StateGroup) -> StateGroup:
        """Move an item to the first state of a group; one already within the group is left. Returns the group it is in then."""
        ...

    def comment(self, item_id: str, text: str, *, marker: str) -> None:
        """Write a plain-text comment; done once however often it is called with this marker."""
        ...

    def append_to_cycle(self, cycle_id: str, text: str, *, marker: str) -> None:
        """Append plain text and ``marker`` to a cycle's description, unless the marker stands there already.

        Raises:
            RemoteRefused: The tracker does not let this cycle be edited (it has ended).

        """
        ...


@runtime_checkable
class KnowsRelations(Protocol):
    """A tracker that can tell what an item waits for (optional)."""

    def blockers(self, item_id: str) -> Sequence[str] | None:
        """Return the ids of the items that this one waits for; None where the server has no relations."""
        ...


@runtime_checkable
class TellsWrites(Protocol):
    """A tracker that can tell when it wrote (optional): then what we write ourselves is not taken for a change by somebody else."""

    def written_at(self, item_id: str) -> datetime | None:
        """Return when this tracker last changed or commented an item, by the clock of ``updated_at``; None where it did not."""
        ...


@attrs.frozen(kw_only=True)
class TrackerContext:
    """What a tracker is opened with.

    Attributes:
        settings: An instance of the adapter's settings class.
        http: The forge's HTTP machine.
        clock: The forge's clock.
        priority: Who waits for the calls.

    """

    settings: object = attrs.field(repr=False)
    http: Http
    clock: Clock
    priority: Priority


class TrackerSettings(Protocol):
    """What every tracker's settings class has, whatever else it has."""

    @property
    def poll_interval(self) -> float:
        """Seconds between two iterations of the loop."""
        ...

    @property
    def webhook_secret(self) -> Secret | None:
        """The secret that the tracker's webhooks are signed with."""
        ...

    @property
    def project_id(self) -> str | None:
        """The tracker's id of the project; events of others are none of our business."""
        ...


@attrs.frozen(kw_only=True)
class TrackerAdapter:
    """What a plugin offers under a tracker's name (hook ``forgekit_trackers``).

    Attributes:
        settings: The adapter's frozen attrs class of settings (``forgekit.kernel.settings``); its objects are ``TrackerSettings``.
        open: Makes a tracker; called once an operation, must not do I/O.

    """

    settings: type
    open: Callable[[TrackerContext], Tracker]


@attrs.frozen(kw_only=True)
class SprintFacts:
    """What a completion rule may look at.

    Attributes:
        project: The project.
        sprint: The sprint.
        items: Its work items.
        statistics: In numbers.

    """

    project: Project
    sprint: Sprint
    items: Sequence[WorkItem]
    statistics: SprintStatistics


CompletionRule = Callable[[SprintFacts], str | None]
"""A rule of the Definition of Done: returns why the sprint is not done, or None (hook ``forgekit_completion_rules``)."""


class GitRepository(Protocol):
    """A git work tree. Every method may raise ``GitFailed``."""

    def head(self, path: Path) -> str:
        """Return the id of the commit that is checked out."""
        ...

    def log(self, path: Path, *, since: str | None, until: str, limit: int) -> str:
        """Return ``git log --oneline`` from after the tag ``since`` (all when None) to the commit ``until``, at most ``limit`` lines."""
        ...

    def previous_sprint_tag(self, path: Path, commit: str) -> str | None:
        """Return the nearest annotated ``sprint/…`` tag at or before ``commit``; None without one."""
        ...

    def tag_message(self, path: Path, name: str) -> str | None:
        """Return the message of a tag; empty for a tag without one, None where there is no such tag."""
        ...

    def tag(self, path: Path, name: str, message: str, *, commit: str) -> None:
        """Make an annotated tag on ``commit``; a tag of that name is never moved."""
        ...


class SprintRepository(Protocol):
    """Sprints, links, the state of synchronisations, completions."""

    def add(self, sprint: Sprint) -> None:
        """Store a new sprint.

        Raises:
            Conflict: It would be the second active one of its project, or the cycle is bound already.

        """
        ...

    def update(self, sprint: Sprint) -> None:
        """Store a changed sprint."""
        ...

    def sprint(self, sprint_id: str) -> Sprint | None:
        """Return one sprint."""
        ...

    def by_external(self, project_id: str, tracker: str, external_id: str) -> Sprint | None:
        """Return the sprint that mirrors a cycle in a project."""
        ...

    def active(self, project_id: str) -> Sprint | None:
        """Return the project's active sprint."""
        ...

    def sprints(self, project_id: str) -> Sequence[Sprint]:
        """Return a project's sprints, oldest first."""
        ...

    def links(
        self, tracker: str, project_id: str, *, sprint_id: str | None = None, external_ids: Collection[str] = ()
    ) -> Mapping[str, Link]:
        """Return links of a project's items by the tracker's item id: those last seen in ``sprint_id``, and those named."""
        ...

    def blocked_links(self, tracker: str, project_id: str) -> Sequence[Link]:
        """Return the links of a project's items that wait for others in the tracker, in order of the tracker's item id."""
        ...

    def linked_items(self, project_id: str) -> Sequence[str]:
        """Return the ids of a project's items that are linked to any tracker."""
        ...

    def link_of(self, item_id: str) -> Link | None:
        """Return the link of an item; None for one that came from no tracker."""
        ...

    def save_links(self, links: Collection[Link]) -> None:
        """Store or replace links (key: tracker, project, external id), in one statement whatever their number."""
        ...

    def links_pending(self, tracker: str, *, relations: bool = False, push: bool = False, limit: int | None = None) -> Sequence[Link]:
        """Return links whose relations, or whose push, is pending, in order of the tracker's item id."""
        ...

    def count_relations_pending(self, tracker: str) -> int:
        """Return how many links wait for their relations."""
        ...

    def sync_state(self, tracker: str) -> SyncState:
        """Return where a synchronisation stands; the defaults when nothing is stored."""
        ...

    def lock_sync_state(self, tracker: str) -> SyncState:
        """Return the same, its row made where there is none and held until the commit: who writes takes turns."""
        ...

    def save_sync_state(self, state: SyncState) -> None:
        """Store or replace it."""
        ...

    def completion(self, sprint_id: str) -> Completion | None:
        """Return the record of a sprint's completion."""
        ...

    def lock_completion(self, sprint_id: str) -> Completion:
        """Return the same, its row made where there is none and held until the commit."""
        ...

    def save_completion(self, completion: Completion) -> None:
        """Store or replace it."""
        ...

    def unfinished_completions(self, *, limit: int) -> Sequence[Completion]:
        """Return completions that began and did not finish, in order of their sprint's id."""
        ...


class SprintRepositories(Protocol):
    """Builds the repository for a transaction."""

    def sprints(self, tx: Transaction, /) -> SprintRepository:
        """Return the repository."""
        ...


class SprintStorage(TransactionSource, KernelRepositories, WorkRepositories, SprintRepositories, Protocol):
    """What this domain needs of a storage."""
