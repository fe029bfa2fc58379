"""The verbs of projects, work items and test runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import attrs

from forgekit.errors import ItemNotFound, ProjectNotFound
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.ids import uuid7
from forgekit.kernel.storage.ports import TransactionSource
from forgekit.kernel.storage.transaction import Transaction
from forgekit.kernel.storage.units import reading, writing
from forgekit.work.models import ItemChanged, Kind, Project, ProjectCreated, State, TestRun, TestRunRecorded, WorkItem
from forgekit.work.ports import WorkRepositories, WorkRepository
from forgekit.work.rules import DEFAULT_CATEGORY, after_run, check_item, check_project_key, check_run, invalid


class WorkStorage(TransactionSource, WorkRepositories, Protocol):
    """What this service needs of a storage."""


class WorkService:
    """Projects, work items, test runs: the model that every surface is a view of.

    Every verb that writes takes ``tx``, to commit together with others; without it the verb commits by itself. A ``project`` is a
    ``Project`` or its key, an ``item`` a ``WorkItem`` or its id.
    """

    def __init__(self, storage: WorkStorage, recorder: Recorder, clock: Clock, *, projects_dir: Path | None = None) -> None:
        """Keep the parts.

        Args:
            storage: Where it all is.
            recorder: Takes events.
            clock: The forge's clock.
            projects_dir: Folder whose git work trees belong to the projects of the same name.

        """
        self._storage = storage
        self._recorder = recorder
        self._clock = clock
        self._projects_dir = projects_dir

    # Projects

    def create_project(
        self, key: str, *, name: str | None = None, repository: str | Path | None = None, tx: Transaction | None = None
    ) -> Project:
        """Make a project.

        Args:
            key: Its name for programs; see ``rules.check_project_key``.
            name: Its name for people; the key when absent.
            repository: Its git work tree on this machine. Never pass on a path that came from an HTTP client.
            tx: Commit with this transaction.

        Raises:
            InvalidInput: The key breaks the rule, or ``repository`` is no git work tree.
            Conflict: The key is taken.

        """
        check_project_key(key)
        now = self._clock.now()
        path = None if repository is None else _work_tree(repository)
        project = Project(id=uuid7(now), key=key, name=name or key, repository=path, created_at=now)
        with writing(self._storage, tx) as unit:
            self._storage.work(unit).add_project(project)
            self._recorder.record(unit, ProjectCreated(project_id=project.id, key=key))
        return project

    def ensure_project(self, key: str, tx: Transaction) -> Project:
        """Return the project with this key, made where there is none (imports).

        Raises:
            InvalidInput: The key breaks the rule.

        """
        return self._storage.work(tx).project(key) or self.create_project(key, tx=tx)

    def project(self, key: str | Project, *, tx: Transaction | None = None) -> Project:
        """Return a project.

        Raises:
            ProjectNotFound: There is none with this key.

        """
        if isinstance(key, Project):
            return key
        with reading(self._storage, tx) as unit:
            found = self._storage.work(unit).project(key)
        if found is None:
            raise ProjectNotFound(project=key)
        return found

    def projects(self, *, tx: Transaction | None = None) -> Sequence[Project]:
        """Return all projects by key."""
        with reading(self._storage, tx) as unit:
            return self._storage.work(unit).projects()

    def set_repository(self, project: str | Project, path: str | Path | None, *, tx: Transaction | None = None) -> Project:
        """Set where a project's git work tree is; None forgets it.

        Raises:
            ProjectNotFound: There is no such project.
            InvalidInput: ``path`` is no git work tree.

        """
        repository = None if path is None else _work_tree(path)
        with writing(self._storage, tx) as unit:
            found = self.project(project, tx=unit)
            self._storage.work(unit).set_repository(found.id, repository)
        return attrs.evolve(found, repository=repository)

    def repository(self, project: Project) -> Path | None:
        """Return a project's git work tree: the one that was set, else ``<projects_dir>/<key>`` where that is one; None without.

        The folder must lie inside ``projects_dir`` after links are followed: a link may not lead out of it.
        """
        if project.repository is not None:
            return Path(project.repository)
        if self._projects_dir is None:
            return None
        top = self._projects_dir.resolve()
        path = (top / project.key).resolve()
        return path if path.is_relative_to(top) and _is_work_tree(path) else None

    # Work items

    def create_item(
        self,
        project: str | Project,
        *,
        name: str,
        description: str = "",
        kind: Kind = Kind.STORY,
        parent: str | WorkItem | None = None,
        sprint_id: str | None = None,
        steps: Sequence[str] = (),
        category: str = DEFAULT_CATEGORY,
        priority: int = 5,
        state: State = State.TO_DO,
        tx: Transaction | None = None,
    ) -> WorkItem:
        """Make a work item, last in its sprint's order.

        Raises:
            ProjectNotFound: There is no such project.
            ItemNotFound: ``parent`` is not an item of this project.
            InvalidInput: A field breaks its bounds; all of them are listed.

        """
        now = self._clock.now()
        with writing(self._storage, tx) as unit:
            found = self.project(project, tx=unit)
            work = self._storage.work(unit)
            number = work.reserve_numbers(found.id, 1)
            item = WorkItem(
                id=uuid7(now), project_id=found.id, number=number, sprint_id=sprint_id, parent_id=_parent(work, found, parent),
                kind=kind, name=name, description=description, steps=tuple(steps), category=category, priority=priority,
                state=state, position=number, created_at=now, updated_at=now,
            )  # fmt: skip
            work.add_items([check_item(item)])
            self._changed(unit, item)
        return item

    def change_item(self, item: str | WorkItem, *, tx: Transaction | None = None, **changes: Any) -> WorkItem:
        """Change fields of a work item: ``name``, ``description``, ``steps``, ``category``, ``priority``, ``state``.

        Raises:
            ItemNotFound: There is no such item.
            InvalidInput: A field cannot be changed here, or breaks its bounds.

        """
        unknown = sorted(changes.keys() - {"name", "description", "steps", "category", "priority", "state"})
        if unknown:
            raise invalid(f"/{unknown[0]}", f"{unknown[0]} is not a field that can be changed.")
        with writing(self._storage, tx) as unit:
            before = self._locked(unit, item)
            after = check_item(attrs.evolve(before, **changes))
            if after != before:
                after = attrs.evolve(after, updated_at=self._clock.now())
                self._storage.work(unit).update_items([after])
                self._changed(unit, after)
        return after

    def item(self, item: str | WorkItem, *, tx: Transaction | None = None) -> WorkItem:
        """Return a work item as it is now.

        Raises:
            ItemNotFound: There is no such item.

        """
        item_id = item.id if isinstance(item, WorkItem) else item
        with reading(self._storage, tx) as unit:
            found = self._storage.work(unit).item(item_id)
        if found is None:
            raise ItemNotFound(item=item_id)
        return found

    def item_by_number(self, project: str | Project, number: int, *, tx: Transaction | None = None) -> WorkItem:
        """Return a project's work item by its small number.

        Raises:
            ProjectNotFound: There is no such project.
            ItemNotFound: It has no item of this number.

        """
        with reading(self._storage, tx) as unit:
            found = self._storage.work(unit).item_by_number(self.project(project, tx=unit).id, number)
        if found is None:
            raise ItemNotFound(item=number)
        return found

    def items(self, project: str | Project, *, sprint_id: str | None = None, tx: Transaction | None = None) -> Sequence[WorkItem]:
        """Return a project's work items by position and number; only one sprint's if named.

        Raises:
            ProjectNotFound: There is no such project.

        """
        with reading(self._storage, tx) as unit:
            return self._storage.work(unit).items(self.project(project, tx=unit).id, sprint_id=sprint_id)

    # Test runs

    def record_test_run(
        self,
        item: str | WorkItem,
        passed: bool,  # noqa: FBT001 - reads well by position: record_test_run(item, True)
        *,
        note: str = "",
        at: datetime | None = None,
        tx: Transaction | None = None,
    ) -> TestRun:
        """Record one run of an item's tests; the newest run, or a newer word of the tracker, decides whether the item passes.

        Args:
            item: The item.
            passed: The result.
            note: What the runner wants to say, plain text.
            at: When it ran, aware; now when absent.
            tx: Commit with this transaction.

        Raises:
            ItemNotFound: There is no such item.
            InvalidInput: ``at`` or ``note`` breaks its bounds.

        """
        now = self._clock.now()
        run_at = at or now
        check_run(run_at, note, now)
        with writing(self._storage, tx) as unit:
            before = self._locked(unit, item)
            run = TestRun(id=uuid7(now), item_id=before.id, passed=passed, at=run_at, note=note)
            work = self._storage.work(unit)
            work.add_test_run(run)
            after = after_run(before, passed=passed, at=run_at, now=now)
            if after != before:
                work.update_items([after])
                self._changed(unit, after)
            self._recorder.record(unit, TestRunRecorded(project_id=before.project_id, item_id=before.id, passed=passed))
        return run

    def _locked(self, tx: Transaction, item: str | WorkItem) -> WorkItem:
        """Return the item as it is once nobody else may change it: an import must not overwrite a run, nor a run an import."""
        found = self.item(item, tx=tx)
        self._storage.work(tx).lock_project(found.project_id)
        return self.item(found, tx=tx)

    def _changed(self, tx: Transaction, item: WorkItem) -> None:
        self._recorder.record(tx, ItemChanged(project_id=item.project_id, item_id=item.id))


def _parent(work: WorkRepository, project: Project, parent: str | WorkItem | None) -> str | None:
    if parent is None:
        return None
    found = work.item(parent.id if isinstance(parent, WorkItem) else parent)
    if found is None or found.project_id != project.id:
        raise ItemNotFound("The parent is not an item of this project.")
    return found.id


def _work_tree(path: str | Path) -> str:
    resolved = Path(path).resolve()
    if not _is_work_tree(resolved):
        raise invalid("/repository", f"{resolved} is not a git work tree.")
    return str(resolved)


def _is_work_tree(path: Path) -> bool:
    """Tell whether ``path`` is the top of a work tree: ``.git`` is a folder, or a file in a linked tree or a submodule."""
    return path.is_dir() and (path / ".git").exists()
