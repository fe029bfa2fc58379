"""What an import changes: decided from what was fetched and what is stored, before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import attrs

from forgekit.sprints.models import Link, StateGroup, TrackerItem
from forgekit.sprints.reports import Action, ImportDetail
from forgekit.sprints.rules.content import clean, clean_line, content_hash, steps
from forgekit.work.models import Kind, State, WorkItem
from forgekit.work.rules import DEFAULT_CATEGORY

CANCELLED = "cancelled"
ALREADY_IMPORTED = "already_imported"
REMOVED = "removed_from_cycle"

_ECHO = timedelta(seconds=5)
"""Plane stamps an item again in the background after it answered (measured: 29 ms later; its queue may be longer)."""

_STATES = {StateGroup.STARTED: State.IN_PROGRESS, StateGroup.COMPLETED: State.DONE}


@attrs.frozen(kw_only=True)
class Here:
    """What is stored, as far as an import looks at it.

    Attributes:
        tracker: The tracker's name.
        project_id: The project.
        sprint_id: The sprint that mirrors the cycle.
        links: Links of the items fetched, of their parents, and of all last seen in this sprint, by the tracker's item id.
        items: The items of those links and all items of the sprint, by id.
        first_number: The first of the numbers reserved for new items.
        new_ids: As many ids as there are new items.
        fetched_at: When the fetch began: links written since then know more than the fetch does.
        now: The present.
        relations: Whether the tracker can tell what an item waits for.

    """

    tracker: str
    project_id: str
    sprint_id: str
    links: Mapping[str, Link]
    items: Mapping[str, WorkItem]
    first_number: int
    new_ids: Sequence[str]
    fetched_at: datetime
    now: datetime
    relations: bool = False


@attrs.frozen(kw_only=True)
class Plan:
    """What an import writes.

    Attributes:
        created: New items, parents not necessarily before their children.
        changed: Items to store again.
        links: Links to store.
        parents: For items whose parent is decided anew, the items that they depend on through it.
        details: What to report.

    """

    created: tuple[WorkItem, ...]
    changed: tuple[WorkItem, ...]
    links: tuple[Link, ...]
    parents: Mapping[str, tuple[str, ...]]
    details: tuple[ImportDetail, ...]


@attrs.frozen(kw_only=True)
class _Decision:
    """What becomes of one item; ``item`` and ``link`` are None where nothing of ours is touched."""

    detail: ImportDetail
    item: WorkItem | None = None
    link: Link | None = None
    takes_parent: bool = False


def distinct(fetched: Sequence[TrackerItem]) -> list[TrackerItem]:
    """Return the items in order, each once: pages shift while a tracker's list changes under the reader."""
    return list({item.id: item for item in fetched}.values())


def is_new(item: TrackerItem, links: Mapping[str, Link]) -> bool:
    """Tell whether an import creates ``item``."""
    return item.id not in links and item.group is not StateGroup.CANCELLED


def plan(fetched: Sequence[TrackerItem], here: Here) -> Plan:
    """Decide what an import of ``fetched`` (distinct, the whole cycle) changes.

    Three things are compared: what the tracker says now, what it said when last seen (the link), and what is here. What did not
    change there never overrides what is here; what did, does.
    """
    fresh = [item for item in fetched if is_new(item, here.links)]
    new = {item.id: _create(item, here, index) for index, item in enumerate(fresh)}
    ids = {external_id: link.item_id for external_id, link in here.links.items()}
    ids.update((external_id, decision.item.id) for external_id, decision in new.items() if decision.item)
    decisions = {item.id: new.get(item.id) or _decide(item, here, ids) for item in fetched}
    departures = [_depart(link, here, REMOVED) for link in _departed(fetched, here)]
    items = dict(here.items)
    items.update((decision.item.id, decision.item) for decision in [*decisions.values(), *departures] if decision.item)
    parents = _resolve_parents(fetched, decisions, set(new), ids, items)
    _set_kinds(fetched, decisions, here, items)
    created = {decision.item.id for decision in new.values() if decision.item}
    everything = [*decisions.values(), *departures]
    return Plan(
        created=tuple(item for item in items.values() if item.id in created),
        changed=tuple(item for item in items.values() if item.id not in created and item != here.items[item.id]),
        links=tuple(decision.link for decision in everything if decision.link),
        parents=parents,
        details=tuple(decision.detail for decision in everything),
    )


