"""What a change causes can be told from the groups that it touches alone."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest

from forgekit.builds import BuildRecord
from forgekit.builds.rules.measuring import GROUPINGS, measure
from forgekit.builds.rules.singles import measure_singles


def members(grouping, group, records):
    """Return the builds of a group."""
    return [record for record in records if grouping.group(record) == group]


@pytest.mark.parametrize("seed", range(4))
def test_a_build_changes_its_groups_alone(history, seed):
    """What one more build causes is what it counts by itself, and what its groups come to with it without what they came to before."""
    *before, late = history(seed, 40, jobs=True)
    before.append(attrs.evolve(before[0], build_id="again", commit=late.commit, workflow=late.workflow, project=late.project))
    caused = measure_singles([late])
    for grouping in GROUPINGS:
        if (group := grouping.group(late)) is not None:
            caused.update(grouping.measure(members(grouping, group, [*before, late])))
            caused.update(grouping.measure(members(grouping, group, before)), sign=-1)
    assert measure(before) + caused == measure([*before, late])


def test_builds_of_unknown_commits_are_no_group():
    """A build whose commit nobody knows is on a timeline and in a run, and shares its commit with no other."""
    record = BuildRecord(build_id="1", project="p", status="passed", started_at=datetime(2026, 1, 5, tzinfo=UTC), commit="a")
    for commit, unknown in (("a", 0), (None, 1), ("", 1)):
        groups = [grouping.group(attrs.evolve(record, commit=commit)) for grouping in GROUPINGS]
        assert (len(groups), groups.count(None)) == (3, unknown)
