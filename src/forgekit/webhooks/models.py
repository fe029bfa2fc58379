"""Incoming webhooks: what came, what was answered, what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

import attrs

from forgekit.kernel.events.models import Event


class ReceiptAction(Enum):
    """What a sender is told."""

    PROCESSED = "processed"
    DEDUPED = "deduped"
    NO_ACTIVE_CYCLE = "no_active_cycle"
    ERROR = "error"


class Relevance(Enum):
    """What an event means to whoever shall act on it.

    WANTED and IDLE rows are handled (with fresh data) by the worker; OTHER and UNCONFIGURED ones are stored and left, for a replay.
    """

    WANTED = "wanted"
    IDLE = "idle"
    OTHER = "other"
    UNCONFIGURED = "unconfigured"


@attrs.frozen(kw_only=True)
class IncomingEvent:
    """An authentic webhook, brought into one form.

    Attributes:
        provider: The configured provider.
        kind: Normalised event, e.g. ``issue`` or ``cycle``; the provider's own name where there is no normal form.
        action: Normalised action, e.g. ``updated``; empty where the provider has none.
        subject: Id of what it is about; empty where it has none.
        scope: Id of the provider's project or repository; empty where it has none.
        payload: The parsed body.

    """

    provider: str
    kind: str
    action: str = ""
    subject: str = ""
    scope: str = ""
    payload: Mapping[str, Any] = attrs.field(repr=False)

    @property
    def key(self) -> str:
        """The key that bursts are recognised by: kind, action, subject; empty, which is never a burst, where there is no subject."""
        return f"{self.kind}|{self.action}|{self.subject}" if self.subject else ""


@attrs.frozen(kw_only=True)
class Arrival:
    """A row to be put into the inbox.

    Attributes:
        provider: The configured provider.
        dedup_key: Unique a provider; printable ASCII, at most 180 characters.
        event_key: ``IncomingEvent.key``, at most 200 characters; empty is never a burst.
        kind: ``IncomingEvent.kind``, at most 100 characters.
        event: The event's name from the header, as sent: without it a GitHub body cannot be read again. At most 4,096 characters, ASCII.
        body: The exact bytes; never empty.
        received_at: When it came.
        wanted: Whether a handler shall see it (else the row is stored as done).
        delivery_id: The provider's own id, for people. At most 4,096 characters, ASCII.

    """

    provider: str
    dedup_key: str
    event_key: str
    kind: str
    event: str = ""
    body: bytes = attrs.field(repr=False)
    received_at: datetime
    wanted: bool
    delivery_id: str = ""


@attrs.frozen(kw_only=True)
class Stored:
    """What became of an arrival.

    Attributes:
        id: The row's id; the older row's for a duplicate where it is known, else None.
        duplicate: Whether the same thing had come before (and nothing was stored). A row that had failed is due again.
        burst: Whether the same event key had come within the burst window (and it was stored).

    """

    id: int | None
    duplicate: bool
    burst: bool


@attrs.frozen(kw_only=True)
class InboxEntry:
    """A stored incoming webhook.

    Attributes:
        id: The row's id.
        provider: Who sent it.
        dedup_key: What it is recognised by.
        kind: Normalised event.
        event: The event's name from the header.
        delivery_id: The provider's own id.
        state: ``ready``, ``leased``, ``done`` or ``failed``.
        attempts: How often a handler took it up.
        error: Why the last attempt failed.
        received_at: When it came.
        body: The exact bytes; empty once retention has taken them.

    """

    id: int
    provider: str
    dedup_key: str
    kind: str
    event: str = ""
    delivery_id: str = ""
    state: str
    attempts: int
    error: str | None
    received_at: datetime
    body: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Receipt:
    """The answer to an incoming webhook.

    Attributes:
        action: What the sender is told.
        id: The inbox row, the older one for a duplicate where it is known; None where nothing was stored.
        reply: What the sender wants to read back (Slack's challenge); None for most.

    """

    action: ReceiptAction
    id: int | None = None
    reply: str | None = None


@attrs.frozen(kw_only=True)
class InboxStatistics:
    """Incoming webhooks of a provider in numbers.

    Attributes:
        received: Stored ones, ever (retention does not lower it).
        last_at: When the newest one came.
        deduplicated: Duplicates refused by this process since it started.
        rejected: Forged or unreadable ones refused by this process since it started.
        waiting: Rows that a handler has still to take up.
        failed: Rows that were given up.

    """

    received: int = 0
    last_at: datetime | None = None
    deduplicated: int = 0
    rejected: int = 0
    waiting: int = 0
    failed: int = 0


@attrs.frozen(kw_only=True)
class WebhookReceived(Event):
    """An authentic webhook was stored; ``WebhookService.event`` reads it.

    Attributes:
        provider: Who sent it.
        kind: Normalised event.
        inbox_id: The row.

    """

    name: ClassVar[str] = "webhooks.received"

    provider: str
    kind: str
    inbox_id: int