def _create(item: TrackerItem, here: Here, index: int) -> _Decision:
    passing = item.group is StateGroup.COMPLETED
    work_item = WorkItem(
        id=here.new_ids[index],
        project_id=here.project_id,
        number=here.first_number + index,
        sprint_id=here.sprint_id,
        name=_name(item),
        state=_STATES.get(item.group, State.TO_DO),
        passing=passing,
        passing_at=min(item.updated_at, here.now) if passing else None,
        position=item.position,
        created_at=here.now,
        updated_at=here.now,
    )
    work_item = _filled(work_item, item)
    link = Link(
        tracker=here.tracker,
        project_id=here.project_id,
        external_id=item.id,
        item_id=work_item.id,
        sprint_id=here.sprint_id,
        content_hash=content_hash(item),
        group=item.group,
        remote_updated_at=item.updated_at,
        synced_at=here.now,
        relations_pending=here.relations,
    )
    return _Decision(detail=_detail(work_item, item.id, Action.CREATED), item=work_item, link=link, takes_parent=True)


def _decide(item: TrackerItem, here: Here, ids: Mapping[str, str]) -> _Decision:
    link = here.links.get(item.id)
    if link is None:
        return _Decision(detail=ImportDetail(external_id=item.id, name=_name(item), action=Action.SKIPPED, reason=CANCELLED))
    before = here.items[link.item_id]
    if link.synced_at > here.fetched_at:
        return _Decision(detail=_detail(before, item.id, Action.SKIPPED, ALREADY_IMPORTED))
    if item.group is StateGroup.CANCELLED:
        return _cancel(item, link, before, here)
    joined = link.sprint_id != here.sprint_id
    edited = link.content_hash != content_hash(item)
    if here.relations and (joined or edited or was_touched(item, link)):
        link = attrs.evolve(link, relations_pending=True)
    if not (joined or edited or link.group is not item.group):
        return _Decision(
            detail=_detail(before, item.id, Action.SKIPPED, ALREADY_IMPORTED),
            item=before if before.position == item.position else attrs.evolve(before, position=item.position),
            link=None if link.remote_updated_at == item.updated_at else _seen(link, item, here),
        )
    return _merge(item, link, before, here, edited=edited, joined=joined, parent=ids.get(item.parent_id or ""))


def was_touched(item: TrackerItem, link: Link) -> bool:
    """Tell whether somebody else may have touched an item in the tracker since it was last seen.

    A relation that is added or removed shows in nothing but ``updated_at``. Where our own write is the last thing that moved that,
    a touch between the look before and our write is not noticed; it is with the next touch.
    """
    own = link.written_at is not None and timedelta(0) <= item.updated_at - link.written_at <= _ECHO
    return item.updated_at != link.remote_updated_at and not own


def _merge(item: TrackerItem, link: Link, before: WorkItem, here: Here, *, edited: bool, joined: bool, parent: str | None) -> _Decision:
    """Let the tracker win where it changed: in content when edited there, in state when moved there, in place when it came (back)."""
    after = _filled(before, item) if edited else before
    after = attrs.evolve(after, sprint_id=here.sprint_id) if joined else after
    if joined or link.group is not item.group:
        after = move(after, item, seen=link.group, now=here.now)
    seen = attrs.evolve(_seen(link, item, here), sprint_id=here.sprint_id)
    if after == before and not (edited and before.parent_id != parent):
        # Our own write come back, or a change there to what is here already.
        return _Decision(detail=_detail(before, item.id, Action.SKIPPED, ALREADY_IMPORTED), item=before, link=seen, takes_parent=edited)
    after = attrs.evolve(after, position=item.position, updated_at=here.now)
    return _Decision(detail=_detail(after, item.id, Action.UPDATED), item=after, link=seen, takes_parent=edited)


def move(item: WorkItem, remote: TrackerItem, *, seen: StateGroup, now: datetime) -> WorkItem:
    """Return ``item`` after its state in the tracker moved.

    Completed there makes it pass here, unless a newer test run failed. Reopened there clears that, whatever ran here. Other moves
    do not touch what passes here, and a state already within the target's meaning is left as it is.

    Args:
        item: The item here.
        remote: The item there, now.
        seen: The group it was last seen in.
        now: The present.

    """
    at = min(remote.updated_at, now)
    if remote.group is StateGroup.COMPLETED:
        if item.passing_at is not None and at < item.passing_at:
            return item
        return attrs.evolve(item, state=State.DONE, passing=True, passing_at=at)
    if seen is StateGroup.COMPLETED:
        item = attrs.evolve(item, passing=False, passing_at=at)
    if item.passing:
        return item
    if remote.group is StateGroup.STARTED:
        return attrs.evolve(item, state=State.IN_PROGRESS) if item.state in {State.TO_DO, State.DONE} else item
    return attrs.evolve(item, state=State.TO_DO)


