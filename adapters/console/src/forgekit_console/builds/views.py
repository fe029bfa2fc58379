"""What the page of builds shows, gathered from the service; no HTML here but the charts' own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
from markupsafe import Markup

from forgekit.builds import Analysis
from forgekit.builds.rendering.charts import charts
from forgekit.builds.rendering.wording import length, one_line, percent, share
from forgekit.errors import InvalidInput
from forgekit.hosting import host_token
from forgekit_console.builds.orders import Filters, Order
from forgekit_console.builds.wording import ImportView, told

if TYPE_CHECKING:
    from forgekit import Forge

SOURCE = "github"
MOST_IMPORTS = 8
"""Imports that the page lists."""

MOST_PROJECTS = 300
"""Projects that are offered in a list; where there are more, one types the name."""

_MOST_ROWS = 60
_MOST_RISKS = 10


@attrs.frozen(kw_only=True)
class Tile:
    """A number of the summary.

    Attributes:
        name: What it is.
        value: The number.
        detail: What it comes from.

    """

    name: str
    value: str
    detail: str = ""


@attrs.frozen(kw_only=True)
class ChartView:
    """A chart as the page shows it.

    Attributes:
        name: Names it among the page's charts.
        title: Says what it shows.
        svg: The drawing; HTML.
        columns: Names of the columns of the same as a table.
        rows: Its rows, the latest weeks of many.
        more: How many rows are left out.

    """

    name: str
    title: str
    svg: Markup
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: int


@attrs.frozen(kw_only=True)
class Risk:
    """Something to look after.

    Attributes:
        project: Whose.
        words: What.

    """

    project: str
    words: str


@attrs.frozen(kw_only=True)
class Result:
    """What the chosen builds come to.

    Attributes:
        analysis: The analysis.
        tiles: Its numbers.
        charts: Its charts.
        at_risk: Projects that break often.
        red: Branches that are red now, the oldest first.
        odd: Weeks that do not fit a project's past.

    """

    analysis: Analysis
    tiles: Sequence[Tile]
    charts: Sequence[ChartView]
    at_risk: Sequence[Risk]
    red: Sequence[Risk]
    odd: Sequence[Risk]


@attrs.frozen(kw_only=True)
class Imports:
    """The imports in the background.

    Attributes:
        ready: Whether a plugin offers to import from GitHub.
        listed: The latest, the last first.

    """

    ready: bool
    listed: Sequence[ImportView]

    @property
    def running(self) -> bool:
        """Whether one comes on now."""
        return any(each.running for each in self.listed)

    @property
    def last(self) -> ImportView | None:
        """The one that ended last."""
        ended = [each for each in self.listed if each.one.finished_at is not None]
        return max(ended, key=lambda each: str(each.one.finished_at), default=None)


@attrs.frozen(kw_only=True)
class BuildsView:
    """Everything the page of builds shows.

    Attributes:
        imports: The imports.
        order: What stands in the import's form.
        filters: What stands in the analysis' form.
        problems: What is wrong with the filters, by field.
        projects: Every project that has builds.
        result: What the chosen builds come to; None where there are none, or a filter is wrong.
        token: Whether this host asks for its token, so that one can sign out.

    """

    imports: Imports
    order: Order
    filters: Filters
    problems: Mapping[str, str]
    projects: Sequence[str]
    result: Result | None
    token: bool

    @property
    def few_projects(self) -> bool:
        """Whether all projects have room in a list to choose from."""
        return len(self.projects) <= MOST_PROJECTS

    @property
    def awaited(self) -> bool:
        """Whether the chosen project is being imported; any, where none is chosen."""
        wanted = self.filters.project.casefold()
        return any(not each.ended and wanted in ("", each.one.project.casefold()) for each in self.imports.listed)


def look(forge: Forge, filters: Filters, order: Order | None = None) -> BuildsView:
    """Gather the page's content from the database; showing it costs no call to GitHub."""
    projects = forge.builds.projects()
    # GitHub takes names in any case, and builds are stored under the repository's own.
    same = [name for name in projects if name.casefold() == filters.project.casefold()]
    if filters.project not in projects and same:
        filters = attrs.evolve(filters, project=same[0])
    result, problems = _result(forge, filters, known=not filters.project or bool(same)) if projects else (None, filters.problems)
    return BuildsView(
        imports=look_at_imports(forge),
        order=order or Order(repository=filters.project if _is_imported(filters.project) else ""),
        filters=filters,
        problems=problems,
        projects=projects,
        result=result,
        token=host_token(forge) is not None,
    )


