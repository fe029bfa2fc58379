"""The verbs of builds: taking them in, and telling what they come to."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol

import attrs

from forgekit.builds.analysing import analyse, check_window
from forgekit.builds.analysis import Analysis
from forgekit.builds.events import AnalysisMade, AnalysisRequested, BuildsSubmitted
from forgekit.builds.fold import Taken
from forgekit.builds.importing import BuildImports
from forgekit.builds.models import FINISHED, BuildRecord, Incident, Key
from forgekit.builds.ports import BuildFilter, BuildRepositories, Progress
from forgekit.builds.reading.sources import OnError, records
from forgekit.builds.reading.texts import is_storable, text_problem
from forgekit.builds.recalling import Asked, recall
from forgekit.builds.rules.compatibility import Compat, check_compat, compatible
from forgekit.builds.rules.merging import combined
from forgekit.builds.rules.nodes import Span
from forgekit.builds.rules.precedence import supersedes
from forgekit.builds.rules.pruning import prunable
from forgekit.builds.rules.runs import COMMIT_MEMORY
from forgekit.builds.settings import BuildSettings
from forgekit.builds.storing import Decide, recount, store
from forgekit.builds.verbs import ImportVerbs
from forgekit.errors import Conflict, InvalidInput
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Handler, Schedule
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.ids import uuid7
from forgekit.kernel.storage.ports import TransactionSource
from forgekit.kernel.storage.transaction import Transaction
from forgekit.kernel.storage.units import reading, writing

_BATCH = 10_000


class BuildStorage(TransactionSource, BuildRepositories, Protocol):
    """What this service needs of a storage."""


@attrs.frozen(kw_only=True)
class Submission:
    """What became of builds that were submitted.

    Attributes:
        accepted: How many are new.
        updated: How many were known and changed.
        duplicates: How many were known so.
        refused: What is wrong with each of those that were passed over.

    """

    accepted: int
    updated: int
    duplicates: int
    refused: tuple[InvalidInput, ...] = ()


class BuildService(ImportVerbs):
    """``forge.builds``: builds of any CI system, and what they come to.

    Every verb that writes takes ``tx``, to commit together with others. Builds are stored one transaction at a time: their roll-ups
    change with them.
    """

    def __init__(
        self,
        storage: BuildStorage,
        recorder: Recorder,
        clock: Clock,
        *,
        settings: Callable[[], BuildSettings],
        imports: Callable[[BuildService], BuildImports],
    ) -> None:
        """Keep the parts.

        Args:
            storage: Where it all is.
            recorder: Takes events.
            clock: The forge's clock.
            settings: Tells the settings; called for each submission, so from a snapshot.
            imports: Makes what imports builds into this service.

        """
        self._storage = storage
        self._recorder = recorder
        self._clock = clock
        self._settings = settings
        self._imports = imports(self)

    # Taking in

    def submit(
        self, builds: Iterable[BuildRecord | Mapping[str, Any]], *, on_error: OnError | None = None, tx: Transaction | None = None
    ) -> Submission:
        """Store builds: all of them or, on an error, none.

        A build that is known is updated: by a version that is further on (finished after running), else by one with a later
        ``updated_at``, else by the one that comes later. Whatever comes is read before anything is stored.

        Args:
            builds: Records, or rows; see ``forgekit.builds.records``.
            on_error: Called for each row that cannot be taken, which is then passed over; without it the first ends the call.
            tx: Commit with this transaction.

        Raises:
            InvalidInput: A row cannot be read, or its build is older than the retention, or holds text that no database keeps.

        """
        refused: list[InvalidInput] = []

        def pass_over(error: InvalidInput) -> None:
            refused.append(error)
            if on_error is not None:
                on_error(error)

        problem = pass_over if on_error is not None else None
        wanted = list(self._young_enough(records(builds, on_error=problem), problem, refused))
        return attrs.evolve(self._store(wanted, supersedes, tx), refused=tuple(refused))

    def observe(self, sightings: Iterable[BuildRecord], *, tx: Transaction | None = None) -> Submission:
        """Store what was seen of builds: each sighting is combined with what is known of its build (see ``rules.merging.combined``).

        Sightings that ``submit`` refuses are passed over: nobody can be told.
        """
        refused: list[InvalidInput] = []
        wanted = list(self._young_enough(sightings, refused.append, refused))
        return attrs.evolve(self._store(wanted, combined, tx), refused=tuple(refused))

    def _young_enough(
        self, builds: Iterable[BuildRecord], on_error: OnError | None, refused: Sequence[InvalidInput]
    ) -> Iterator[BuildRecord]:
        horizon, good = self._horizon(), 0
        for build in builds:
            problem = _problem(build, horizon)
            if problem is None:
                good += 1
                yield build
                continue
            # Rows that could not be read were refused before, and are counted among the rows.
            row = good + len(refused) + 1
            error = InvalidInput(f"The build {build.build_id!r} {problem}.", row=row, problems=[{"pointer": "", "message": problem}])
            if on_error is None:
                raise error
            on_error(error)

    def _horizon(self) -> datetime | None:
        days = self._settings().retention_days
        return None if days is None else self._clock.now() - timedelta(days=days)

    def _store(self, builds: Sequence[BuildRecord], decide: Decide, tx: Transaction | None) -> Submission:
        counts = dict.fromkeys(Taken, 0)
        told: dict[str, dict[Taken, int]] = {}
        with writing(self._storage, tx) as unit:
            for start in range(0, len(builds), _BATCH):
                stored = store(self._storage.builds(unit), builds[start : start + _BATCH], decide)
                for project, taken in stored.taken.items():
                    own = told.setdefault(project, dict.fromkeys(Taken, 0))
                    for what, number in taken.items():
                        counts[what] += number
                        own[what] += number
            for project, own in sorted(told.items()):
                if own[Taken.NEW] or own[Taken.UPDATED]:
                    self._recorder.record(unit, BuildsSubmitted(project=project, accepted=own[Taken.NEW], updated=own[Taken.UPDATED]))
        return Submission(accepted=counts[Taken.NEW], updated=counts[Taken.UPDATED], duplicates=counts[Taken.DUPLICATE])

    # Telling

    def analysis(
        self,
        *,
        project: str | None = None,
        branch: str | None = None,
        workflow: str | None = None,
        event: str | None = None,
        actor: str | None = None,
        since: date | None = None,
        until: date | None = None,
        zone: tzinfo = UTC,
        as_of: datetime | None = None,
        expected: int | None = None,
        environment: str = "production",
        incidents: Collection[Incident] | None = None,
        compat: Compat | None = None,
        tx: Transaction | None = None,
    ) -> Analysis:
        """Return what the stored builds come to: the same as ``forgekit.builds.analyse`` of them.

        Of one project or all it is read from the roll-ups: the cost grows with projects and days, not with builds. Builds of a branch,
        workflow, event or actor are read themselves; pruned ones are not among them.

        Args:
            project: The project; None for all.
            branch: Only builds of this branch.
            workflow: Only builds of this workflow.
            event: Only builds caused by this.
            actor: Only builds caused by them.
            since: First UTC day that counts; None for the first.
            until: Last UTC day that counts; None for the last.
            zone: Time zone of the heat map.
            as_of: The moment by which ages are told; None for the latest of any build.
            expected: How many builds there are, for the completeness.
            environment: Which builds' deployments the DORA metrics are about.
            incidents: What they broke; None where nobody tells.
            compat: Whose success, failure and error rates are told; None for ours. See ``rules.compatibility``.
            tx: Read in this transaction.

        Raises:
            InvalidInput: The first day is after the last, or nobody knows such rates.

        """
        check_window(since, until)
        check_compat(compat)
        asked = Asked(
            project=project, since=since, until=until, zone=zone, as_of=as_of,
            expected=expected, environment=environment, incidents=incidents,
        )  # fmt: skip
        with reading(self._storage, tx) as unit:
            repository = self._storage.builds(unit)
            if _may_be(project) and branch is None and workflow is None and event is None and actor is None:
                return compatible(recall(repository, asked), compat)
            wanted = BuildFilter(project=project, branch=branch, workflow=workflow, event=event, actor=actor)
            found = list(repository.builds(wanted)) if _may_be(project) else []
        made = analyse(
            found, since=since, until=until, zone=zone, as_of=as_of, expected=expected, environment=environment, incidents=incidents
        )
        return compatible(made, compat)

    def request_analysis(
        self,
        *,
        project: str | None = None,
        branch: str | None = None,
        since: date | None = None,
        until: date | None = None,
        tx: Transaction | None = None,
    ) -> str:
        """Ask for an analysis in the background, and return the request's id; ``AnalysisMade`` tells of its end.

        What is asked for is what ``analysis`` returns at any time: this is for those who want to be told.

        Raises:
            InvalidInput: The first day is after the last.

        """
        check_window(since, until)
        job_id = uuid7(self._clock.now())
        with writing(self._storage, tx) as unit:
            self._recorder.record(unit, AnalysisRequested(job_id=job_id, project=project, branch=branch, since=since, until=until))
        return job_id

    def _analyse(self, asked: AnalysisRequested, tx: Transaction) -> None:
        made = self.analysis(project=asked.project, branch=asked.branch, since=asked.since, until=asked.until, tx=tx)
        self._recorder.record(tx, AnalysisMade(job_id=asked.job_id, n_builds=made.n_builds, success_rate=made.overall_success_rate))

    def count(self, *, project: str | None = None, tx: Transaction | None = None) -> int:
        """Return how many builds were ever stored, pruned ones too; 0 where there was none."""
        with reading(self._storage, tx) as unit:
            wanted = None if project is None else [project]
            nodes = self._storage.builds(unit).read_nodes(Span.PAST, wanted, counts=False)
            return sum(node.digest["metrics"]["n_builds"] for _, node in nodes if node.digest is not None)

    def projects(self, *, tx: Transaction | None = None) -> Sequence[str]:
        """Return the names of all projects with builds, sorted."""
        with reading(self._storage, tx) as unit:
            return [key.project for key, _ in self._storage.builds(unit).read_nodes(Span.PAST, None, counts=False)]

    def build(self, key: Key, *, tx: Transaction | None = None) -> BuildRecord | None:
        """Return one build; None where it is not known."""
        with reading(self._storage, tx) as unit:
            return self._storage.builds(unit).build(key)

    def builds(
        self,
        *,
        project: str | None = None,
        branch: str | None = None,
        workflow: str | None = None,
        since: date | None = None,
        until: date | None = None,
        open_only: bool = False,
        tx: Transaction | None = None,
    ) -> Iterator[BuildRecord]:
        """Yield stored builds, by project, system, id and attempt; few are in memory at a time.

        Args:
            project: Of this project.
            branch: Of this branch.
            workflow: Of this workflow.
            since: Started on this UTC day or later.
            until: Started on this UTC day or earlier.
            open_only: Only those that have not ended.
            tx: Read in this transaction.

        Raises:
            InvalidInput: A day is none, or the first is after the last; told when the first build is asked for.

        """
        check_window(since, until)
        end = None if until is None else datetime.combine(until + timedelta(days=1), time(), UTC)
        start = None if since is None else datetime.combine(since, time(), UTC)
        wanted = BuildFilter(project=project, branch=branch, workflow=workflow, since=start, until=end, open_only=open_only)
        with reading(self._storage, tx) as unit:
            yield from self._storage.builds(unit).builds(wanted)

    # Keeping

    def rebuild(self, *, forget_pruned: bool = False, progress: Progress | None = None, tx: Transaction | None = None) -> int:
        """Count all roll-ups anew from the stored builds, in one transaction; return how many builds were counted.

        They come out as they were: this is for the case that a database was changed by other means.

        Args:
            forget_pruned: Whether roll-ups of builds that are not stored any more may go.
            progress: Called after each project.
            tx: Commit with this transaction.

        Raises:
            Conflict: Builds were pruned, so that their roll-ups cannot be counted anew.

        """
        with writing(self._storage, tx) as unit:
            repository = self._storage.builds(unit)
            repository.lock()
            known, stored, count = self.count(tx=unit), repository.count(), 0
            if stored < known and not forget_pruned:
                # Before anything is cleared: who gave the transaction may commit it all the same.
                raise Conflict(f"{known - stored} builds were pruned: their roll-ups cannot be counted anew.", pruned=known - stored)
            repository.clear_rollups()
            for _, builds in itertools.groupby(repository.builds(BuildFilter()), lambda build: build.project):
                count += recount(repository, list(builds))
                if progress is not None:
                    progress(count, stored)
        return count

    def prune(self, *, tx: Transaction | None = None) -> int:
        """Delete builds past the retention, and return how many; their roll-ups stay.

        Kept are deployments, builds that have not ended, those of the last 14 days before the retention's end, with which commits are
        still compared, and of each timeline the few on which later ones follow.
        """
        horizon = self._horizon()
        if horizon is None:
            return 0
        count = 0
        with writing(self._storage, tx) as unit:
            repository = self._storage.builds(unit)
            repository.lock()
            old = repository.builds(BuildFilter(until=horizon - COMMIT_MEMORY))
            for _, builds in itertools.groupby(old, lambda build: build.project):
                keys = prunable(builds, horizon - COMMIT_MEMORY)
                repository.delete(keys)
                count += len(keys)
        return count

    def handlers(self) -> Sequence[Handler]:
        """Return the durable handlers of this domain."""
        return [Handler(name="builds.analyse", event=AnalysisRequested, run=self._analyse)]

    def schedules(self) -> Sequence[Schedule]:
        """Return the loops of this domain, for the worker."""

        def retain() -> None:
            self.prune()

        return [Schedule(name="builds.retention", run=retain, every=timedelta(days=1)), *self._imports.schedules()]


def _may_be(project: str | None) -> bool:
    """Tell whether a project may have this name: a database takes one that no project has for all of them, or for an error."""
    return project is None or (project != "" and is_storable(project))


def _problem(build: BuildRecord, horizon: datetime | None) -> str | None:
    if not build.project or not build.build_id or not build.provider:
        return "needs a project, an id and a provider"
    moment = build.ended_at or build.started_at
    if horizon is not None and build.status in FINISHED and moment is not None and moment < horizon:
        return "is older than the retention"
    return text_problem(build)
