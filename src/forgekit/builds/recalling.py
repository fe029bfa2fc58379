"""From stored roll-ups to an analysis: reading as few of them as a question needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo

import attrs

from forgekit.builds.analysing import window_of
from forgekit.builds.analysis import Analysis
from forgekit.builds.models import UNDATED, Incident, Window
from forgekit.builds.ports import BuildFilter, BuildRepository, Node
from forgekit.builds.results import Dora
from forgekit.builds.rules.buckets import SHARES
from forgekit.builds.rules.counts import Counts
from forgekit.builds.rules.details import MOST_SPELLS
from forgekit.builds.rules.dora import dora
from forgekit.builds.rules.facts import WHOLE, Facts, Heat, Period, ProjectFacts, Standing, facts_of, heat_of, trend_window
from forgekit.builds.rules.grouping import monday
from forgekit.builds.rules.nodes import (
    EVERY,
    NodeKey,
    PartKey,
    Span,
    anomalies_of,
    heat_of_past,
    period_of,
    project_of,
    sums_of,
    tally_of,
    week_of,
)
from forgekit.builds.rules.parts import Wanted, located, outcomes_of
from forgekit.builds.rules.singles import open_since, since_1970
from forgekit.builds.rules.summary import Question, summarise_facts
from forgekit.builds.rules.tally import Measure
from forgekit.builds.rules.weeks import PAST_WEEKS, WeekFacts, anomalies


@attrs.frozen(kw_only=True)
class Asked:
    """A question; see ``BuildService.analysis``."""

    project: str | None = None
    since: date | None = None
    until: date | None = None
    zone: tzinfo = UTC
    as_of: datetime | None = None
    expected: int | None = None
    environment: str = "production"
    incidents: Collection[Incident] | None = None

    @property
    def place(self) -> str:
        """Whose nodes tell of everything that is asked about."""
        return EVERY if self.project is None else self.project


def recall(repository: BuildRepository, asked: Asked) -> Analysis:
    """Return what the roll-ups come to."""
    past = _past(repository, asked)
    days = _days(repository, asked.place)
    window = window_of(asked.since, asked.until, days)
    if window is None or (
        days is not None and window.since <= days[0] and days[1] <= window.until and not _undated(repository, asked.place)
    ):
        facts = _whole_facts(repository, asked, past, days, window)
        extent = _extent(past.values())
    else:
        facts, extent = _window_facts(repository, asked, past, window)
    latest = max((node.latest_at for node in past.values() if node.latest_at is not None), default=None)
    question = Question(
        window=window,
        zone=asked.zone,
        as_of=asked.as_of,
        extent=extent,
        latest=latest,
        expected=asked.expected,
        dora=_deliveries(repository, asked, window),
    )
    return summarise_facts(facts, question)


def _past(repository: BuildRepository, asked: Asked) -> dict[str, Node]:
    projects = None if asked.project is None else [asked.project]
    return {key.project: node for key, node in repository.read_nodes(Span.PAST, projects, counts=False)}


def _days(repository: BuildRepository, place: str) -> tuple[date, date] | None:
    days = [key.day for key, _ in repository.read_nodes(Span.DAY, [place], counts=False) if key.day != UNDATED]
    return (date.fromordinal(days[0]), date.fromordinal(days[-1])) if days else None


def _undated(repository: BuildRepository, place: str) -> int:
    return sum(sum(counts.get(Measure.BUILDS.value, {}).values()) for counts in _counts(repository, NodeKey(place, Span.DAY, UNDATED)))


def _counts(repository: BuildRepository, key: NodeKey) -> Iterable[Counts]:
    return [node.counts or {} for node in repository.nodes([key]).values()]


def _extent(nodes: Iterable[Node]) -> tuple[datetime, datetime] | None:
    spreads = [(node.first_at, node.last_at) for node in nodes if node.first_at is not None and node.last_at is not None]
    return (min(first for first, _ in spreads), max(last for _, last in spreads)) if spreads else None


def _whole_facts(
    repository: BuildRepository, asked: Asked, past: Mapping[str, Node], days: tuple[date, date] | None, window: Window | None
) -> Facts:
    """Return the facts of a whole past: one node tells nearly all of it."""
    key = NodeKey(asked.place, Span.PAST, 0)
    counts = next(iter(_counts(repository, key)), {})
    needed = sorted(located(counts, Wanted(counted=SHARES, passed=SHARES)))
    parts = {part: numbers for (_, part), numbers in repository.parts([PartKey(key, part) for part in needed]).items()}
    return Facts(
        whole=outcomes_of(counts, parts),
        sums={measure: sums_of(counts, measure) for measure in WHOLE},
        heat=heat_of_past(counts) if asked.zone is UTC else _heat(repository, asked, past),
        days=days,
        undated=_undated(repository, asked.place),
        projects=_projects(past),
        weeks=_weeks(repository, [asked.place]).get(asked.place, {}),
        anomalies=[each for key, node in past.items() if node.digest is not None for each in anomalies_of(key, node.digest)],
        periods=_periods(repository, asked, trend_window(window, days)),
        standing=_standing(repository, asked, window),
    )


def _window_facts(
    repository: BuildRepository, asked: Asked, past: Mapping[str, Node], window: Window
) -> tuple[Facts, tuple[datetime, datetime] | None]:
    """Return the facts of some days, and their first and last start."""
    inside = list(repository.read_nodes(Span.DAY, list(past), days=(window.since.toordinal(), window.until.toordinal())))
    facts = facts_of(tally_of((key, node.counts or {}) for key, node in inside), window, asked.zone)
    behind = monday(window.since.toordinal()) - 7 * PAST_WEEKS
    weeks = _weeks(repository, None if asked.project is None else [asked.project], (behind, window.until.toordinal()))
    facts = attrs.evolve(
        facts,
        anomalies=[each for name, own in weeks.items() for each in anomalies(name, own)],
        periods=_periods(repository, asked, window),
        standing=_standing(repository, asked, window),
    )
    return facts, _extent(node for _, node in inside)


def _projects(past: Mapping[str, Node]) -> list[ProjectFacts]:
    return [project_of(node.digest) for _, node in sorted(past.items()) if node.digest is not None]


def _weeks(
    repository: BuildRepository, projects: Collection[str] | None, days: tuple[int, int] | None = None
) -> dict[str, dict[int, WeekFacts]]:
    found: dict[str, dict[int, WeekFacts]] = {}
    for key, node in repository.read_nodes(Span.WEEK, projects, days=days, counts=False):
        if node.digest is not None:
            found.setdefault(key.project, {})[key.day] = week_of(node.digest)
    return found


def _heat(repository: BuildRepository, asked: Asked, past: Mapping[str, Node]) -> Heat:
    # Another zone's weekday depends on the day: summer time begins and ends.
    days = repository.read_nodes(Span.DAY, list(past))
    name = Measure.HEAT.value
    return heat_of(tally_of((key, {name: node.counts[name]}) for key, node in days if node.counts and name in node.counts), asked.zone)


def _periods(repository: BuildRepository, asked: Asked, window: Window | None) -> tuple[Period, Period] | None:
    """Return the days that the trend tells of, and those before."""
    if window is None:
        return None
    first, begin, last = (day.toordinal() for day in (window.prior.since, window.since, window.until))
    days = {key.day: node.counts or {} for key, node in repository.read_nodes(Span.DAY, [asked.place], days=(first, last))}
    now, before = ([counts for day, counts in days.items() if (day >= begin) is later] for later in (True, False))
    return period_of(now), period_of(before)


def _standing(repository: BuildRepository, asked: Asked, window: Window | None) -> Standing:
    end = None if window is None else datetime.combine(window.until, datetime.min.time(), UTC) + timedelta(days=1)
    waiting = repository.builds(BuildFilter(project=asked.project, until=end, open_only=True))
    count, red = repository.red_lines(asked.project, until=None if window is None else window.until.toordinal(), oldest=MOST_SPELLS)
    return Standing(
        builds=[(open_since(build), build.key) for build in waiting],
        spells=[(since_1970(state.turn_at), key.project, key.branch, key.workflow) for key, state in red],
        n_spells=count,
    )


def _deliveries(repository: BuildRepository, asked: Asked, window: Window | None) -> Dora | None:
    builds = repository.builds(BuildFilter(project=asked.project, environment=asked.environment))
    return dora(builds, asked.incidents, environment=asked.environment, window=window)
