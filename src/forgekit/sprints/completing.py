"""Completing a sprint: recorded steps, each done once, however often it is asked for and wherever it stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs

from forgekit.errors import Conflict, ForgekitError, GitFailed, RemoteForbidden, RemoteNotFound, RemoteRefused, StorageError
from forgekit.kernel.ids import uuid7
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.models import CommentDue, Completion, Sprint, SprintCompleted, SprintState, SprintStatistics
from forgekit.sprints.notesfile import write_notes
from forgekit.sprints.parts import COMPLETIONS, Parts
from forgekit.sprints.ports import CompletionRule, GitRepository, SprintFacts
from forgekit.sprints.reporting import in_numbers
from forgekit.sprints.reports import CompletionReport
from forgekit.sprints.rules.completing import MOST_LINES, is_free, refusal, refusals, slugs
from forgekit.sprints.rules.notes import DoneItem, comment, release_notes, retrospective
from forgekit.work.models import Project

_log = logging.getLogger(__name__)

PATIENCE = 45.0
"""Seconds that a call waits for another one that completes the same sprint: longer than any step's lease."""

_RESUME = 60.0
"""Seconds after which the worker looks whether a completion was left unfinished."""

_PAUSE = 0.05
_LEASE = 15.0
_LEASES = {"change_log": 40.0, "tag": 40.0, "retrospective": 40.0}
"""Seconds that a step may take before its holder is taken for dead."""

Step = Callable[["Run"], Mapping[str, Any]]


class _LeaseLost(Exception):
    """Another call took the completion over; not an error, that one goes on."""


class _NotDone(Exception):
    """The sprint stopped being done before its completion began; only rolls the transaction back."""


@attrs.frozen(kw_only=True)
class Run:
    """One sprint's completion as its steps see it.

    Attributes:
        project: The project.
        sprint: The sprint.
        owner: Who runs it: one call.
        completion: The record with the steps done so far.

    """

    project: Project
    sprint: Sprint
    owner: str
    completion: Completion

    def result(self, step: str) -> Mapping[str, Any]:
        """Return what a step that is done gave."""
        found: Mapping[str, Any] = self.completion.steps[step]
        return found

    @property
    def statistics(self) -> SprintStatistics:
        """The sprint in numbers, as it was when the completion began."""
        return SprintStatistics(**self.result("statistics")["numbers"])

    @property
    def items(self) -> list[DoneItem]:
        """The work items, as they were when the completion began."""
        return [DoneItem(**item) for item in self.result("statistics")["items"]]

    @property
    def tag(self) -> str | None:
        """The tag, once that step is done."""
        tag: str | None = self.result("tag")["tag"]
        return tag


