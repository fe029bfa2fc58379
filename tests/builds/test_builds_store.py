"""Builds in a database: what is stored comes to what the fold comes to, however it came in."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest

import forgekit_sql
from forgekit import Forge
from forgekit.builds import BuildRecord, Job, Scope, Status, analyse, to_flat
from forgekit.builds.events import BuildsSubmitted
from forgekit.builds.models import FINISHED
from forgekit.builds.rules import parts
from forgekit.errors import Conflict, InvalidInput
from forgekit.testing import FakeClock

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def forge(request):
    """Return a forge on each database."""
    url = "sqlite://" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    Forge.upgrade(url, plugins=[forgekit_sql]) if request.param == "postgresql" else None
    with Forge.open(url, plugins=[forgekit_sql], clock=FakeClock(datetime(2026, 7, 1, tzinfo=UTC))) as opened:
        yield opened


def _build(number, status="passed", *, hours=0, minutes=5, **more):
    started = START + timedelta(hours=hours)
    finished = None if status in {"running", "queued"} else started + timedelta(minutes=minutes)
    given = {"project": "shop", "branch": "main", "workflow": "ci", "started_at": started, "finished_at": finished}
    return BuildRecord(build_id=str(number), status=status, **{**given, **more})


def _rolled_up(forge):
    """Return the stored roll-ups."""
    with forge.transaction() as tx:
        found = {}
        for table, key in (("forgekit_build_nodes", 3), ("forgekit_build_parts", 4)):
            for row in tx.connection.exec_driver_sql(f"SELECT * FROM {table}"):
                found[table, *row[:key]] = [json.loads(value) if isinstance(value, str) else value for value in row[key:]]
        return found


def _in_parts(forge, builds, seed):
    chance = random.Random(seed)
    left = chance.sample(builds, len(builds))
    while left:
        size = chance.choice([1, 3, 20, 60])
        forge.builds.submit(left[:size])
        left = left[size:]


def _differences(one, other):
    return {field.name for field in attrs.fields(type(one)) if getattr(one, field.name) != getattr(other, field.name)}


QUESTIONS = [
    {},
    {"project": "p1"},
    {"branch": "main"},
    {"project": "p2", "workflow": "ci"},
    {"since": date(2026, 1, 10), "until": date(2026, 1, 31)},
    {"since": date(2026, 1, 20)},
    {"project": "p2", "until": date(2026, 1, 25)},
    {"since": date(2025, 1, 1), "until": date(2027, 1, 1)},
    {"zone": ZoneInfo("America/New_York")},
    {"expected": 1000},
]


@pytest.mark.parametrize("seed", range(3))
def test_any_order_and_any_split_come_to_the_fold(forge, history, seed):
    """Builds stored shuffled, in parts, and once more come to what the fold over all of them comes to, whatever is asked."""
    builds = history(seed, 80, jobs=seed % 2 == 0)
    _in_parts(forge, builds, seed)
    again = forge.builds.submit(builds)
    assert (again.accepted, again.updated, again.duplicates) == (0, 0, len(builds))
    for question in QUESTIONS:
        scope = {name: value for name, value in question.items() if name in {"project", "branch", "workflow"}}
        others = {name: value for name, value in question.items() if name not in scope}
        wanted = analyse(builds, scope=Scope(**scope), **others)
        assert _differences(forge.builds.analysis(**question), wanted) == set(), question


def test_what_is_kept_in_parts_comes_to_the_fold_too(forge, history, monkeypatch):
    """Where nodes are split, any order, split and correction comes to the fold, and to the very rows that counting anew makes."""
    monkeypatch.setattr(parts, "SPLIT_FROM", 25)
    builds = history(5, 80)
    first = [attrs.evolve(build, duration_seconds=1.0 + number, finished_at=None) for number, build in enumerate(builds) if number % 3]
    _in_parts(forge, [build for build in first if build.status in FINISHED], 5)
    _in_parts(forge, [attrs.evolve(build, updated_at=datetime(2026, 6, 1, tzinfo=UTC)) for build in builds], 6)
    stored = list(forge.builds.builds())
    for question in ({}, {"project": "p1"}, {"since": date(2026, 1, 10), "until": date(2026, 1, 31)}):
        scope = {"project": question["project"]} if "project" in question else {}
        wanted = analyse(stored, scope=Scope(**scope), **{name: value for name, value in question.items() if name not in scope})
        assert _differences(forge.builds.analysis(**question), wanted) == set(), question
    kept = _rolled_up(forge)
    assert {key[:2] for key in kept if key[0] == "forgekit_build_parts"} == {("forgekit_build_parts", span) for span in ("past", "week")}
    forge.builds.rebuild()
    assert _rolled_up(forge) == kept


def test_weeks_that_do_not_fit_are_told_however_their_past_came_in(forge):
    """A slow week is told, and no longer once its past turns out to be as slow, or its builds to have been quick."""
    chance = random.Random(4)
    weeks = [[_build(f"{week}-{n}", hours=168 * week + n, minutes=50 if week == 15 else 5) for n in range(8)] for week in range(30)]
    builds = [build for week in weeks for build in week]
    _in_parts(forge, chance.sample(builds, len(builds)), 4)
    found = forge.builds.analysis()
    assert [(each.week, each.value, each.expected) for each in found.anomalies] == [((START + timedelta(weeks=15)).date(), 3000.0, 300.0)]
    assert forge.builds.analysis(project="shop", since=date(2026, 6, 10), until=date(2026, 6, 20)).anomalies == found.anomalies
    slower = [attrs.evolve(build, finished_at=build.started_at + timedelta(minutes=50)) for week in weeks[5:15] for build in week]
    forge.builds.submit(slower)
    assert forge.builds.analysis() == analyse(
        [*weeks[0], *(b for w in weeks[1:5] for b in w), *slower, *(b for w in weeks[15:] for b in w)]
    )
    forge.builds.submit(builds)
    assert forge.builds.analysis() == found


def test_of_very_many_red_branches_the_oldest_are_told(forge):
    """A hundred red branches are told, those that have been so longest, and how many there are."""
    builds = [_build(n, "failed", hours=n // 3, branch=f"topic-{n}") for n in range(130)]
    _in_parts(forge, builds, 5)
    found = forge.builds.analysis()
    assert (found.n_open_spells, len(found.open_spells)) == (130, 100)
    assert found == analyse(builds)
    window = {"until": (START + timedelta(days=1)).date()}
    assert forge.builds.analysis(**window) == analyse(builds, **window)


def test_corrections_come_to_the_fold_of_what_holds(forge, history):
    """Builds that change status, times, branch and commit after the fact, in any mixture, count as they are in the end."""
    chance = random.Random(7)
    builds = history(3, 60)
    _in_parts(forge, builds, 1)
    now = datetime(2026, 6, 1, tzinfo=UTC)
    changed = []
    for build in chance.sample(builds, 25):
        moved = {
            name: getattr(build, name) and getattr(build, name) + timedelta(hours=chance.randrange(90))
            for name in ("started_at", "finished_at")
        }
        other = {"status": chance.choice(["passed", "failed", "errored"]), "branch": chance.choice(["main", "next"]), "commit": "c1"}
        changed.append(attrs.evolve(build, **moved, **other, updated_at=now, end_estimated=False))
    _in_parts(forge, changed, 2)
    held = {build.key: build for build in (*builds, *changed)}
    held = {key: forge.builds.build(key) for key in held}
    assert _differences(forge.builds.analysis(), analyse(held.values())) == set()
    before = forge.builds.analysis()
    assert forge.builds.rebuild() == len(held)
    assert forge.builds.analysis() == before


def test_a_build_that_is_told_again_is_counted_once(forge):
    """The same build is a duplicate, a changed one an update, and one that ended does not run again."""
    first = forge.builds.submit([_build(1, "running"), _build(2)])
    again = forge.builds.submit([_build(2), _build(1, "failed"), _build(1, "running")])
    corrected = forge.builds.submit([_build(2, minutes=7)])
    assert (first.accepted, again.updated, again.duplicates, corrected.updated) == (2, 1, 2, 1)
    analysis = forge.builds.analysis()
    assert (analysis.n_builds, analysis.failure.numerator, analysis.max_duration_seconds) == (2, 1, 420)
    assert analysis.health.open_builds == 0


def test_a_bad_row_stores_nothing_unless_it_may_be_passed_over(forge):
    """One row that cannot be read ends the call; with ``on_error`` the others are stored and it is told."""
    rows = [to_flat(_build(1)), {"build_id": "2", "project": "shop"}, to_flat(_build(3))]
    with pytest.raises(InvalidInput):
        forge.builds.submit(rows)
    assert forge.builds.count() == 0
    problems = []
    found = forge.builds.submit(rows, on_error=problems.append)
    assert (found.accepted, len(found.refused), problems[0].data["row"]) == (2, 1, 2)


@pytest.mark.parametrize("field", ["build_id", "project", "provider", "branch", "commit", "workflow", "language", "jobs"])
def test_a_name_that_is_no_text_is_refused(forge, field):
    """A number for a name is told: kept as text it would not be known again, and counted each time that it comes."""
    odd = (Job(name=7, status="passed"),) if field == "jobs" else 7
    with pytest.raises(InvalidInput, match="must have text"):
        forge.builds.submit([attrs.evolve(_build(1), **{field: odd})])
    assert forge.builds.count() == 0


def test_what_is_passed_over_is_told_by_its_row(forge):
    """A row's number is that among all rows, whichever were passed over before it and for whichever reason."""
    told = []
    rows = [{}, to_flat(_build(1)), attrs.evolve(_build(2), branch="\0"), None, to_flat(_build(3)), attrs.evolve(_build(4), branch="\0")]
    done = forge.builds.submit(rows, on_error=told.append)
    assert ([error.data["row"] for error in told], done.refused, done.accepted) == ([1, 3, 4, 6], tuple(told), 2)
    with pytest.raises(InvalidInput) as refused:
        forge.builds.submit(rows[1:3])
    assert refused.value.data["row"] == 2


