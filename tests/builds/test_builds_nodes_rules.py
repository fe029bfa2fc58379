"""Roll-ups as storage keeps them: nodes hold what the tally holds, add up, and say what they come to."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import BuildRecord
from forgekit.builds.models import UNDATED
from forgekit.builds.results import Anomaly
from forgekit.builds.rules import parts
from forgekit.builds.rules.buckets import shortest_of
from forgekit.builds.rules.counts import merged
from forgekit.builds.rules.facts import PERIOD, facts_of, heat_of, periods_of, trend_window
from forgekit.builds.rules.grouping import monday, outcomes_by_week, sums, together
from forgekit.builds.rules.labels import ROLLED_UP, from_text, to_text
from forgekit.builds.rules.measuring import measure
from forgekit.builds.rules.nodes import (
    EVERY,
    NodeKey,
    Span,
    anomalies_of,
    asked_of,
    digest,
    heat_of_past,
    node_changes,
    period_of,
    project_of,
    sums_of,
    tally_of,
    week_of,
    with_anomalies,
)
from forgekit.builds.rules.parts import Wanted, located, outcomes_of, parted
from forgekit.builds.rules.tally import Measure, Tally

OF_ALL = {
    Span.DAY: {Measure.BUILDS, Measure.DURATIONS, Measure.SPELLS},
    Span.WEEK: {Measure.BUILDS, Measure.DURATIONS},
    Span.PAST: ROLLED_UP - {Measure.JOBS, Measure.JOB_DURATIONS, Measure.CRITICAL, Measure.TESTS},
}


@pytest.fixture(scope="module", params=[0, 1])
def tally(request, history):
    """What some builds come to, one of which tells no time."""
    undated = BuildRecord(build_id="x", project="p1", status="passed", duration_seconds=7.0)
    return measure([*history(request.param, 90, jobs=True), undated])


@pytest.fixture(scope="module")
def nodes(tally):
    """The nodes of these builds."""
    return node_changes(tally)


def rolled_up(tally):
    """Return a tally without what is looked up."""
    return Tally({name: dict(numbers) for name, numbers in tally.counts.items() if name in ROLLED_UP})


def added(tally, key_of):
    """Return the numbers of a tally's entries by node's key, measure and labels; ``key_of`` takes an entry."""
    found = {}
    for name, numbers in rolled_up(tally).counts.items():
        for entry, number in numbers.items():
            own = found.setdefault(key_of(entry), {}).setdefault(name, Counter())
            own[entry[2:]] += number
    return found


def plain(counts):
    """Return a node's numbers by measure and labels, without the hours: a whole past keeps these in its own way."""
    return {Measure(name): sums_of(counts, Measure(name)) for name in counts if name != Measure.HEAT}


def test_days_hold_the_tally(tally, nodes):
    """The nodes of the projects' days give the tally back."""
    days = [(key, counts) for key, counts in nodes.items() if key.span is Span.DAY and key.project != EVERY]
    assert tally_of(days) == rolled_up(tally)
    assert {key.day for key, _ in days} >= {UNDATED}


def test_the_past_holds_all_days(tally, nodes):
    """A project's whole past is the sum of its days, but that the hours of a day become those of a weekday."""
    expected = added(tally, lambda entry: entry[0])
    for project, own in expected.items():
        own.pop(Measure.HEAT)
        assert plain(nodes[NodeKey(project, Span.PAST, 0)]) == own
        heat = heat_of(Tally({Measure.HEAT: {entry: n for entry, n in tally[Measure.HEAT].items() if entry[0] == project}}))
        assert heat_of_past(nodes[NodeKey(project, Span.PAST, 0)]) == heat


def test_weeks_hold_what_weeks_are_told_by(tally, nodes):
    """The node of a project's week has its builds and their durations, from Monday on, and no undated ones."""
    expected = added(tally, lambda entry: (entry[0], monday(entry[1]) if entry[1] != UNDATED else None))
    weeks = {(key.project, key.day): plain(counts) for key, counts in nodes.items() if key.span is Span.WEEK and key.project != EVERY}
    assert weeks == {
        place: {name: own[name] for name in OF_ALL[Span.WEEK] if name in own}
        for place, own in expected.items()
        if place[1] is not None and own.keys() & OF_ALL[Span.WEEK]
    }


