"""Imports: everything is fetched first, then written in one short transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs

from forgekit.kernel.ids import uuid7
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.models import (
    Cycle,
    ImportProgress,
    Link,
    Sprint,
    SprintImported,
    SprintState,
    SyncState,
    TrackerItem,
)
from forgekit.sprints.parts import Parts, relations_schedule
from forgekit.sprints.ports import KnowsRelations, Progress, SprintRepository, Tracker
from forgekit.sprints.relations import resolve_arrivals
from forgekit.sprints.reports import ImportReport
from forgekit.sprints.rules.content import check_cycle_id, clean, clean_line
from forgekit.sprints.rules.importing import Here, Plan, distinct, is_new, plan
from forgekit.work.models import Origin, Project, WorkItem
from forgekit.work.ports import WorkRepository
from forgekit.work.rules import check_project_key


@attrs.frozen(kw_only=True)
class _Fetched:
    """A cycle as the tracker told it.

    Attributes:
        tracker: The tracker's name.
        cycle_id: The cycle.
        cycle: What was told of it; None where nobody asked.
        items: Its items, each once.
        at: When the fetch began.
        relations: Whether the tracker can tell what an item waits for.

    """

    tracker: str
    cycle_id: str
    cycle: Cycle | None
    items: Sequence[TrackerItem]
    at: datetime
    relations: bool


class Importer:
    """Brings a tracker's cycle here."""

    def __init__(self, parts: Parts) -> None:
        """Keep the parts."""
        self._parts = parts

    def run(self, tracker: str, cycle_id: str, project: str, *, priority: Priority, progress: Progress | None) -> ImportReport:
        """Import a cycle into a project and make it the active one: two calls for up to a page of items."""
        check_cycle_id(cycle_id)
        check_project_key(project)
        try:
            return self._bring(tracker, cycle_id, project, priority, progress)
        except BaseException:
            # Whoever shows the progress must hear of every end.
            self._tell(cycle_id, project, 0, None, "failed")
            raise

    def _bring(self, tracker: str, cycle_id: str, project: str, priority: Priority, progress: Progress | None) -> ImportReport:
        opened = self._parts.open(tracker, priority)
        at = self._parts.clock.now()
        cycle = opened.cycle(cycle_id)
        items = distinct(opened.items(cycle_id, progress=self._teller(cycle_id, project, progress)))
        fetched = _Fetched(
            tracker=tracker, cycle_id=cycle_id, cycle=cycle, items=items, at=at, relations=isinstance(opened, KnowsRelations)
        )
        self._tell(cycle_id, project, len(items), len(items), "writing")
        with self._parts.storage.transaction() as tx:
            state = self._parts.storage.sprints(tx).lock_sync_state(tracker)
            report = self._write(tx, fetched, self._parts.work.ensure_project(project, tx), state)
        self._tell(cycle_id, project, len(items), len(items), "done")
        return report

    def pull(self, tracker: str, opened: Tracker, state: SyncState) -> ImportReport | None:
        """Import the active cycle again: one call, and a second one where the list is empty or an item left.

        An unknown cycle looks empty to Plane, so the cycle is asked for before anything is believed to have left it. Returns None
        where another cycle became the active one meanwhile.
        """
        cycle_id, project_id = state.active_cycle_id, state.project_id
        if cycle_id is None or project_id is None:
            return None
        at = self._parts.clock.now()
        items = distinct(opened.items(cycle_id))
        cycle = opened.cycle(cycle_id) if self._must_ask(tracker, state, items) else None
        fetched = _Fetched(
            tracker=tracker, cycle_id=cycle_id, cycle=cycle, items=items, at=at, relations=isinstance(opened, KnowsRelations)
        )
        with self._parts.storage.transaction() as tx:
            now = self._parts.storage.sprints(tx).lock_sync_state(tracker)
            project = self._parts.storage.work(tx).project_by_id(project_id)
            moved_on = (now.active_cycle_id, now.project_id, now.sprint_id) != (cycle_id, project_id, state.sprint_id)
            return None if moved_on or project is None else self._write(tx, fetched, project, now)

    def _must_ask(self, tracker: str, state: SyncState, items: Sequence[TrackerItem]) -> bool:
        if not items or state.sprint_id is None or state.project_id is None:
            return True
        with self._parts.storage.transaction(write=False) as tx:
            links = self._parts.storage.sprints(tx).links(tracker, state.project_id, sprint_id=state.sprint_id)
        return not links.keys() <= {item.id for item in items}

    def _write(self, tx: Transaction, fetched: _Fetched, project: Project, state: SyncState) -> ImportReport:
        """Write what was fetched; the number of statements does not depend on the number of items."""
        storage, now = self._parts.storage, self._parts.clock.now()
        work, sprints = storage.work(tx), storage.sprints(tx)
        work.lock_project(project.id)
        state = _followed(state, fetched)
        sprint = _mirror(sprints, fetched, project, now)
        decided = plan(fetched.items, _here(work, sprints, fetched, sprint, now, relations=fetched.relations and state.relations))
        _apply(work, sprints, decided)
        resolve_arrivals(work, sprints, fetched.tracker, project.id, _arrived(decided))
        report = ImportReport(sprint=sprint, details=decided.details, relations_pending=sprints.count_relations_pending(fetched.tracker))
        sprints.save_sync_state(_synced(state, report, now))
        if report.relations_pending:
            self._parts.request(tx, relations_schedule(fetched.tracker))
        self._parts.recorder.record(tx, _imported(fetched, report))
        return report

    def _teller(self, cycle_id: str, project: str, progress: Progress | None) -> Progress:
        def tell(count: int, total: int | None) -> None:
            self._tell(cycle_id, project, count, total, "fetching")
            if progress is not None:
                progress(count, total)

        return tell

    def _tell(self, cycle_id: str, project: str, count: int, total: int | None, phase: str) -> None:
        self._parts.recorder.emit(ImportProgress(cycle_id=cycle_id, project=project, fetched=count, total=total, phase=phase))


