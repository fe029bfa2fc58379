"""Pure: what Plane's REST API (v1) is told, and how what it tells reads.

Written against Plane Community Edition 1.3.1; what older servers do otherwise is said where it matters.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from datetime import timezone as fixed_offset
from html import escape
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from forgekit.errors import RemoteMalformed
from forgekit.sprints.models import Cycle, CycleStatus, StateGroup, TrackerItem
from forgekit_plane._judge import SYSTEM
from forgekit_plane.html import clean_line, html_to_text

SOURCE = "forgekit"
EXPANDED = "state,labels,assignees,project"

_PRIORITIES = {"urgent": 1, "high": 2, "medium": 3, "low": 4, "none": 5}
_LOWEST_PRIORITY = 5
_STARTS, _ENDS = time(0, 0, 1), time(23, 59)
_MAX_NAME = 255
_MAX_EXTERNAL_ID = 255

Row = Mapping[str, Any]


def _malformed(what: str) -> RemoteMalformed:
    return RemoteMalformed(f"Plane sent {what} in a shape that is not its own.", system=SYSTEM)


def as_row(body: Any, what: str) -> Row:
    """Return an object.

    Raises:
        RemoteMalformed: It is none.

    """
    if not isinstance(body, Mapping):
        raise _malformed(what)
    return body


def _text(row: Any, key: str) -> str:
    value = row.get(key) if isinstance(row, Mapping) else None
    return value if isinstance(value, str) else ""


def row_id(row: Row, what: str) -> str:
    """Return the id of any entry.

    Raises:
        RemoteMalformed: It has none.

    """
    return _needed(row, "id", what)


def _needed(row: Row, key: str, what: str) -> str:
    value = _text(row, key)
    if not value:
        raise _malformed(what)
    return value


# Pages


@attrs.frozen(kw_only=True)
class Page:
    """A page of a list.

    Attributes:
        rows: Its entries.
        total: How many there are on all pages; None where the server does not tell.
        next_cursor: Where the next page is; None on the last. Plane sends a cursor on the last page too.

    """

    rows: tuple[Row, ...]
    total: int | None
    next_cursor: str | None


def parse_page(body: Any, what: str) -> Page:
    """Read a page; a bare list is the only page.

    Raises:
        RemoteMalformed: It is neither.

    """
    if isinstance(body, list):
        return Page(rows=_rows(body, what), total=len(body), next_cursor=None)
    envelope = as_row(body, what)
    total = envelope.get("total_count")
    more = envelope.get("next_page_results") is True
    return Page(
        rows=_rows(envelope.get("results"), what),
        total=total if isinstance(total, int) else None,
        next_cursor=_needed(envelope, "next_cursor", what) if more else None,
    )


def _rows(entries: Any, what: str) -> tuple[Row, ...]:
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise _malformed(what)
    return tuple(entries)


# Projects


@attrs.frozen(kw_only=True)
class Project:
    """What is needed of a project.

    Attributes:
        name: For people.
        zone: Its time zone.
        is_member: Whether the key's user is a member; the project can be read without.
        has_cycles: Whether cycles are switched on.

    """

    name: str
    zone: tzinfo
    is_member: bool
    has_cycles: bool


def parse_project(body: Any) -> Project:
    """Read a project; older servers that do not tell of membership or cycles are taken at their best."""
    row = as_row(body, "a project")
    return Project(
        name=_text(row, "name"),
        zone=_zone(_text(row, "timezone")),
        is_member=row.get("is_member") is not False,
        has_cycles=row.get("cycle_view") is not False,
    )


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def parse_version(body: Any) -> str | None:
    """Read the server's version from ``/api/instances/``; None where it does not tell."""
    instance = body.get("instance") if isinstance(body, Mapping) else None
    return clean_line(_text(instance, "current_version"), 50) or None


# Cycles