@pytest.mark.parametrize("span", list(Span))
def test_all_projects_together_are_the_sum_of_each(nodes, span):
    """What is kept for all projects is the sum over them, of the measures that anybody asks for."""
    expected = {}
    for key, counts in nodes.items():
        if key.span is span and key.project != EVERY:
            for name in OF_ALL[span] & {Measure(each) for each in counts}:
                expected.setdefault(key.day, {}).setdefault(name.value, Counter()).update(counts[name.value])
    found = {key.day: counts for key, counts in nodes.items() if key.span is span and key.project == EVERY}
    assert found == expected


def test_changes_add_up_and_cancel(history):
    """Nodes of builds, with those of others merged in, are the nodes of both; taken off again they leave nothing."""
    one, two = ([attrs.evolve(build, project=name) for build in history(seed, 40)] for seed, name in ((1, "a"), (2, "b")))
    more = node_changes(measure(two))
    both = node_changes(measure(one))
    for key, counts in more.items():
        both[key] = merged(both.get(key, {}), counts)
    assert both == node_changes(measure([*one, *two]))
    for key, counts in node_changes(Tally() - measure(two)).items():
        both[key] = merged(both[key], counts)
    assert {key: counts for key, counts in both.items() if counts} == node_changes(measure(one))


def test_what_comes_to_nothing_changes_nothing():
    """A change of one number up and another down, which meet in a node, leaves that node as it is."""
    moved = Tally({Measure.BUILDS: {("p", 10, "passed"): 1, ("p", 11, "passed"): -1}})
    changes = node_changes(moved)
    assert {key.span for key in changes} == {Span.DAY}
    assert changes[NodeKey("p", Span.DAY, 10)] == {"builds": {"passed": 1}}
    half = node_changes(Tally({Measure.BUILDS: {("p", 10, "passed"): 1, ("p", 11, "passed"): -1, ("p", 11, "failed"): 1}}))
    assert half[NodeKey("p", Span.PAST, 0)] == {"builds": {"failed": 1}}


def test_outcomes_are_read_back(tally, nodes):
    """A node tells how builds ended and how long they took: counted ones, and passed ones among them."""
    weeks = outcomes_by_week(tally)
    for project, own in weeks.items():
        assert outcomes_of(nodes[NodeKey(project, Span.PAST, 0)]) == together(own.values())
    everything = together(week for own in weeks.values() for week in own.values())
    assert outcomes_of(nodes[NodeKey(EVERY, Span.PAST, 0)]) == everything


def test_two_stretches_of_time_are_read_back(tally, nodes):
    """The nodes of days give the period that the tally gives."""
    window = trend_window(None, tally.days())
    expected = periods_of(tally, window)
    for period, days in zip(expected, (window, window.prior), strict=True):
        inside = [
            counts
            for key, counts in nodes.items()
            if key.span is Span.DAY and key.project == EVERY and days.since.toordinal() <= key.day <= days.until.toordinal()
        ]
        assert period_of(inside) == period
    assert {measure.value for measure in PERIOD} == {measure.value for measure in OF_ALL[Span.DAY]}
    assert period_of([]).outcomes.n == 0


def test_digests_say_what_nodes_come_to(tally, nodes):
    """Weeks and projects are told beside their counts as the tally tells them; days, and the past of all, are not."""
    facts = facts_of(tally, None)
    found = {each.metrics.project: each for each in facts.projects}
    for key, counts in nodes.items():
        told = digest(key, counts)
        if key.span is Span.WEEK and key.project == EVERY:
            assert week_of(told) == facts.weeks[key.day]
        elif key.span is Span.PAST and key.project != EVERY:
            assert project_of(told) == found[key.project]
        elif key.span is not Span.WEEK:
            assert told is None


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        (NodeKey("p", Span.WEEK, 8), Wanted(passed=(0.5, 0.95))),
        (NodeKey(EVERY, Span.WEEK, 8), Wanted(passed=(0.5, 0.95))),
        (NodeKey("p", Span.PAST, 0), Wanted(counted=(0.5, 0.9))),
        (NodeKey(EVERY, Span.PAST, 0), Wanted()),
        (NodeKey("p", Span.DAY, 8), Wanted()),
    ],
)
def test_a_digest_asks_for_the_percentiles_that_it_tells(key, wanted):
    """A week tells two of its passed builds, a project two of its counted ones, and nothing else any."""
    assert asked_of(key) == wanted