def look_at_imports(forge: Forge) -> Imports:
    """Gather how imports stand."""
    now = forge.clock.now()
    listed = [told(one, now) for one in forge.builds.imports(limit=MOST_IMPORTS) if one.source == SOURCE]
    return Imports(ready=SOURCE in forge.builds.sources(), listed=listed)


def _is_imported(project: str) -> bool:
    return project.count("/") == 1


def _result(forge: Forge, filters: Filters, *, known: bool) -> tuple[Result | None, Mapping[str, str]]:
    if filters.problems or not known:
        return None, filters.problems
    try:
        analysis = forge.builds.analysis(**filters.wanted())
    except InvalidInput as error:
        wrong = [each["pointer"].lstrip("/") for each in error.data.get("problems", ())]
        return None, dict.fromkeys(wrong or ["until"], error.message)
    return _shown(analysis) if analysis.n_builds else None, {}


def _shown(analysis: Analysis) -> Result:
    return Result(
        analysis=analysis,
        tiles=_tiles(analysis),
        charts=[
            ChartView(
                name=chart.name,
                title=chart.title,
                svg=Markup(chart.svg),  # noqa: S704 - made by our own code, which escapes every text
                columns=chart.columns,
                rows=chart.rows[-_MOST_ROWS:],
                more=max(0, len(chart.rows) - _MOST_ROWS),
            )
            for chart in charts(analysis)
        ],
        at_risk=_at_risk(analysis),
        red=[
            Risk(project=spell.project, words=f"{one_line(spell.branch)}, {one_line(spell.workflow)}: for {length(spell.age_seconds)}")
            for spell in analysis.open_spells[:_MOST_RISKS]
        ],
        odd=_odd(analysis),
    )


def _tiles(analysis: Analysis) -> Sequence[Tile]:
    def rate(name: str, found: object) -> Tile:
        value, _, detail = percent(found).partition(" ")  # type: ignore[arg-type]
        return Tile(name=name, value=value, detail=detail.strip("()"))

    first, last = analysis.date_range_start, analysis.date_range_end
    days = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" if first is not None and last is not None else "undated"
    queue = Tile(name="Waiting for a machine", value=length(analysis.queue.p50), detail=f"p95 {length(analysis.queue.p95)}")
    return [
        Tile(name="Builds", value=f"{analysis.n_builds:,}", detail=days),
        rate("Passed", analysis.success),
        rate("Failed", analysis.failure),
        rate("Errored", analysis.error),
        Tile(name="Median duration", value=length(analysis.duration.p50), detail=f"p95 {length(analysis.duration.p95)}"),
        *([queue] if analysis.queue.count else []),
        Tile(name="From red to green", value=length(analysis.mttr.value), detail=f"mean of {analysis.mttr.count:,}"),
        rate("Flaky commits", analysis.flaky),
        rate("Run again", analysis.rerun),
        Tile(name="Wasted minutes", value=f"{analysis.wasted_minutes:,.0f}", detail=f"of {analysis.minutes:,.0f}"),
    ]


def _at_risk(analysis: Analysis) -> Sequence[Risk]:
    metrics = {each.project: each for each in analysis.project_metrics}
    found = [metrics[name] for name in analysis.projects_at_risk]
    worst = sorted(found, key=lambda each: (-each.failure_rate - each.error_rate, each.project))
    return [
        Risk(
            project=each.project,
            words=f"{share(each.failure_rate + each.error_rate)} broke "
            f"({each.failure.numerator + each.error.numerator:,} of {each.failure.denominator:,})",
        )
        for each in worst[:_MOST_RISKS]
    ]


def _odd(analysis: Analysis) -> Sequence[Risk]:
    risks = []
    for each in analysis.anomalies[:_MOST_RISKS]:
        show = share if each.metric == "success_rate" else length
        what = each.metric.replace("_", " ").removesuffix(" seconds")
        risks.append(Risk(project=each.project, words=f"week of {each.week}: {what} {show(each.value)}, usually {show(each.expected)}"))
    return risks