def parse_cycle(body: Any, *, zone: tzinfo | None, now: datetime) -> Cycle:
    """Read a cycle.

    Args:
        body: The decoded cycle.
        zone: The project's time zone; None where it is not known, then it is read off the dates.
        now: The present, aware.

    Raises:
        RemoteMalformed: It is no cycle.

    """
    row = as_row(body, "a cycle")
    start, end = _instant(row.get("start_date"), _STARTS), _instant(row.get("end_date"), _ENDS)
    first, last = _days(start, end, zone)
    return Cycle(
        id=_needed(row, "id", "a cycle"),
        name=clean_line(_text(row, "name"), _MAX_NAME) or "Cycle",
        description=_text(row, "description").replace("\x00", ""),
        starts_on=first,
        ends_on=last,
        status=cycle_status(start, end, now),
        total=_count(row, "total_issues"),
        completed=_count(row, "completed_issues"),
    )


def _count(row: Row, key: str) -> int | None:
    value = row.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _instant(value: Any, at: time) -> datetime | None:
    """Read a cycle's date: an instant, or from old servers a plain day, which then stands for that time of it in UTC."""
    if value is None:
        return None
    try:
        if len(value) == len("2026-11-18"):
            return datetime.combine(date.fromisoformat(value), at, UTC)
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _malformed("a date") from None


def _days(start: datetime | None, end: datetime | None, zone: tzinfo | None) -> tuple[date | None, date | None]:
    """Return a cycle's first and last local day."""
    first, last = read_offset(start, _STARTS), read_offset(end, _ENDS)
    first_zone, last_zone = zone or first or last or UTC, zone or last or first or UTC
    return start and start.astimezone(first_zone).date(), end and end.astimezone(last_zone).date()


def read_offset(moment: datetime | None, local: time) -> tzinfo | None:
    """Return the offset from UTC at which an instant is a given local time of day; None where it is none that time zones have.

    A cycle starts at 00:00:01 of its first local day (or when it was made, if that was today) and ends at 23:59:00 of its last,
    so the instants tell the offset up to a whole day. It is looked for from -11 h (excluded) to +13 h (included); the few places
    beyond (American Samoa, the Line Islands) need the project's own word. The cycle's ``timezone`` cannot help: Plane leaves it
    at UTC.
    """
    if moment is None or moment.second != local.second or moment.microsecond:
        return None
    minutes = ((local.hour - moment.hour) * 60 + local.minute - moment.minute + 659) % 1440 - 659
    return None if minutes % 15 else fixed_offset(timedelta(minutes=minutes))


def cycle_status(start: datetime | None, end: datetime | None, now: datetime) -> CycleStatus:
    """Return where a cycle stands, by the definition of Plane's own views."""
    if start is None or end is None:
        return CycleStatus.DRAFT
    if start > now:
        return CycleStatus.UPCOMING
    return CycleStatus.CURRENT if now <= end else CycleStatus.COMPLETED


# States


@attrs.frozen(kw_only=True)
class State:
    """A state of work items.

    Attributes:
        id: Its id.
        group: Its group.

    """

    id: str
    group: StateGroup


def parse_states(rows: Sequence[Row]) -> tuple[State, ...]:
    """Read a project's states, in the order of its board."""
    ordered = sorted(rows, key=lambda row: _number(row.get("sequence")))
    return tuple(State(id=_needed(row, "id", "a state"), group=parse_group(row.get("group"))) for row in ordered)


def parse_group(value: Any) -> StateGroup:
    """Read a state's group; triage, and what is not known, counts as backlog: nobody has taken it on yet."""
    try:
        return StateGroup(value)
    except ValueError:
        return StateGroup.BACKLOG


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


# Work items


