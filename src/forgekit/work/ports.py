"""What ``work`` needs from outside: a repository bound to a transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from forgekit.kernel.storage.transaction import Transaction
from forgekit.work.models import Origin, Project, RunSummary, TestRun, WorkItem


class WorkRepository(Protocol):
    """Projects, work items, dependencies and test runs."""

    def add_project(self, project: Project) -> None:
        """Store a new project.

        Raises:
            Conflict: The key is taken.

        """
        ...

    def project(self, key: str) -> Project | None:
        """Return the project with this key."""
        ...

    def project_by_id(self, project_id: str) -> Project | None:
        """Return the project with this id."""
        ...

    def projects(self) -> Sequence[Project]:
        """Return all projects by key."""
        ...

    def set_repository(self, project_id: str, path: str | None) -> None:
        """Set where the project's work tree is."""
        ...

    def lock_project(self, project_id: str) -> None:
        """Hold the project's row until the commit: who changes its items from what they were takes turns."""
        ...

    def reserve_numbers(self, project_id: str, count: int) -> int:
        """Reserve ``count`` consecutive item numbers and return the first; locks the project's row until the commit.

        Raises:
            ProjectNotFound: There is no project with this id.

        """
        ...

    def add_items(self, items: Sequence[WorkItem]) -> None:
        """Store new items, in one statement whatever their number; a parent may stand behind its child."""
        ...

    def update_items(self, items: Sequence[WorkItem]) -> None:
        """Store changed items, in one statement whatever their number."""
        ...

    def item(self, item_id: str) -> WorkItem | None:
        """Return one item by id."""
        ...

    def item_by_number(self, project_id: str, number: int) -> WorkItem | None:
        """Return one item by its number."""
        ...

    def items(self, project_id: str, *, sprint_id: str | None = None) -> Sequence[WorkItem]:
        """Return a project's items by position and number; only one sprint's if named."""
        ...

    def items_by_id(self, item_ids: Collection[str]) -> Mapping[str, WorkItem]:
        """Return items by id; absent ones are left out."""
        ...

    def dependencies(self, item_ids: Collection[str]) -> Mapping[str, Mapping[str, Origin]]:
        """Return, for each item that waits for others, the ids of those and where the dependency comes from."""
        ...

    def replace_dependencies(self, origin: Origin, dependencies: Mapping[str, Collection[str]]) -> None:
        """For each item named, make these its only dependencies of this origin."""
        ...

    def add_test_run(self, run: TestRun) -> None:
        """Store a test run."""
        ...

    def run_summaries(self, item_ids: Collection[str]) -> Mapping[str, RunSummary]:
        """Return the test runs of these items in numbers; items without runs are left out.

        Of two runs at one moment the one stored later is the newer.
        """
        ...


class WorkRepositories(Protocol):
    """Builds the repository for a transaction."""

    def work(self, tx: Transaction, /) -> WorkRepository:
        """Return the repository."""
        ...
