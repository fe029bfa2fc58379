"""The loop and the work on demand: pull, push, comments."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import attrs

from forgekit.errors import BudgetExhausted, ConfigurationError, ForgekitError, RemoteError, RemoteNotFound, RemoteRefused
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.importing import Importer
from forgekit.sprints.models import CommentDue, Link, StateGroup, SyncState
from forgekit.sprints.parts import Parts, import_schedule, push_schedule
from forgekit.sprints.ports import TellsWrites, Tracker
from forgekit.sprints.rules.syncing import backoff, push_target
from forgekit.work.models import ItemChanged, WorkItem

_log = logging.getLogger(__name__)

PUSHES = 50
"""So many local changes are told in one iteration; the rest waits for the next."""

_EXPECTED = (RemoteError, ConfigurationError)
"""What may go wrong outside; anything else is a fault of ours and goes up."""


class Syncer:
    """Keeps the active cycle and what is here alike."""

    def __init__(self, parts: Parts, importer: Importer, noise: Callable[[], float]) -> None:
        """Keep the parts; ``noise`` returns from 0 to 1 and spreads retries."""
        self._parts = parts
        self._importer = importer
        self._noise = noise

    # What the worker runs

    def poll(self, tracker: str, interval: float) -> float:
        """Run one iteration of the loop and return the seconds until the next: one call when nothing changed."""
        return self._guarded(tracker, interval, lambda state: self.iterate(tracker, Priority.POLL, state)) or interval

    def import_on_demand(self, tracker: str, interval: float) -> None:
        """Import the active cycle because a webhook hinted at a change; a failure is tried again."""
        wait = self._guarded(tracker, interval, lambda state: self._pull(tracker, Priority.WEBHOOKS, state))
        if wait is not None:
            self._parts.request_later(import_schedule(tracker), wait)

    def push_on_demand(self, tracker: str, interval: float) -> None:
        """Tell local changes soon, unless somebody turned that off; after a pull, so that the tracker's newer word wins."""
        if self.state(tracker).muted:
            return
        wait = self._guarded(tracker, interval, lambda state: self.iterate(tracker, Priority.POLL, state))
        if wait is not None:
            self._parts.request_later(push_schedule(tracker), wait)

    # Iterations

    def state(self, tracker: str) -> SyncState:
        """Return where the synchronisation stands."""
        with self._parts.storage.transaction(write=False) as tx:
            return self._parts.storage.sprints(tx).sync_state(tracker)

    def iterate(self, tracker: str, priority: Priority, state: SyncState) -> None:
        """Pull the active cycle, then tell what changed here."""
        self._pull(tracker, priority, state)
        pushed = self._push(tracker, priority)
        if pushed:
            with self._parts.storage.transaction() as tx:
                sprints = self._parts.storage.sprints(tx)
                now = sprints.lock_sync_state(tracker)
                sprints.save_sync_state(attrs.evolve(now, items_synced=now.items_synced + pushed))

    def fail(self, tracker: str, before: SyncState, error: ForgekitError) -> int:
        """Store why an iteration failed; returns how many did in a row."""
        failures = before.failures + 1
        with self._parts.storage.transaction() as tx:
            sprints = self._parts.storage.sprints(tx)
            sprints.save_sync_state(attrs.evolve(sprints.lock_sync_state(tracker), last_error=error.message, failures=failures))
        return failures

    def _guarded(self, tracker: str, interval: float, run: Callable[[SyncState], None]) -> float | None:
        """Run, and return None; after a failure outside store it and return how long to wait."""
        before = self.state(tracker)
        if before.active_cycle_id is None:
            return None
        try:
            run(before)
        except BudgetExhausted as exhausted:
            # Nothing failed: it is not our turn yet, and a thread that slept for it would keep a worker from stopping.
            return exhausted.retry_after or 1.0
        except _EXPECTED as error:
            failures = self.fail(tracker, before, error)
            return backoff(failures, interval, noise=self._noise(), retry_after=error.retry_after)
        return None

    def _pull(self, tracker: str, priority: Priority, state: SyncState) -> None:
        if state.active_cycle_id is not None:
            self._importer.pull(tracker, self._parts.open(tracker, priority), state)

    # What is told to the tracker

    def mark(self, event: ItemChanged, tx: Transaction) -> None:
        """Remember that a linked item changed here, and ask for its push (durable handler of ``ItemChanged``)."""
        self._parts.storage.work(tx).lock_project(event.project_id)
        sprints = self._parts.storage.sprints(tx)
        link = sprints.link_of(event.item_id)
        if link is None:
            return
        sprints.save_links([attrs.evolve(link, push_pending=True)])
        if not sprints.sync_state(link.tracker).muted:
            self._parts.request(tx, push_schedule(link.tracker), delay=0.0, at_most=0.0)

    def _push(self, tracker: str, priority: Priority) -> int:
        with self._parts.storage.transaction(write=False) as tx:
            links = self._parts.storage.sprints(tx).links_pending(tracker, push=True, limit=PUSHES)
            items = self._parts.storage.work(tx).items_by_id([link.item_id for link in links]) if links else {}
        opened: Tracker | None = None
        pushed = 0
        for link in links:
            target = push_target(items[link.item_id])
            told = link
            if target is not None and target is not link.group:
                opened = opened or self._parts.open(tracker, priority)
                group = _set_group(opened, link, target)
                told = attrs.evolve(link, group=group, written_at=_written_at(opened, link.external_id) or link.written_at)
                pushed += 1
            self._pushed(link, target, told)
        return pushed

    def _pushed(self, link: Link, target: StateGroup | None, told: Link) -> None:
        """Store what the tracker shows now: our own write will come back as nothing new."""
        with self._parts.storage.transaction() as tx:
            self._parts.storage.work(tx).lock_project(link.project_id)
            fresh, item = self._again(tx, link)
            settled = push_target(item) is target
            now = self._parts.clock.now()
            if told.group is not link.group:
                fresh = attrs.evolve(fresh, group=told.group, written_at=told.written_at, synced_at=now)
            self._parts.storage.sprints(tx).save_links([attrs.evolve(fresh, push_pending=not settled)])

    def comment(self, event: CommentDue, delivery_id: str) -> None:  # noqa: ARG002 - the marker is as stable, and unique to the item
        """Post one comment (durable handler of ``CommentDue``)."""
        tracker = self._parts.open(event.tracker, Priority.RELATIONS)
        try:
            tracker.comment(event.external_id, event.text, marker=event.marker)
        except (RemoteNotFound, RemoteRefused) as error:
            # The item is gone, or takes no comment: asking again would not help.
            _log.warning("%s does not take a comment on %s: %s", event.tracker, event.external_id, error.message)
            return
        at = _written_at(tracker, event.external_id)
        if at is not None:
            self._commented(event, at)

    def _commented(self, event: CommentDue, at: datetime) -> None:
        with self._parts.storage.transaction() as tx:
            self._parts.storage.work(tx).lock_project(event.project_id)
            sprints = self._parts.storage.sprints(tx)
            links = sprints.links(event.tracker, event.project_id, external_ids=[event.external_id])
            sprints.save_links([attrs.evolve(link, written_at=at) for link in links.values()])

    def _again(self, tx: Transaction, link: Link) -> tuple[Link, WorkItem]:
        fresh = self._parts.storage.sprints(tx).links(link.tracker, link.project_id, external_ids=[link.external_id])[link.external_id]
        return fresh, self._parts.work.item(link.item_id, tx=tx)


def _set_group(opened: Tracker, link: Link, target: StateGroup) -> StateGroup:
    try:
        return opened.set_group(link.external_id, target)
    except (RemoteNotFound, RemoteRefused) as error:
        # Asking again would be refused again; the next pull tells what became of the item.
        _log.warning("%s does not take the state of %s: %s", link.tracker, link.external_id, error.message)
        return link.group


def _written_at(opened: Tracker, item_id: str) -> datetime | None:
    return opened.written_at(item_id) if isinstance(opened, TellsWrites) else None
