"""Pure: how a list is read to its end though GitHub shows 1,000 runs of any search, and how to go on at any later time.

A list comes newest first. Its first page is asked for without a window, under an address that never changes, so that one conditional
request tells whether anything is new. Everything behind it is read in windows of ``created``: the first ends at the newest run that was
seen, so that runs which come meanwhile do not shift its pages; where a window has more than the cap, the next one ends a second before
the last run that the cap let through. The windows are as wide as the list is dense, no call is spent on finding that out, and the page
that tells how many runs a window has is its first.

Runs of that last second may be behind the cap. Whether some are is a matter of counting: the next window must have exactly as many as
were left. Where it has not, it is begun anew with the last page's seconds in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import attrs

from forgekit.builds.ports import BuildQuery
from forgekit.errors import InvalidInput

CAP = 1000
"""Runs that any search shows: https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository."""

_SECOND = timedelta(seconds=1)
_FORM = "%Y-%m-%dT%H:%M:%SZ"


@attrs.frozen(kw_only=True)
class Place:
    """A page of a list.

    Attributes:
        upper: The window's last second; None for the page without a window.
        page: The page's number within the window, from 1.
        left: How many runs the window must have if none was cut off at the cap; None where nobody counts.
        retry: Where the window begins anew if it has another number.
        whole: How many runs the first window had, which is all of them; None while that is not known.

    """

    upper: datetime | None = None
    page: int = 1
    left: int | None = None
    retry: datetime | None = None
    whole: int | None = None


def first(query: BuildQuery) -> Place:
    """Return where a list begins."""
    return Place() if query.until is None else Place(upper=_whole(query.until - timedelta(microseconds=1)))


def window(query: BuildQuery, place: Place) -> str | None:
    """Return the filter ``created``; None for none."""
    if place.upper is None:
        return None
    upper = place.upper.strftime(_FORM)
    if query.since is None:
        return f"<={upper}"
    lower = _whole(query.since + _SECOND - timedelta(microseconds=1))  # runs are created at whole seconds: the first that counts
    return f"{min(lower, place.upper).strftime(_FORM)}..{upper}"


def following(
    query: BuildQuery, place: Place, created: Sequence[datetime], total: int | None, *, size: int, cap: int = CAP
) -> Place | None:
    """Return the page behind one; None where the list ends.

    Args:
        query: What is listed.
        place: The page that was read.
        created: When its runs were created, in their order.
        total: How many the search has in all, as GitHub said.
        size: Runs a page.
        cap: Runs a search shows.

    """
    if place.page == 1 and place.left is not None and total != place.left and place.retry is not None:
        return Place(upper=place.retry, whole=place.whole)
    if len(created) < size or (total is not None and total <= place.page * size):
        return None
    if place.upper is None:
        behind = query.since is not None and min(created) < query.since
        return None if behind else Place(upper=max(created), page=2)
    if (place.page + 1) * size <= cap:
        return attrs.evolve(place, page=place.page + 1, left=None, retry=None, whole=place.whole or total)
    return _next_window(place, place.upper, created, total, size=size)


def _next_window(place: Place, end: datetime, created: Sequence[datetime], total: int | None, *, size: int) -> Place:
    newest, oldest, whole = max(created), min(created), place.whole or total
    if newest < end and total is not None:
        return Place(upper=oldest - _SECOND, left=total - place.page * size, retry=newest, whole=whole)
    # Nobody counts; or all that the cap let through is of one second, of which GitHub shows no more: then on from the second before.
    return Place(upper=oldest if oldest < end else end - _SECOND, whole=whole)


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def within(query: BuildQuery, created: datetime) -> bool:
    """Tell whether a run that was created at a moment belongs to a query."""
    return (query.since is None or created >= query.since) and (query.until is None or created < query.until)


def write_cursor(place: Place, *, size: int) -> str:
    """Return a place as text, with how many runs a page has."""
    values = {"upper": place.upper, "page": place.page, "left": place.left, "retry": place.retry, "whole": place.whole, "size": size}
    told = {name: value.strftime(_FORM) if isinstance(value, datetime) else value for name, value in values.items() if value is not None}
    return json.dumps(told, separators=(",", ":"))


def read_cursor(text: str, *, size: int) -> Place:
    """Return the place that ``write_cursor`` wrote; where pages had another size then, the page on which its first run is now.

    Raises:
        InvalidInput: The text is something else.

    """
    try:
        told = json.loads(text)
        before = ((_count(told, "page", 1) or 1) - 1) * (_count(told, "size", 1) or size)
        return Place(
            upper=_moment(told, "upper"),
            page=before // size + 1,
            left=_count(told, "left", 0),
            retry=_moment(told, "retry"),
            whole=_count(told, "whole", 0),
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise InvalidInput("This is no cursor of a list of GitHub's.", problems=[{"pointer": "?cursor", "message": "is none"}]) from None


def _moment(told: Mapping[str, object], name: str) -> datetime | None:
    value = told.get(name)
    return None if value is None else datetime.strptime(str(value), _FORM).replace(tzinfo=UTC)


def _count(told: Mapping[str, object], name: str, lowest: int) -> int | None:
    value = told.get(name)
    if value is not None and (not isinstance(value, int) or value < lowest):
        raise ValueError(name)
    return value
