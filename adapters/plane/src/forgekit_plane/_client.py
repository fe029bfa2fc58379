"""I/O: the calls that the tracker makes, over the forge's HTTP machine and within the key's budget."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

import attrs

from forgekit.errors import RemoteError, RemoteMalformed, RemoteNotFound, RemoteUnavailable
from forgekit.kernel.net.http import Http
from forgekit.kernel.net.models import Priority
from forgekit.kernel.net.rules import segment
from forgekit.sprints.ports import Progress
from forgekit_plane import _wire
from forgekit_plane._judge import SYSTEM, judge
from forgekit_plane.settings import Access

_MAX_PAGES = 1000
_READINGS = 2


@attrs.define
class Memory:
    """What was learnt of a project on a server and seldom changes.

    Attributes:
        zone: The project's time zone; None until the project was read.
        items_name: What the server calls its work items' path.

    """

    zone: tzinfo | None = None
    items_name: str = "work-items"


class Memories:
    """What was learnt, by credential and project; one a forge, so that an import need not ask again. Thread-safe."""

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, str], Memory] = {}

    def of(self, access: Access) -> Memory:
        """Return what is known of a project."""
        with self._lock:
            return self._known.setdefault((access.credential, access.workspace, access.project), Memory())


class Client:
    """Plane's endpoints, as far as they are needed, for one project."""

    def __init__(self, access: Access, http: Http, priority: Priority, memory: Memory) -> None:
        """Keep the parts; makes no call."""
        self.memory = memory
        self._hide = access.api_key.reveal()
        self._page_size = access.page_size
        self._session = http.session(
            system=SYSTEM,
            base_url=access.base_url,
            headers={"X-Api-Key": access.api_key, "Accept": "application/json"},
            budget=http.budgets.ticket(access.credential, access.policy, priority),
        )
        self._project = f"api/v1/workspaces/{segment(access.workspace)}/projects/{segment(access.project)}/"

    # who, where, what

    def me(self) -> _wire.Row:
        """Return the key's user."""
        return _wire.as_row(self._call("GET", "api/v1/users/me/"), "a user")

    def project(self) -> _wire.Project:
        """Return the project, and remember its time zone."""
        project = _wire.parse_project(self._call("GET", self._project))
        self.memory.zone = project.zone
        return project

    def version(self) -> str | None:
        """Return the server's version; None where it does not tell."""
        try:
            return _wire.parse_version(self._call("GET", "api/instances/", retry=False))
        except RemoteError:
            return None

    def states(self) -> tuple[_wire.State, ...]:
        """Return the project's states in the order of its board."""
        return _wire.parse_states(self.list(f"{self._project}states/", "states"))

    # cycles

    def cycles(self) -> tuple[_wire.Row, ...]:
        """Return the project's cycles, newest first."""
        return self.list(f"{self._project}cycles/", "cycles")

    def cycle(self, cycle_id: str) -> _wire.Row:
        """Return one cycle."""
        return _wire.as_row(self._call("GET", f"{self._project}cycles/{segment(cycle_id)}/"), "a cycle")

    def change_cycle(self, cycle_id: str, changes: Mapping[str, str]) -> _wire.Row:
        """Change a cycle and return it."""
        return _wire.as_row(self._call("PATCH", f"{self._project}cycles/{segment(cycle_id)}/", json=changes, retry=True), "a cycle")

    def cycle_items(self, cycle_id: str, progress: Progress | None) -> tuple[_wire.Row, ...]:
        """Return every item of a cycle, with states, labels and project expanded."""
        path = f"{self._project}cycles/{segment(cycle_id)}/cycle-issues/"
        return self.list(path, "work items", {"expand": _wire.EXPANDED}, progress)

    # work items

    def item(self, item_id: str) -> _wire.Row:
        """Return one item, expanded likewise."""
        return _wire.as_row(self._item_call("GET", item_id, params={"expand": _wire.EXPANDED}), "a work item")

    def change_item(self, item_id: str, changes: Mapping[str, str]) -> _wire.Row:
        """Change an item and return it."""
        return _wire.as_row(self._item_call("PATCH", item_id, json=changes, retry=True), "a work item")

    def add_comment(self, item_id: str, body: Mapping[str, str]) -> _wire.Row:
        """Write a comment and return it; its external id makes a repetition harmless."""
        return _wire.as_row(self._item_call("POST", item_id, "comments/", json=body, retry=True), "a comment")

    def relations(self, item_id: str) -> Any:
        """Return an item's relations, which no path but this one has."""
        return self._call("GET", f"{self._project}work-items/{segment(item_id)}/relations/")

    def _item_call(self, method: str, item_id: str, below: str = "", **options: Any) -> Any:
        """Call a work item's path under the name that this server has for it: before v1.1 that is ``issues``."""
        known = self.memory.items_name
        try:
            return self._call(method, f"{self._project}{known}/{segment(item_id)}/{below}", **options)
        except RemoteNotFound as error:
            if error.data["route"]:
                raise
        other = "issues" if known == "work-items" else "work-items"
        body = self._call(method, f"{self._project}{other}/{segment(item_id)}/{below}", **options)
        self.memory.items_name = other
        return body

    # the machinery

    def _call(self, method: str, path: str, **options: Any) -> Any:
        return judge(self._session.request(method, path, **options), hide=self._hide)

    def list(
        self, path: str, what: str, params: Mapping[str, str] | None = None, progress: Progress | None = None
    ) -> tuple[_wire.Row, ...]:
        """Return all pages of a list, each entry once.

        Pages are windows on a list that may change while they are read; where entries are missing in the end it is read
        once more.

        Raises:
            RemoteUnavailable: It changed then too.

        """
        for _ in range(_READINGS):
            rows, total = self._read_pages(path, what, params or {}, progress)
            if total is None or len(rows) >= total:
                return rows
        raise RemoteUnavailable(f"Plane's list of {what} changed while it was read.", system=SYSTEM)

    def _read_pages(
        self, path: str, what: str, params: Mapping[str, str], progress: Progress | None
    ) -> tuple[tuple[_wire.Row, ...], int | None]:
        rows: dict[str, _wire.Row] = {}
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            # The limit comes from per_page on every page: the cursor's own is ignored, and without it later pages are empty.
            page = _wire.parse_page(self._call("GET", path, params={**params, "per_page": self._page_size, "cursor": cursor}), what)
            rows.update((_wire.row_id(row, what), row) for row in page.rows)
            if progress is not None:
                progress(len(rows), page.total)
            if page.next_cursor is None or not page.rows or page.next_cursor == cursor:
                return tuple(rows.values()), page.total
            cursor = page.next_cursor
        raise RemoteMalformed(f"Plane's list of {what} does not end.", system=SYSTEM)