@pytest.mark.parametrize("key", [NodeKey("p", Span.WEEK, 8), NodeKey("p", Span.PAST, 0)])
def test_a_digest_needs_no_more_parts_than_it_asks_for(monkeypatch, key):
    """With the few parts in which its percentiles lie, a node tells to the millisecond what it tells whole."""
    statuses = ["passed"] * 28 + ["failed"] * 8
    durations = {f"{status}|{shortest_of(number) + 10}": 1 for number, status in enumerate(statuses, 40)}
    whole = {"builds": {"passed": 28, "failed": 8}, "durations": durations}
    monkeypatch.setattr(parts, "SPLIT_FROM", len(statuses))
    node = parted({}, {name: dict(numbers) for name, numbers in whole.items()}, splits=True)
    held = node.settle({})
    asked = located(node.counts, asked_of(key))
    assert 0 < len(asked) <= 4 < len(held)
    assert digest(key, node.counts, {part: held[part] for part in asked}) == digest(key, whole)


def test_anomalies_are_kept_with_a_project():
    """Anomalies that stay and new ones come back, by week; a digest without any has none."""
    old = Anomaly(project="p", week=date(2026, 3, 2), metric="success_rate", value=0.5, expected=0.9, tolerance=0.05)
    new = attrs.evolve(old, week=date(2026, 2, 2), metric="median_duration_seconds", value=600.0, expected=60.0, tolerance=6.0)
    told = with_anomalies({"metrics": 1}, [old], [new])
    assert told["metrics"] == 1
    assert anomalies_of("p", told) == [new, old]
    assert anomalies_of("p", {"metrics": 1}) == []


LABELS = {
    Measure.BUILDS: st.tuples(st.text()),
    Measure.QUEUE: st.tuples(st.integers(0)),
    Measure.DURATIONS: st.tuples(st.text(), st.integers(0)),
    Measure.JOBS: st.tuples(st.text(), st.text()),
    Measure.EDGES: st.tuples(st.text(), st.text(), st.integers(0)),
    Measure.HEAT: st.tuples(st.integers(0, 95), st.integers(0, 1)),
    Measure.ESTIMATED: st.just(()),
}


@pytest.mark.parametrize("name", LABELS, ids=lambda name: name.value)
@given(data=st.data())
def test_labels_come_back_from_text(name, data):
    """Labels of any characters, those that stand between labels among them, come back as they were."""
    labels = data.draw(LABELS[name])
    assert from_text(name)(to_text(labels)) == labels


@given(st.tuples(st.text(alphabet="|\\ua", max_size=4), st.text(alphabet="|\\ua", max_size=4)))
def test_what_stands_between_labels_may_stand_in_them(labels):
    """Labels made of the very characters of the encoding come back, and no two pairs share a text."""
    assert from_text(Measure.JOBS)(to_text(labels)) == labels


def test_sums_forget_projects_and_days():
    """The numbers of one measure are read by label; of a measure that is not there are none."""
    counts = node_changes(Tally({Measure.LANGUAGES: {("p", 10, "a|b"): 2}}))[NodeKey("p", Span.PAST, 0)]
    assert sums_of(counts, Measure.LANGUAGES) == sums({("p", 10, "a|b"): 2})
    assert sums_of(counts, Measure.QUEUE) == {}


def test_a_quarter_of_an_hour_is_in_its_hour():
    """The heat of a whole past is by weekday and hour."""
    started = datetime(2026, 3, 4, 23, 59, tzinfo=UTC)
    build = BuildRecord(build_id="1", project="p", status="failed", started_at=started, duration_seconds=1.0)
    assert heat_of_past(node_changes(measure([build]))[NodeKey(EVERY, Span.PAST, 0)]) == {(2, 23, 1): 1}


def test_a_node_without_hours_has_none():
    """Where no counted build tells its start, there is no heat."""
    assert heat_of_past({"builds": {"queued": 1}}) == {}