def parse_item(row: Row, index: int) -> TrackerItem:
    """Read a work item whose state, labels and project are expanded.

    Args:
        row: The decoded item.
        index: Its place in the list, for servers that give it no order of their own.

    Raises:
        RemoteMalformed: It is no work item.

    """
    key = _key(row)
    state = row.get("state")
    return TrackerItem(
        id=_needed(row, "id", "a work item"),
        key=key,
        name=clean_line(_text(row, "name"), _MAX_NAME) or key or "Untitled",
        description=html_to_text(_text(row, "description_html")),
        priority=_PRIORITIES.get(_text(row, "priority"), _LOWEST_PRIORITY),
        group=parse_group(_text(state, "group")),
        state=clean_line(_text(state, "name"), _MAX_NAME),
        category=_category(row),
        parent_id=_parent(row.get("parent")),
        position=_position(row, index),
        updated_at=_moment(row.get("updated_at")),
    )


def _key(row: Row) -> str:
    identifier, number = _text(row.get("project"), "identifier"), row.get("sequence_id")
    return f"{identifier}-{number}" if identifier and isinstance(number, int) else ""


def _category(row: Row) -> str | None:
    """Return the module if the server tells it (the Community Edition does not), else the first label."""
    for key in ("module", "modules", "labels"):
        value = row.get(key)
        first = value[0] if isinstance(value, list) and value else value
        name = clean_line(_text(first, "name"), 100)
        if name:
            return name
    return None


def _parent(value: Any) -> str | None:
    return (_text(value, "id") if isinstance(value, Mapping) else value if isinstance(value, str) else None) or None


def _position(row: Row, index: int) -> int:
    """Return the item's own order: its place in the list would move whenever another item left the cycle."""
    order = row.get("sort_order")
    if isinstance(order, int | float) and math.isfinite(order):
        return max(-(2**31), min(2**31 - 1, round(order)))
    return index


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _malformed("a time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def written_at(row: Row, key: str) -> datetime | None:
    """Return when Plane says that it wrote a row; None where it does not, since nothing hangs on it."""
    try:
        return _moment(row.get(key))
    except RemoteMalformed:
        return None


def needs_detail(row: Row) -> bool:
    """Tell whether a listed item must be fetched singly: before v0.28 a cycle's list left out the state."""
    return "state" not in row


def parse_blockers(body: Any) -> tuple[str, ...]:
    """Read the ids of the items that an item waits for: its ``blocked_by``."""
    entries = as_row(body, "relations").get("blocked_by")
    if not isinstance(entries, list):
        raise _malformed("relations")
    found = (entry if isinstance(entry, str) else _text(entry, "issue_id") or _text(entry, "id") for entry in entries)
    return tuple(dict.fromkeys(each for each in found if each))


# Writing


def text_to_html(text: str) -> str:
    """Return plain text as HTML: a paragraph a block, a break a line. Plane does not sanitise comments, so everything is escaped."""
    blocks = [block for block in text.replace("\r\n", "\n").replace("\x00", "").split("\n\n") if block.strip()]
    return "".join(f"<p>{'<br>'.join(escape(line) for line in block.strip().splitlines())}</p>" for block in blocks) or "<p></p>"


def external_id(marker: str) -> str:
    """Return a marker as an external id: itself, or where it is longer than Plane takes, its hash."""
    if len(marker) <= _MAX_EXTERNAL_ID:
        return marker
    return f"sha256-{hashlib.sha256(marker.encode()).hexdigest()}"


def comment_body(text: str, marker: str) -> dict[str, str]:
    """Return the body that writes a comment; Plane answers 409 where one with the same external id exists."""
    return {"comment_html": text_to_html(text), "external_source": SOURCE, "external_id": external_id(marker)}


def description_of(cycle: Row) -> str:
    """Return a cycle's description as Plane keeps it."""
    return _text(cycle, "description")


def appended(description: str, text: str, marker: str) -> str | None:
    """Return a cycle's description with a text behind it; None where the marker stands in it already."""
    if marker in description:
        return None
    addition = text if marker in text else f"{text.rstrip()}\n\n[{marker}]"
    return f"{description.rstrip()}\n\n{addition}".lstrip()
