"""Counts by measure, project, day and label, which add up and subtract."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum
from typing import Any

import attrs

from forgekit.builds.models import UNDATED, Window

Entry = tuple[Any, ...]
"""(project, day, label, …): the day as ``date.toordinal``, labels as text, whole numbers or None."""


class Measure(StrEnum):
    """What is counted, and by which labels.

    A number that is no count (a sum of milliseconds, a moment) is kept in the count's place.
    """

    __hash__ = str.__hash__

    BUILDS = "builds"
    """Builds, by status."""
    LANGUAGES = "languages"
    """Builds, by language."""
    DURATIONS = "durations"
    """Finished builds, by status and bucket of their duration."""
    QUEUE = "queue"
    """Builds that waited, by bucket of the time."""
    TESTS = "tests"
    """``run`` and ``failed``: sums of tests (``sum``), and builds that tell them (``n``)."""
    MINUTES = "minutes"
    """Thousandths of billed minutes: ``all``, and those that were ``wasted``."""
    HEAT = "heat"
    """Counted builds, by quarter of an hour of the UTC day (0 to 95) and whether they broke (0, 1)."""
    ESTIMATED = "estimated"
    """Finished builds whose end is an estimate."""
    OPEN = "open"
    """Builds that have not ended, by provider, id and attempt: their start or queueing, in ms since 1970."""
    JOBS = "jobs"
    """Jobs that ended, by name and status."""
    JOB_DURATIONS = "job_durations"
    """Jobs, by name and bucket of their duration."""
    CRITICAL = "critical"
    """Milliseconds on the critical paths of runs, by job."""
    STEPS = "steps"
    """Jobs that follow each other in a run, by ``job:status`` before, after, and bucket of the time between."""
    VARIANTS = "variants"
    """Runs, by their jobs and these jobs' statuses, in order."""
    EDGES = "edges"
    """Builds that follow each other on a timeline, by status before, after, and bucket of the time between their ends."""
    SPELLS = "spells"
    """Colour runs that ended, by colour (``red``, ``green``): how many (``n``), and milliseconds (``ms``)."""
    OBSERVED = "observed"
    """Milliseconds that default branches were seen in a colour, by colour."""
    OPEN_SPELLS = "open_spells"
    """Timelines that are red now, by branch and workflow: since when, in ms since 1970."""
    COMMITS = "commits"
    """Commits with a verdict: ``flaky`` (passed and failed) or ``steady``."""
    RUNS = "runs"
    """Runs with a finished attempt (``all``), of them re-run (``rerun``), re-runs ``after_failure``, and those that ``rescued``."""


@attrs.define
class Tally:
    """Roll-ups: for every measure, numbers by project, day and labels.

    Tallies form a group: they add up, they subtract, and the empty one changes nothing. Numbers are whole, so no order of additions
    gives another result. An entry of 0 is the same as none, and is not kept.

    Attributes:
        counts: Numbers by measure and entry.

    """

    counts: dict[Measure, dict[Entry, int]] = attrs.field(factory=dict)

    @classmethod
    def kept(cls, counts: Mapping[Measure, dict[Entry, int]]) -> Tally:
        """Return a tally of these very dictionaries, or of copies without the zeros where they have some."""
        some = {
            measure: numbers if all(numbers.values()) else {entry: number for entry, number in numbers.items() if number}
            for measure, numbers in counts.items()
        }
        return cls({measure: numbers for measure, numbers in some.items() if numbers})

    def __getitem__(self, measure: Measure) -> Mapping[Entry, int]:
        """Return a measure's numbers."""
        return self.counts.get(measure, {})

    def __add__(self, other: Tally) -> Tally:
        """Return both together."""
        return Tally({measure: dict(own) for measure, own in self.counts.items()}).update(other)

    def __sub__(self, other: Tally) -> Tally:
        """Return what this one has more than the other; numbers may be negative."""
        return Tally({measure: dict(own) for measure, own in self.counts.items()}).update(other, sign=-1)

    def update(self, other: Tally, sign: int = 1) -> Tally:
        """Add another tally to this one in place, or subtract it with ``sign=-1``; returns this one."""
        for measure, numbers in other.counts.items():
            own = self.counts.setdefault(measure, {})
            if not own and sign == 1:
                own.update(numbers)
                continue
            for entry, number in numbers.items():
                total = own.get(entry, 0) + sign * number
                if total:
                    own[entry] = total
                else:
                    own.pop(entry, None)
            if not own:
                del self.counts[measure]
        return self

    def within(self, window: Window, measures: Collection[Measure] = tuple(Measure)) -> Tally:
        """Return what is counted on the window's days, of all measures or of some."""
        first, last = window.since.toordinal(), window.until.toordinal()
        inside = {measure: {entry: n for entry, n in self[measure].items() if first <= entry[1] <= last} for measure in measures}
        return Tally({measure: numbers for measure, numbers in inside.items() if numbers})

    def days(self) -> tuple[date, date] | None:
        """Return the first and the last day on which a build is counted; None without any."""
        days = {entry[1] for entry in self[Measure.BUILDS]} - {UNDATED}
        return (date.fromordinal(min(days)), date.fromordinal(max(days))) if days else None
