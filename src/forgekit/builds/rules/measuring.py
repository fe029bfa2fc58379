"""From records to roll-ups, all at once or by what changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import attrs

from forgekit.builds.models import BuildRecord
from forgekit.builds.rules.runs import measure_commits, measure_runs
from forgekit.builds.rules.singles import measure_singles
from forgekit.builds.rules.tally import Tally
from forgekit.builds.rules.timelines import line, measure_timelines


@attrs.frozen
class Grouping:
    """A rule that looks at several builds together.

    Attributes:
        group: The group that a build belongs to; None where it belongs to none.
        measure: What the builds of whole groups come to.

    """

    group: Callable[[BuildRecord], Hashable | None]
    measure: Callable[[Sequence[BuildRecord]], Tally]


def _commit(record: BuildRecord) -> Hashable | None:
    return (record.project, record.workflow, record.commit) if record.commit else None


GROUPINGS: tuple[Grouping, ...] = (
    Grouping(line, measure_timelines),
    Grouping(lambda record: (record.provider, record.project, record.build_id), measure_runs),
    Grouping(_commit, measure_commits),
)
"""Timelines, attempts of a run, builds of a commit."""


def measure(records: Sequence[BuildRecord]) -> Tally:
    """Return what records come to, each of them the version that holds of its key.

    Sets of records that share no group (see ``GROUPINGS``) add up: ``measure(a + b) == measure(a) + measure(b)``. So what a change causes
    is ``measure_singles`` of the new versions without that of the old, and for each grouping what the groups that were touched come to
    now without what they came to before.
    """
    tally = measure_singles(records)
    for grouping in GROUPINGS:
        tally.update(grouping.measure(records))
    return tally