@pytest.mark.parametrize("name", ["", "\0", "\ud800"])
def test_a_project_that_cannot_be_has_no_builds(forge, name):
    """A name that no project has is that of no project, and not of all."""
    forge.builds.submit([_build(1)])
    assert (forge.builds.analysis(project=name).n_builds, forge.builds.analysis().n_builds) == (0, 1)


def test_builds_share_the_fate_of_their_transaction(forge):
    """What is submitted in a transaction that rolls back was never there, roll-ups included."""
    with pytest.raises(RuntimeError), forge.transaction() as tx:
        forge.builds.submit([_build(1)], tx=tx)
        raise RuntimeError
    assert (forge.builds.count(), forge.builds.projects()) == (0, [])


def test_sightings_are_combined(forge):
    """What webhooks tell in pieces is one build, with all that any of them told."""
    forge.builds.observe([_build(1, "running", commit="abc")])
    forge.builds.observe([_build(1, "passed", branch="main")])
    (build,) = forge.builds.builds(project="shop")
    assert (build.status, build.commit) == (Status.PASSED, "abc")


def test_stored_builds_are_told(forge):
    """Builds are listed by project, workflow and day, and a signal tells of each project that got some."""
    told = []
    forge.on(BuildsSubmitted, told.append)
    forge.builds.submit([_build(1), _build(2, "running", hours=30), _build(3, project="other")])
    assert [(event.project, event.accepted) for event in told] == [("other", 1), ("shop", 2)]
    assert (forge.builds.projects(), forge.builds.count(), forge.builds.count(project="shop")) == (["other", "shop"], 3, 2)
    assert [build.build_id for build in forge.builds.builds(open_only=True)] == ["2"]
    assert [build.build_id for build in forge.builds.builds(project="shop", until=START.date())] == ["1"]
    assert [build.build_id for build in forge.builds.builds(workflow="ci", since=date(2026, 3, 3))] == ["2"]


