"""Which lists an import reads, where it goes on, and what it has when one ends. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import attrs

from forgekit.builds.imports import Checkpoint
from forgekit.builds.models import FINISHED, BuildRecord, Job

OVERLAP = timedelta(days=1)
"""How far behind the newest known build a list of news goes on, so that re-runs of known builds are seen."""


@attrs.frozen(kw_only=True)
class Leg:
    """A list to read.

    Attributes:
        since: Builds created at this moment or later.
        until: Builds created before this moment; None for a list of the newest.
        cursor: Where it was left off.

    """

    since: datetime | None
    until: datetime | None = None
    cursor: str | None = None


def next_leg(point: Checkpoint, since: datetime | None, *, told: bool) -> Leg | None:
    """Return what is to be read next; None where there is nothing more.

    What was left off comes first, then the news, then what is older than all that is here.

    Args:
        point: How far imports have come.
        since: From when on builds are wanted; None from the beginning.
        told: Whether the news were read already.

    """
    if point.cursor is not None:
        return Leg(since=point.floor, until=point.ceiling, cursor=point.cursor)
    if not told:
        return Leg(since=since if point.watermark is None else _behind(point, point.watermark))
    if point.watermark is None or point.covered_since is None or (since is not None and since >= point.covered_since):
        return None
    return Leg(since=since, until=point.covered_since)


def _behind(point: Checkpoint, watermark: datetime) -> datetime:
    horizon = watermark - OVERLAP
    return horizon if point.covered_since is None else max(horizon, point.covered_since)


def begun(point: Checkpoint, leg: Leg) -> Checkpoint:
    """Return the checkpoint at the beginning of a list."""
    if leg.cursor is not None:
        return point
    return attrs.evolve(point, floor=leg.since, ceiling=leg.until, top=None, listed=0, total=None)


def usable_mark(point: Checkpoint) -> str | None:
    """Return the mark of the newest page, where nothing is missing if that has not changed.

    A list from some moment on that had no build leaves the page with what is older: that is still to be read.
    """
    return None if point.watermark is None and point.covered_since is not None else point.mark


def forgotten(point: Checkpoint) -> Checkpoint:
    """Return the checkpoint without the list that was left off: it is read from its beginning, whether anything is new or not."""
    return attrs.evolve(point, cursor=None, mark=None, mark_since=None)


def read(
    point: Checkpoint, builds: Sequence[BuildRecord], *, cursor: str | None, new: int, total: int | None, wanted: Iterable[BuildRecord] = ()
) -> Checkpoint:
    """Return the checkpoint behind a page.

    Args:
        point: The checkpoint before.
        builds: The page's builds.
        cursor: Where the list goes on; None at its end.
        new: How many of the builds were not on a page before.
        total: How many the list has.
        wanted: Those of the builds whose earlier attempts are not here yet.

    """
    point = attrs.evolve(
        point,
        cursor=cursor,
        top=max(filter(None, (point.top, _newest(builds))), default=None),
        listed=point.listed + new,
        total=point.total if total is None else total,
        name=builds[0].project if builds else point.name,
        label=builds[0].workflow if builds and point.key.workflow else point.label,
        reruns=(*point.reruns, *(f"{build.attempt}:{build.build_id}" for build in wanted)),
    )
    return point if cursor is not None else _ended(point)


def _newest(builds: Iterable[BuildRecord]) -> datetime | None:
    """Return when the newest was created. A re-run tells when it was asked for, which is later than that."""
    return max((build.queued_at for build in builds if build.attempt == 1 and build.queued_at is not None), default=None)


def _ended(point: Checkpoint) -> Checkpoint:
    if point.ceiling is not None:
        return attrs.evolve(point, covered_since=point.floor)
    first = point.watermark is None
    watermark = max(filter(None, (point.watermark, point.top)), default=None)
    return attrs.evolve(point, watermark=watermark, covered_since=point.floor if first else point.covered_since)


def attempts_wanted(point: Checkpoint) -> Sequence[tuple[str, int]]:
    """Return the ids of the runs whose earlier attempts are not here yet, with the attempts before which they are wanted."""
    pairs = (text.partition(":") for text in point.reruns)
    return [(build_id, int(attempt)) for attempt, _, build_id in pairs]


def fetched_attempts(point: Checkpoint, build_id: str) -> Checkpoint:
    """Return the checkpoint once the earlier attempts of a run are here."""
    return attrs.evolve(point, reruns=tuple(text for text in point.reruns if text.partition(":")[2] != build_id))


def ended(jobs: Iterable[Job]) -> bool:
    """Tell whether all of these jobs ended."""
    return all(job.status in FINISHED for job in jobs)


def with_jobs(build: BuildRecord, jobs: Sequence[Job]) -> BuildRecord:
    """Return a build with its jobs; an end that was a guess becomes that of its last job, where all of them ended."""
    ends = [job.finished_at for job in jobs if job.finished_at is not None]
    if not build.end_estimated or not ends or not ended(jobs):
        return attrs.evolve(build, jobs=tuple(jobs))
    return attrs.evolve(build, jobs=tuple(jobs), finished_at=max(ends), end_estimated=False)
