"""Sprints, links to a tracker's items, the state of synchronisations, completions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, func, or_, select, update

from forgekit.errors import Conflict
from forgekit.sprints.models import Completion, Link, Sprint, SprintState, SyncState
from forgekit_sql.repository import Repository, batches, load, load_all, record
from forgekit_sql.statements import NO_LINES, SET, insert, upsert
from forgekit_sql.tables import completions as _completions
from forgekit_sql.tables import links as _links
from forgekit_sql.tables import sprints as _sprints
from forgekit_sql.tables import sync_states as _sync_states

_ORDER = (_sprints.c.created_at, _sprints.c.id)


class SqlSprints(Repository):
    """Implements ``SprintRepository``."""

    def add(self, sprint: Sprint) -> None:
        """Store a new sprint.

        Raises:
            Conflict: It would be the second active one of its project, or the cycle is bound already.

        """
        connection = self._writing
        statement = insert(connection, _sprints).values(**record(sprint))
        # DO NOTHING instead of an error, which on PostgreSQL would spoil the transaction of a host that goes on after it.
        if connection.execute(statement.on_conflict_do_nothing().returning(_sprints.c.id)).first() is None:
            raise Conflict("The project has an active sprint already, or one that mirrors this cycle.", project_id=sprint.project_id)

    def update(self, sprint: Sprint) -> None:
        """Store a changed sprint.

        Raises:
            Conflict: It would be the second active one of its project, or the cycle is bound already.

        """
        self._writing.execute(update(_sprints).where(_sprints.c.id == sprint.id).values(**record(sprint)))

    def sprint(self, sprint_id: str) -> Sprint | None:
        """Return one sprint."""
        return load(Sprint, self._reading.execute(select(_sprints).where(_sprints.c.id == sprint_id)).first())

    def by_external(self, project_id: str, tracker: str, external_id: str) -> Sprint | None:
        """Return the sprint that mirrors a cycle in a project."""
        query = select(_sprints).where(
            _sprints.c.project_id == project_id, _sprints.c.tracker == tracker, _sprints.c.external_id == external_id
        )
        return load(Sprint, self._reading.execute(query).first())

    def active(self, project_id: str) -> Sprint | None:
        """Return the project's active sprint."""
        query = select(_sprints).where(_sprints.c.project_id == project_id, _sprints.c.state == SprintState.ACTIVE)
        return load(Sprint, self._reading.execute(query).first())

    def sprints(self, project_id: str) -> Sequence[Sprint]:
        """Return a project's sprints, oldest first."""
        query = select(_sprints).where(_sprints.c.project_id == project_id).order_by(*_ORDER)
        return load_all(Sprint, self._reading.execute(query).all())

    def links(
        self, tracker: str, project_id: str, *, sprint_id: str | None = None, external_ids: Collection[str] = ()
    ) -> Mapping[str, Link]:
        """Return links of a project's items by the tracker's item id: those last seen in ``sprint_id``, and those named."""
        connection = self._reading
        conditions: list[ColumnElement[bool]] = [_links.c.external_id.in_(ids) for ids in batches(external_ids)]
        if sprint_id is not None:
            conditions.append(_links.c.sprint_id == sprint_id)
        own = select(_links).where(_links.c.tracker == tracker, _links.c.project_id == project_id)
        found = (link for condition in conditions for link in load_all(Link, connection.execute(own.where(condition)).all()))
        return {link.external_id: link for link in found}

    def blocked_links(self, tracker: str, project_id: str) -> Sequence[Link]:
        """Return the links of a project's items that wait for others in the tracker, in order of the tracker's item id."""
        own = (_links.c.tracker == tracker, _links.c.project_id == project_id, _links.c.blockers != NO_LINES)
        return load_all(Link, self._reading.execute(select(_links).where(*own).order_by(_links.c.external_id)).all())

    def linked_items(self, project_id: str) -> Sequence[str]:
        """Return the ids of a project's items that are linked to any tracker."""
        query = select(_links.c.item_id).where(_links.c.project_id == project_id).order_by(_links.c.item_id)
        return self._reading.execute(query).scalars().all()

    def link_of(self, item_id: str) -> Link | None:
        """Return the link of an item; None for one that came from no tracker."""
        return load(Link, self._reading.execute(select(_links).where(_links.c.item_id == item_id)).first())

    def save_links(self, links: Collection[Link]) -> None:
        """Store or replace links (key: tracker, project, external id), in one statement whatever their number."""
        connection = self._writing
        if links:
            # In the order of ids, so that two processes never wait for each other in a circle.
            ordered = sorted(links, key=lambda link: (link.tracker, link.project_id, link.external_id))
            connection.execute(upsert(connection, _links), [record(link) for link in ordered])

    def links_pending(self, tracker: str, *, relations: bool = False, push: bool = False, limit: int | None = None) -> Sequence[Link]:
        """Return links whose relations, or whose push, is pending, in order of the tracker's item id."""
        wanted = [column == SET for column, asked in ((_links.c.relations_pending, relations), (_links.c.push_pending, push)) if asked]
        if not wanted:
            return []
        query = select(_links).where(_links.c.tracker == tracker, or_(*wanted)).order_by(_links.c.external_id, _links.c.project_id)
        return load_all(Link, self._reading.execute(query.limit(limit)).all())

    def count_relations_pending(self, tracker: str) -> int:
        """Return how many links wait for their relations."""
        query = select(func.count()).select_from(_links).where(_links.c.tracker == tracker, _links.c.relations_pending == SET)
        return int(self._reading.execute(query).scalar_one())

    def sync_state(self, tracker: str) -> SyncState:
        """Return where a synchronisation stands; the defaults when nothing is stored."""
        query = select(_sync_states).where(_sync_states.c.tracker == tracker)
        return load(SyncState, self._reading.execute(query).first()) or SyncState(tracker=tracker)

    def lock_sync_state(self, tracker: str) -> SyncState:
        """Return the same, its row made where there is none and held until the commit: who writes takes turns."""
        connection = self._writing
        new = insert(connection, _sync_states).values(**record(SyncState(tracker=tracker)))
        connection.execute(new.on_conflict_do_nothing())
        query = select(_sync_states).where(_sync_states.c.tracker == tracker).with_for_update()
        return SyncState(**connection.execute(query).one()._asdict())

    def save_sync_state(self, state: SyncState) -> None:
        """Store or replace it."""
        connection = self._writing
        connection.execute(upsert(connection, _sync_states), record(state))

    def completion(self, sprint_id: str) -> Completion | None:
        """Return the record of a sprint's completion."""
        query = select(_completions).where(_completions.c.sprint_id == sprint_id)
        return load(Completion, self._reading.execute(query).first())

    def lock_completion(self, sprint_id: str) -> Completion:
        """Return the same, its row made where there is none and held until the commit."""
        connection = self._writing
        new = insert(connection, _completions).values(**record(Completion(sprint_id=sprint_id)))
        connection.execute(new.on_conflict_do_nothing())
        query = select(_completions).where(_completions.c.sprint_id == sprint_id).with_for_update()
        return Completion(**connection.execute(query).one()._asdict())

    def save_completion(self, completion: Completion) -> None:
        """Store or replace it."""
        connection = self._writing
        connection.execute(upsert(connection, _completions), record(completion))

    def unfinished_completions(self, *, limit: int) -> Sequence[Completion]:
        """Return completions that began and did not finish, in order of their sprint's id."""
        begun = (_completions.c.finished_at.is_(None), _completions.c.steps != {})
        query = select(_completions).where(*begun).order_by(_completions.c.sprint_id).limit(limit)
        return load_all(Completion, self._reading.execute(query).all())
