"""The whole way in one call: from records, rows, files or frames to an analysis."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import attrs

from forgekit.builds.analysis import Analysis
from forgekit.builds.bulk import uncollected
from forgekit.builds.fold import Fold
from forgekit.builds.models import BuildRecord, Incident, Window
from forgekit.builds.reading.sources import OnError, records
from forgekit.builds.rules.compatibility import Compat, check_compat, compatible
from forgekit.builds.rules.dora import dora
from forgekit.builds.rules.summary import Question, summarise
from forgekit.errors import InvalidInput


@attrs.frozen(kw_only=True)
class Scope:
    """Which builds count: those that fit every value that is given.

    Attributes:
        project: The project.
        branch: The branch.
        workflow: The workflow.
        event: What caused the build.
        actor: Who caused it.

    """

    project: str | None = None
    branch: str | None = None
    workflow: str | None = None
    event: str | None = None
    actor: str | None = None

    def __contains__(self, record: BuildRecord) -> bool:
        """Tell whether a build counts."""
        asked = attrs.asdict(self)
        return all(value is None or getattr(record, name) == value for name, value in asked.items())


def analyse(
    source: Any,
    *,
    scope: Scope | None = None,
    since: date | None = None,
    until: date | None = None,
    zone: tzinfo = UTC,
    as_of: datetime | None = None,
    expected: int | None = None,
    environment: str = "production",
    incidents: Collection[Incident] | None = None,
    on_error: OnError | None = None,
    compat: Compat | None = None,
) -> Analysis:
    """Return what builds come to.

    Args:
        source: Records, rows, a file's path or a frame: see ``forgekit.builds.records``. A ``Fold`` is read as it is, and only what changed
            since its last reading is counted again.
        scope: Which builds count; None for all.
        since: First UTC day that counts; None for the first with a build.
        until: Last UTC day that counts; None for the last with a build.
        zone: Time zone of the heat map.
        as_of: The moment by which ages are told; None for the latest that any build tells of.
        expected: How many builds the system says there are, for the completeness.
        environment: Which builds' deployments the DORA metrics are about.
        incidents: What deployments broke; None where nobody tells.
        on_error: Called for each row that cannot be read; without it the first one ends the reading.
        compat: Whose success, failure and error rates are told; None for ours, of the counted builds. See ``rules.compatibility``.

    Raises:
        InvalidInput: A row cannot be read, the first day is after the last, or nobody knows such rates.

    """
    check_compat(compat)
    fold = source if isinstance(source, Fold) else Fold(records(source, on_error=on_error))
    if scope is not None:
        fold = Fold(record for record in fold if record in scope)
    with uncollected():
        tally = fold.tally()
        window = window_of(since, until, tally.days())
        question = Question(
            window=window,
            zone=zone,
            as_of=as_of,
            extent=fold.extent(window),
            latest=fold.latest(),
            expected=expected,
            dora=dora(fold, incidents, environment=environment, window=window),
        )
        return compatible(summarise(tally, question), compat)


FIRST_DAY = date(1970, 1, 1)
"""The first day that a window may name; builds before it are refused too."""

LAST_DAY = date(2199, 12, 31)
"""The last one."""


def check_window(since: date | None, until: date | None) -> None:
    """Refuse a window that ends before it begins, or reaches to where no build is.

    Raises:
        InvalidInput: It does.

    """
    asked = {"/since": since, "/until": until}
    # A moment is a date to Python, and compares with none.
    odd = [pointer for pointer, day in asked.items() if day is not None and (isinstance(day, datetime) or not isinstance(day, date))]
    if odd:
        message = "must be a date, not a moment or a text"
        raise InvalidInput(f"Each end of a window {message}.", problems=[{"pointer": pointer, "message": message} for pointer in odd])
    far = [pointer for pointer, day in asked.items() if day is not None and not FIRST_DAY <= day <= LAST_DAY]
    if far:
        message = f"must be a day from {FIRST_DAY.year} to {LAST_DAY.year}"
        raise InvalidInput(f"Each end of a window {message}.", problems=[{"pointer": pointer, "message": message} for pointer in far])
    if since is not None and until is not None and since > until:
        problem = {"pointer": "/until", "message": "must not be before since"}
        raise InvalidInput(f"The first day, {since}, is after the last, {until}.", problems=[problem])


def window_of(since: date | None, until: date | None, days: tuple[date, date] | None) -> Window | None:
    """Return the window of two days that may be open, over data of certain days; None where neither is given."""
    if since is None and until is None:
        return None
    check_window(since, until)
    # An end that is not given is the data's own, or the other end where the data does not reach it.
    known = [day for day in (since, until, *(days or ())) if day is not None]
    return Window(since or min(known), until or max(known))
