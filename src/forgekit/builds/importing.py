"""Imports of builds from the systems that have them: in the foreground, or in the background as rows that the worker runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import attrs

from forgekit.builds.events import BuildImportChanged
from forgekit.builds.fetching import Fetching
from forgekit.builds.holding import LEASE, Desk, Hold, ImportStorage
from forgekit.builds.imports import BuildImport, ImportReport, ImportStatus, Wanted
from forgekit.builds.ports import BuildSource, Progress, Waiting
from forgekit.errors import (
    BudgetExhausted,
    Conflict,
    ForgeClosed,
    ForgekitError,
    RemoteRateLimited,
    UnknownPlugin,
)
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Schedule
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.events.rules import backoff
from forgekit.kernel.ids import uuid7
from forgekit.kernel.net.budgets import Priority
from forgekit.kernel.storage.transaction import Transaction
from forgekit.kernel.storage.units import reading, writing

_log = logging.getLogger(__name__)

SCHEDULE = "builds.imports"
"""The work on demand that runs imports."""

PATIENCE = timedelta(minutes=15)
"""How long an import in the foreground waits for limits in all, where somebody sees its progress and nothing else is said."""

_SLICE = 2.0
"""Seconds for which one import goes on before the next has its turn; a worker that is told to stop waits for the end of it."""

_TELL_EVERY = timedelta(seconds=1)
_TAKEN = timedelta(seconds=30)
_MOST_FAILURES = 10
_LIMITS = (RemoteRateLimited, BudgetExhausted)


class BuildImports:
    """Imports builds; ``forge.builds`` hands its verbs on."""

    def __init__(
        self,
        storage: ImportStorage,
        desk: Desk,
        recorder: Recorder,
        clock: Clock,
        *,
        sources: Mapping[str, Callable[[Priority], BuildSource]],
        wake: Callable[[], None],
        pause: Callable[[float], object],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Put the parts together.

        Args:
            storage: Where imports are kept.
            desk: Where builds are kept.
            recorder: Takes events.
            clock: The forge's clock.
            sources: Opens a source for those who wait for its calls, by the source's name.
            wake: Tells the worker that there is work.
            pause: Waits some seconds for a limit; raises ``ForgeClosed`` where the forge is closed meanwhile.
            monotonic: Seconds of any origin.

        """
        self._storage = storage
        self._desk = desk
        self._recorder = recorder
        self._clock = clock
        self._sources = sources
        self._wake = wake
        self._pause = pause
        self._monotonic = monotonic
        self._under_way: dict[str, Fetching] = {}

    def sources(self) -> Sequence[str]:
        """Return the names of the systems that plugins offer, sorted."""
        return sorted(self._sources)

    # In the foreground

    def run(
        self, asked: Wanted, *, progress: Progress | None = None, waiting: Waiting | None = None, patience: timedelta | None = None
    ) -> ImportReport:
        """Import builds, and return when they are here; ``forge.builds.import_builds`` tells of the arguments and the errors."""
        fetching = self._open(asked, Priority.PEOPLE)
        if patience is None:
            patience = timedelta(0) if progress is None else PATIENCE
        while True:
            try:
                # Closed whatever happens: a progress that fails must not leave the key taken.
                with closing(fetching.steps()) as steps:
                    for _ in steps:
                        if progress is not None:
                            progress(fetching.done, fetching.total)
            except _LIMITS as error:
                patience = self._wait(fetching, error, patience, waiting)
            else:
                return fetching.report

    def _wait(self, fetching: Fetching, error: ForgekitError, patience: timedelta, waiting: Waiting | None) -> timedelta:
        """Wait for a limit, and return the patience that is left."""
        wait = timedelta(seconds=error.retry_after) if error.retry_after is not None else None
        if wait is None or wait > patience:
            raise _told_until(error, self._clock.now(), wait) from error
        fetching.hold.take(wait + LEASE)
        try:
            if waiting is not None:
                waiting(self._clock.now() + wait)
            self._pause(wait.total_seconds())
        except BaseException:
            # Who stops a program by hand may start it again at once.
            fetching.hold.release()
            raise
        return patience - wait

    # In the background

    def request(self, asked: Wanted, *, tx: Transaction | None = None) -> BuildImport:
        """Ask for an import by the worker, and return it as it stands; see ``forge.builds.request_import``."""
        key = asked.key
        self._factory(key.source)
        now = self._clock.now()
        with writing(self._storage, tx) as unit:
            claims = self._storage.claims(unit)
            # As a worker makes it: a request alone makes a schedule that runs once and never comes back by itself. The request holds the
            # schedule until the commit, so that two who ask for the same take turns.
            claims.ensure_schedule(SCHEDULE, enabled=True, due_at=None)
            claims.request_schedule(SCHEDULE, now=now, delay=timedelta(0), at_most=timedelta(0))
            imports = self._storage.build_imports(unit)
            for known in imports.unfinished_imports():
                if known.wanted == asked:
                    return known
            one = BuildImport(
                id=uuid7(now), source=key.source, project=key.project, branch=key.branch or None, workflow=key.workflow or None,
                since=asked.since, jobs=asked.jobs, requested_at=now,
            )  # fmt: skip
            imports.save_import(one)
            self._recorder.record(unit, _change(one))
            unit.after_commit(self._wake)
        return one

    def imports(self, *, limit: int = 20, tx: Transaction | None = None) -> Sequence[BuildImport]:
        """Return the latest imports in the background, the last first."""
        with reading(self._storage, tx) as unit:
            return self._storage.build_imports(unit).imports(limit=limit)

    def state(self, import_id: str, *, tx: Transaction | None = None) -> BuildImport | None:
        """Return how an import in the background stands; None where there is no such."""
        with reading(self._storage, tx) as unit:
            return self._storage.build_imports(unit).find_import(import_id)

    def schedules(self) -> Sequence[Schedule]:
        """Return the work on demand of imports, for the worker."""
        return [Schedule(name=SCHEDULE, run=self.run_due)]

    def run_due(self) -> float | None:
        """Go on with the import that waited longest, for a while; return in how many seconds there is more, None for nothing more.

        The schedule's lease sees to it that one process does so at a time, and another one where that is killed.
        """
        now = self._clock.now()
        unfinished = self._unfinished()
        # What another process brought to its end meanwhile is forgotten here.
        self._under_way = {each.id: self._under_way[each.id] for each in unfinished if each.id in self._under_way}
        due = [each for each in unfinished if each.retry_at is None or each.retry_at <= now]
        if due:
            self._go_on(min(due, key=lambda each: (each.changed_at or each.requested_at, each.id)))
        waits = [0.0 if each.retry_at is None else (each.retry_at - self._clock.now()).total_seconds() for each in self._unfinished()]
        return max(min(waits), 0.0) if waits else None

    def _unfinished(self) -> Sequence[BuildImport]:
        with self._storage.transaction(write=False) as tx:
            return self._storage.build_imports(tx).unfinished_imports()

    def _go_on(self, one: BuildImport) -> None:
        now, was = self._clock.now(), one.status
        one = attrs.evolve(
            one, status=ImportStatus.RUNNING, started_at=one.started_at or now, changed_at=now, retry_at=None, error=None, code=None
        )
        self._save(one, was)
        try:
            fetching = self._under_way.get(one.id) or self._open(one.wanted, Priority.POLL)
            self._under_way[one.id] = fetching
            for stands in self._slice(one, fetching):
                one = stands  # what came before an error is told with it
        except ForgeClosed:
            raise
        except Exception as error:  # noqa: BLE001 - one import's failure must not take the others with it
            one = self._stopped(self._told(one), error)
        if one.status is not ImportStatus.RUNNING:
            # What waits is opened anew later, perhaps with other settings: the checkpoint tells where it goes on.
            self._under_way.pop(one.id, None)
        self._save(one, ImportStatus.RUNNING)

    def _slice(self, one: BuildImport, fetching: Fetching) -> Iterator[BuildImport]:
        """Go on for a while; yield the import as it stands after each step, and at the end."""
        ends, told, over = self._monotonic() + _SLICE, self._clock.now(), True
        with closing(fetching.steps()) as steps:
            for _ in steps:
                one = attrs.evolve(self._told(one), failures=0)
                yield one
                if self._clock.now() - told >= _TELL_EVERY:
                    told = self._clock.now()
                    self._save(one, ImportStatus.RUNNING)
                    self._recorder.emit(_change(one))
                if self._monotonic() >= ends:
                    over = False
                    break
        one = self._told(one)
        if over:
            one = attrs.evolve(one, status=ImportStatus.DONE, finished_at=self._clock.now(), complete=fetching.report.complete)
        yield one

    def _told(self, one: BuildImport) -> BuildImport:
        """Return an import with what came so far; what an earlier process counted stays counted."""
        fetching = self._under_way.get(one.id)
        if fetching is None:
            return one
        report, told = fetching.report, fetching.told
        fetching.told = report
        return attrs.evolve(
            one,
            fetched=max(one.fetched, fetching.done),
            total=one.total if fetching.total is None else fetching.total,
            accepted=one.accepted + report.accepted - told.accepted,
            updated=one.updated + report.updated - told.updated,
            duplicates=one.duplicates + report.duplicates - told.duplicates,
            calls=one.calls + (report.calls or 0) - (told.calls or 0),
            changed_at=self._clock.now(),
        )

    def _stopped(self, one: BuildImport, error: Exception) -> BuildImport:
        """Return an import that met an error: it waits where waiting may help, else it has failed."""
        now, failures, wait = self._clock.now(), one.failures, None
        if not isinstance(error, ForgekitError):
            _log.error("the import %s of %s failed", one.id, one.project, exc_info=error)
            error = ForgekitError(f"Something unexpected happened: {type(error).__name__}.")
        if isinstance(error, _LIMITS):
            wait = timedelta(seconds=60.0 if error.retry_after is None else error.retry_after)
            error = _told_until(error, now, wait)
        elif isinstance(error, Conflict):
            wait = _TAKEN
        elif error.retryable and failures < _MOST_FAILURES:
            failures += 1
            wait = max(backoff(failures, 0.5), timedelta(seconds=error.retry_after or 0))
        told: dict[str, Any] = {"error": error.message, "code": error.code, "failures": failures}
        if wait is None:
            return attrs.evolve(one, status=ImportStatus.FAILED, finished_at=now, **told)
        return attrs.evolve(one, status=ImportStatus.WAITING, retry_at=now + wait, **told)

    def _save(self, one: BuildImport, was: ImportStatus) -> None:
        with self._storage.transaction() as tx:
            self._storage.build_imports(tx).save_import(one)
            if one.status is not was:
                self._recorder.record(tx, _change(one))

    # Sources

    def _open(self, asked: Wanted, priority: Priority) -> Fetching:
        key = asked.key
        hold = Hold(key=key, holder=uuid7(self._clock.now()), storage=self._storage, desk=self._desk, clock=self._clock)
        return Fetching(hold=hold, source=self._factory(key.source)(priority), since=asked.since, jobs=asked.jobs)

    def _factory(self, source: str) -> Callable[[Priority], BuildSource]:
        if source not in self._sources:
            offered = ", ".join(sorted(self._sources)) or "none"
            raise UnknownPlugin(f"No plugin offers the build source {source!r} (offered: {offered}).", name=source)
        return self._sources[source]


def _change(one: BuildImport) -> BuildImportChanged:
    return BuildImportChanged(
        import_id=one.id,
        source=one.source,
        project=one.project,
        status=one.status,
        fetched=one.fetched,
        total=one.total,
        retry_at=one.retry_at,
        code=one.code,
    )


def _told_until(error: ForgekitError, now: datetime, wait: timedelta | None) -> ForgekitError:
    """Return the error of a limit with the moment at which it ends, for people and for programs."""
    if wait is None:
        return error
    until = now + wait
    data = {**error.data, "until": until.isoformat(timespec="seconds")}
    whose = "The system's limit on calls" if isinstance(error, RemoteRateLimited) else "The budget of calls"
    message = f"{whose} is used up until {until:%Y-%m-%d %H:%M} UTC; the import goes on from where it stopped."
    return type(error)(message, retry_after=wait.total_seconds(), **data)
