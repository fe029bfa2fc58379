"""Bringing stored roll-ups up to date: the touched nodes are read, changed and written, and of what is kept in parts the touched parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import attrs

from forgekit.builds.models import UNDATED
from forgekit.builds.ports import BuildRepository, Node
from forgekit.builds.rules.applying import Change
from forgekit.builds.rules.counts import Counts, Numbers
from forgekit.builds.rules.nodes import (
    EVERY,
    SPLIT,
    NodeKey,
    PartKey,
    Span,
    anomalies_of,
    asked_of,
    digest,
    week_of,
    with_anomalies,
)
from forgekit.builds.rules.parts import Parted, parted
from forgekit.builds.rules.weeks import WeekFacts, anomalies, seen_from, touched_by


def change_nodes(repository: BuildRepository, changes: Mapping[NodeKey, Counts], builds: Sequence[Change]) -> None:
    """Apply changes to the roll-ups."""
    moments = _moments(builds)
    keys = sorted({*changes, *moments})
    held = repository.nodes(keys)
    changed = {key: parted(held.get(key, _NO_NODE).counts or {}, changes.get(key, {}), splits=key.span in SPLIT) for key in keys}
    parts = _settled(repository, changed)
    then: dict[NodeKey, Node | None] = {}
    for key, each in changed.items():
        if not each.counts:
            then[key] = None
            continue
        first, last, latest = _spread(repository, key, held.get(key, _NO_NODE), moments.get(key))
        told = digest(key, each.counts, parts.get(key))
        then[key] = Node(counts=each.counts, digest=told, first_at=first, last_at=last, latest_at=latest)
    _tell_anomalies(repository, held, then)
    repository.save_nodes(then)


def _settled(repository: BuildRepository, changed: Mapping[NodeKey, Parted]) -> dict[NodeKey, dict[int, Numbers]]:
    """Store the parts that change, and return them with those that digests look at."""
    known: defaultdict[NodeKey, dict[int, Numbers]] = defaultdict(dict)
    needed = [PartKey(key, part) for key, each in changed.items() for part in sorted(each.needed(asked_of(key)))]
    for (key, part), numbers in repository.parts(needed).items():
        known[key][part] = numbers
    settled = {key: each.settle(known[key]) for key, each in changed.items()}
    touched = {PartKey(key, part): settled[key][part] or None for key, each in changed.items() for part in each.touched}
    repository.save_parts(touched)
    return settled


_NO_NODE = Node(counts=None)


def _tell_anomalies(repository: BuildRepository, held: Mapping[NodeKey, Node], then: dict[NodeKey, Node | None]) -> None:
    """Put into each project's digest which of its weeks do not fit their past; only those are looked at that changes can touch."""
    changed: defaultdict[str, set[int]] = defaultdict(set)
    for key in then:
        if key.span is Span.WEEK and key.project != EVERY:
            changed[key.project].add(key.day)
    around = repository.nodes(
        [NodeKey(project, Span.WEEK, day) for project, own in changed.items() for day in seen_from(touched_by(own)) - own], counts=False
    )
    weeks: defaultdict[str, dict[int, WeekFacts]] = defaultdict(dict)
    for key, node in (*around.items(), *then.items()):
        if key.span is Span.WEEK and node is not None and node.digest is not None:
            weeks[key.project][key.day] = week_of(node.digest)
    for key, node in then.items():
        if node is None or node.digest is None or key.span is not Span.PAST:
            continue
        touched = touched_by(changed[key.project])
        before = held.get(key, _NO_NODE).digest or {}
        kept = [each for each in anomalies_of(key.project, before) if each.week.toordinal() not in touched]
        told = with_anomalies(node.digest, kept, anomalies(key.project, weeks[key.project], touched))
        then[key] = attrs.evolve(node, digest=told)


@attrs.define
class _Moments:
    """What the changes of one node tell of its first and last moments.

    Attributes:
        starts: Starts that are there now.
        ends: Other moments that are there now.
        gone: Moments that are not there any more.

    """

    starts: list[datetime] = attrs.field(factory=list)
    ends: list[datetime] = attrs.field(factory=list)
    gone: list[datetime] = attrs.field(factory=list)


def _moments(changes: Iterable[Change]) -> dict[NodeKey, _Moments]:
    found: defaultdict[NodeKey, _Moments] = defaultdict(_Moments)
    for change in changes:
        new, old = change.new, change.old
        ends = [each for each in (new.ended_at, new.queued_at) if each is not None]
        for key in (NodeKey(new.project, Span.DAY, new.day), NodeKey(new.project, Span.PAST, 0)):
            place = found[key]
            if new.started_at is not None:
                place.starts.append(new.started_at)
            place.ends += ends
        if old is not None and (old.started_at, old.ended_at, old.queued_at) != (new.started_at, new.ended_at, new.queued_at):
            gone = [each for each in (old.started_at, old.ended_at, old.queued_at) if each is not None]
            found[NodeKey(old.project, Span.DAY, old.day)].gone.extend(gone)
            found[NodeKey(old.project, Span.PAST, 0)].gone.extend(gone)
    return dict(found)


_Spread = tuple[datetime | None, datetime | None, datetime | None]
"""First and last start, and the latest moment."""


def _spread(repository: BuildRepository, key: NodeKey, known: Node, moments: _Moments | None) -> _Spread:
    """Return the first and last moments of a node; they are looked up only where one of them may be gone."""
    spread = (known.first_at, known.last_at, known.latest_at)
    if moments is None:
        return spread
    if moments.gone and {*spread, None}.intersection(moments.gone):
        return _spread_of(_looked_up(repository, key))
    starts = [*moments.starts, *(each for each in spread[:2] if each is not None)]
    latest = [*starts, *moments.ends, *([known.latest_at] if known.latest_at is not None else [])]
    return min(starts, default=None), max(starts, default=None), max(latest, default=None)


def _looked_up(repository: BuildRepository, key: NodeKey) -> Node:
    if key.span is Span.PAST:
        return repository.moments(key.project)
    if key.day == UNDATED:
        return _NO_NODE
    start = datetime.fromordinal(key.day).replace(tzinfo=UTC)
    return repository.moments(key.project, since=start, until=start + timedelta(days=1))


def _spread_of(node: Node) -> _Spread:
    return node.first_at, node.last_at, node.latest_at
