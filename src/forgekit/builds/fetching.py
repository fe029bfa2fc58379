"""One import under way: pages are fetched, and stored together with how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import attrs

from forgekit.builds.imports import Checkpoint, ImportKey, ImportReport
from forgekit.builds.models import FINISHED, BuildRecord, Key
from forgekit.builds.ports import (
    BuildImportRepositories,
    BuildPage,
    BuildQuery,
    BuildSource,
    CountsCalls,
    TellsAttempts,
    TellsJobs,
    TellsNews,
)
from forgekit.builds.rules.resuming import Leg, begun, next_leg, read, with_jobs
from forgekit.errors import Conflict
from forgekit.kernel.clock import Clock
from forgekit.kernel.storage.ports import TransactionSource
from forgekit.kernel.storage.transaction import Transaction

LEASE = timedelta(seconds=90)
"""How long an import is ours without a sign of life."""

BATCH = 500
"""Builds to store at once: a transaction a page would cost more than the pages' builds."""

_JOBS_BATCH = 20
"""Builds whose jobs are stored at once: each cost a call."""


class Taking(Protocol):
    """What became of builds (``Submission``)."""

    @property
    def accepted(self) -> int:
        """How many are new."""
        ...

    @property
    def updated(self) -> int:
        """How many were known and changed."""
        ...

    @property
    def duplicates(self) -> int:
        """How many were known so."""
        ...


class Desk(Protocol):
    """Where builds are kept (``forge.builds``)."""

    def observe(self, sightings: Iterable[BuildRecord], *, tx: Transaction | None = None) -> Taking:
        """Store builds, each combined with what is known of it."""
        ...

    def build(self, key: Key) -> BuildRecord | None:
        """Return a stored build."""
        ...

    def builds(
        self, *, project: str | None = None, branch: str | None = None, workflow: str | None = None, open_only: bool = False
    ) -> Iterator[BuildRecord]:
        """Yield stored builds."""
        ...


class ImportStorage(TransactionSource, BuildImportRepositories, Protocol):
    """What imports need of a storage."""


