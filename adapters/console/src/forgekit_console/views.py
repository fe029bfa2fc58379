"""What the pages show, gathered from the services; no HTML here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from forgekit.errors import ForgekitError
from forgekit.hosting import host_token
from forgekit.kernel.settings import declaration, unset
from forgekit.sprints.models import Cycle, CycleStatus, Sprint
from forgekit.sprints.reports import SyncStatus
from forgekit.webhooks.models import InboxStatistics
from forgekit.work.models import WorkItem
from forgekit_console.live import CycleList, Live, Outcome, Running
from forgekit_console.problems import words

if TYPE_CHECKING:
    from forgekit import Forge

TRACKER = "plane"
MOST_ITEMS = 500
"""Work items that a page lists."""


@attrs.frozen(kw_only=True)
class ConnectionView:
    """How the tracker is configured.

    Attributes:
        problem: What is wrong with the settings; None when nothing is.
        missing: Environment variables of the settings that are needed and absent.
        server: The tracker's address.
        workspace: Its workspace.
        project: Its project's id.
        signed: Whether webhooks are signed.
        interval: Seconds between two rounds of the loop.

    """

    problem: str | None = None
    missing: Sequence[str] = ()
    server: str | None = None
    workspace: str | None = None
    project: str | None = None
    signed: bool = False
    interval: float = 0.0

    @property
    def configured(self) -> bool:
        """Whether the tracker can be asked."""
        return self.problem is None and not self.missing

    @property
    def source(self) -> tuple[str | None, ...]:
        """Which cycles would be listed."""
        return self.server, self.workspace, self.project


@attrs.frozen(kw_only=True)
class SyncView:
    """Everything the sprint sync page shows without asking the tracker.

    Attributes:
        connection: How the tracker is configured.
        status: Where the synchronisation stands.
        project: Key of the project that the active cycle is imported into.
        sprint: The sprint that mirrors it.
        webhooks: Incoming webhooks in numbers.
        running: The import that runs.
        outcome: How the last import from these pages ended.
        listed: The cycles, once somebody asked for them.
        token: Whether this host asks for its token, so that one can sign out.

    """

    connection: ConnectionView
    status: SyncStatus
    project: str | None
    sprint: Sprint | None
    webhooks: InboxStatistics
    running: Running | None
    outcome: Outcome | None
    listed: CycleList | None
    token: bool

    @property
    def passing_share(self) -> int:
        """How much of the sprint passes, in whole percent; 100 only when all of it does."""
        numbers = self.status.statistics
        return 100 * numbers.passing // numbers.total if numbers.total else 0

    @property
    def chosen(self) -> str | None:
        """The cycle to offer first: the active one, else the one that is on now, else the newest."""
        cycles: Sequence[Cycle] = self.listed.cycles if self.listed is not None else ()
        ranked = sorted(cycles, key=self._rank)
        return ranked[0].id if ranked else None

    def is_active(self, cycle: Cycle) -> bool:
        """Tell whether the loop follows this cycle."""
        return cycle.id == self.status.state.active_cycle_id

    def _rank(self, cycle: Cycle) -> int:
        return 0 if self.is_active(cycle) else 1 if cycle.status is CycleStatus.CURRENT else 2


def look(forge: Forge, live: Live) -> SyncView:
    """Gather the page's content from the database and memory: showing a page costs no call to the tracker.

    Raises:
        UnknownPlugin: No adapter for the tracker is installed.

    """
    status = forge.sprints.status(TRACKER)
    state = status.state
    connection = _connection(forge)
    return SyncView(
        connection=connection,
        status=status,
        project=next((project.key for project in forge.work.projects() if project.id == state.project_id), None),
        sprint=forge.sprints.sprint(state.sprint_id) if state.sprint_id else None,
        webhooks=forge.webhooks.statistics(TRACKER),
        running=live.running,
        outcome=live.outcome,
        listed=live.cycles if live.cycles is not None and live.cycles.source == connection.source else None,
        token=host_token(forge) is not None,
    )


def items(forge: Forge) -> Sequence[WorkItem]:
    """Return the active sprint's work items, the open ones first."""
    state = forge.sprints.status(TRACKER).state
    project = next((project for project in forge.work.projects() if project.id == state.project_id), None)
    if project is None or state.sprint_id is None:
        return ()
    return sorted(forge.work.items(project, sprint_id=state.sprint_id), key=lambda item: item.passing)


def list_cycles(forge: Forge, live: Live) -> CycleList:
    """Ask the tracker for its cycles and keep them for the pages.

    Raises:
        NotConfigured: The tracker lacks a setting.
        RemoteError: It failed; see its kinds.
        BudgetExhausted: The budget of calls is used up for now.

    """
    source = _connection(forge).source
    live.cycles = CycleList(at=forge.clock.now(), source=source, cycles=forge.sprints.cycles(TRACKER))
    return live.cycles


def _connection(forge: Forge) -> ConnectionView:
    try:
        settings: Any = forge.settings.load(forge.trackers[TRACKER].settings)
    except ForgekitError as error:
        return ConnectionView(problem=words(error))
    declared = declaration(type(settings)).settings
    return ConnectionView(
        missing=[declared[name].env for name in unset(settings)],
        server=settings.api_url,
        workspace=settings.workspace_slug,
        project=settings.project_id,
        signed=settings.webhook_secret is not None,
        interval=settings.poll_interval,
    )
