"""Durations in parts: the same percentiles as from the whole, wherever a node is split and whenever it is joined again."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds.rules import parts
from forgekit.builds.rules.buckets import SHARES, Distribution, bucket, part_of, shortest_of
from forgekit.builds.rules.counts import merged
from forgekit.builds.rules.grouping import Outcomes
from forgekit.builds.rules.parts import TOTALS, Wanted, located, outcomes_of, parted

SPLIT_FROM = 6
LENGTHS = st.one_of(st.integers(0, 20_000), st.integers(0, 10**10)).map(bucket)
BUILDS = st.lists(st.tuples(st.sampled_from(["passed", "failed", "errored", "canceled"]), LENGTHS), max_size=12)
ALL = Wanted(counted=SHARES, passed=SHARES)


@pytest.fixture(autouse=True, scope="module")
def few_builds_are_many():
    """Nodes are split that hold a handful of builds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "SPLIT_FROM", SPLIT_FROM)
        yield


def counts_of(builds, number=1):
    """Return what builds come to in a node that is whole."""
    found = {"builds": Counter(), "durations": Counter()}
    for status, length in builds:
        found["builds"][status] += number
        found["durations"][f"{status}|{length}"] += number
    return {name: dict(numbers) for name, numbers in found.items() if numbers}


class Kept:
    """A node and its parts, as storage has them; whatever is read was asked for."""

    def __init__(self):
        """Begin with nothing."""
        self.counts = {}
        self.parts = {}

    def take(self, change, wanted=ALL):
        """Apply a change, and return the outcomes that the node then tells of, from the parts that were needed."""
        node = parted(self.counts, change, splits=True)
        settled = node.settle({part: dict(self.parts[part]) for part in node.needed(wanted)})
        for part in node.touched:
            self.parts[part] = settled[part]
            if not settled[part]:
                del self.parts[part]
        self.counts = node.counts
        return outcomes_of(self.counts, settled)


@given(LENGTHS, LENGTHS)
def test_a_longer_duration_lies_in_no_earlier_part(one, other):
    """Parts keep the order of durations, and the shortest duration of each lies in it."""
    low, high = sorted((one, other))
    assert part_of(low) <= part_of(high)
    assert shortest_of(part_of(low)) <= low < shortest_of(part_of(low) + 1)
    assert part_of(shortest_of(part_of(low))) == part_of(low)


def test_parts_are_small():
    """No part has more than 250 different durations, so that one is quickly read and written."""
    sizes = Counter(part_of(bucket(length)) for length in {bucket(each) for each in (*range(20_000), *range(20_000, 2 * 10**6, 10))})
    assert max(sizes.values()) == 250
    assert (part_of(9_999), part_of(10_000), shortest_of(40), shortest_of(76)) == (39, 40, 10_000, 100_000)