@attrs.define(kw_only=True)
class Fetching:
    """An import under way, in this process.

    What it did so far stays when it is interrupted: ``steps`` may be called again, here with the same object or elsewhere with a new one.

    Attributes:
        key: What is imported.
        since: From when on; None from the beginning.
        with_jobs: Whether jobs are fetched too.
        source: The system.
        desk: Where builds are kept.
        storage: Where checkpoints are kept.
        clock: The forge's clock.
        holder: Who holds the key meanwhile; unique.
        report: What came so far.

    """

    key: ImportKey
    since: datetime | None
    with_jobs: bool
    source: BuildSource
    desk: Desk
    storage: ImportStorage
    clock: Clock
    holder: str
    report: ImportReport = ImportReport()
    _told: bool = False
    _legs: dict[bool, int | None] = attrs.field(factory=dict)
    _seen: set[str] = attrs.field(factory=set)
    _looked: set[Key] = attrs.field(factory=set)
    _unchanged_since: datetime | None = None
    _incomplete: bool = False
    _jobs_total: int = 0

    @property
    def total(self) -> int | None:
        """How many builds there are, as far as is known; with those whose jobs are fetched too."""
        return None if self.report.total is None else max(self.report.total, self.report.fetched) + self._jobs_total

    def steps(self) -> Iterator[None]:
        """Import, yielding after each thing that was stored.

        Raises:
            Conflict: Somebody else imports the same.
            RemoteError: The source's errors; what was stored stays.

        """
        point = self._take()
        try:
            while (leg := next_leg(point, self.since, told=self._told)) is not None:
                self._told = self._told or (leg.until is None and leg.cursor is None)
                for at in self._read(begun(point, leg), leg):
                    point = at
                    yield
            for _ in self._look_again(point):
                yield
            if self.with_jobs and isinstance(self.source, TellsJobs):
                for _ in self._fetch_jobs(point, self.source):
                    yield
        finally:
            self._count_calls()
            self._release()

    # Lists

    def _read(self, point: Checkpoint, leg: Leg) -> Iterator[Checkpoint]:
        """Read a list page by page and store it in batches; yield the checkpoint behind each."""
        waiting: list[BuildRecord] = []
        for at, builds in self._pages(point, leg):
            waiting += builds
            point = at
            if len(waiting) >= BATCH or point.cursor is None:
                self._store(waiting, point)
                waiting = []
                yield point
        self._finish_leg(point)

    def _pages(self, point: Checkpoint, leg: Leg) -> Iterator[tuple[Checkpoint, Sequence[BuildRecord]]]:
        query = BuildQuery(branch=self.key.branch or None, workflow=self.key.workflow or None, since=leg.since, until=leg.until)
        cursor = leg.cursor
        if cursor is None and leg.until is None and isinstance(self.source, TellsNews):
            news = self.source.newest(self.key.project, query, mark=point.mark)
            if news.page is None:
                self._unchanged_since = point.mark_since
                yield point, ()
                return
            point = attrs.evolve(point, mark=news.mark, mark_since=news.since)
            point = self._behind(point, news.page)
            yield point, self._whole(news.page.builds)
            cursor = news.page.cursor
            if cursor is None:
                return
        for page in self.source.pages(self.key.project, query, cursor=cursor):
            point = self._behind(point, page)
            yield point, self._whole(page.builds)

    def _behind(self, point: Checkpoint, page: BuildPage) -> Checkpoint:
        ids = {build.build_id for build in page.builds}
        new = len(ids - self._seen)
        self._seen |= ids
        behind = read(point, page.builds, cursor=page.cursor, new=new, total=page.total)
        others = sum(total or 0 for news, total in self._legs.items() if news is not (point.ceiling is None))
        if behind.total is not None:
            self._legs[point.ceiling is None] = behind.total
            self.report = attrs.evolve(self.report, total=others + behind.total)
        return behind

    def _finish_leg(self, point: Checkpoint) -> None:
        self._seen.clear()
        if point.total is not None and self._legs:
            self._incomplete = self._incomplete or point.listed < point.total
            self.report = attrs.evolve(self.report, complete=not self._incomplete)

    def _whole(self, builds: Sequence[BuildRecord]) -> list[BuildRecord]:
        """Return builds with the earlier attempts of those that are re-runs, as far as they are not here yet."""
        whole = list(builds)
        if isinstance(self.source, TellsAttempts):
            for build in builds:
                if build.attempt > 1 and not self._ended_before(build):
                    whole += self.source.earlier(build)
        self._looked.update(build.key for build in whole)
        return whole

    def _ended_before(self, build: BuildRecord) -> bool:
        """Tell whether every earlier attempt is here, with its end."""
        keys = (build.key._replace(attempt=attempt) for attempt in range(1, build.attempt))
        found = (self.desk.build(key) for key in keys)
        return all(known is not None and known.status in FINISHED for known in found)

    # Builds that had not ended

    def _look_again(self, point: Checkpoint) -> Iterator[None]:
        """Fetch again what is here and has not ended, unless it was in a list just now."""
        for build in self._stored(point, open_only=True):
            unchanged = self._unchanged_since is not None and build.queued_at is not None and build.queued_at >= self._unchanged_since
            if build.key in self._looked or (unchanged and build.attempt == 1):
                continue
            found = self.source.run(build.project, build.build_id)
            self._looked.update({build.key, *(each.key for each in found)})
            if found:
                self._store(found, None)
                yield

    def _stored(self, point: Checkpoint, *, open_only: bool = False) -> list[BuildRecord]:
        """Return the stored builds of what is imported, newest first; those that came in other ways too."""
        if point.name is None:
            return []
        found = self.desk.builds(project=point.name, branch=self.key.branch or None, workflow=point.label, open_only=open_only)
        own = [build for build in found if build.provider == self.key.source and build.build_id.isdigit() == _numbered(build)]
        return sorted(own, key=lambda build: (build.queued_at is not None, build.queued_at, build.key), reverse=True)

    # Jobs

    def _fetch_jobs(self, point: Checkpoint, source: TellsJobs) -> Iterator[None]:
        """Fetch the jobs of every build that ended and has none."""
        wanted = [build.key for build in self._stored(point) if self._lacks_jobs(build)]
        self._jobs_total = len(wanted)
        for start in range(0, len(wanted), _JOBS_BATCH):
            found = []
            for key in wanted[start : start + _JOBS_BATCH]:
                build = self.desk.build(key)
                if build is not None:
                    found.append(with_jobs(build, source.jobs(build)))
            self._store([build for build in found if build.jobs], None, fetched=len(found))
            yield

    def _lacks_jobs(self, build: BuildRecord) -> bool:
        wanted = self.since is None or build.queued_at is None or build.queued_at >= self.since
        return wanted and build.status in FINISHED and not build.jobs

    # Storing

    def _store(self, builds: Collection[BuildRecord], point: Checkpoint | None, *, fetched: int | None = None) -> None:
        """Store builds, and with them how far the import has come."""
        with self.storage.transaction() as tx:
            imports = self.storage.build_imports(tx)
            held = self._held(imports.lock_checkpoint(self.key))
            taken = self.desk.observe(builds, tx=tx)
            imports.save_checkpoint(self._prolonged(held if point is None else point))
        report = self.report
        self.report = attrs.evolve(
            report,
            fetched=report.fetched + (len(builds) if fetched is None else fetched),
            accepted=report.accepted + taken.accepted,
            updated=report.updated + taken.updated,
            duplicates=report.duplicates + taken.duplicates,
            open=report.open + sum(build.status not in FINISHED for build in builds),
        )
        self._count_calls()

    def _count_calls(self) -> None:
        if isinstance(self.source, CountsCalls):
            self.report = attrs.evolve(self.report, calls=self.source.calls)

    def hold(self, lease: timedelta) -> None:
        """Keep the key for longer than usual, for a wait.

        Raises:
            Conflict: Somebody else has it.

        """
        self._take(lease)

    def _take(self, lease: timedelta = LEASE) -> Checkpoint:
        with self.storage.transaction() as tx:
            imports = self.storage.build_imports(tx)
            point = imports.lock_checkpoint(self.key)
            free = point.holder in {None, self.holder} or point.held_until is None or point.held_until <= self.clock.now()
            if not free:
                raise _conflict(self.key)
            point = self._prolonged(point, lease)
            imports.save_checkpoint(point)
        return point

    def _held(self, point: Checkpoint) -> Checkpoint:
        if point.holder != self.holder:
            raise _conflict(self.key)
        return point

    def _prolonged(self, point: Checkpoint, lease: timedelta = LEASE) -> Checkpoint:
        return attrs.evolve(point, holder=self.holder, held_until=self.clock.now() + lease)

    def _release(self) -> None:
        with self.storage.transaction() as tx:
            imports = self.storage.build_imports(tx)
            point = imports.lock_checkpoint(self.key)
            if point.holder == self.holder:
                imports.save_checkpoint(attrs.evolve(point, holder=None, held_until=None))


def _conflict(key: ImportKey) -> Conflict:
    return Conflict(f"{key.project} is being imported from {key.source} already.", source=key.source, project=key.project)
