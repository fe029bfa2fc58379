"""What a change of builds changes: the difference between all of them counted afterwards and before."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from forgekit.builds import BuildRecord, Status
from forgekit.builds.models import BROKEN, COUNTED
from forgekit.builds.rules.applying import (
    Change,
    LineChange,
    Stretch,
    change_of_builds,
    change_of_commits,
    change_of_line,
    change_of_runs,
    line_changes,
)
from forgekit.builds.rules.labels import ROLLED_UP
from forgekit.builds.rules.measuring import measure
from forgekit.builds.rules.runs import verdict
from forgekit.builds.rules.tally import Tally
from forgekit.builds.rules.timelines import Line, Walk, line, point

START = datetime(2026, 1, 5, tzinfo=UTC)


def timelines(builds):
    """Return the points of every timeline, in order."""
    found = {}
    for build in builds:
        if (place := point(build)) is not None:
            found.setdefault(line(build), []).append(place)
    return {key: sorted(points) for key, points in found.items()}


def around(points, first, last):
    """Return the points from the turn of colour before a change to the turn after it, as a storage looks them up."""

    def turn(side):
        counted = [each for each in side if each.status in COUNTED]
        other = (each.ended_at for each in counted if (each.status in BROKEN) is not (counted[0].status in BROKEN))
        return next(other, None)

    begin = turn([each for each in reversed(points) if each.ended_at < first])
    end = turn([each for each in points if each.ended_at > last])
    inside = [each for each in points if (begin is None or each.ended_at >= begin) and (end is None or each.ended_at <= end)]
    return Stretch(inside, to_end=end is None)


def difference(before, changes):
    """Return what changes come to, and where the changed timelines stand, by the rules of changes alone."""
    held = {build.key: build for build in before}
    runs = {(change.new.provider, change.new.project, change.new.build_id) for change in changes}
    attempts = [build for build in before if (build.provider, build.project, build.build_id) in runs]
    commits = {(each.project, each.commit) for change in changes for each in (change.old, change.new) if each is not None}
    verdicts = [said for build in held.values() if (build.project, build.commit) in commits and (said := verdict(build)) is not None]
    tally = change_of_builds(changes).update(change_of_runs(changes, attempts)).update(change_of_commits(changes, verdicts))
    lines, walk, states = timelines(before), Walk(), {}
    for key, change in line_changes(changes).items():
        state = Walk().along(key, lines.get(key, []))
        stretch = None if change.follows(state) else around(lines.get(key, []), change.first, change.last)
        told, states[key] = change_of_line(key, change, state=state, around=stretch, walk=walk)
        if told is not None:
            tally.update(told)
    return tally.update(Tally.kept(walk.counts())), states


def altered(chance, build):
    """Return another version of a build."""
    changed = {"status": chance.choice(list(Status))}
    if chance.random() < 0.5:
        changed["branch"] = chance.choice(["main", "next"])
    if chance.random() < 0.5:
        changed["commit"] = chance.choice([None, "c1", "c2"])
    if chance.random() < 0.5:
        moved = timedelta(hours=chance.randrange(-40, 40))
        changed |= {name: getattr(build, name) and getattr(build, name) + moved for name in ("started_at", "finished_at")}
    return attrs.evolve(build, **changed)


def rolled_up(tally):
    """Return a tally without what is looked up elsewhere, and without zeros."""
    return Tally.kept({name: numbers for name, numbers in tally.counts.items() if name in ROLLED_UP})


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("size", [1, 3, 15])
def test_a_change_is_the_difference(history, seed, size):
    """New and changed builds come to what all builds come to afterwards, less what they came to before; and timelines stand as they do."""
    chance = random.Random(seed)
    builds = chance.sample(whole := history(seed, 50, jobs=True), len(whole))
    before, coming = builds[size:], builds[:size]
    changes = [Change(None, build) for build in coming]
    changes += [Change(build, altered(chance, build)) for build in chance.sample(before, size)]
    after = {build.key: build for build in before} | {change.new.key: change.new for change in changes}
    tally, states = difference(before, changes)
    assert rolled_up(tally) == rolled_up(measure(list(after.values())) - measure(before))
    expected = timelines(after.values())
    assert states == {key: Walk().along(key, expected.get(key, [])) for key in states}
    touched = {key for key in {*timelines(before), *expected} if timelines(before).get(key) != expected.get(key)}
    assert touched <= states.keys()


def build(number, hours, status="passed"):
    """Return a build of one timeline."""
    started = START + timedelta(hours=hours)
    return BuildRecord(build_id=str(number), project="p", status=status, started_at=started, finished_at=started + timedelta(minutes=5))


def test_what_ends_after_all_others_follows():
    """Builds that end behind the last follow, and those that end with it or before do not; what goes does not follow."""
    state = Walk().along(Line("p", None, None), [point(build(1, 5))])
    first, same, later = (point(build(number, hours)) for number, hours in ((2, 4), (3, 5), (4, 6)))
    assert LineChange(come=[later]).follows(state)
    assert not LineChange(come=[same]).follows(state)
    assert not LineChange(come=[later, first]).follows(state)
    assert not LineChange(gone=[later], come=[later]).follows(state)
    assert LineChange(come=[first]).follows(None)


def test_a_build_that_stays_where_it_was_changes_no_timeline():
    """Another language or commit is no change of the timeline; another branch is one of both."""
    old = build(1, 1)
    assert line_changes([Change(old, attrs.evolve(old, language="go", commit="c"))]) == {}
    assert line_changes([Change(old, attrs.evolve(old, branch="next"))]) == {
        Line("p", None, None): LineChange(gone=[point(old)]),
        Line("p", "next", None): LineChange(come=[point(old)]),
    }
    queued = BuildRecord(build_id="2", project="p", status="queued")
    assert line_changes([Change(None, queued)]) == {}


def test_a_timeline_that_loses_its_last_point_is_gone():
    """Where nothing is left, there is no state."""
    old = build(1, 1)
    key, place = line(old), point(old)
    state = Walk().along(key, [place])
    told, then = change_of_line(key, LineChange(gone=[place]), state=state, around=Stretch([place]), walk=Walk())
    assert (told, then) == (Tally(), None)