def test_a_window_that_ends_before_it_begins_is_refused(forge):
    """The last day may not be before the first."""
    with pytest.raises(InvalidInput):
        forge.builds.analysis(since=date(2026, 2, 1), until=date(2026, 1, 1))


@pytest.mark.parametrize("window", [{"since": date(1969, 12, 31)}, {"until": date(2200, 1, 1)}, {"since": START}, {"until": "2026-03-02"}])
def test_a_window_reaches_no_further_than_builds_do(forge, window):
    """A day that no build can have, and what is no day, is refused, and the refusal names which end it was."""
    with pytest.raises(InvalidInput) as refusal:
        forge.builds.analysis(**window)
    assert [problem["pointer"] for problem in refusal.value.data["problems"]] == [f"/{name}" for name in window]


@pytest.mark.parametrize("day", [date(1970, 1, 1), date(2199, 12, 31)])
def test_the_first_and_the_last_day_may_be_asked_for(forge, day):
    """The days on which a build can be are no mistake."""
    assert forge.builds.analysis(since=day, until=day).n_builds == 0


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
@pytest.mark.parametrize("field", ["project", "build_id", "branch", "commit", "url", "environment"])
def test_text_that_no_database_keeps_is_refused_by_all(forge, field, text):
    """A record made by hand is refused alike on each database, and nothing of its batch is stored; of sightings it is passed over."""
    odd = attrs.evolve(_build(2), **{field: text})
    with pytest.raises(InvalidInput):
        forge.builds.submit([_build(1), odd])
    with pytest.raises(InvalidInput):
        forge.builds.submit([_build(1), _build(2, jobs=(Job(name=text, status="passed"),))])
    assert forge.builds.count() == 0
    forge.builds.observe([_build(1), odd])
    assert forge.builds.count() == 1


