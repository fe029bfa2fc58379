"""Storing builds, and what they change in the roll-ups, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import attrs

from forgekit.builds.bulk import uncollected
from forgekit.builds.fold import Taken
from forgekit.builds.models import BuildRecord, Key
from forgekit.builds.ports import BuildRepository
from forgekit.builds.rolling import change_nodes
from forgekit.builds.rules.applying import (
    Change,
    change_of_builds,
    change_of_commits,
    change_of_line,
    change_of_runs,
    line_changes,
)
from forgekit.builds.rules.measuring import measure
from forgekit.builds.rules.nodes import node_changes
from forgekit.builds.rules.precedence import supersedes
from forgekit.builds.rules.tally import Tally
from forgekit.builds.rules.timelines import Line, LineState, Walk

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


def recount(repository: BuildRepository, builds: Sequence[BuildRecord]) -> int:
    """Count a project's roll-ups from its builds, where none are stored; return how many builds it has."""
    with uncollected():
        change_nodes(repository, node_changes(measure(builds)), [Change(None, build) for build in builds])
        found = line_changes([Change(None, build) for build in builds])
        repository.save_lines({key: Walk().along(key, sorted(change.come)) for key, change in found.items()})
    return len(builds)
