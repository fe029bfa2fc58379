"""The face of the fake: what a test or a demonstration calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from forgekit.kernel.clock import Clock, SystemClock
from forgekit.testing.fake_plane import hooks, markup
from forgekit.testing.fake_plane.answers import Row
from forgekit.testing.fake_plane.gate import Gate, RateLimit
from forgekit.testing.fake_plane.hooks import Delivery
from forgekit.testing.fake_plane.world import Change, World
from forgekit.testing.loopback import Fake

_STATUS_DAYS = {"current": (-3, 10), "upcoming": (14, 27), "completed": (-20, -7)}


class FakePlane(Fake):
    """A Plane (Community Edition, API v1) on the loopback, with one workspace and one project, kept in memory.

    ::

        with FakePlane() as plane:
            cycle = plane.add_cycle("Sprint 4")
            plane.add_item("Login", cycle=cycle, state="In Progress", priority="urgent")
            forge = Forge.open(..., config={"plane": plane.settings})

    It keeps to the real server's traps; each is described where it is programmed. Changes made through its methods are a
    person's in the web interface: they send webhooks and are not counted as calls. Thread-safe.
    """

    FAULT = (500, b'{"error":"Something went wrong please try again later"}')

    def __init__(
        self,
        *,
        workspace: str = "acme",
        project_name: str = "Shop",
        identifier: str = "SHOP",
        timezone: str = "UTC",
        version: str = "1.3.1",
        tells_version: bool = True,
        rate_limit: int | None = 60,
        project_id: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make the data; the server runs between ``start`` and ``stop``, or inside ``with``.

        Args:
            workspace: The workspace's slug.
            project_name: The project's name.
            identifier: The prefix of its items' keys.
            timezone: The project's time zone.
            version: What it claims to be; endpoints of later versions answer 404.
            tells_version: Whether ``/api/instances/`` exists.
            rate_limit: Calls a minute and key; None for any number.
            project_id: The project's id, a UUID; made up when absent.
            clock: What time it is there.

        """
        self.world = World(clock=clock or SystemClock(), workspace=workspace, version=version)
        self._project = self.world.add_project(name=project_name, identifier=identifier, timezone=timezone, row_id=project_id)
        self.workspace = workspace
        self.project_id = str(self._project["id"])
        self.user_id = self.world.owner_id
        self.api_key = f"plane_api_{uuid4().hex}"
        self.webhook_secret = f"plane_wh_{uuid4().hex}"
        self.deliveries: list[Delivery] = []
        self._webhook_id = str(uuid4())
        self._sender: hooks.Sender | None = None
        self._limit = RateLimit(rate_limit, 60.0)
        gate = Gate(world=self.world, keys={self.api_key: self.world.users["alice"]}, limit=self._limit, tells_version=tells_version)
        self._gate = gate
        super().__init__(gate, name="fake-plane")
        self.world.listeners.append(self._tell)

    # running

    def stop(self) -> None:
        """Stop serving and sending."""
        if self._sender is not None:
            self._sender.stop()
        super().stop()

    @property
    def settings(self) -> dict[str, str]:
        """What ``Forge.open(config={"plane": …})`` needs."""
        return {
            "api_url": self.url,
            "api_key": self.api_key,
            "workspace_slug": self.workspace,
            "project_id": self.project_id,
            "webhook_secret": self.webhook_secret,
        }

    def add_key(self, user: str = "alice") -> str:
        """Return a further key of alice (owner), bob (in the workspace, in no project) or mallory (a stranger)."""
        key = f"plane_api_{uuid4().hex}"
        self._gate.keys[key] = self.world.users[user]
        return key

    def revoke_key(self, key: str | None = None) -> None:
        """Make a key invalid, by default the first."""
        del self._gate.keys[key or self.api_key]

    # a person's edits

    def add_state(self, name: str, group: str) -> str:
        """Make a state in a group and return its id."""
        with self._lock:
            return str(self.world.add_state(self._project, name, group)["id"])

    def add_label(self, name: str) -> str:
        """Make a label and return its id."""
        with self._lock:
            return str(self.world.add_label(self._project, name)["id"])

    def add_cycle(
        self,
        name: str,
        *,
        status: str = "current",
        starts_on: date | None = None,
        ends_on: date | None = None,
        description: str = "",
        cycle_id: str | None = None,
    ) -> str:
        """Make a cycle and return its id.

        Args:
            name: Its name.
            status: ``current``, ``upcoming``, ``completed`` or ``draft``: chooses dates around now, where none are given.
            starts_on: First day, in the project's time zone.
            ends_on: Last day.
            description: Plain text.
            cycle_id: Its id, a UUID; made up when absent.

        """
        with self._lock:
            if starts_on is None and ends_on is None and status != "draft":
                today = self.world.now().astimezone(ZoneInfo(self._project["timezone"])).date()
                starts_on, ends_on = (today + timedelta(days=days) for days in _STATUS_DAYS[status])
            values: Row = {"description": description}
            if starts_on is not None and ends_on is not None:
                values["start_date"] = self.world.cycle_start(self._project, starts_on)
                values["end_date"] = self.world.cycle_end(self._project, ends_on)
            return str(self.world.add_cycle(self._project, name, row_id=cycle_id, **values)["id"])

    def add_item(
        self,
        name: str,
        *,
        cycle: str | None = None,
        state: str = "Backlog",
        priority: str = "none",
        description: str = "",
        labels: Sequence[str] = (),
        parent: str | None = None,
        item_id: str | None = None,
    ) -> str:
        """Make a work item and return its id.

        Args:
            name: Its name.
            cycle: Id of the cycle to put it into.
            state: Name of its state, or a group (its first state).
            priority: ``urgent``, ``high``, ``medium``, ``low`` or ``none``.
            description: HTML, stored as Plane rewrites it.
            labels: Names of labels, made where they are new.
            parent: Id of the item it is part of.
            item_id: Its id, a UUID; made up when absent.

        """
        with self._lock:
            values = self._values({"state": state, "priority": priority, "description": description, "labels": labels, "parent": parent})
            row = self.world.add_item(self._project, name, row_id=item_id, **values)
            if cycle is not None:
                self.world.put_into_cycle([row["id"]], cycle)
            return str(row["id"])

    def edit_item(self, item_id: str, **changes: Any) -> None:
        """Change a work item's ``name``, ``state``, ``priority``, ``description``, ``labels`` or ``parent``, as in ``add_item``."""
        with self._lock:
            self.world.change_item(self.world.items[item_id], self._values(changes))

    def edit_cycle(self, cycle_id: str, **changes: Any) -> None:
        """Change a cycle's ``name`` or ``description``."""
        with self._lock:
            self.world.change_cycle(self.world.cycles[cycle_id], changes)

    def end_cycle(self, cycle_id: str) -> None:
        """Let a cycle have ended two days ago, as time does: without a webhook."""
        with self._lock:
            end = self.world.now().date() - timedelta(days=2)
            dates = {"start_date": end - timedelta(days=13), "end_date": end}
            self.world.cycles[cycle_id]["start_date"] = self.world.cycle_start(self._project, dates["start_date"])
            self.world.cycles[cycle_id]["end_date"] = self.world.cycle_end(self._project, dates["end_date"])

    def move_to_cycle(self, item_id: str, cycle_id: str) -> None:
        """Put an item into a cycle, out of any other."""
        with self._lock:
            self.world.put_into_cycle([item_id], cycle_id)

    def remove_from_cycle(self, item_id: str) -> None:
        """Take an item out of its cycle."""
        with self._lock:
            self.world.take_out_of_cycle(item_id)

    def delete_item(self, item_id: str) -> None:
        """Delete an item."""
        with self._lock:
            self.world.remove_item(item_id)

    def delete_cycle(self, cycle_id: str) -> None:
        """Delete a cycle; its items stay."""
        with self._lock:
            self.world.remove_cycle(cycle_id)

    def relate(self, item_id: str, *, blocked_by: str) -> None:
        """Let an item wait for another."""
        with self._lock:
            self.world.relate(item_id, "blocked_by", blocked_by)

    def comment(self, item_id: str, html: str) -> None:
        """Write a comment."""
        with self._lock:
            self.world.add_comment(self.world.items[item_id], html)

    def touch_item(self, item_id: str) -> None:
        """Move an item's ``updated_at`` and nothing else, as a link or a no-op edit does."""
        with self._lock:
            self.world.change_item(self.world.items[item_id], {})

    def _values(self, changes: Mapping[str, Any]) -> Row:
        values = dict(changes)
        if "state" in values:
            values["state"] = self._state_id(values["state"])
        if "labels" in values:
            values["labels"] = [self._label_id(name) for name in values["labels"]]
        if "description" in values:
            values["description_html"] = markup.rewrite(values.pop("description")) or "<p></p>"
        return values

    def _state_id(self, name: str) -> str:
        states = self.world.visible_states(self._project)
        return str(next(row["id"] for row in states if name in (row["name"], row["group"])))

    def _label_id(self, name: str) -> str:
        found = (row["id"] for row in self.world.of(self._project, self.world.labels) if row["name"] == name)
        return str(next(found, None) or self.world.add_label(self._project, name)["id"])

    # looking

    def item(self, item_id: str) -> Row:
        """Return an item as the REST API shows it."""
        with self._lock:
            return dict(self.world.items[item_id])

    def state_of(self, item_id: str) -> str:
        """Return the name of an item's state."""
        with self._lock:
            return str(self.world.states[self.world.items[item_id]["state"]]["name"])

    def cycle(self, cycle_id: str) -> Row:
        """Return a cycle as the REST API shows it, without counters."""
        with self._lock:
            return dict(self.world.cycles[cycle_id])

    def comments(self, item_id: str) -> list[str]:
        """Return the HTML of an item's comments, oldest first."""
        with self._lock:
            return [row["comment_html"] for row in self.world.comments.values() if row["issue"] == item_id]

    # calls

    def count(self, method: str | None = None, path: str = "") -> int:
        """Return how many calls had this method and a path that contains this."""
        return sum(method in (None, call.method) and path in call.path for call in self.calls)

    def forget_calls(self) -> None:
        """Begin to count anew; the rate limit forgets too."""
        with self._lock:
            self._server.calls.clear()
            self._limit.forget()

    # faults

    def slow(self, seconds: float) -> None:
        """Answer every request this much later from now on."""
        self._faults.delay = seconds

    # webhooks

    def deliver_webhooks(self, url: str, secret: str | None = None, *, retry_delay: float = 0.05) -> None:
        """Send a webhook for each change from now on.

        Args:
            url: Where to.
            secret: What to sign with; this fake's ``webhook_secret`` when absent.
            retry_delay: Seconds before it tries again where there was no answer at all (Plane: up to ten minutes).

        """
        with self._lock:
            if self._sender is not None:
                self._sender.stop()
            self.webhook_secret = secret or self.webhook_secret
            self._sender = hooks.Sender(url, retry_delay=retry_delay)

    def settle(self) -> list[int | None]:
        """Wait until every webhook so far is sent or given up; return the status of each attempt, None where no answer came."""
        if self._sender is None:
            return []
        self._sender.settle()
        return [status for _delivery, status in self._sender.results]

    @property
    def webhooks_active(self) -> bool:
        """Whether webhooks are still sent: Plane switches them off for good when nobody answered six times."""
        return self._sender is not None and self._sender.active

    def sign(self, payload: Any, *, event: str = "issue") -> Delivery:
        """Return any payload as Plane would sign and send it."""
        return hooks.sign(payload, self.webhook_secret, event=event)

    def _tell(self, change: Change) -> None:
        body = hooks.payload(self.world, change, self._webhook_id)
        delivery = hooks.sign(body, self.webhook_secret, event=change.event, action=change.action, field=change.field)
        self.deliveries.append(delivery)
        if self._sender is not None:
            self._sender.put(delivery)
