"""Which builds may go although later ones will follow them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from forgekit.builds.models import BROKEN, COUNTED, FINISHED, BuildRecord, Key
from forgekit.builds.rules.timelines import Line, Point, line, point


def prunable(builds: Iterable[BuildRecord], horizon: datetime) -> list[Key]:
    """Return the keys of a project's builds that may be deleted: they ended before ``horizon``, and nothing still follows on them.

    Of each timeline stay the last build and the last counted one before the horizon, and the one with which that one's colour began: all
    that a later build, or one that comes late behind the horizon, is measured by.
    """
    keys: list[Key] = []
    lines: dict[Line, list[tuple[Point, Key]]] = defaultdict(list)
    for build in builds:
        ended = build.ended_at or build.started_at
        if build.status not in FINISHED or build.environment is not None or ended is None or ended >= horizon:
            continue
        if (place := point(build)) is not None:
            lines[line(build)].append((place, build.key))
        else:
            keys.append(build.key)
    for points in lines.values():
        keys.extend(_behind(sorted(points)))
    return keys


def _behind(points: list[tuple[Point, Key]]) -> list[Key]:
    counted = [each for each in points if each[0].status in COUNTED]
    kept = {points[-1][1]}
    if counted:
        red = counted[-1][0].status in BROKEN
        turn = len(counted) - 1
        while turn > 0 and (counted[turn - 1][0].status in BROKEN) is red:
            turn -= 1
        kept |= {counted[-1][1], counted[turn][1]}
    return [key for _, key in points if key not in kept]
