"""``/analysis``, ``/analyze`` and ``/health``."""

from __future__ import annotations

from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import attrs
from attrs import validators

from forgekit.builds.reading.strict import MAX_NAME
from forgekit.errors import InvalidInput, NotFound
from forgekit.http import Open, Reply, RequestHead
from forgekit_surfaces.builds.contract import CALLS, surface
from forgekit_surfaces.builds.shapes import AnalysisAnswer
from forgekit_surfaces.fields import text

if TYPE_CHECKING:
    from forgekit import Forge

_name = validators.optional(text(MAX_NAME))


@attrs.frozen(kw_only=True)
class Filters:
    """Which builds count; the days are whole UTC days, both included."""

    project: str | None = attrs.field(default=None, validator=_name)
    branch: str | None = attrs.field(default=None, validator=_name)
    since: date | None = None
    until: date | None = None


@attrs.frozen
class AnalyzeQuery:
    """Whether to wait for the result."""

    background: bool = False


@attrs.frozen(kw_only=True)
class JobAnswer:
    """An analysis that is asked for; its result is where ``Location`` and ``location`` say."""

    job_id: str
    status: str
    location: str


@attrs.frozen(kw_only=True)
class HealthAnswer:
    """That the host answers, and its database."""

    status: str
    version: str


@surface.op("GET", "/analysis", errors=(404,), limit=CALLS.name)
def read_analysis(forge: Forge, params: Filters) -> AnalysisAnswer:
    """Return what the builds come to, as of now; 404 when none has been submitted."""
    if not forge.builds.count(project=params.project):
        whose = f" of the project {params.project!r}" if params.project else ""
        raise NotFound(f"No builds{whose} have been submitted.")
    try:
        return _analysis(forge, params)
    except InvalidInput as wrong:
        # These come from the query, and are placed as the machine places what is wrong there.
        told = [{**problem, "pointer": problem["pointer"].replace("/", "?", 1)} for problem in wrong.data["problems"]]
        raise InvalidInput(wrong.message, problems=told) from wrong


@surface.op("POST", "/analyze", also={202: JobAnswer}, limit=CALLS.name)
def analyze(forge: Forge, head: RequestHead, params: AnalyzeQuery, body: Filters | None) -> Reply[AnalysisAnswer | JobAnswer]:
    """Return what the builds come to; with ``background`` at once a job, whose end is the event ``builds.analysed``.

    The result is kept up to date with every build, so what ``Location`` names is never older than what was asked for.
    """
    filters = body or Filters()
    if not params.background:
        return Reply(_analysis(forge, filters))
    asked = attrs.asdict(filters, filter=lambda _, value: value is not None)
    job_id = forge.builds.request_analysis(**asked)
    place = f"{head.root_path}{surface.prefix}/analysis" + (f"?{urlencode(asked)}" if asked else "")
    return Reply(JobAnswer(job_id=job_id, status="queued", location=place), status=202, headers=[("Location", place)])


@surface.op("GET", "/health", guard=Open(), errors=(503,))
def health(forge: Forge) -> HealthAnswer:
    """Tell that the host works: it answers, and its database does."""
    with forge.storage.transaction(write=False):
        return HealthAnswer(status="ok", version=version("forgekit-core"))


def _analysis(forge: Forge, filters: Filters) -> Any:
    return cast("Any", forge.builds.analysis(**attrs.asdict(filters)).to_dict())
