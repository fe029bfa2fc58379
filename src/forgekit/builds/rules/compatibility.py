"""Rates as other tools make them, so that their numbers can be compared with ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import attrs

from forgekit.builds.analysis import Analysis
from forgekit.builds.models import Rate
from forgekit.builds.results import ProjectMetrics
from forgekit.errors import InvalidInput

Compat = Literal["travistorrent"]
"""Whose rates: ``travistorrent`` divides by all rows, as analysers of that data do, those that were cancelled or still run too."""


def check_compat(compat: Compat | None) -> None:
    """Refuse tools whose rates nobody here knows.

    Raises:
        InvalidInput: It is such a one.

    """
    if compat is not None and compat not in get_args(Compat):
        message = f"must be one of {', '.join(get_args(Compat))}"
        raise InvalidInput(f"The compatibility {compat!r} is not known.", problems=[{"pointer": "/compat", "message": message}])


def compatible(analysis: Analysis, compat: Compat | None) -> Analysis:
    """Return an analysis with the success, failure and error rates, overall and of each project, of another tool.

    Nothing else changes: not the weeks, not the trend, and not which projects are at risk or failing.
    """
    if compat is None:
        return analysis
    own = {each.project: _of_all(each) for each in analysis.project_metrics}
    return attrs.evolve(
        analysis,
        success=Rate(analysis.success.numerator, analysis.n_builds),
        failure=Rate(analysis.failure.numerator, analysis.n_builds),
        error=Rate(analysis.error.numerator, analysis.n_builds),
        project_metrics=tuple(own.values()),
        top_failing_projects=_from(own, analysis.top_failing_projects),
    )


def _of_all(metrics: ProjectMetrics) -> ProjectMetrics:
    n = metrics.n_builds
    success, failure, error = (Rate(own.numerator, n) for own in (metrics.success, metrics.failure, metrics.error))
    return attrs.evolve(metrics, success=success, failure=failure, error=error)


def _from(own: dict[str, ProjectMetrics], chosen: Sequence[ProjectMetrics]) -> tuple[ProjectMetrics, ...]:
    return tuple(own[each.project] for each in chosen)
