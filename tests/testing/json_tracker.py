"""The smallest tracker that does real work: a JSON file. It shows that the port asks for nothing that only Plane has.

::

    {"project": "Shop", "cycles": [{"id", "name", "description", "from", "to"}], "items": [{"id", "cycle", "name", "group", …}]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar

import attrs

from forgekit.errors import RemoteMalformed, RemoteNotFound
from forgekit.kernel.clock import Clock
from forgekit.kernel.secrets import Secret
from forgekit.kernel.settings import setting, settings
from forgekit.markers import hookimpl
from forgekit.sprints.models import Connection, Cycle, CycleStatus, StateGroup, TrackerItem
from forgekit.sprints.ports import Progress, Tracker, TrackerAdapter, TrackerContext


@settings("json", env_prefix="JSON_TRACKER_")
class JsonSettings:
    """Where the file is, and what every tracker's settings have."""

    path: str = setting(doc="The file.")
    poll_interval: float = setting(default=30.0, doc="Seconds between two looks at the file.")
    webhook_secret: Secret | None = setting(default=None, secret=True, doc="What its webhooks would be signed with.")
    project_id: str | None = setting(default=None, doc="The project that its webhooks would be about.")
    relations: bool = setting(default=False, doc="Whether its items say what they wait for.")


@attrs.frozen
class JsonTracker:
    """A tracker whose only copy is a file."""

    API_VERSION: ClassVar[int] = 1

    path: Path
    clock: Clock

    def check(self) -> Connection:
        return Connection(workspace=self.path.name, project=self._read()["project"])

    def cycles(self) -> Sequence[Cycle]:
        return [self._cycle(row) for row in reversed(self._read()["cycles"])]

    def cycle(self, cycle_id: str) -> Cycle:
        return self._cycle(_find(self._read()["cycles"], cycle_id))

    def items(self, cycle_id: str, *, progress: Progress | None = None) -> Sequence[TrackerItem]:
        rows = [row for row in self._read()["items"] if row["cycle"] == cycle_id]
        if progress is not None:
            progress(len(rows), len(rows))
        return [_item(row, number) for number, row in enumerate(rows)]

    def set_group(self, item_id: str, group: StateGroup) -> StateGroup:
        content = self._read()
        row = _find(content["items"], item_id)
        if row["group"] != group.value:
            row |= {"group": group.value, "updated": self.clock.now().isoformat()}
            self.write(content)
        return group

    def comment(self, item_id: str, text: str, *, marker: str) -> None:
        content = self._read()
        _find(content["items"], item_id).setdefault("comments", {}).setdefault(marker, text)
        self.write(content)

    def append_to_cycle(self, cycle_id: str, text: str, *, marker: str) -> None:
        content = self._read()
        row = _find(content["cycles"], cycle_id)
        if marker not in row["description"]:
            row["description"] = f"{row['description']}\n\n{text} [{marker}]".strip()
            self.write(content)

    def _read(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise RemoteMalformed("The file is no tracker.", system="json") from None
        return content

    def write(self, content: Mapping[str, Any]) -> None:
        self.path.write_text(json.dumps(content, indent=2), encoding="utf-8")

    def _cycle(self, row: Mapping[str, Any]) -> Cycle:
        first, last, today = date.fromisoformat(row["from"]), date.fromisoformat(row["to"]), self.clock.now().date()
        status = CycleStatus.UPCOMING if first > today else CycleStatus.CURRENT if today <= last else CycleStatus.COMPLETED
        return Cycle(id=row["id"], name=row["name"], description=row["description"], starts_on=first, ends_on=last, status=status)


class RelatedJsonTracker(JsonTracker):
    """One whose items may say what they wait for, under ``blocked_by``."""

    def blockers(self, item_id: str) -> Sequence[str]:
        return list(_find(self._read()["items"], item_id).get("blocked_by", []))


def _find(rows: Sequence[dict[str, Any]], row_id: str) -> dict[str, Any]:
    for row in rows:
        if row["id"] == row_id:
            return row
    raise RemoteNotFound(system="json")


def _item(row: Mapping[str, Any], number: int) -> TrackerItem:
    return TrackerItem(
        id=row["id"],
        name=row["name"],
        description=row.get("description", ""),
        priority=row.get("priority", 5),
        group=StateGroup(row["group"]),
        state=row["group"],
        category=row.get("category"),
        parent_id=row.get("parent"),
        position=number,
        updated_at=datetime.fromisoformat(row["updated"]).astimezone(UTC),
    )


def _open(context: TrackerContext) -> Tracker:
    assert isinstance(context.settings, JsonSettings)
    kind = RelatedJsonTracker if context.settings.relations else JsonTracker
    return kind(Path(context.settings.path), context.clock)


@hookimpl
def forgekit_trackers() -> Mapping[str, TrackerAdapter]:
    """Offer the tracker ``json``: with this, the module is a plugin (``Forge.open(plugins=[json_tracker])``)."""
    return {"json": TrackerAdapter(settings=JsonSettings, open=_open)}
