"""Projects, work items, dependencies and test runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, update

from forgekit.errors import Conflict, ProjectNotFound
from forgekit.work.models import Origin, Project, RunSummary, TestRun, WorkItem
from forgekit_sql.repository import Repository, batches, load, load_all, record
from forgekit_sql.statements import insert
from forgekit_sql.tables import dependencies as _dependencies
from forgekit_sql.tables import items as _items
from forgekit_sql.tables import projects as _projects
from forgekit_sql.tables import test_runs as _test_runs

_PROJECT = select(_projects.c.id, _projects.c.key, _projects.c.name, _projects.c.repository, _projects.c.created_at)

_UPDATE_ITEM = (
    update(_items)
    .where(_items.c.id == bindparam("item_id"))
    .values({column.name: bindparam(column.name) for column in _items.columns if not column.primary_key})
)


class SqlWork(Repository):
    """Implements ``WorkRepository``."""

    def add_project(self, project: Project) -> None:
        """Store a new project.

        Raises:
            Conflict: The key is taken.

        """
        connection = self._writing
        statement = insert(connection, _projects).values(**record(project), next_number=1)
        # DO NOTHING instead of an error, which on PostgreSQL would spoil the transaction of a host that goes on after it.
        added = connection.execute(statement.on_conflict_do_nothing().returning(_projects.c.id)).first()
        if added is None:
            raise Conflict(f"A project with the key {project.key!r} exists already.", key=project.key)

    def project(self, key: str) -> Project | None:
        """Return the project with this key."""
        return load(Project, self._reading.execute(_PROJECT.where(_projects.c.key == key)).first())

    def project_by_id(self, project_id: str) -> Project | None:
        """Return the project with this id."""
        return load(Project, self._reading.execute(_PROJECT.where(_projects.c.id == project_id)).first())

    def projects(self) -> Sequence[Project]:
        """Return all projects by key."""
        return load_all(Project, self._reading.execute(_PROJECT.order_by(_projects.c.key)).all())

    def set_repository(self, project_id: str, path: str | None) -> None:
        """Set where the project's work tree is."""
        self._writing.execute(update(_projects).where(_projects.c.id == project_id).values(repository=path))

    def lock_project(self, project_id: str) -> None:
        """Hold the project's row until the commit: who changes its items from what they were takes turns."""
        self._writing.execute(select(_projects.c.id).where(_projects.c.id == project_id).with_for_update())

    def reserve_numbers(self, project_id: str, count: int) -> int:
        """Reserve ``count`` consecutive item numbers and return the first; locks the project's row until the commit.

        Raises:
            ProjectNotFound: There is no project with this id.

        """
        statement = (
            update(_projects)
            .where(_projects.c.id == project_id)
            .values(next_number=_projects.c.next_number + count)
            .returning(_projects.c.next_number)
        )
        following = self._writing.execute(statement).scalar()
        if following is None:
            raise ProjectNotFound
        return int(following) - count

    def add_items(self, items: Sequence[WorkItem]) -> None:
        """Store new items, in one statement whatever their number; a parent may stand behind its child."""
        connection = self._writing
        if items:
            connection.execute(_items.insert(), [record(item) for item in items])

    def update_items(self, items: Sequence[WorkItem]) -> None:
        """Store changed items, in one statement whatever their number."""
        connection = self._writing
        if items:
            # In the order of ids, so that two processes never wait for each other in a circle.
            ordered = sorted(items, key=lambda item: item.id)
            connection.execute(_UPDATE_ITEM, [_item_values(item) for item in ordered])

    def item(self, item_id: str) -> WorkItem | None:
        """Return one item by id."""
        return load(WorkItem, self._reading.execute(select(_items).where(_items.c.id == item_id)).first())

    def item_by_number(self, project_id: str, number: int) -> WorkItem | None:
        """Return one item by its number."""
        query = select(_items).where(_items.c.project_id == project_id, _items.c.number == number)
        return load(WorkItem, self._reading.execute(query).first())

    def items(self, project_id: str, *, sprint_id: str | None = None) -> Sequence[WorkItem]:
        """Return a project's items by position and number; only one sprint's if named."""
        query = select(_items).where(_items.c.project_id == project_id).order_by(_items.c.position, _items.c.number)
        if sprint_id is not None:
            query = query.where(_items.c.sprint_id == sprint_id)
        return load_all(WorkItem, self._reading.execute(query).all())

    def items_by_id(self, item_ids: Collection[str]) -> Mapping[str, WorkItem]:
        """Return items by id; absent ones are left out."""
        connection = self._reading
        queries = (select(_items).where(_items.c.id.in_(ids)) for ids in batches(item_ids))
        return {item.id: item for query in queries for item in load_all(WorkItem, connection.execute(query).all())}

    def dependencies(self, item_ids: Collection[str]) -> Mapping[str, Mapping[str, Origin]]:
        """Return, for each item that waits for others, the ids of those and where the dependency comes from.

        Where a dependency has several origins, the one that comes first in ``Origin`` is told.
        """
        connection = self._reading
        found: dict[str, dict[str, Origin]] = {}
        for ids in batches(item_ids):
            query = (
                select(_dependencies).where(_dependencies.c.item_id.in_(ids)).order_by(_dependencies.c.item_id, _dependencies.c.needs_id)
            )
            for row in connection.execute(query):
                needs = found.setdefault(row.item_id, {})
                needs[row.needs_id] = min(row.origin, needs.get(row.needs_id, row.origin), key=_precedence)
        return found

    def replace_dependencies(self, origin: Origin, dependencies: Mapping[str, Collection[str]]) -> None:
        """For each item named, make these its only dependencies of this origin."""
        connection = self._writing
        for ids in batches(dependencies):
            connection.execute(delete(_dependencies).where(_dependencies.c.item_id.in_(ids), _dependencies.c.origin == origin))
        rows = [
            {"item_id": item_id, "needs_id": needs_id, "origin": origin}
            for item_id, needed in sorted(dependencies.items())
            for needs_id in sorted(set(needed))
        ]
        if rows:
            connection.execute(_dependencies.insert(), rows)

    def add_test_run(self, run: TestRun) -> None:
        """Store a test run."""
        self._writing.execute(_test_runs.insert().values(**record(run)))

    def run_summaries(self, item_ids: Collection[str]) -> Mapping[str, RunSummary]:
        """Return the test runs of these items in numbers; items without runs are left out."""
        connection = self._reading
        rows = (row for ids in batches(item_ids) for row in connection.execute(_run_summaries(ids)))
        return {row.item_id: _summary(row) for row in rows}


def _item_values(item: WorkItem) -> dict[str, Any]:
    values = record(item)
    values["item_id"] = values.pop("id")
    return values


def _precedence(origin: Origin) -> int:
    return list(Origin).index(origin)


def _run_summaries(item_ids: Collection[str]) -> Any:
    """Return a query for totals and the newest run of each item; of two at one moment the one recorded later is the newer."""
    newest = (_test_runs.c.at.desc(), _test_runs.c.place.desc())
    within = _test_runs.c.item_id
    ranked = (
        select(
            _test_runs.c.item_id,
            _test_runs.c.at,
            _test_runs.c.passed,
            func.count().over(partition_by=within).label("total"),
            func.sum(_test_runs.c.passed, type_=_test_runs.c.place.type).over(partition_by=within).label("passed_total"),
            func.row_number().over(partition_by=within, order_by=newest).label("place"),
        )
        .where(_test_runs.c.item_id.in_(item_ids))
        .subquery()
    )
    return select(ranked).where(ranked.c.place == 1)


def _summary(row: Row[Any]) -> RunSummary:
    return RunSummary(total=row.total, passed=int(row.passed_total), last_at=row.at, last_passed=row.passed)
