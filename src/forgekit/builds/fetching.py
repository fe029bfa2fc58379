"""One import under way: pages are fetched, and stored together with how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from datetime import UTC, datetime

import attrs

from forgekit.builds.holding import Hold
from forgekit.builds.imports import Checkpoint, ImportReport
from forgekit.builds.models import FINISHED, BuildRecord, Key, Status
from forgekit.builds.ports import BuildPage, BuildQuery, BuildSource, CountsCalls, TellsAttempts, TellsJobs, TellsNews
from forgekit.builds.rules.resuming import (
    Leg,
    attempts_wanted,
    begun,
    ended,
    fetched_attempts,
    forgotten,
    next_leg,
    read,
    usable_mark,
    with_jobs,
)
from forgekit.errors import ForgekitError, InvalidInput

BATCH = 500
"""Builds to store at once: a transaction for each page would cost more than the pages' builds."""

_JOBS_BATCH = 20
"""Builds whose jobs are stored at once: each of them cost a call."""

_REMEMBERED = 5_000
"""Builds that are recognised where they come on a second page."""

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@attrs.define(kw_only=True)
class Fetching:
    """An import under way, in this process.

    What was stored stays when it is interrupted: ``steps`` may be called again, of this object or elsewhere of a new one.

    Attributes:
        hold: The key, and where builds and checkpoints are kept.
        source: The system.
        since: From when on; None from the beginning.
        jobs: Whether jobs are fetched too.
        report: What came so far.
        told: What of the report was noted elsewhere already.

    """

    hold: Hold
    source: BuildSource
    since: datetime | None = None
    jobs: bool = False
    report: ImportReport = attrs.field(factory=ImportReport)
    told: ImportReport = attrs.field(factory=ImportReport)
    _news_read: bool = attrs.field(default=False, init=False)
    _seen: set[str] = attrs.field(factory=set, init=False)
    _looked: set[Key] = attrs.field(factory=set, init=False)
    _unchanged_since: datetime | None = attrs.field(default=None, init=False)
    _listed: int = attrs.field(default=0, init=False)
    _lists: int = attrs.field(default=0, init=False)
    _lists_total: int = attrs.field(default=0, init=False)
    _jobs: int = attrs.field(default=0, init=False)
    _jobs_total: int = attrs.field(default=0, init=False)

    @property
    def done(self) -> int:
        """How many runs were listed, and how many had their jobs fetched."""
        return self._lists + self._listed + self._jobs

    @property
    def total(self) -> int | None:
        """What ``done`` grows to, as far as is known."""
        if self.report.total is None and not self._jobs_total:
            return None
        return max((self.report.total or 0) + self._jobs_total, self.done)

    def steps(self) -> Generator[None, None, None]:
        """Import, yielding after each thing that was stored.

        Raises:
            Conflict: Somebody else imports the same.
            RemoteError: The source's errors; what was stored stays, and what was fetched is stored first.

        """
        point = self.hold.take()
        try:
            for _ in self._steps(point):
                self._count_calls()
                yield
        finally:
            self._count_calls()
            self.hold.release()

    def _steps(self, point: Checkpoint) -> Iterator[None]:
        for at in self._attempts(point):
            point = at
            yield
        while (leg := next_leg(point, self.since, told=self._news_read)) is not None:
            try:
                for at in self._list(begun(point, leg), leg):
                    point = at
                    yield
            except InvalidInput:
                if leg.cursor is None:
                    raise
                # The cursor is of another version of the source: what it stood for is read from the beginning.
                point = forgotten(point)
                continue
        yield from self._look_again(point)
        if self.jobs and isinstance(self.source, TellsJobs):
            yield from self._fetch_jobs(point, self.source)

    # Lists

    def _list(self, point: Checkpoint, leg: Leg) -> Iterator[Checkpoint]:
        """Read a list page by page and store it in batches; yield the checkpoint behind each."""
        waiting: list[BuildRecord] = []
        read_some = False
        try:
            for behind, builds in self._pages(point, leg):
                point, read_some = behind, True
                waiting += builds
                if len(waiting) < BATCH and point.cursor is not None:
                    continue
                batch, waiting = waiting, []
                self._store(batch, point)
                if point.cursor is None:
                    self._end_list(point, leg)
                yield point
                for at in self._attempts(point):
                    point = at
                    yield point
        except ForgekitError:
            if waiting:
                self._store(waiting, point)
            raise
        if point.cursor is None and not read_some:
            self._end_list(point, leg)  # nothing is new

    def _pages(self, point: Checkpoint, leg: Leg) -> Iterator[tuple[Checkpoint, Sequence[BuildRecord]]]:
        key = self.hold.key
        query = BuildQuery(branch=key.branch or None, workflow=key.workflow or None, since=leg.since, until=leg.until)
        cursor = leg.cursor
        if cursor is None and leg.until is None and isinstance(self.source, TellsNews):
            news = self.source.newest(key.project, query, mark=usable_mark(point))
            if news.page is None:
                self._unchanged_since = point.mark_since
                return
            point = self._behind(attrs.evolve(point, mark=news.mark, mark_since=news.since), news.page)
            yield point, news.page.builds
            cursor = news.page.cursor
            if cursor is None:
                return
        for page in self.source.pages(key.project, query, cursor=cursor):
            point = self._behind(point, page)
            yield point, page.builds

    def _behind(self, point: Checkpoint, page: BuildPage) -> Checkpoint:
        ids = {build.build_id for build in page.builds}
        new = len(ids - self._seen) + page.others
        # A build comes twice on pages near each other, if at all.
        self._seen = ids | self._seen if len(self._seen) < _REMEMBERED else ids
        wanted = [build for build in page.builds if self._lacks_attempts(build)]
        point = read(point, page.builds, cursor=page.cursor, new=new, total=page.total, wanted=wanted)
        self._looked.update(build.key for build in page.builds if build.status not in FINISHED)
        self._listed = point.listed
        if point.total is not None:
            self.report = attrs.evolve(self.report, total=self._lists_total + point.total)
        return point

    def _end_list(self, point: Checkpoint, leg: Leg) -> None:
        self._news_read = self._news_read or (leg.until is None and leg.cursor is None)
        self._seen.clear()
        self._lists += point.listed
        self._listed = 0
        self._lists_total += point.listed if point.total is None else point.total
        if point.total is not None:
            complete = self.report.complete is not False and point.listed >= point.total
            self.report = attrs.evolve(self.report, complete=complete)

    # Earlier attempts

    def _lacks_attempts(self, build: BuildRecord) -> bool:
        """Tell whether an earlier attempt of a re-run is not here, or without its end."""
        if build.attempt == 1 or not isinstance(self.source, TellsAttempts):
            return False
        found = (self.hold.desk.build(build.key._replace(attempt=attempt)) for attempt in range(1, build.attempt))
        return not all(known is not None and known.status in FINISHED for known in found)

    def _attempts(self, point: Checkpoint) -> Iterator[Checkpoint]:
        """Fetch the earlier attempts that are wanted; the checkpoint holds them until they are here, for the list has gone on."""
        for build_id, attempt in attempts_wanted(point):
            build = self.hold.desk.build(Key(self.hold.key.source, point.name or "", build_id, attempt))
            found = self.source.earlier(build) if build is not None and isinstance(self.source, TellsAttempts) else ()
            point = fetched_attempts(point, build_id)
            self._store(found, point)
            yield point

    # Builds that had not ended

    def _look_again(self, point: Checkpoint) -> Iterator[None]:
        """Fetch again what is here and has not ended, unless it was in a list just now."""
        still = 0
        for build in sorted(self._stored(point, open_only=True), key=_age, reverse=True):
            if build.key in self._looked or self._unchanged(build):
                still += 1
                continue
            found = self._now(build)
            still += any(each.status not in FINISHED for each in found)
            self._looked.update({build.key, *(each.key for each in found)})
            self._store(found)
            yield
        self.report = attrs.evolve(self.report, open=still)

    def _now(self, build: BuildRecord) -> Sequence[BuildRecord]:
        """Return the attempts of a build as they stand now; itself where the source tells of other builds alone."""
        try:
            found = self.source.run(build.project, build.build_id)
        except InvalidInput:  # a deployment, of which a webhook told
            return (build,)
        # One that was deleted before its end was seen never ends, and waiting for it would cost a call each time.
        return found or (attrs.evolve(build, status=Status.CANCELED, updated_at=self.hold.clock.now()),)

    def _unchanged(self, build: BuildRecord) -> bool:
        """Tell whether a build is on the newest page, which has not changed; of a re-run the time of creation is not known."""
        since = self._unchanged_since
        return since is not None and build.attempt == 1 and build.queued_at is not None and build.queued_at >= since

    def _stored(self, point: Checkpoint, *, open_only: bool = False) -> Iterator[BuildRecord]:
        """Yield the stored builds of what is imported; those too that came in other ways."""
        if point.name is None:
            return
        key = self.hold.key
        found = self.hold.desk.builds(project=point.name, branch=key.branch or None, workflow=point.label, open_only=open_only)
        yield from (build for build in found if build.provider == key.source)

    # Jobs

    def _fetch_jobs(self, point: Checkpoint, source: TellsJobs) -> Iterator[None]:
        """Fetch the jobs of every build that ended and has none, or has one whose end is not known; the newest first."""
        lacking = sorted((_age(build) for build in self._stored(point) if self._lacks_jobs(build)), reverse=True)
        wanted = [key for _, key in lacking]
        self._jobs_total = self._jobs + len(wanted)
        for start in range(0, len(wanted), _JOBS_BATCH):
            found = list[BuildRecord]()
            try:
                for key in wanted[start : start + _JOBS_BATCH]:
                    build = self.hold.desk.build(key)
                    found += [] if build is None else [with_jobs(build, source.jobs(build))]
            finally:
                self._store([build for build in found if build.jobs], counted=False)
            self._jobs += min(_JOBS_BATCH, len(wanted) - start)
            yield

    def _lacks_jobs(self, build: BuildRecord) -> bool:
        wanted = self.since is None or build.queued_at is None or build.queued_at >= self.since
        return wanted and build.status in FINISHED and not (build.jobs and ended(build.jobs))

    # Storing

    def _store(self, builds: Collection[BuildRecord], point: Checkpoint | None = None, *, counted: bool = True) -> None:
        taken = self.hold.store(builds, point)
        report = self.report
        self.report = attrs.evolve(
            report,
            fetched=report.fetched + (len(builds) if counted else 0),
            accepted=report.accepted + taken.accepted,
            updated=report.updated + taken.updated,
            duplicates=report.duplicates + taken.duplicates,
        )

    def _count_calls(self) -> None:
        if isinstance(self.source, CountsCalls):
            self.report = attrs.evolve(self.report, calls=self.source.calls)


def _age(build: BuildRecord) -> tuple[datetime, Key]:
    return build.queued_at or _LONG_AGO, build.key
