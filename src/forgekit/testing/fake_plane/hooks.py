"""Webhooks as Plane sends them: the same shape, the same bytes, the same headers in the same order, the same retries."""

from __future__ import annotations

import copy
import hashlib
import hmac
import http.client
import json
import queue
import threading
from typing import Any
from uuid import uuid4

import attrs

from forgekit.testing.fake_plane.answers import Row
from forgekit.testing.fake_plane.world import Change, World
from forgekit.testing.loopback import send

_RETRIES = 5


@attrs.frozen(kw_only=True)
class Delivery:
    """A webhook, signed and ready to send.

    Attributes:
        event: ``issue``, ``cycle`` or ``issue_comment``.
        action: ``created`` or ``updated``.
        field: Which field changed.
        headers: In Plane's order, without ``Host`` and ``Content-Length``.
        body: The exact bytes that are signed and sent.

    """

    event: str
    action: str
    field: str | None
    headers: tuple[tuple[str, str], ...]
    body: bytes = attrs.field(repr=False)

    def again(self) -> Delivery:
        """Return the same delivery as a retry sends it: the same bytes under a new delivery id."""
        return attrs.evolve(self, headers=_headers(self.event, dict(self.headers).get("X-Plane-Signature")))


def _headers(event: str, signature: str | None) -> tuple[tuple[str, str], ...]:
    signed = () if signature is None else (("X-Plane-Signature", signature),)
    return (
        ("User-Agent", "Autopilot"),
        ("Accept-Encoding", "gzip, deflate"),
        ("Accept", "*/*"),
        ("Connection", "keep-alive"),
        ("Content-Type", "application/json"),
        ("X-Plane-Delivery", str(uuid4())),
        ("X-Plane-Event", event),
        *signed,
    )


def sign(payload: Any, secret: str | None, *, event: str = "issue", action: str = "", field: str | None = None) -> Delivery:
    """Return a payload as Plane would send it: ``json.dumps`` with its defaults, HMAC-SHA256 in hex over those bytes.

    Without a secret there is no signature, as with a webhook that has none.
    """
    body = json.dumps(payload).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() if secret else None
    return Delivery(event=event, action=action, field=field, headers=_headers(event, signature), body=body)


def payload(world: World, change: Change, webhook_id: str) -> Row:
    """Return the body that tells of a change."""
    return {
        "event": change.event,
        "action": change.action,
        "webhook_id": webhook_id,
        "workspace_id": world.workspace_id,
        "data": _issue(world, change.row) if change.event == "issue" else copy.deepcopy(change.row),
        "activity": {
            "field": change.field,
            "new_value": change.new,
            "old_value": change.old,
            "actor": dict(world.users["alice"]),
            "old_identifier": None,
            "new_identifier": None,
        },
    }


def _issue(world: World, row: Row) -> Row:
    """Return a work item in the webhook's shape, which is not that of the REST API."""
    base = copy.deepcopy(row)
    state = world.states[base.pop("state")]
    labels = [world.labels[label] for label in base.pop("labels")]
    people = {user["id"]: user for user in world.users.values()}
    base.pop("type_id")
    return {
        "id": base.pop("id"),
        "labels": [{key: label[key] for key in ("id", "name", "color")} for label in labels],
        "assignees": [dict(people[user]) for user in base.pop("assignees")],
        "state": {key: state[key] for key in ("id", "name", "color", "group")},
        "description": {},
        "description_json": {},
        "description_stripped": "",
        **base,
    }


class Sender:
    """Sends deliveries to one address, one after another, in a thread of its own.

    Any answer counts as delivered, a 500 too; only where none comes is it tried again, up to five times, and then never more.
    """

    def __init__(self, url: str, *, retry_delay: float) -> None:
        """Begin to wait for deliveries."""
        self.url = url
        self.active = True
        self.results: list[tuple[Delivery, int | None]] = []
        self._retry_delay = retry_delay
        self._queue: queue.Queue[Delivery | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake-plane-webhooks", daemon=True)
        self._thread.start()

    def put(self, delivery: Delivery) -> None:
        """Send a delivery soon."""
        self._queue.put(delivery)

    def settle(self) -> None:
        """Wait until everything so far is sent or given up."""
        self._queue.join()

    def stop(self) -> None:
        """End the thread after the delivery under way."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (delivery := self._queue.get()) is not None:
            try:
                if self.active and not self._stopping.is_set():
                    self._deliver(delivery)
            finally:
                self._queue.task_done()

    def _deliver(self, delivery: Delivery) -> None:
        for _ in range(1 + _RETRIES):
            status = self._attempt(delivery)
            self.results.append((delivery, status))
            if status is not None or self._stopping.wait(self._retry_delay):
                return
            delivery = delivery.again()
        self.active = False

    def _attempt(self, delivery: Delivery) -> int | None:
        try:
            return send(delivery, self.url)
        except (OSError, http.client.HTTPException):
            return None
