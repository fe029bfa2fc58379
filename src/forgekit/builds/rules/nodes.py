"""Roll-ups as storage keeps them: what a project's days, weeks and whole past come to, and the same of all projects together.

A change of builds is one tally (``applying``); here it becomes a change of a handful of nodes. Each question then reads as few nodes as
can be: the whole past is one node a project, a window one node a project and day.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

import attrs
import cattrs

from forgekit.builds.models import COUNTED, UNDATED, Status
from forgekit.builds.rules.facts import ProjectFacts, WeekFacts, project_facts, week_facts
from forgekit.builds.rules.grouping import Outcomes, monday
from forgekit.builds.rules.labels import ROLLED_UP, from_text, to_text
from forgekit.builds.rules.tally import Entry, Measure, Tally

EVERY = ""
"""What stands for all projects together, where a project's name stands otherwise."""

Counts = dict[str, dict[str, int]]
"""Numbers by measure and label, JSON-able."""


class Span(StrEnum):
    """How much of the time a node is about."""

    DAY = "day"
    WEEK = "week"
    PAST = "past"


class NodeKey(NamedTuple):
    """Which node: a project (or ``EVERY``), a span, and its first day as ``date.toordinal`` (0 for the whole past)."""

    project: str
    span: Span
    day: int


WEEKLY = frozenset({Measure.BUILDS, Measure.DURATIONS})
"""What weeks are told by."""

_DAILY_OF_ALL = WEEKLY | {Measure.SPELLS}
_PAST_OF_ALL = ROLLED_UP - {Measure.JOBS, Measure.JOB_DURATIONS, Measure.CRITICAL, Measure.TESTS}


def node_changes(change: Tally) -> dict[NodeKey, Counts]:
    """Return what a change of the tally changes in the nodes."""
    found: defaultdict[NodeKey, defaultdict[str, defaultdict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for measure, numbers in change.counts.items():
        if measure in ROLLED_UP:
            for key, label, number in _own(measure, numbers):
                found[key][measure.value][label] += number
    for key, counts in list(found.items()):
        for name, numbers_by_label in counts.items():
            if name in _OF_ALL[key.span]:
                whole = found[NodeKey(EVERY, key.span, key.day)][name]
                for label, number in numbers_by_label.items():
                    whole[label] += number
    kept = {key: {name: {label: n for label, n in own.items() if n} for name, own in counts.items()} for key, counts in found.items()}
    return {key: counts for key, counts in kept.items() if any(counts.values())}


_OF_ALL: Mapping[Span, frozenset[Measure]] = {Span.DAY: _DAILY_OF_ALL, Span.WEEK: WEEKLY, Span.PAST: _PAST_OF_ALL}


def _own(measure: Measure, numbers: Mapping[Entry, int]) -> Iterable[tuple[NodeKey, str, int]]:
    for entry, number in numbers.items():
        project, day, labels = entry[0], entry[1], entry[2:]
        label = to_text(labels)
        yield NodeKey(project, Span.DAY, day), label, number
        # The whole past forgets its days, and keeps of each the weekday.
        past = to_text(((day - 1) % 7, *labels)) if measure is Measure.HEAT else label
        yield NodeKey(project, Span.PAST, 0), past, number
        if measure in WEEKLY and day != UNDATED:
            yield NodeKey(project, Span.WEEK, monday(day)), label, number


def merged(counts: Counts, change: Counts) -> Counts:
    """Return counts with a change applied; what comes to nothing is gone. ``counts`` is used up."""
    for name, numbers in change.items():
        own = counts.setdefault(name, {})
        for label, number in numbers.items():
            total = own.get(label, 0) + number
            if total:
                own[label] = total
            else:
                own.pop(label, None)
        if not own:
            del counts[name]
    return counts


def sums_of(counts: Counts, measure: Measure) -> dict[tuple[Any, ...], int]:
    """Return a measure's numbers by label."""
    numbers = counts.get(measure.value)
    if not numbers:
        return {}
    read = from_text(measure)
    return {read(label): number for label, number in numbers.items()}


def heat_of_past(counts: Counts) -> dict[tuple[int, int, int], int]:
    """Return counted builds by weekday, hour and whether they broke, from the node of a whole past."""
    heat: Counter[tuple[int, int, int]] = Counter()
    for label, number in counts.get(Measure.HEAT.value, {}).items():
        weekday, quarter, broken = map(int, label.split("\x1f"))
        heat[weekday, quarter // 4, broken] += number
    return heat


def outcomes_of(counts: Counts) -> Outcomes:
    """Return how the builds of a node ended, and how long they took."""
    outcomes = Outcomes(statuses=Counter({status: number for (status,), number in sums_of(counts, Measure.BUILDS).items()}))
    for (status, length), number in sums_of(counts, Measure.DURATIONS).items():
        if status in COUNTED:
            outcomes.counted[length] += number
            if status == Status.PASSED:
                outcomes.passed[length] = number
    return outcomes


def tally_of(nodes: Iterable[tuple[NodeKey, Counts]]) -> Tally:
    """Return the tally that the nodes of days hold."""
    found: dict[Measure, dict[Entry, int]] = defaultdict(dict)
    for key, counts in nodes:
        for name in counts:
            measure = Measure(name)
            own = found[measure]
            for labels, number in sums_of(counts, measure).items():
                own[(key.project, key.day, *labels)] = number
    return Tally.kept(found)


# What a node comes to is kept beside it: a question about the whole past reads this of every project and week, and no counts.

_converter = cattrs.Converter()
_converter.register_unstructure_hook(date, date.isoformat)


def digest(key: NodeKey, counts: Counts) -> dict[str, Any] | None:
    """Return what a node comes to, JSON-able; None where nobody asks for it."""
    if key.span is Span.WEEK:
        return attrs.asdict(week_facts(outcomes_of(counts)))
    if key.span is Span.PAST and key.project != EVERY:
        return attrs.asdict(project_facts(key.project, outcomes_of(counts), lambda measure: sums_of(counts, measure)))
    return None


def week_of(told: Mapping[str, Any]) -> WeekFacts:
    """Return a week's facts from its digest."""
    return _converter.structure(told, WeekFacts)


def project_of(told: Mapping[str, Any]) -> ProjectFacts:
    """Return a project's facts from its digest."""
    return _converter.structure(told, ProjectFacts)