def test_pruned_builds_stay_counted(postgresql_url):
    """Past the retention builds go and their roll-ups stay; later ones still follow on them, and older ones are refused."""
    Forge.upgrade(postgresql_url, plugins=[forgekit_sql])
    clock = FakeClock(START + timedelta(days=100))
    with Forge.open(postgresql_url, plugins=[forgekit_sql], clock=clock, config={"builds": {"retention_days": 200}}) as forge:
        forge.builds.submit([_build(number, "failed" if number in {8, 9} else "passed", hours=number) for number in range(10)])
        before = forge.builds.analysis()
        clock.advance(timedelta(days=150))
        assert forge.builds.prune() == 8
        assert forge.builds.analysis() == before
        with pytest.raises(InvalidInput, match="retention"):
            forge.builds.submit([_build(11)])
        with forge.transaction() as tx, pytest.raises(Conflict):
            forge.builds.rebuild(tx=tx)
        assert forge.builds.analysis() == before  # nothing was cleared, though the transaction was committed
        later = (clock.now() - START) / timedelta(hours=1)
        forge.builds.submit([_build(12, hours=later)])
        assert forge.builds.analysis().mttr.count == 1


def test_builds_are_not_listed_of_a_window_that_is_none(forge):
    """Days that no calendar adds up, and a first day after the last, are refused as for an analysis."""
    for asked in ({"until": date.max}, {"since": date.min}, {"since": date(2026, 2, 1), "until": date(2026, 1, 1)}):
        with pytest.raises(InvalidInput):
            list(forge.builds.builds(**asked))


def test_without_retention_nothing_is_pruned(forge):
    """Builds are kept for ever unless the settings say otherwise."""
    forge.builds.submit([_build(1)])
    assert (forge.builds.prune(), forge.builds.count()) == (0, 1)


def test_storing_asks_the_database_as_often_for_one_build_as_for_many(history):
    """The number of statements does not grow with the number of builds that follow on what is there."""
    from sqlalchemy import event

    counts = []
    with Forge.open("sqlite://", plugins=[forgekit_sql]) as forge:
        for builds in ([_build(1)], [_build(number, hours=number) for number in range(2, 200)]):
            statements = []
            with forge.transaction() as tx:
                event.listen(tx.connection, "before_cursor_execute", lambda *call, seen=statements: seen.append(call[2]))
                forge.builds.submit(builds, tx=tx)
            counts.append(len(statements))
    assert counts[0] == counts[1]
