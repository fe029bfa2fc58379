"""What an item waits for in the tracker: fetched after the import, one call an item, with what the budget leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from forgekit.errors import BudgetExhausted, RemoteNotFound
from forgekit.kernel.net.budgets import Priority
from forgekit.sprints.models import Link
from forgekit.sprints.parts import Parts, relations_schedule
from forgekit.sprints.ports import KnowsRelations, SprintRepository, Tracker
from forgekit.work.models import Origin
from forgekit.work.ports import WorkRepository

AT_ONCE = 20
"""So many items' relations are fetched before they are stored: little is lost when the process dies."""


class Relations:
    """Fetches what items wait for."""

    def __init__(self, parts: Parts) -> None:
        """Keep the parts."""
        self._parts = parts

    def run(self, tracker: str) -> None:
        """Fetch what some items wait for; the rest, and what the budget has nothing left for, has its turn later."""
        try:
            more = self.fetch(tracker)
        except BudgetExhausted as exhausted:
            self._parts.request_later(relations_schedule(tracker), exhausted.retry_after or 1.0)
            return
        if more:
            self._parts.request_later(relations_schedule(tracker), 0.0)

    def fetch(self, tracker: str) -> bool:
        """Fetch and store what some of the pending items wait for; returns whether more are pending.

        What was fetched before a failure is stored.
        """
        with self._parts.storage.transaction(write=False) as tx:
            links = self._parts.storage.sprints(tx).links_pending(tracker, relations=True, limit=AT_ONCE)
        if not links:
            return False
        opened = self._parts.open(tracker, Priority.RELATIONS)
        found: list[Link] = []
        try:
            for link in links:
                blockers = _blockers(opened, link)
                if blockers is None:
                    self._give_up(tracker)
                    return False
                found.append(attrs.evolve(link, blockers=tuple(blockers)))
        finally:
            self._store(found)
        return len(links) == AT_ONCE

    def _store(self, found: Sequence[Link]) -> None:
        for project_id, own in _by_project(found):
            with self._parts.storage.transaction() as tx:
                work, sprints = self._parts.storage.work(tx), self._parts.storage.sprints(tx)
                work.lock_project(project_id)
                now = sprints.links(own[0].tracker, project_id, external_ids=[link.external_id for link in own])
                told = [_told(now[link.external_id], link) for link in own]
                sprints.save_links(told)
                _resolve(work, sprints, told)

    def _give_up(self, tracker: str) -> None:
        """End the waiting: this server has no relations."""
        with self._parts.storage.transaction() as tx:
            sprints = self._parts.storage.sprints(tx)
            sprints.save_sync_state(attrs.evolve(sprints.lock_sync_state(tracker), relations=False))
            pending = sprints.links_pending(tracker, relations=True)
        for project_id, own in _by_project(pending):
            with self._parts.storage.transaction() as tx:
                self._parts.storage.work(tx).lock_project(project_id)
                sprints = self._parts.storage.sprints(tx)
                known = sprints.links(tracker, project_id, external_ids=[link.external_id for link in own])
                sprints.save_links([attrs.evolve(link, relations_pending=False) for link in known.values()])


def resolve_arrivals(work: WorkRepository, sprints: SprintRepository, tracker: str, project_id: str, arrived: Collection[str]) -> None:
    """Let items depend on those that they wait for and that came here only now; without a call.

    Args:
        work: Bound to the transaction of the import, which holds the project.
        sprints: Likewise.
        tracker: The tracker's name.
        project_id: The project.
        arrived: The tracker's ids of the items that are new here.

    """
    if arrived:
        news = frozenset(arrived)
        _resolve(work, sprints, [link for link in sprints.blocked_links(tracker, project_id) if not news.isdisjoint(link.blockers)])


def _resolve(work: WorkRepository, sprints: SprintRepository, links: Sequence[Link]) -> None:
    """Let the items of ``links``, all of one tracker and project, depend on what they wait for, as far as that is here."""
    if not links:
        return
    named = {blocker for link in links for blocker in link.blockers}
    known = sprints.links(links[0].tracker, links[0].project_id, external_ids=named)
    work.replace_dependencies(Origin.RELATION, {link.item_id: _here(link, known) for link in links})


def _here(link: Link, known: Mapping[str, Link]) -> list[str]:
    return [known[blocker].item_id for blocker in link.blockers if blocker in known and blocker != link.external_id]


def _told(now: Link, fetched: Link) -> Link:
    """Return the link with what was fetched; an item that was touched meanwhile waits on, for its relations may be others."""
    unchanged = (now.content_hash, now.remote_updated_at) == (fetched.content_hash, fetched.remote_updated_at)
    return attrs.evolve(now, blockers=fetched.blockers, relations_pending=now.relations_pending and not unchanged)


def _blockers(opened: Tracker, link: Link) -> Sequence[str] | None:
    if not isinstance(opened, KnowsRelations):
        return None
    try:
        return opened.blockers(link.external_id)
    except RemoteNotFound:
        return ()


def _by_project(links: Iterable[Link]) -> list[tuple[str, list[Link]]]:
    groups: dict[str, list[Link]] = {}
    for link in links:
        groups.setdefault(link.project_id, []).append(link)
    return sorted(groups.items())
