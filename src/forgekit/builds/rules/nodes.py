"""Roll-ups as storage keeps them: what a project's days, weeks and whole past come to, and the same of all projects together.

A change of builds is one tally (``applying``); here it becomes a change of a handful of nodes. Each question then reads as few nodes as
can be: the whole past is one node a project, a window one node a project and day.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import attrs
import cattrs

from forgekit.builds.models import UNDATED, Rate
from forgekit.builds.results import Anomaly
from forgekit.builds.rules.counts import Counts, Numbers, merged
from forgekit.builds.rules.facts import PERIOD, PROJECT_SHARES, Period, ProjectFacts, project_facts
from forgekit.builds.rules.grouping import as_date, monday
from forgekit.builds.rules.labels import BETWEEN, ROLLED_UP, from_text, to_text
from forgekit.builds.rules.parts import Wanted, outcomes_of
from forgekit.builds.rules.tally import Entry, Measure, Tally
from forgekit.builds.rules.weeks import WEEK_SHARES, WeekFacts, week_facts

EVERY = ""
"""What stands for all projects together, where a project's name stands otherwise."""


class Span(StrEnum):
    """How much of the time a node is about."""

    __hash__ = str.__hash__

    DAY = "day"
    WEEK = "week"
    PAST = "past"


SPLIT = frozenset({Span.WEEK, Span.PAST})
"""Spans whose nodes may keep their durations in parts (``parts``)."""


class NodeKey(NamedTuple):
    """Which node: a project (or ``EVERY``), a span, and its first day as ``date.toordinal`` (0 for the whole past)."""

    project: str
    span: Span
    day: int


class PartKey(NamedTuple):
    """A part of a node's durations: the node, and the part's number."""

    node: NodeKey
    part: int


WEEKLY = frozenset({Measure.BUILDS, Measure.DURATIONS})
"""What weeks are told by."""

_DAILY_OF_ALL = WEEKLY | {Measure.SPELLS}
_PAST_OF_ALL = ROLLED_UP - {Measure.JOBS, Measure.JOB_DURATIONS, Measure.CRITICAL, Measure.TESTS}
_OF_ALL: Mapping[Span, frozenset[Measure]] = {Span.DAY: _DAILY_OF_ALL, Span.WEEK: WEEKLY, Span.PAST: _PAST_OF_ALL}


def node_changes(change: Tally) -> dict[NodeKey, Counts]:
    """Return what a change of the tally changes in the nodes."""
    nodes = _Nodes()
    for measure, numbers in change.counts.items():
        if measure is Measure.HEAT:
            _add_heat(nodes, numbers)
        elif measure in ROLLED_UP:
            _add(nodes, measure, numbers)
    kept = {key: {name: _without_zeros(own) for name, own in counts.items()} for key, counts in nodes.found.items()}
    return {key: counts for key, counts in kept.items() if any(counts.values())}


def _without_zeros(numbers: dict[str, int]) -> dict[str, int]:
    return numbers if all(numbers.values()) else {label: number for label, number in numbers.items() if number}


class _Nodes:
    """The nodes that a change touches, found by project and day."""

    def __init__(self) -> None:
        self.found: dict[NodeKey, Counts] = {}
        self._places: dict[Entry, list[tuple[frozenset[Measure], Counts]]] = {}

    def counting(self, measure: Measure, name: str, place: Entry) -> list[dict[str, int]]:
        """Return the numbers of all nodes that count a measure of a project's day."""
        nodes = self._places.get(place)
        if nodes is None:
            nodes = self._places[place] = list(self._around(*place))
        return [counts.setdefault(name, {}) for measures, counts in nodes if measure in measures]

    def _around(self, project: str, day: int) -> Iterator[tuple[frozenset[Measure], Counts]]:
        spans = {Span.DAY: day, Span.PAST: 0} if day == UNDATED else {Span.DAY: day, Span.PAST: 0, Span.WEEK: monday(day)}
        for span, first in spans.items():
            yield WEEKLY if span is Span.WEEK else ROLLED_UP, self.found.setdefault(NodeKey(project, span, first), {})
            yield _OF_ALL[span], self.found.setdefault(NodeKey(EVERY, span, first), {})


