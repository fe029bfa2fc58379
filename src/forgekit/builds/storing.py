"""Storing builds, and what they change in the roll-ups, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import attrs

from forgekit.builds.bulk import uncollected
from forgekit.builds.fold import Taken
from forgekit.builds.models import UNDATED, BuildRecord, Key
from forgekit.builds.ports import BuildRepository, Node
from forgekit.builds.rules.applying import (
    Change,
    change_of_builds,
    change_of_commits,
    change_of_line,
    change_of_runs,
    line_changes,
)
from forgekit.builds.rules.measuring import measure
from forgekit.builds.rules.nodes import EVERY, Counts, NodeKey, Span, anomalies_of, digest, merged, node_changes, week_of, with_anomalies
from forgekit.builds.rules.precedence import supersedes
from forgekit.builds.rules.tally import Tally
from forgekit.builds.rules.timelines import Line, LineState, Walk
from forgekit.builds.rules.weeks import WeekFacts, anomalies, seen_from, touched_by

Decide = Callable[[BuildRecord, BuildRecord], BuildRecord]
"""Takes the version that is known and one that comes, and returns the one that holds; the known one itself where nothing changes."""


@attrs.frozen(kw_only=True)
class Stored:
    """What became of builds.

    Attributes:
        taken: How many were new, updated or known, by project.
        changes: What changed.

    """

    taken: Mapping[str, Mapping[Taken, int]]
    changes: Sequence[Change]

    def count(self, what: Taken) -> int:
        """Return how many, over all projects."""
        return sum(own.get(what, 0) for own in self.taken.values())


def store(repository: BuildRepository, builds: Collection[BuildRecord], decide: Decide = supersedes) -> Stored:
    """Store builds, each in the version that holds, and bring the roll-ups up to date."""
    repository.lock()
    with uncollected():
        attempts = repository.attempts({(each.project, each.provider, each.build_id) for each in builds})
        stored = _sort_out(builds, {each.key: each for each in attempts}, decide)
        if stored.changes:
            apply_changes(repository, stored.changes, attempts)
    return stored


def _sort_out(builds: Iterable[BuildRecord], held: Mapping[Key, BuildRecord], decide: Decide) -> Stored:
    taken: defaultdict[str, defaultdict[Taken, int]] = defaultdict(lambda: defaultdict(int))
    now: dict[Key, BuildRecord] = {}
    for build in builds:
        key = build.key
        known = now.get(key) or held.get(key)
        kept = build if known is None else decide(known, build)
        if kept is known:
            taken[build.project][Taken.DUPLICATE] += 1
            continue
        taken[build.project][Taken.NEW if known is None else Taken.UPDATED] += 1
        now[key] = kept
    changes = [Change(held.get(key), build) for key, build in now.items() if held.get(key) != build]
    return Stored(taken=taken, changes=changes)


def apply_changes(repository: BuildRepository, changes: Sequence[Change], attempts: Sequence[BuildRecord]) -> None:
    """Store changed builds and what they change in the roll-ups; ``attempts`` are all of their runs as they were."""
    tally = change_of_builds(changes)
    tally.update(change_of_runs(changes, attempts))
    commits = {(each.project, each.commit) for change in changes for each in (change.old, change.new) if each and each.commit}
    tally.update(change_of_commits(changes, repository.verdicts(commits)))
    tally.update(_change_of_lines(repository, changes))
    repository.save([change.new for change in changes])
    change_nodes(repository, node_changes(tally), changes)


def _change_of_lines(repository: BuildRepository, changes: Collection[Change]) -> Tally:
    found = line_changes(changes)
    states = repository.lines(found)
    walk, tally = Walk(), Tally()
    then: dict[Line, LineState | None] = {}
    for key, change in found.items():
        state = states.get(key)
        around = None if change.follows(state) else repository.stretch(key, first=change.first, last=change.last)
        difference, then[key] = change_of_line(key, change, state=state, around=around, walk=walk)
        if difference is not None:
            tally.update(difference)
    repository.save_lines(then)
    return tally.update(Tally.kept(walk.counts()))


def change_nodes(repository: BuildRepository, changes: Mapping[NodeKey, Counts], builds: Sequence[Change]) -> None:
    """Apply changes to the roll-ups."""
    moments = _moments(builds)
    keys = sorted({*changes, *moments})
    held = repository.nodes(keys)
    then: dict[NodeKey, Node | None] = {}
    for key in keys:
        node = held.get(key, _NO_NODE)
        counts = merged(node.counts or {}, changes.get(key, {}))
        if not counts:
            then[key] = None
            continue
        first, last, latest = _spread(repository, key, node, moments.get(key))
        then[key] = Node(counts=counts, digest=digest(key, counts), first_at=first, last_at=last, latest_at=latest)
    _tell_anomalies(repository, held, then)
    repository.save_nodes(then)


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


def recount(repository: BuildRepository, builds: Sequence[BuildRecord]) -> int:
    """Count a project's roll-ups from its builds, where none are stored; return how many builds it has."""
    with uncollected():
        change_nodes(repository, node_changes(measure(builds)), [Change(None, build) for build in builds])
        found = line_changes([Change(None, build) for build in builds])
        repository.save_lines({key: Walk().along(key, sorted(change.come)) for key, change in found.items()})
    return len(builds)
