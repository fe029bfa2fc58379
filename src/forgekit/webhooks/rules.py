"""Pure rules of the inbox: what is stored of a webhook, and what its sender is told."""

from __future__ import annotations

import hashlib

from forgekit.webhooks.models import Arrival, IncomingEvent, ReceiptAction, Relevance, Stored
from forgekit.webhooks.signatures import VerifiedWebhook

MAX_KIND = 100
MAX_EVENT_KEY = 200

_HANDLED = frozenset({Relevance.WANTED, Relevance.IDLE})
_ACTIONS = {
    Relevance.WANTED: ReceiptAction.PROCESSED,
    Relevance.OTHER: ReceiptAction.PROCESSED,
    Relevance.IDLE: ReceiptAction.NO_ACTIVE_CYCLE,
    Relevance.UNCONFIGURED: ReceiptAction.ERROR,
}


def arrival_of(webhook: VerifiedWebhook, event: IncomingEvent, relevance: Relevance) -> Arrival:
    """Return the row for an authentic webhook."""
    return Arrival(
        provider=event.provider,
        dedup_key=webhook.dedup_key,
        event_key=bounded(event.key, MAX_EVENT_KEY),
        kind=bounded(event.kind, MAX_KIND),
        event=webhook.event or "",
        body=webhook.body,
        received_at=webhook.received_at,
        wanted=relevance in _HANDLED,
        delivery_id=webhook.delivery_id or "",
    )


def action_for(relevance: Relevance, stored: Stored) -> ReceiptAction:
    """Return what the sender is told. Duplicates and bursts come first: the order of the checks is dedup, relevance, active cycle."""
    if stored.duplicate or stored.burst:
        return ReceiptAction.DEDUPED
    return _ACTIONS[relevance]


def bounded(text: str, limit: int) -> str:
    """Return the text, or the hash of one that is too long or that a database refuses (a NUL is none of PostgreSQL's characters)."""
    if len(text) <= limit and text.isprintable():
        return text
    return "#" + hashlib.sha256(text.encode()).hexdigest()