def _add(nodes: _Nodes, measure: Measure, numbers: Mapping[Entry, int]) -> None:
    name = measure.value
    places: dict[Entry, list[dict[str, int]]] = {}
    for entry, number in numbers.items():
        place = entry[:2]
        counts = places.get(place)
        if counts is None:
            counts = places[place] = nodes.counting(measure, name, place)
        label = to_text(entry[2:])
        for own in counts:
            own[label] = own.get(label, 0) + number


def _add_heat(nodes: _Nodes, numbers: Mapping[Entry, int]) -> None:
    places: dict[Entry, list[dict[str, int]]] = {}
    for (project, day, quarter, broken), number in numbers.items():
        place = (project, day)
        if place not in places:
            places[place] = nodes.counting(Measure.HEAT, Measure.HEAT.value, place)
        today, *pasts = places[place]
        today[to_text((quarter, broken))] = number
        # The whole past forgets its days, and keeps of each the weekday.
        label = to_text(((day - 1) % 7, quarter, broken))
        for past in pasts:
            past[label] = past.get(label, 0) + number


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
        weekday, quarter, broken = map(int, label.split(BETWEEN))
        heat[weekday, quarter // 4, broken] += number
    return heat


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


def period_of(nodes: Iterable[Counts]) -> Period:
    """Return the stretch of time that the nodes of days hold."""
    whole: Counts = {}
    for counts in nodes:
        merged(whole, {measure.value: counts[measure.value] for measure in PERIOD if measure.value in counts})
    return Period(outcomes=outcomes_of(whole), spells=sums_of(whole, Measure.SPELLS))


# What a node comes to is kept beside it: a question about the whole past reads this of every project, and no counts.

_converter = cattrs.Converter()


def asked_of(key: NodeKey) -> Wanted:
    """Return the percentiles that a node's digest tells."""
    if key.span is Span.WEEK:
        return Wanted(passed=WEEK_SHARES)
    return Wanted(counted=PROJECT_SHARES) if _tells_a_project(key) else Wanted()


def digest(key: NodeKey, counts: Counts, parts: Mapping[int, Numbers] | None = None) -> Any:
    """Return what a node comes to, JSON-able; None where nobody asks for it.

    Args:
        key: The node.
        counts: What it keeps itself.
        parts: Parts of its durations: at least those in which the percentiles lie that are asked of it.

    """
    if key.span is Span.WEEK:
        facts = week_facts(outcomes_of(counts, parts))
        return [facts.finished, facts.success.numerator, facts.success.denominator, facts.passed, facts.p50, facts.p95]
    if _tells_a_project(key):
        return attrs.asdict(project_facts(key.project, outcomes_of(counts, parts), lambda measure: sums_of(counts, measure)))
    return None


def _tells_a_project(key: NodeKey) -> bool:
    return key.span is Span.PAST and key.project != EVERY


def week_of(told: Sequence[Any]) -> WeekFacts:
    """Return a week's facts from its digest."""
    finished, passed, counted, timed, p50, p95 = told
    return WeekFacts(finished=finished, success=Rate(passed, counted), passed=timed, p50=p50, p95=p95)


def project_of(told: Mapping[str, Any]) -> ProjectFacts:
    """Return a project's facts from its digest."""
    return _converter.structure(told, ProjectFacts)


def with_anomalies(told: Mapping[str, Any], kept: Iterable[Anomaly], found: Iterable[Anomaly]) -> dict[str, Any]:
    """Return a project's digest with the weeks that do not fit their past: those that it had before, and others."""
    rows = [(each.week.toordinal(), each.metric, each.value, each.expected, each.tolerance) for each in (*kept, *found)]
    return {**told, "anomalies": sorted(rows)}


def anomalies_of(project: str, told: Mapping[str, Any]) -> list[Anomaly]:
    """Return the anomalies of a project's digest."""
    return [
        Anomaly(project=project, week=as_date(week), metric=metric, value=value, expected=expected, tolerance=tolerance)
        for week, metric, value, expected, tolerance in told.get("anomalies", ())
    ]
