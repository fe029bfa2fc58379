"""Cycles, import, status, completion, report."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

import attrs

from forgekit.http import UNSET, Unset
from forgekit.sprints.models import Cycle
from forgekit.sprints.reports import Action, ImportDetail, SyncStatus
from forgekit_surfaces.fields import text
from forgekit_surfaces.plane.contract import IMPORTS, TRACKER, surface

if TYPE_CHECKING:
    from forgekit import Forge

_name = text(100)


@attrs.frozen(kw_only=True)
class CycleAnswer:
    """A cycle; the dates are days in the project's time zone."""

    id: str
    name: str
    start_date: date | None
    end_date: date | None
    status: str
    total_issues: int
    completed_issues: int


@attrs.frozen(kw_only=True)
class CyclesAnswer:
    """The project's cycles."""

    cycles: list[CycleAnswer]


@attrs.frozen
class CyclesQuery:
    """How the cycles shall be listed: one client in the wild expects the bare list."""

    format: Literal["object", "list"] = "object"


@surface.op("GET", "/cycles", errors=(401, 404, 429, 502))
def list_cycles(forge: Forge, params: CyclesQuery) -> CyclesAnswer | list[CycleAnswer]:
    """List the cycles of the configured project."""
    cycles = [_cycle(cycle) for cycle in forge.sprints.cycles(TRACKER)]
    return cycles if params.format == "list" else CyclesAnswer(cycles=cycles)


def _cycle(cycle: Cycle) -> CycleAnswer:
    return CycleAnswer(
        id=cycle.id,
        name=cycle.name,
        start_date=cycle.starts_on,
        end_date=cycle.ends_on,
        status=cycle.status.value,
        total_issues=cycle.total or 0,
        completed_issues=cycle.completed or 0,
    )


@attrs.frozen(kw_only=True)
class ImportOrder:
    """Which cycle, into which project."""

    cycle_id: str = attrs.field(validator=_name)
    project_name: str = attrs.field(validator=_name)


@attrs.frozen(kw_only=True)
class DetailAnswer:
    """What was done with one item."""

    plane_id: str
    name: str
    action: str
    feature_id: int | Unset = UNSET
    reason: str | Unset = UNSET


@attrs.frozen(kw_only=True)
class ImportAnswer:
    """What an import did."""

    imported: int
    skipped: int
    updated: int
    details: list[DetailAnswer]
    relations_pending: int


@surface.op("POST", "/import-cycle", errors=(400, 401, 404, 429, 502), limit=IMPORTS.name)
def import_cycle(forge: Forge, body: ImportOrder) -> ImportAnswer:
    """Import the work items of a cycle into a project's sprint."""
    report = forge.sprints.import_cycle(body.cycle_id, project=body.project_name, tracker=TRACKER)
    return ImportAnswer(
        imported=report.imported,
        skipped=report.skipped,
        updated=report.updated,
        details=[_detail(detail) for detail in report.details],
        relations_pending=report.relations_pending,
    )


def _detail(detail: ImportDetail) -> DetailAnswer:
    skipped = detail.action is Action.SKIPPED
    return DetailAnswer(
        plane_id=detail.external_id,
        name=detail.name,
        action=detail.action.value,
        feature_id=UNSET if skipped or detail.number is None else detail.number,
        reason=UNSET if detail.reason is None else detail.reason,
    )


@attrs.frozen(kw_only=True)
class StatisticsAnswer:
    """The active sprint in numbers."""

    total: int
    passing: int
    failed: int
    total_test_runs: int
    overall_pass_rate: float


@attrs.frozen(kw_only=True)
class StatusAnswer:
    """Where the synchronisation stands."""

    enabled: bool
    running: bool
    last_sync_at: datetime | None
    last_error: str | None
    items_synced: int
    active_cycle_name: str | None
    sprint_complete: bool
    sprint_stats: StatisticsAnswer
    last_webhook_at: datetime | None
    webhook_count: int
    relations_pending: int


@surface.op("GET", "/sync-status")
def sync_status(forge: Forge) -> StatusAnswer:
    """Show where the synchronisation stands."""
    return _status(forge, forge.sprints.status(TRACKER))


@surface.op("POST", "/sync/toggle", errors=(401,))
def toggle_sync(forge: Forge) -> StatusAnswer:
    """Start the background loop, or stop it; the choice survives a restart."""
    return _status(forge, forge.sprints.toggle(tracker=TRACKER))


def _status(forge: Forge, status: SyncStatus) -> StatusAnswer:
    webhooks = forge.webhooks.statistics(TRACKER)
    numbers = status.statistics
    return StatusAnswer(
        enabled=status.state.enabled,
        running=status.running,
        last_sync_at=status.state.last_sync_at,
        last_error=status.state.last_error,
        items_synced=status.state.items_synced,
        active_cycle_name=status.state.active_cycle_name,
        sprint_complete=numbers.complete,
        sprint_stats=StatisticsAnswer(
            total=numbers.total,
            passing=numbers.passing,
            failed=numbers.failed,
            total_test_runs=numbers.test_runs,
            overall_pass_rate=numbers.pass_rate,
        ),
        last_webhook_at=webhooks.last_at,
        webhook_count=webhooks.received,
        relations_pending=status.relations_pending,
    )


@attrs.frozen(kw_only=True)
class CompletionOrder:
    """Which project's sprint."""

    project_name: str = attrs.field(validator=_name)


@attrs.frozen(kw_only=True)
class CompletionAnswer:
    """What completing gave; a refusal has ``success`` false and its reason in ``error``."""

    success: bool
    features_completed: int
    features_failed: int
    git_tag: str | None
    change_log: str
    release_notes_path: str | None
    error: str | None


@surface.op("POST", "/complete-sprint", errors=(400, 401, 404, 502))
def complete_sprint(forge: Forge, body: CompletionOrder) -> CompletionAnswer:
    """Complete the project's active sprint; calling again gives the same answer and does nothing twice."""
    report = forge.sprints.complete(body.project_name)
    return CompletionAnswer(**{field.name: getattr(report, field.name) for field in attrs.fields(CompletionAnswer)})


@attrs.frozen
class ReportQuery:
    """Which project."""

    project_name: str = attrs.field(validator=_name)


@attrs.frozen(kw_only=True)
class FeatureAnswer:
    """The test runs of one item."""

    feature_id: int
    feature_name: str
    total_runs: int
    pass_count: int
    fail_count: int
    last_tested_at: datetime
    last_result: bool


@attrs.frozen(kw_only=True)
class ReportAnswer:
    """The test runs of the items that are linked to Plane."""

    total_features: int
    features_tested: int
    features_never_tested: int
    total_test_runs: int
    overall_pass_rate: float
    feature_summaries: list[FeatureAnswer]
    generated_at: datetime


@surface.op("GET", "/test-report", errors=(400, 404))
def test_report(forge: Forge, params: ReportQuery) -> ReportAnswer:
    """Report the test runs of a project's items, item by item."""
    report = forge.sprints.report(params.project_name)
    return ReportAnswer(
        total_features=report.total_items,
        features_tested=report.tested,
        features_never_tested=report.total_items - report.tested,
        total_test_runs=report.statistics.test_runs,
        overall_pass_rate=report.statistics.pass_rate,
        feature_summaries=[
            FeatureAnswer(
                feature_id=item.number,
                feature_name=item.name,
                total_runs=item.total,
                pass_count=item.passed,
                fail_count=item.total - item.passed,
                last_tested_at=item.last_at,
                last_result=item.last_passed,
            )
            for item in report.items
        ],
        generated_at=report.generated_at,
    )