class Completer:
    """Completes sprints.

    The record of a completion is one row. Whoever works on it holds a short lease, stores each step's result in a transaction of
    its own, and looks before each effect outside whether it is there already: so a process may die anywhere.
    """

    def __init__(
        self,
        parts: Parts,
        git: GitRepository,
        rules: Mapping[str, CompletionRule],
        *,
        pause: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE,
    ) -> None:
        """Keep the parts; ``pause`` waits some seconds for another holder, ``patience`` in all."""
        self._parts = parts
        self._git = git
        self._rules = rules
        self._pause = pause
        self._patience = patience
        self._steps: dict[str, Step] = {
            "change_log": self._change_log,
            "tag": self._tag,
            "notes": self._notes,
            "comments": self._comments,
            "retrospective": self._retrospective,
            "finish": self._finish,
        }

    def complete(self, project: Project) -> CompletionReport:
        """Complete the project's active sprint; without one, tell what completing the last one gave."""
        with self._parts.storage.transaction(write=False) as tx:
            sprint = self._sprint(project, tx)
        if sprint is None:
            return CompletionReport(success=False, features_completed=0, features_failed=0, error="The project has no active sprint.")
        waited = 0.0
        while (report := self._attempt(project, sprint)) is None:
            if waited >= self._patience:
                raise Conflict("The sprint is being completed by another call.", retry_after=_LEASE, sprint=sprint.id)
            self._pause(_PAUSE)
            waited += _PAUSE
        return report

    def resume(self) -> None:
        """Finish completions whose process died; those that are still held, or fail, are looked at again later."""
        with self._parts.storage.transaction(write=False) as tx:
            unfinished = self._parts.storage.sprints(tx).unfinished_completions(limit=20)
        finished = [self._resumed(completion) for completion in unfinished]
        if not all(finished):
            self._parts.request_later(COMPLETIONS, _RESUME)

    def _resumed(self, completion: Completion) -> bool:
        with self._parts.storage.transaction(write=False) as tx:
            sprint = self._parts.storage.sprints(tx).sprint(completion.sprint_id)
            project = self._parts.storage.work(tx).project_by_id(sprint.project_id) if sprint else None
        if sprint is None or project is None:
            return True
        try:
            return self._attempt(project, sprint) is not None
        except ForgekitError as error:
            _log.warning("the completion of sprint %s stopped: %s", completion.sprint_id, error.message)
            return False

    def _sprint(self, project: Project, tx: Transaction) -> Sprint | None:
        sprints = self._parts.storage.sprints(tx)
        active = sprints.active(project.id)
        if active is not None:
            return active
        done = [sprint for sprint in sprints.sprints(project.id) if sprint.state is SprintState.COMPLETED and sprint.completed_at]
        newest = max(done, key=lambda sprint: (sprint.completed_at, sprint.created_at), default=None)
        return newest if newest is not None and sprints.completion(newest.id) is not None else None

    def _attempt(self, project: Project, sprint: Sprint) -> CompletionReport | None:
        """Run every step that is not done; None where another call holds the completion."""
        begun = self._begin(project, sprint)
        if not isinstance(begun, Run):
            return begun
        run = begun
        try:
            for name, step in self._steps.items():
                if name not in run.completion.steps:
                    run = self._store(run, name, step(run))
        except _LeaseLost:
            return None
        except BaseException:
            with suppress(StorageError):
                self._release(run)
            raise
        return _report(run.completion)

    # Beginning and recording

    def _begin(self, project: Project, sprint: Sprint) -> Run | CompletionReport | None:
        with self._parts.storage.transaction(write=False) as tx:
            completion = self._parts.storage.sprints(tx).completion(sprint.id)
            facts = self._facts(project, sprint, tx)
        if completion is not None and completion.finished_at is not None:
            return _report(completion)
        if completion is None:
            reasons = refusals(facts, self._rules)
            if reasons:
                return _refused(facts, " ".join(reasons))
        try:
            return self._take(project, sprint)
        except _NotDone as refused:
            return _refused(facts, str(refused))

    def _facts(self, project: Project, sprint: Sprint, tx: Transaction) -> SprintFacts:
        work = self._parts.storage.work(tx)
        items = work.items(project.id, sprint_id=sprint.id)
        runs = work.run_summaries([item.id for item in items])
        return SprintFacts(project=project, sprint=sprint, items=items, statistics=in_numbers(items, runs))

    def _take(self, project: Project, sprint: Sprint) -> Run | None:
        """Take the lease; the first to do so stores that the sprint was done, and its numbers before anything moves."""
        now = self._parts.clock.now()
        owner = uuid7(now)
        with self._parts.storage.transaction() as tx:
            self._parts.storage.work(tx).lock_project(project.id)
            sprints = self._parts.storage.sprints(tx)
            completion = sprints.lock_completion(sprint.id)
            if completion.finished_at is not None or not is_free(completion, owner, now):
                return None
            if not completion.steps:
                completion = attrs.evolve(completion, steps=self._first_steps(project, sprint, tx))
                self._parts.request(tx, COMPLETIONS, delay=_RESUME, at_most=_RESUME)
            completion = attrs.evolve(completion, owner=owner, lease_until=now + timedelta(seconds=self._lease(completion)))
            sprints.save_completion(completion)
        return Run(project=project, sprint=sprint, owner=owner, completion=completion)

    def _first_steps(self, project: Project, sprint: Sprint, tx: Transaction) -> dict[str, Any]:
        facts = self._facts(project, sprint, tx)
        reason = refusal(facts)
        if reason:
            raise _NotDone(reason)
        runs = self._parts.storage.work(tx).run_summaries([item.id for item in facts.items])
        items = [
            DoneItem(number=item.number, name=item.name, total=runs[item.id].total, passed=runs[item.id].passed)
            if item.id in runs
            else DoneItem(number=item.number, name=item.name)
            for item in facts.items
        ]
        numbers = attrs.asdict(facts.statistics)
        return {"verify": {}, "statistics": {"numbers": numbers, "items": [attrs.asdict(item) for item in items]}}

    def _lease(self, completion: Completion) -> float:
        following = next((name for name in self._steps if name not in completion.steps), "")
        return _LEASES.get(following, _LEASE)

    def _store(self, run: Run, name: str, result: Mapping[str, Any]) -> Run:
        """Store a step's result, with what must happen because of it, if the completion is still ours."""
        now = self._parts.clock.now()
        with self._parts.storage.transaction() as tx:
            self._parts.storage.work(tx).lock_project(run.project.id)
            sprints = self._parts.storage.sprints(tx)
            completion = sprints.lock_completion(run.sprint.id)
            if completion.owner != run.owner:
                raise _LeaseLost
            completion = attrs.evolve(completion, steps={**completion.steps, name: result})
            completion = attrs.evolve(completion, lease_until=now + timedelta(seconds=self._lease(completion)))
            if name == "comments":
                self._record_comments(run, tx)
            if name == "finish":
                completion = attrs.evolve(completion, owner="", lease_until=None, finished_at=now)
                self._record_finish(run, tx)
            sprints.save_completion(completion)
        return attrs.evolve(run, completion=completion)

    def _release(self, run: Run) -> None:
        """Let the next call go on at once."""
        with self._parts.storage.transaction() as tx:
            sprints = self._parts.storage.sprints(tx)
            completion = sprints.lock_completion(run.sprint.id)
            if completion.owner == run.owner:
                sprints.save_completion(attrs.evolve(completion, owner="", lease_until=None))

    # The steps

    def _change_log(self, run: Run) -> Mapping[str, Any]:
        """Read the change log, and fix the commit that it ends with: that one is tagged, whatever is committed meanwhile."""
        path = self._parts.work.repository(run.project)
        if path is None:
            return {"commit": None, "log": "", "error": None}
        try:
            commit = self._git.head(path)
            since = self._git.previous_sprint_tag(path, commit)
            log = self._git.log(path, since=since, until=commit, limit=MOST_LINES)
        except GitFailed as error:
            return {"commit": None, "log": "", "error": error.message}
        return {"commit": commit, "log": log, "error": None}

    def _tag(self, run: Run) -> Mapping[str, Any]:
        path = self._parts.work.repository(run.project)
        commit = run.result("change_log")["commit"]
        if path is None or commit is None:
            return {"tag": None, "error": None}
        try:
            return {"tag": self._tagged(path, run.sprint, commit), "error": None}
        except GitFailed as error:
            return {"tag": None, "error": error.message}

    def _tagged(self, path: Path, sprint: Sprint, commit: str) -> str:
        """Return the sprint's tag, made unless it is there: its message tells whose it is."""
        owner = f"Forgekit-Sprint: {sprint.id}"
        names = [f"sprint/{slug}" for slug in slugs(sprint)]
        for name in names:
            message = self._git.tag_message(path, name)
            if message is None:
                self._git.tag(path, name, f"{sprint.name}\n\n{owner}\n", commit=commit)
                return name
            if owner in message.splitlines():
                return name
        raise GitFailed(f"Every name for the tag is taken: {', '.join(names)}.")

    def _notes(self, run: Run) -> Mapping[str, Any]:
        on = self._parts.clock.now().date()
        log = run.result("change_log")["log"]
        text = release_notes(run.sprint, run.statistics, run.items, tag=run.tag, change_log=log, on=on)
        path = self._parts.work.repository(run.project)
        if path is None:
            return {"path": None, "text": text, "error": None}
        names = [run.tag.removeprefix("sprint/")] if run.tag else []
        try:
            written = write_notes(path, [*names, *slugs(run.sprint)], run.sprint.id, text)
        except OSError as error:
            return {"path": None, "text": text, "error": f"The release notes cannot be written: {error.strerror}."}
        return {"path": str(written), "text": text, "error": None}

    def _comments(self, run: Run) -> Mapping[str, Any]:
        return {"recorded": run.sprint.tracker is not None}

    def _record_comments(self, run: Run, tx: Transaction) -> None:
        """Leave one row for each comment; the worker posts them within the budget."""
        sprint = run.sprint
        if sprint.tracker is None:
            return
        links = self._parts.storage.sprints(tx).links(sprint.tracker, run.project.id, sprint_id=sprint.id)
        items = self._parts.storage.work(tx).items_by_id([link.item_id for link in links.values()])
        done = {item.number: item for item in run.items}
        for link in links.values():
            item = done.get(items[link.item_id].number)
            if item is None:
                continue
            text = comment(sprint, item, tag=run.tag)
            marker = f"forgekit-{sprint.id}-{link.external_id}"
            due = CommentDue(project_id=run.project.id, tracker=sprint.tracker, external_id=link.external_id, text=text, marker=marker)
            self._parts.recorder.record(tx, due)

    def _retrospective(self, run: Run) -> Mapping[str, Any]:
        sprint = run.sprint
        if sprint.tracker is None or sprint.external_id is None:
            return {"written": False, "error": None}
        text = retrospective(sprint, run.statistics, run.items, tag=run.tag, on=self._parts.clock.now().date())
        tracker = self._parts.open(sprint.tracker, Priority.PEOPLE)
        try:
            tracker.append_to_cycle(sprint.external_id, text, marker=f"forgekit-{sprint.id}")
        except (RemoteRefused, RemoteNotFound, RemoteForbidden) as error:
            # An ended or archived cycle, or one that we may only read, will never take it; the release notes hold it.
            return {"written": False, "error": f"The retrospective stands in the release notes alone: {error.message}"}
        return {"written": True, "error": None}

    def _finish(self, run: Run) -> Mapping[str, Any]:  # noqa: ARG002 - the same shape as every step; its effect is the transaction
        return {}

    def _record_finish(self, run: Run, tx: Transaction) -> None:
        sprints = self._parts.storage.sprints(tx)
        sprint = sprints.sprint(run.sprint.id) or run.sprint
        sprints.update(attrs.evolve(sprint, state=SprintState.COMPLETED, completed_at=self._parts.clock.now()))
        done = SprintCompleted(project_id=run.project.id, sprint_id=sprint.id, sprint_name=sprint.name, git_tag=run.tag)
        self._parts.recorder.record(tx, done)


def _refused(facts: SprintFacts, reason: str) -> CompletionReport:
    numbers = facts.statistics
    return CompletionReport(success=False, features_completed=numbers.passing, features_failed=numbers.failed, error=reason)


def _report(completion: Completion) -> CompletionReport:
    """Return the answer, from the record alone: it is the same however often it is asked for."""
    steps = completion.steps
    numbers = SprintStatistics(**steps["statistics"]["numbers"])
    errors = [result["error"] for result in steps.values() if result.get("error")]
    return CompletionReport(
        success=True,
        features_completed=numbers.passing,
        features_failed=numbers.failed,
        git_tag=steps["tag"]["tag"],
        change_log=steps["change_log"]["log"],
        release_notes_path=steps["notes"]["path"],
        error=" ".join(errors) or None,
    )
