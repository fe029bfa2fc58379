"""Which of two versions of one build holds, in whatever order they come."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs

from forgekit.builds.models import FINISHED, BuildRecord, Status

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


def _rank(record: BuildRecord) -> tuple[int, bool, float, datetime]:
    stage = 2 if record.status in FINISHED else record.status is Status.RUNNING
    known = not record.end_estimated
    guess = 0.0 if known else -((record.finished_at or _NEVER) - _EPOCH).total_seconds()
    return stage, known, guess, record.updated_at or _LONG_AGO


def holds(old: BuildRecord, new: BuildRecord) -> BuildRecord:
    """Return the version that holds of two with one key; ``old`` itself where they are equal.

    The rule is a total order, so the winner of many does not depend on the order in which they come:

    1. an attempt that ended is not running any more, and one that runs is not queued any more;
    2. a known end beats an estimated one, and of two estimates the earlier is nearer to the truth, for a system's "last changed", from
       which ends are estimated, only ever moves away from the end;
    3. the later ``updated_at``; a version without one is older than any;
    4. where nothing tells, a comparison of the contents: arbitrary, but the same everywhere.
    """
    if old == new:
        return old
    first, second = _rank(old), _rank(new)
    if first == second:
        return max(old, new, key=_content)
    return old if first > second else new


def _content(record: BuildRecord) -> str:
    return repr(attrs.astuple(record))


def supersedes(known: BuildRecord, coming: BuildRecord) -> BuildRecord:
    """Return the version that holds where versions come one after the other, as to a storage; ``known`` itself where nothing changes.

    As ``holds``, but where nothing tells which is the later, the one that comes later is.
    """
    if known == coming or _rank(known) > _rank(coming):
        return known
    return coming
