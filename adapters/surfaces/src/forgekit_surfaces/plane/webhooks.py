"""``POST /webhooks``: the one operation whose guard is the signature."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

import attrs

from forgekit.http import Open, RawRequest
from forgekit.http.guards import is_loopback
from forgekit.webhooks.models import Receipt, ReceiptAction
from forgekit_surfaces.plane.contract import TRACKER, surface

if TYPE_CHECKING:
    from forgekit import Forge

MAX_BODY = 5_000_000
"""Bytes of a webhook's body; more is 413."""


@attrs.frozen
class WebhookAnswer:
    """What the sender is told."""

    status: str
    action: str


@surface.op("POST", "/webhooks", guard=Open(), errors=(400, 401, 413, 503), max_body=MAX_BODY, inline=True)
def receive_webhook(forge: Forge, raw: RawRequest) -> Future[WebhookAnswer]:
    """Receive a webhook from Plane; answered once it is stored."""
    return forge.webhooks.submit(TRACKER, raw.headers, raw.body, trusted_peer=is_loopback(raw.peer)).then(_answer)


def _answer(receipt: Receipt) -> WebhookAnswer:
    return WebhookAnswer("error" if receipt.action is ReceiptAction.ERROR else "ok", receipt.action.value)