@given(st.lists(st.tuples(BUILDS, BUILDS), max_size=6))
def test_a_node_in_parts_tells_what_it_tells_whole(steps):
    """However builds come and change, whichever side of the limit their number is on, percentiles are those of the whole node."""
    node, whole = Kept(), {}
    for come, changed in steps:
        # Some builds of before turn out to be others, or of another node.
        known = [tuple(label.split("|")) for label in whole.get("durations", {})][: len(changed)]
        changes = [
            counts_of(come),
            counts_of([(status, int(length)) for status, length in known], -1),
            counts_of(changed[: len(known) // 2]),
        ]
        change = {}
        for each in changes:
            merged(change, each)
        told = node.take(change)
        merged(whole, change)
        expected = outcomes_of(whole)
        assert told.statuses == expected.statuses
        assert Distribution(told.counted).percentiles() == Distribution(expected.counted).percentiles()
        assert Distribution(told.passed).percentiles() == Distribution(expected.passed).percentiles()


@given(BUILDS, BUILDS)
def test_what_a_node_keeps_depends_on_what_it_holds_alone(some, others):
    """Builds taken in two steps, after others that went again, are kept as the same builds at once."""
    by_steps, at_once = Kept(), Kept()
    for change in (counts_of(others), counts_of(some), counts_of(others, -1)):
        by_steps.take(change)
    at_once.take(counts_of(some))
    assert (by_steps.counts, by_steps.parts) == (at_once.counts, at_once.parts)
    assert (TOTALS in at_once.counts) is (len(some) >= SPLIT_FROM)
    assert set(at_once.counts) <= {"builds", TOTALS if len(some) >= SPLIT_FROM else "durations"}


def test_one_build_more_needs_its_own_part_and_those_of_percentiles():
    """Of a hundred parts a change reads the one that it touches, and the two neighbours of each percentile that is asked for."""
    node = Kept()
    node.take(counts_of([("passed", shortest_of(part)) for part in range(40, 141)]))
    change = counts_of([("passed", shortest_of(60))])
    assert parted(dict(node.counts), change, splits=True).needed(Wanted()) == {60}
    assert parted(dict(node.counts), change, splits=True).needed(Wanted(passed=(0.5, 1.0))) == {60, 89, 90, 140}
    failed = counts_of([("failed", shortest_of(60))])
    assert parted(dict(node.counts), failed, splits=True).needed(Wanted(passed=(1.0,))) == {60, 140}


@pytest.mark.parametrize(("number", "split"), [(SPLIT_FROM - 1, False), (SPLIT_FROM, True)])
def test_a_node_is_split_from_a_number_of_builds_on(number, split):
    """One build less than the limit leaves a node whole, at the limit it is split."""
    node = Kept()
    node.take(counts_of([("passed", 1)] * number))
    assert (TOTALS in node.counts, bool(node.parts)) == (split, split)


def test_days_are_never_split():
    """A node that may not be split keeps its durations, however many there are."""
    builds = [("passed", length) for length in range(3 * SPLIT_FROM)]
    node = parted({}, counts_of(builds), splits=False)
    assert (node.counts, node.touched, node.needed(ALL), node.settle({})) == (counts_of(builds), [], set(), {})
    assert node.holds is False


def test_a_whole_node_tells_statuses_and_lengths():
    """All builds are told by status; lengths are those of counted builds, and of passed ones among them."""
    builds = [("passed", 7), ("passed", 7), ("passed", 9), ("failed", 7), ("canceled", 5)]
    counts = merged(counts_of(builds), {"builds": {"queued": 4}})
    statuses = Counter(passed=3, failed=1, canceled=1, queued=4)
    assert outcomes_of(counts) == Outcomes(statuses=statuses, counted=Counter({7: 3, 9: 1}), passed=Counter({7: 2, 9: 1}))


def test_parts_that_are_not_given_count_with_their_shortest_length():
    """A node in parts has the lengths of the parts that are given, and of the others one length for all of their builds."""
    given, other = shortest_of(50), shortest_of(60)
    node = Kept()
    node.take(counts_of([("passed", given + 10), ("failed", given + 20), ("passed", other + 10), ("failed", other + 20)] * 2))
    told = outcomes_of(node.counts, {50: node.parts[50]})
    assert told.counted == {given + 10: 2, given + 20: 2, other: 4}
    assert told.passed == {given + 10: 2, other: 2}
    assert told.statuses == {"passed": 4, "failed": 4}


def test_a_whole_node_has_no_parts():
    """Nothing is located in a node that keeps its durations, or has none."""
    assert located(counts_of([("passed", 1)]), ALL) == set()
    assert located({"builds": {"queued": 9}}, ALL) == set()
    assert outcomes_of({}) == Outcomes()


def test_many_builds_without_durations_need_no_parts():
    """A node of many builds that have not ended is split when the first duration comes."""
    node = Kept()
    node.take({"builds": {"queued": 2 * SPLIT_FROM}})
    assert (node.counts, node.parts) == ({"builds": {"queued": 2 * SPLIT_FROM}}, {})
    node.take(counts_of([("passed", 7)]))
    assert (node.counts[TOTALS], node.parts) == ({"passed|0": 1}, {0: {"passed|7": 1}})
