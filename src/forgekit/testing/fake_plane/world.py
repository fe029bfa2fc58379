"""The data behind the fake, and the rules that Plane keeps about it, without HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from forgekit.kernel.clock import Clock
from forgekit.testing.fake_plane import rows
from forgekit.testing.fake_plane.answers import Row

GROUPS = ("backlog", "unstarted", "started", "completed", "cancelled")
RELATIONS = ("blocking", "blocked_by", "duplicate", "relates_to", "start_after", "start_before", "finish_after", "finish_before")
_MIRROR = {
    "blocking": "blocked_by",
    "start_after": "start_before",
    "finish_after": "finish_before",
    "duplicate": "duplicate",
    "relates_to": "relates_to",
}
MIRROR = {**_MIRROR, **{there: here for here, there in _MIRROR.items()}}
_FIRST_STATES = (
    ("Backlog", "backlog"),
    ("Todo", "unstarted"),
    ("In Progress", "started"),
    ("Done", "completed"),
    ("Cancelled", "cancelled"),
)
_BACKGROUND = timedelta(milliseconds=29)
_ENDS = time(23, 59)
_STARTS = time(0, 0, 1)


@attrs.frozen(kw_only=True)
class Change:
    """A change that Plane sends a webhook for.

    Attributes:
        event: ``issue``, ``cycle`` or ``issue_comment``.
        action: ``created`` or ``updated``.
        row: What changed, as it is after the change.
        field: Which field of it; None where it is new.
        old: The field's value before.
        new: The field's value now.

    """

    event: str
    action: str
    row: Row
    field: str | None = None
    old: Any = None
    new: Any = None


Listener = Callable[[Change], None]
"""Told of each change."""


def iso(moment: datetime) -> str:
    """Return a moment as Plane writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class World:
    """One workspace: users, projects, states, labels, cycles, work items and what hangs on them."""

    def __init__(self, *, clock: Clock, workspace: str, version: str) -> None:
        """Make a workspace whose owner is alice; bob is in it but in no project, mallory is not in it."""
        self.clock = clock
        self.workspace = workspace
        self.workspace_id = rows.new_id()
        self.version = version
        self.users = {name: rows.user(name) for name in ("alice", "bob", "mallory")}
        self.projects: dict[str, Row] = {}
        self.states: dict[str, Row] = {}
        self.labels: dict[str, Row] = {}
        self.cycles: dict[str, Row] = {}
        self.items: dict[str, Row] = {}
        self.bridges: dict[str, Row] = {}
        self.comments: dict[str, Row] = {}
        self.links: dict[str, Row] = {}
        self.relations: set[tuple[str, str, str]] = set()
        self.listeners: list[Listener] = []
        self._last = datetime.min.replace(tzinfo=UTC)

    # time

    def now(self) -> datetime:
        """Return the server's time."""
        return self.clock.now()

    def stamp(self, later: timedelta = timedelta(microseconds=1)) -> str:
        """Return a timestamp that is later than any before, even where the clock stands still."""
        self._last = max(self.now(), self._last + later)
        return iso(self._last)

    def restamp(self, item: Row) -> None:
        """Move an item's ``updated_at`` as the background task does: later than the answer just given said."""
        item["updated_at"] = self.stamp(_BACKGROUND)

    # people and projects

    @property
    def owner_id(self) -> str:
        """The id of alice."""
        return str(self.users["alice"]["id"])

    def add_project(self, *, name: str, identifier: str, timezone: str, row_id: str | None = None, cycles: bool = True) -> Row:
        """Make a project with the states that Plane gives a new one."""
        project = rows.project(
            row_id=row_id,
            workspace=self.workspace_id,
            name=name,
            identifier=identifier,
            timezone=timezone,
            stamp=self.stamp(),
            user_id=self.owner_id,
        )
        project["cycle_view"] = cycles
        self.projects[project["id"]] = project
        for number, (state, group) in enumerate(_FIRST_STATES):
            self.add_state(project, state, group, sequence=15000.0 + 10000 * number, default=number == 0)
        self.add_state(project, "Triage", "triage", sequence=65000.0)
        return project

    def add_state(self, project: Row, name: str, group: str, *, sequence: float | None = None, default: bool = False) -> Row:
        """Make a state; by default behind the others."""
        if sequence is None:
            sequence = max(row["sequence"] for row in self.of(project, self.states)) + 15000
        row = rows.state(project, name, group, sequence=sequence, stamp=self.stamp(), user_id=self.owner_id, default=default)
        self.states[row["id"]] = row
        return row

    def visible_states(self, project: Row) -> list[Row]:
        """Return a project's states as the list shows them: in order, without the one for triage."""
        return sorted((row for row in self.of(project, self.states) if row["group"] != "triage"), key=lambda row: row["sequence"])

    def add_label(self, project: Row, name: str) -> Row:
        """Make a label."""
        count = sum(1 for _ in self.of(project, self.labels))
        row = rows.label(project, name, sort_order=65535.0 + 10000 * count, stamp=self.stamp(), user_id=self.owner_id)
        self.labels[row["id"]] = row
        return row

    def of(self, project: Row, table: dict[str, Row]) -> Iterator[Row]:
        """Return the rows of a table that belong to a project."""
        return (row for row in table.values() if row["project"] == project["id"])

    # cycles

    def add_cycle(self, project: Row, name: str, *, row_id: str | None = None, **values: Any) -> Row:
        """Make a cycle and tell of it; ``values`` are stored as they are."""
        orders = [row["sort_order"] for row in self.of(project, self.cycles)]
        sort_order = min(orders) - 10000 if orders else 65535.0
        row = rows.cycle(project, row_id=row_id, name=name, sort_order=sort_order, stamp=self.stamp(), user_id=self.owner_id)
        row.update(values)
        self.cycles[row["id"]] = row
        self.tell(Change(event="cycle", action="created", row=row))
        return row

    def cycle_start(self, project: Row, day: date) -> str:
        """Return when a cycle that starts on a day starts: just after local midnight, or now where that day is today."""
        zone, now = ZoneInfo(project["timezone"]), self.now()
        return iso(now if now.astimezone(zone).date() == day else datetime.combine(day, _STARTS, zone))

    def cycle_end(self, project: Row, day: date) -> str:
        """Return when a cycle that ends on a day ends: a minute before local midnight."""
        return iso(datetime.combine(day, _ENDS, ZoneInfo(project["timezone"])))

    def change_cycle(self, row: Row, changes: Row, *, told: Row | None = None) -> None:
        """Change a cycle and tell of each field; of dates also where they are what they were (``told`` has them as requested)."""
        before = dict(row)
        row.update(changes)
        row["updated_at"], row["updated_by"] = self.stamp(), self.owner_id
        for field, value in changes.items():
            if field in ("start_date", "end_date") or before[field] != value:
                requested = (told or changes).get(field)
                self.tell(Change(event="cycle", action="updated", row=row, field=field, old=before[field], new=requested))

    def ended(self, cycle: Row) -> bool:
        """Tell whether a cycle is over."""
        return cycle["end_date"] is not None and datetime.fromisoformat(cycle["end_date"]) < self.now()

    def in_view(self, cycle: Row, view: str) -> bool:
        """Tell whether a cycle is in one of the views; all are in a view that does not exist."""
        now = iso(self.now())
        start, end = cycle["start_date"], cycle["end_date"]
        dated = start is not None and end is not None
        views = {
            "draft": start is None and end is None,
            "incomplete": end is None or end >= now,
            "current": dated and start <= now <= end,
            "upcoming": dated and start > now,
            "completed": dated and end < now,
        }
        return views.get(view, True)

    def items_of(self, cycle_id: str) -> list[Row]:
        """Return a cycle's items in the order they were made."""
        found = (self.items[item_id] for item_id, bridge in self.bridges.items() if bridge["cycle"] == cycle_id)
        return sorted(found, key=lambda row: row["created_at"])

    def counters(self, cycle_id: str) -> Row:
        """Return a cycle's counters."""
        counts = Counter(self.states[row["state"]]["group"] for row in self.items_of(cycle_id))
        names = ("cancelled", "completed", "started", "unstarted", "backlog")
        return {"total_issues": counts.total(), **{f"{name}_issues": counts[name] for name in names}}

    def put_into_cycle(self, item_ids: Sequence[str], cycle_id: str) -> None:
        """Put items into a cycle, out of any other; no webhook tells of it."""
        for item_id in item_ids:
            item, old = self.items[item_id], self.bridges.get(item_id)
            if old is None or old["cycle"] != cycle_id:
                self.bridges[item_id] = rows.bridge(item, cycle_id, self.stamp())
                item["updated_at"] = self.stamp()

    def take_out_of_cycle(self, item_id: str) -> bool:
        """Take an item out of its cycle; no webhook tells of it. Return whether it was in one."""
        if self.bridges.pop(item_id, None) is None:
            return False
        self.items[item_id]["updated_at"] = self.stamp()
        return True

    def remove_cycle(self, cycle_id: str) -> None:
        """Delete a cycle; its items stay, and no webhook tells of it."""
        del self.cycles[cycle_id]
        self.bridges = {item_id: bridge for item_id, bridge in self.bridges.items() if bridge["cycle"] != cycle_id}

    # work items

    def add_item(self, project: Row, name: str, *, row_id: str | None = None, **values: Any) -> Row:
        """Make a work item and tell of it; ``values`` are stored as they are."""
        mine = list(self.of(project, self.items))
        state_id = values.get("state") or next(row["id"] for row in self.of(project, self.states) if row["default"])
        orders = [row["sort_order"] for row in mine if row["state"] == state_id]
        row = rows.item(
            project,
            row_id=row_id,
            name=name,
            sequence=1 + max((row["sequence_id"] for row in mine), default=0),
            sort_order=max(orders) + 10000 if orders else 65535.0,
            state_id=state_id,
            stamp=self.stamp(),
            user_id=self.owner_id,
        )
        row.update(values)
        self._follow_state(row)
        self.items[row["id"]] = row
        self.tell(Change(event="issue", action="created", row=row))
        return row

    def change_item(self, row: Row, changes: Row) -> None:
        """Change a work item, tell of each field that changed, and move ``updated_at`` even where none did."""
        before = dict(row)
        row.update(changes)
        if row["state"] != before["state"]:
            self._follow_state(row)
        row["updated_at"], row["updated_by"] = self.stamp(), self.owner_id
        for field, value in changes.items():
            if before[field] != value:
                self.tell(Change(event="issue", action="updated", row=row, field=field, old=before[field], new=value))

    def _follow_state(self, row: Row) -> None:
        row["completed_at"] = self.stamp() if self.states[row["state"]]["group"] == "completed" else None

    def remove_item(self, item_id: str) -> None:
        """Delete a work item and what hangs on it; no webhook tells of it."""
        del self.items[item_id]
        self.bridges.pop(item_id, None)
        self.relations = {relation for relation in self.relations if item_id not in (relation[0], relation[2])}
        for row in self.items.values():
            if row["parent"] == item_id:
                row["parent"] = None

    def relate(self, item_id: str, kind: str, other_id: str) -> None:
        """Relate two items, seen from both."""
        self.relations |= {(item_id, kind, other_id), (other_id, MIRROR[kind], item_id)}
        for each in (item_id, other_id):
            self.items[each]["updated_at"] = self.stamp()

    def related(self, item_id: str, kind: str) -> list[str]:
        """Return the items that one is related to in a way, oldest first."""
        found = (other for mine, how, other in self.relations if mine == item_id and how == kind)
        return sorted(found, key=lambda other: str(self.items[other]["created_at"]))

    def add_comment(self, item: Row, html: str, *, source: str | None = None, external_id: str | None = None) -> Row:
        """Write a comment, unsanitised as Plane does, and tell of it."""
        row = rows.comment(item, html, source=source, external_id=external_id, stamp=self.stamp(), user_id=self.owner_id)
        self.comments[row["id"]] = row
        item["updated_at"] = self.stamp()
        self.tell(Change(event="issue_comment", action="created", row=row))
        return row

    def tell(self, change: Change) -> None:
        """Tell the listeners of a change."""
        for listener in self.listeners:
            listener(change)

    def by_external(self, table: dict[str, Row], project: Row, source: Any, external_id: Any) -> Row | None:
        """Return the row of a project's that was made with an external id."""
        if not source or not external_id:
            return None
        pairs = (row for row in self.of(project, table) if row["external_source"] == source and row["external_id"] == external_id)
        return next(pairs, None)