def _mirror(sprints: SprintRepository, fetched: _Fetched, project: Project, now: datetime) -> Sprint:
    """Return the sprint that mirrors the cycle, made or made active as needed; one that was completed here stays completed."""
    found = sprints.by_external(project.id, fetched.tracker, fetched.cycle_id)
    if found is not None and found.state is SprintState.COMPLETED:
        completion = sprints.completion(found.id)
        if completion is not None and completion.finished_at is not None:
            return found
    active = sprints.active(project.id)
    if active is not None and (found is None or active.id != found.id):
        sprints.update(attrs.evolve(active, state=SprintState.COMPLETED, completed_at=now))
    sprint = found or Sprint(
        id=uuid7(now), project_id=project.id, name="", tracker=fetched.tracker, external_id=fetched.cycle_id, created_at=now
    )
    sprint = attrs.evolve(_told(sprint, fetched.cycle), state=SprintState.ACTIVE, completed_at=None)
    if found is None:
        sprints.add(sprint)
    elif sprint != found:
        sprints.update(sprint)
    return sprint


def _told(sprint: Sprint, cycle: Cycle | None) -> Sprint:
    if cycle is None:
        return sprint
    name = clean_line(cycle.name) or cycle.id
    return attrs.evolve(sprint, name=name, goal=clean(cycle.description), starts_on=cycle.starts_on, ends_on=cycle.ends_on)


def _here(work: WorkRepository, sprints: SprintRepository, fetched: _Fetched, sprint: Sprint, now: datetime, *, relations: bool) -> Here:
    asked = {item.id for item in fetched.items} | {item.parent_id for item in fetched.items if item.parent_id}
    links = dict(sprints.links(fetched.tracker, sprint.project_id, sprint_id=sprint.id))
    if not asked <= links.keys():
        links |= sprints.links(fetched.tracker, sprint.project_id, external_ids=asked - links.keys())
    count = sum(is_new(item, links) for item in fetched.items)
    return Here(
        tracker=fetched.tracker,
        project_id=sprint.project_id,
        sprint_id=sprint.id,
        links=links,
        items=_items(work, sprint, links),
        first_number=work.reserve_numbers(sprint.project_id, count) if count else 0,
        new_ids=[uuid7(now) for _ in range(count)],
        fetched_at=fetched.at,
        now=now,
        relations=relations,
    )


def _items(work: WorkRepository, sprint: Sprint, links: Mapping[str, Link]) -> dict[str, WorkItem]:
    items = {item.id: item for item in work.items(sprint.project_id, sprint_id=sprint.id)}
    elsewhere = [link.item_id for link in links.values() if link.item_id not in items]
    return items | dict(work.items_by_id(elsewhere)) if elsewhere else items


def _apply(work: WorkRepository, sprints: SprintRepository, decided: Plan) -> None:
    if decided.created:
        work.add_items(decided.created)
    if decided.changed:
        work.update_items(decided.changed)
    if decided.links:
        sprints.save_links(decided.links)
    if decided.parents:
        work.replace_dependencies(Origin.PARENT, decided.parents)


def _arrived(decided: Plan) -> set[str]:
    """Return the tracker's ids of the items that are new here."""
    created = {item.id for item in decided.created}
    return {link.external_id for link in decided.links if link.item_id in created}


def _followed(state: SyncState, fetched: _Fetched) -> SyncState:
    """Return the state with the cycle as the active one; with a new cycle the server, perhaps a newer one, is asked for relations."""
    if state.active_cycle_id == fetched.cycle_id:
        return state
    return attrs.evolve(state, active_cycle_id=fetched.cycle_id, relations=True)


def _synced(state: SyncState, report: ImportReport, now: datetime) -> SyncState:
    return attrs.evolve(
        state,
        project_id=report.sprint.project_id,
        sprint_id=report.sprint.id,
        active_cycle_name=report.sprint.name,
        last_sync_at=now,
        last_error=None,
        failures=0,
        items_synced=report.imported + report.updated,
    )


def _imported(fetched: _Fetched, report: ImportReport) -> SprintImported:
    return SprintImported(
        project_id=report.sprint.project_id,
        sprint_id=report.sprint.id,
        cycle_id=fetched.cycle_id,
        imported=report.imported,
        updated=report.updated,
        skipped=report.skipped,
    )
