"""What ``webhooks`` needs from outside: who acts on an event, and an inbox."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

import attrs

from forgekit.kernel.storage.transaction import Transaction
from forgekit.webhooks.models import Arrival, InboxEntry, IncomingEvent, Relevance, Stored
from forgekit.webhooks.signatures import Scheme, SigningSecret, VerifiedWebhook


class Provider(Protocol):
    """A sender of webhooks (hook ``forgekit_webhook_providers``): how it signs, and how its events read."""

    @property
    def name(self) -> str:
        """Its name in configuration."""
        ...

    @property
    def scheme(self) -> Scheme:
        """How it signs."""
        ...

    def parse(self, webhook: VerifiedWebhook) -> IncomingEvent:
        """Bring an authentic webhook into one form.

        Raises:
            PayloadMalformed: The body is not of the provider's shape.

        """
        ...


@runtime_checkable
class Replies(Protocol):
    """A provider that wants something read back in the answer (optional)."""

    def reply(self, event: IncomingEvent) -> str | None:
        """Return the text to answer with, e.g. Slack's challenge; None for most events."""
        ...


@attrs.frozen(kw_only=True)
class ProviderConfiguration:
    """What a provider is configured with now.

    Attributes:
        secrets: The secrets that may have signed.
        configured: Whether the provider's side of the forge is configured at all.

    """

    secrets: Sequence[SigningSecret] = attrs.field(factory=tuple, repr=False)
    configured: bool = False


class Receiver(Protocol):
    """Acts on a provider's events; filled in by the composition root."""

    def configuration(self) -> ProviderConfiguration:
        """Return the present configuration, from a snapshot at most a second old: called for each webhook, on the event loop."""
        ...

    def relevance(self, event: IncomingEvent) -> Relevance:
        """Tell what the event means, from the same snapshot; must not block."""
        ...

    def handle(self, event: IncomingEvent, tx: Transaction) -> None:
        """Record the event's effect in the transaction that ends its row; looks at fresh data."""
        ...


@runtime_checkable
class ForgetsBodies(Protocol):
    """A receiver whose webhooks' bodies are kept for a time of its own (optional)."""

    def keep_bodies(self, tx: Transaction | None = None) -> timedelta:
        """Return for how long the body of a handled webhook is kept, if that is less than for all others; nothing: not at all.

        Without ``tx`` from a snapshot at most a second old, for it is asked on the event loop.
        """
        ...


class InboxRepository(Protocol):
    """Stored incoming webhooks.

    A claim of ``Queue.INBOX`` names the provider as its handler; its payload has ``provider``, ``kind``, ``event``, ``delivery_id``,
    ``received_at`` (aware, UTC) and ``body`` (bytes).
    """

    def store(self, arrivals: Sequence[Arrival], *, burst: timedelta) -> Sequence[Stored]:
        """Store arrivals with as few statements as can be, and tell in the same order what became of each.

        An arrival is a duplicate where a row of its provider has its dedup key, or an earlier arrival of the same call. A duplicate of
        a failed row makes that row due again. An arrival is a burst where a row of its provider with its event key, or an earlier
        arrival of the same call, came at most ``burst`` before it; one that is stored nevertheless.
        """
        ...

    def entry(self, inbox_id: int) -> InboxEntry | None:
        """Return one stored webhook."""
        ...

    def entries(self, provider: str, *, limit: int, state: str | None = None) -> Sequence[InboxEntry]:
        """Return the newest stored webhooks."""
        ...

    def rearm(self, inbox_id: int, now: datetime) -> bool:
        """Make a done or failed row that still has its body due again, from attempt 1; False where there is none such."""
        ...

    def rearm_range(self, provider: str, *, since: datetime, until: datetime, states: Collection[str], now: datetime) -> int:
        """Do the same to every row that came from ``since`` (inclusive) to ``until`` (exclusive) and is in one of ``states``.

        Returns how many became due.
        """
        ...

    def totals(self, provider: str) -> tuple[int, datetime | None]:
        """Return how many were ever stored, and when the newest came."""
        ...

    def states(self, provider: str) -> dict[str, int]:
        """Return how many rows are in each state."""
        ...

    def drop_bodies(self, inbox_ids: Collection[int]) -> None:
        """Empty the bodies of these rows, whatever their state; absent ones are no error."""
        ...

    def purge(self, *, before: datetime, limit: int, provider: str | None = None) -> int:
        """Empty the bodies of up to ``limit`` done rows that came before ``before``, of one provider if named; return how many.

        The rows stay, so that the same bytes are recognised for ever and the totals hold.
        """
        ...


class InboxRepositories(Protocol):
    """Builds the repository for a transaction."""

    def inbox(self, tx: Transaction, /) -> InboxRepository:
        """Return the repository."""
        ...
