"""Plane as a ``Tracker``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from forgekit.errors import RemoteConflict, RemoteForbidden, RemoteNotFound, RemoteRefused
from forgekit.kernel.clock import Clock
from forgekit.sprints.models import Connection, Cycle, StateGroup, TrackerItem
from forgekit.sprints.ports import Progress
from forgekit_plane import _wire
from forgekit_plane._client import Client
from forgekit_plane._judge import SYSTEM
from forgekit_plane.settings import Access


class PlaneTracker:
    """A project of a Plane (``forgekit.sprints.ports.Tracker``, ``KnowsRelations`` and ``TellsWrites``).

    Calls, each one of the key's minute: ``items`` one for each 1000 items, ``cycle`` one, ``cycles`` one for each 1000 and one more
    where the project's time zone is not known yet, ``set_group`` one to three, ``comment`` one, ``append_to_cycle`` two,
    ``blockers`` one, ``check`` three.
    """

    API_VERSION: ClassVar[int] = 1

    def __init__(self, access: Access, client: Client, clock: Clock) -> None:
        """Keep the parts; makes no call."""
        self._access = access
        self._client = client
        self._clock = clock
        self._written: dict[str, datetime | None] = {}

    def check(self) -> Connection:
        """Probe the key, then the project; see ``Tracker.check``."""
        user = self._client.me()
        project = self._client.project()
        if not project.is_member:
            raise RemoteForbidden("The API key's user is not a member of the project.", system=SYSTEM, status=403)
        if not project.has_cycles:
            raise RemoteRefused("Cycles are not enabled for this project.", system=SYSTEM)
        return Connection(
            workspace=self._access.workspace,
            project=project.name,
            version=self._client.version(),
            user_id=_wire.row_id(user, "a user"),
        )

    def cycles(self) -> Sequence[Cycle]:
        """Return the project's cycles, newest first; see ``Tracker.cycles``."""
        zone = self._client.memory.zone or self._client.project().zone
        now = self._clock.now()
        return [_wire.parse_cycle(row, zone=zone, now=now) for row in self._client.cycles()]

    def cycle(self, cycle_id: str) -> Cycle:
        """Return one cycle in one call: an unknown time zone is read off its dates; see ``Tracker.cycle``."""
        return _wire.parse_cycle(self._client.cycle(cycle_id), zone=self._client.memory.zone, now=self._clock.now())

    def items(self, cycle_id: str, *, progress: Progress | None = None) -> Sequence[TrackerItem]:
        """Return a cycle's items in the order they were made; those of an unknown cycle are none; see ``Tracker.items``."""
        rows = self._client.cycle_items(cycle_id, progress)
        whole = (self._client.item(_wire.row_id(row, "a work item")) if _wire.needs_detail(row) else row for row in rows)
        return [_wire.parse_item(row, index) for index, row in enumerate(whole)]

    def set_group(self, item_id: str, group: StateGroup) -> StateGroup:
        """Move an item to the first state of a group unless it is within; see ``Tracker.set_group``.

        Raises:
            RemoteRefused: The project has no state in that group, or the change did not take.

        """
        if _wire.parse_item(self._client.item(item_id), 0).group is group:
            return group
        target = next((state.id for state in self._states if state.group is group), None)
        if target is None:
            raise RemoteRefused(f"The project has no state in the group {group.value}.", system=SYSTEM)
        # Plane answers 200 to changes that it ignores, so only the field itself tells.
        changed = self._client.change_item(item_id, {"state": target})
        if changed.get("state") != target:
            raise RemoteRefused("Plane did not take the new state.", system=SYSTEM)
        self._written[item_id] = _wire.written_at(changed, "updated_at")
        return group

    def comment(self, item_id: str, text: str, *, marker: str) -> None:
        """Write a comment once; see ``Tracker.comment``."""
        try:
            comment = self._client.add_comment(item_id, _wire.comment_body(text, marker))
        except RemoteConflict:
            return
        self._written[item_id] = _wire.written_at(comment, "created_at")

    def written_at(self, item_id: str) -> datetime | None:
        """Return when this object last changed or commented an item; see ``TellsWrites.written_at``."""
        return self._written.get(item_id)

    def append_to_cycle(self, cycle_id: str, text: str, *, marker: str) -> None:
        """Append to a cycle's description once; see ``Tracker.append_to_cycle``."""
        description = _wire.appended(_wire.description_of(self._client.cycle(cycle_id)), text, marker)
        if description is None:
            return
        changed = self._client.change_cycle(cycle_id, {"description": description})
        if marker not in _wire.description_of(changed):
            raise RemoteRefused("Plane did not take the new description.", system=SYSTEM)

    def blockers(self, item_id: str) -> Sequence[str] | None:
        """Return what an item waits for; None on servers before v1.3; see ``KnowsRelations.blockers``."""
        try:
            return _wire.parse_blockers(self._client.relations(item_id))
        except RemoteNotFound as error:
            if error.data["route"]:
                raise
            return None

    @cached_property
    def _states(self) -> tuple[_wire.State, ...]:
        return self._client.states()
