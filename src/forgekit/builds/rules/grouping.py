"""Roll-ups sorted into the shapes that a summary reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

import attrs

from forgekit.builds.models import COUNTED, FINISHED, UNDATED, Mean, Rate, Status
from forgekit.builds.rules.tally import Entry, Measure, Tally


def monday(day: int) -> int:
    """Return the Monday of a day's week, both as ``date.toordinal``: ordinal 1 is a Monday."""
    return day - (day - 1) % 7


def sums(numbers: Mapping[Entry, int]) -> Counter[tuple[object, ...]]:
    """Return the numbers by label over all projects and days."""
    total: defaultdict[tuple[object, ...], int] = defaultdict(int)
    for entry, number in numbers.items():
        total[entry[2:]] += number
    return Counter(total)


def sums_by_project(numbers: Mapping[Entry, int]) -> dict[str, Counter[tuple[object, ...]]]:
    """Return the numbers by label for each project, over all days."""
    total: dict[str, defaultdict[tuple[object, ...], int]] = defaultdict(lambda: defaultdict(int))
    for entry, number in numbers.items():
        total[entry[0]][entry[2:]] += number
    return {project: Counter(own) for project, own in total.items()}


@attrs.define
class Outcomes:
    """How builds ended, and how long they took.

    Attributes:
        statuses: Builds by status.
        counted: Counted builds by bucket of their duration.
        passed: Passed builds likewise.

    """

    statuses: Counter[str] = attrs.field(factory=Counter)
    counted: Counter[int] = attrs.field(factory=Counter)
    passed: Counter[int] = attrs.field(factory=Counter)

    @property
    def n(self) -> int:
        """All builds."""
        return self.statuses.total()

    @property
    def finished(self) -> int:
        """Builds that ended."""
        return sum(self.statuses[status] for status in FINISHED)

    def rate(self, *statuses: Status) -> Rate:
        """Return how many of the counted builds have one of these statuses."""
        return Rate(sum(self.statuses[status] for status in statuses), sum(self.statuses[status] for status in COUNTED))

    @property
    def success(self) -> Rate:
        """Passed of counted builds."""
        return self.rate(Status.PASSED)

    @property
    def failure(self) -> Rate:
        """Failed of counted builds: the code's fault."""
        return self.rate(Status.FAILED)

    @property
    def error(self) -> Rate:
        """Errored and timed out of counted builds: the system's fault."""
        return self.rate(Status.ERRORED, Status.TIMED_OUT)


def outcomes_by_week(tally: Tally) -> dict[str, dict[int, Outcomes]]:
    """Return the outcomes of every project's weeks, by their Mondays; builds that tell no time are under ``UNDATED``."""
    found: dict[str, dict[int, Outcomes]] = {}
    for (project, day, status), number in tally[Measure.BUILDS].items():
        statuses = _at(found, project, day).statuses
        statuses[status] = statuses.get(status, 0) + number
    for (project, day, status, bucket), number in tally[Measure.DURATIONS].items():
        if status in COUNTED:
            outcomes = _at(found, project, day)
            outcomes.counted[bucket] = outcomes.counted.get(bucket, 0) + number
            if status == Status.PASSED:
                outcomes.passed[bucket] = outcomes.passed.get(bucket, 0) + number
    return found


def _at(found: dict[str, dict[int, Outcomes]], project: str, day: int) -> Outcomes:
    weeks = found.get(project)
    if weeks is None:
        weeks = found[project] = {}
    week = monday(day) if day else UNDATED
    outcomes = weeks.get(week)
    if outcomes is None:
        outcomes = weeks[week] = Outcomes()
    return outcomes


def together(parts: Iterable[Outcomes]) -> Outcomes:
    """Return the outcomes of all parts."""
    whole = Outcomes()
    for part in parts:
        whole.statuses.update(part.statuses)
        whole.counted.update(part.counted)
        whole.passed.update(part.passed)
    return whole


def mean_of(numbers: Mapping[tuple[object, ...], int], label: str, *, total: str = "ms", unit: int = 1000) -> Mean:
    """Return the mean of what a label's ``total`` and ``n`` are: in seconds, unless another unit is given."""
    return Mean(numbers.get((label, total), 0) / unit, numbers.get((label, "n"), 0))


def mondays(first: int, last: int) -> list[int]:
    """Return every Monday from one to another."""
    return list(range(first, last + 1, timedelta(weeks=1).days))


def as_date(day: int) -> date:
    """Return the date of an ordinal."""
    return date.fromordinal(day)
