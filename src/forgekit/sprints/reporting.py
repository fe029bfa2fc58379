"""Reading: sprints in numbers, the state of the synchronisation, test reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.models import SprintStatistics, SyncState
from forgekit.sprints.parts import Parts, poll_schedule
from forgekit.sprints.reports import ItemTests, SyncStatus, TestReport
from forgekit.sprints.rules.syncing import is_alive
from forgekit.work.models import Project, RunSummary, WorkItem


class Reporter:
    """Reads what is stored; no call leaves the process."""

    def __init__(self, parts: Parts) -> None:
        """Keep the parts."""
        self._parts = parts

    def status(self, tracker: str, tx: Transaction) -> SyncStatus:
        """Return where the synchronisation with a tracker stands."""
        storage = self._parts.storage
        now = self._parts.clock.now()
        sprints = storage.sprints(tx)
        state = sprints.sync_state(tracker)
        return SyncStatus(
            state=state,
            running=is_alive(storage.claims(tx).schedule(poll_schedule(tracker), now=now), now),
            statistics=self._active_statistics(state, tx),
            relations_pending=sprints.count_relations_pending(tracker),
        )

    def statistics(self, project_id: str, sprint_id: str, tx: Transaction) -> SprintStatistics:
        """Return a sprint in numbers."""
        work = self._parts.storage.work(tx)
        items = work.items(project_id, sprint_id=sprint_id)
        return in_numbers(items, work.run_summaries([item.id for item in items]))

    def tests(self, project: Project, tx: Transaction) -> TestReport:
        """Return the test runs of the project's items that are linked to a tracker."""
        work = self._parts.storage.work(tx)
        items = work.items_by_id(self._parts.storage.sprints(tx).linked_items(project.id))
        runs = work.run_summaries(list(items))
        tested = sorted((items[item_id] for item_id in runs), key=lambda item: item.number)
        return TestReport(
            total_items=len(items),
            tested=len(tested),
            statistics=in_numbers(list(items.values()), runs),
            items=tuple(_tests(item, runs[item.id]) for item in tested),
            generated_at=self._parts.clock.now(),
        )

    def _active_statistics(self, state: SyncState, tx: Transaction) -> SprintStatistics:
        if state.project_id is None or state.sprint_id is None:
            return SprintStatistics()
        return self.statistics(state.project_id, state.sprint_id, tx)


def in_numbers(items: Sequence[WorkItem], runs: Mapping[str, RunSummary]) -> SprintStatistics:
    """Return work items and their test runs in numbers."""
    return SprintStatistics(
        total=len(items),
        passing=sum(item.passing for item in items),
        test_runs=sum(summary.total for summary in runs.values()),
        passed_runs=sum(summary.passed for summary in runs.values()),
    )


def _tests(item: WorkItem, summary: RunSummary) -> ItemTests:
    return ItemTests(number=item.number, name=item.name, **attrs.asdict(summary))