def _cancel(item: TrackerItem, link: Link, before: WorkItem, here: Here) -> _Decision:
    """Take an item that was cancelled there out of the sprint; it is kept, and comes back when it is reopened there."""
    if link.sprint_id is None and link.group is StateGroup.CANCELLED:
        return _Decision(detail=_detail(before, item.id, Action.SKIPPED, CANCELLED))
    left = _depart(link, here, CANCELLED)
    return attrs.evolve(left, link=attrs.evolve(_seen(link, item, here), sprint_id=None, relations_pending=False))


def _departed(fetched: Sequence[TrackerItem], here: Here) -> Iterator[Link]:
    present = {item.id for item in fetched}
    for external_id, link in here.links.items():
        if link.sprint_id == here.sprint_id and external_id not in present and link.synced_at <= here.fetched_at:
            yield link


def _depart(link: Link, here: Here, reason: str) -> _Decision:
    before = here.items[link.item_id]
    after = before
    if before.sprint_id == here.sprint_id:
        freed = before.state is State.IN_PROGRESS and not before.passing
        state = State.TO_DO if freed else before.state
        after = attrs.evolve(before, sprint_id=None, state=state, kind=Kind.STORY, updated_at=here.now)
    return _Decision(
        detail=_detail(before, link.external_id, Action.SKIPPED, reason),
        item=after,
        link=attrs.evolve(link, sprint_id=None, relations_pending=False, synced_at=here.now),
    )


def _resolve_parents(
    fetched: Sequence[TrackerItem],
    decisions: Mapping[str, _Decision],
    new: Collection[str],
    ids: Mapping[str, str],
    items: dict[str, WorkItem],
) -> dict[str, tuple[str, ...]]:
    """Set the parents of new and changed items, and of those whose parent arrived only now; once all are in, order is no matter."""
    parents: dict[str, tuple[str, ...]] = {}
    for remote in fetched:
        decision = decisions[remote.id]
        if decision.item is None:
            continue
        item = items[decision.item.id]
        arrived = item.parent_id is None and remote.parent_id in new
        if decision.takes_parent or arrived:
            parent = ids.get(remote.parent_id or "")
            parent = None if parent == item.id else parent
            if parent != item.parent_id:
                items[item.id] = attrs.evolve(item, parent_id=parent)
            parents[item.id] = (parent,) if parent else ()
    return parents


def _set_kinds(fetched: Sequence[TrackerItem], decisions: Mapping[str, _Decision], here: Here, items: dict[str, WorkItem]) -> None:
    for remote in fetched:
        decided = decisions[remote.id].item
        if decided is None or items[decided.id].sprint_id != here.sprint_id:
            continue
        item = items[decided.id]
        parent = items.get(item.parent_id or "")
        kind = Kind.TASK if parent is not None and parent.sprint_id == here.sprint_id else Kind.STORY
        if item.kind is not kind:
            items[item.id] = attrs.evolve(item, kind=kind)


def _filled(item: WorkItem, remote: TrackerItem) -> WorkItem:
    """Return ``item`` with what the tracker says of its content."""
    name = _name(remote)
    description = clean(remote.description)
    return attrs.evolve(
        item,
        name=name,
        description=description,
        steps=steps(name, description),
        category=clean_line(remote.category or "") or DEFAULT_CATEGORY,
        priority=remote.priority,
    )


def _name(item: TrackerItem) -> str:
    return clean_line(item.name) or clean_line(item.key) or "(no name)"


def _seen(link: Link, item: TrackerItem, here: Here) -> Link:
    return attrs.evolve(link, content_hash=content_hash(item), group=item.group, remote_updated_at=item.updated_at, synced_at=here.now)


def _detail(item: WorkItem, external_id: str, action: Action, reason: str | None = None) -> ImportDetail:
    return ImportDetail(external_id=external_id, name=item.name, action=action, number=item.number, reason=reason)
