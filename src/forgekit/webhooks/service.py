"""Receiving webhooks: authentic, stored before they are answered, handled by the worker."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import attrs

from forgekit.errors import Conflict, NotConfigured, NotFound, StorageError
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Schedule
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.storage.ports import TransactionSource
from forgekit.kernel.storage.transaction import Transaction, forbid_network
from forgekit.kernel.storage.units import reading, writing
from forgekit.webhooks import rules
from forgekit.webhooks.admission import Admission, Secrets, stored_webhook
from forgekit.webhooks.audit import Audit
from forgekit.webhooks.committer import GroupCommitter, Pending
from forgekit.webhooks.models import (
    Arrival,
    InboxEntry,
    InboxStatistics,
    IncomingEvent,
    Receipt,
    ReceiptAction,
    Relevance,
    Stored,
    WebhookReceived,
)
from forgekit.webhooks.ports import ForgetsBodies, InboxRepositories, Provider, Receiver, Replies
from forgekit.webhooks.providers import PROVIDERS
from forgekit.webhooks.signatures import VerifiedWebhook
from forgekit.webhooks.signatures.headers import Headers

_log = logging.getLogger(__name__)

MAX_BODY = 5_000_000
"""Largest body in bytes."""

BURST = timedelta(seconds=5)
"""Events of one key within this time are one burst."""

RETENTION = timedelta(days=30)
"""How long the body of a handled webhook is kept; its key is kept for ever."""

SETTLED = ("done", "failed")
"""States from which a stored webhook can be replayed."""

_PURGE_BATCH = 500
_TURN = timedelta(days=1)  # in which durable handlers had theirs


class InboxStorage(TransactionSource, InboxRepositories, Protocol):
    """What the inbox needs of a storage."""


@attrs.frozen(kw_only=True)
class _Filing:
    """A webhook on its way into the inbox."""

    arrival: Arrival
    relevance: Relevance
    reply: str | None
    keep: bool

    def receipt(self, stored: Stored) -> Receipt:
        return Receipt(action=rules.action_for(self.relevance, stored), id=stored.id, reply=self.reply)


class WebhookService:
    """``forge.webhooks``: thread-safe; ``submit`` and ``receive`` share one group committer."""

    def __init__(
        self,
        storage: InboxStorage,
        clock: Clock,
        recorder: Recorder,
        providers: Mapping[str, Provider],
        receivers: Mapping[str, Receiver],
        *,
        secrets: Secrets = dict,
        max_body: int = MAX_BODY,
        burst: timedelta = BURST,
        retention: timedelta = RETENTION,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what the forge was opened with; starts no thread.

        Args:
            storage: Where the inbox is.
            clock: The time.
            recorder: Takes ``WebhookReceived``, one for each stored webhook.
            providers: Senders by name, in addition to ``PROVIDERS`` and before them.
            receivers: Who acts on a provider's events, by the provider's name.
            secrets: Tells the secrets of providers without a receiver; called for each webhook, so from a snapshot.
            max_body: Largest body in bytes (inclusive).
            burst: How close two events of one key must be to be a burst.
            retention: How long the bodies of handled webhooks are kept.
            wake: Called after a commit that left a webhook to handle.

        """
        self._storage = storage
        self._clock = clock
        self._recorder = recorder
        self._receivers = receivers
        self._burst = burst
        self._retention = retention
        self._wake = wake
        self._audit = Audit()
        known = {**PROVIDERS, **providers}
        self._providers = tuple(sorted(known))
        # Asked once: on Python 3.11 the question takes longer than an HMAC.
        self._replying = {name: provider for name, provider in known.items() if isinstance(provider, Replies)}
        self._forgetting = {name: receiver for name, receiver in receivers.items() if isinstance(receiver, ForgetsBodies)}
        self._admission = Admission(clock, known, receivers, secrets, max_body=max_body, audit=self._audit)
        self._committer: GroupCommitter[_Filing, Receipt] = GroupCommitter(
            self._write, size=lambda filing: len(filing.arrival.body), name="forgekit-inbox"
        )

    @property
    def providers(self) -> Sequence[str]:
        """The names of all senders whose webhooks can be verified, sorted."""
        return self._providers

    def verify(self, provider: str, headers: Headers, body: bytes) -> VerifiedWebhook:
        """Return a webhook whose sender is known, by the configured secrets; stores nothing, counts nothing.

        Args:
            provider: The sender's name in configuration; what the headers look like decides nothing.
            headers: A mapping, or pairs of text or bytes; names in any case.
            body: The raw bytes of the request.

        Raises:
            UnknownPlugin: There is no such provider.
            WebhookRejected: The webhook is too large or not authentic, or no secret is configured.

        """
        return self._admission.verify(provider, headers, body)

    def submit(
        self, provider: str, headers: Headers, body: bytes, *, trusted_peer: bool = False, known_sender: bool = False
    ) -> Pending[Receipt]:
        """Check a webhook now and store it with others that wait; never blocks, so it may be called on an event loop.

        Args:
            provider: The sender's name in configuration.
            headers: A mapping, or pairs of text or bytes; names in any case.
            body: The raw bytes of the request.
            trusted_peer: Whether the peer is on this machine: only such are believed where no secret is configured.
            known_sender: Whether the sender has proved who it is by other means, such as an API key: then no signature is looked at.

        Returns:
            The answer, once it is committed: wait with ``result()``, or ``await`` it. It raises ``StorageError`` where the webhook
            could not be stored.

        Raises:
            UnknownPlugin: There is no such provider.
            WebhookRejected: The webhook is too large, not authentic or not readable.
            StorageBusy: Too many wait to be stored.
            ForgeClosed: The forge was closed.

        """
        return self._committer.submit(self._file(provider, headers, body, trusted_peer=trusted_peer, known_sender=known_sender))

    def receive(
        self,
        provider: str,
        headers: Headers,
        body: bytes,
        *,
        trusted_peer: bool = False,
        known_sender: bool = False,
        tx: Transaction | None = None,
    ) -> Receipt:
        """Check a webhook, store it and return the answer; see ``submit`` for the rest.

        Args:
            provider: The sender's name in configuration.
            headers: A mapping, or pairs of text or bytes; names in any case.
            body: The raw bytes of the request.
            trusted_peer: Whether the peer is on this machine.
            known_sender: Whether the sender has proved who it is by other means.
            tx: Store it in this transaction, on this thread, instead of with others; the answer holds once it is committed.

        Raises:
            StorageError: The webhook could not be stored.
            NetworkInTransaction: This thread has a write transaction open, for which the committer would wait for ever: give it as ``tx``.

        """
        if tx is not None:
            tx.check(writing=True)
            (receipt,) = self._store(tx, [self._file(provider, headers, body, trusted_peer=trusted_peer, known_sender=known_sender)])
            return receipt
        forbid_network()
        return self.submit(provider, headers, body, trusted_peer=trusted_peer, known_sender=known_sender).result()

    def replay(self, inbox_id: int, *, tx: Transaction | None = None) -> None:
        """Hand a stored webhook to its receiver once more.

        Raises:
            NotFound: There is no such row.
            NotConfigured: Nothing acts on its provider's webhooks.
            Conflict: It waits already, or retention took its body.

        """
        with writing(self._storage, tx) as unit:
            inbox = self._storage.inbox(unit)
            entry = inbox.entry(inbox_id)
            if entry is None:
                raise NotFound(f"There is no webhook {inbox_id} in the inbox.", id=inbox_id)
            self._require_receiver(entry.provider)
            if not inbox.rearm(inbox_id, self._clock.now()):
                raise Conflict(f"The webhook {inbox_id} waits already, or its body is no longer kept.", id=inbox_id, state=entry.state)
            unit.after_commit(self._wake)

    def replay_range(
        self,
        provider: str,
        *,
        since: datetime,
        until: datetime | None = None,
        states: Collection[str] = SETTLED,
        tx: Transaction | None = None,
    ) -> int:
        """Hand every stored webhook of a time to its receiver once more, e.g. after a fault in a handler was mended.

        Args:
            provider: Whose webhooks.
            since: From when on they came (inclusive, aware).
            until: Until when (exclusive, aware); now when absent.
            states: Which of ``done`` and ``failed``.
            tx: The transaction to do it in.

        Returns:
            How many are due again; those whose body retention took are not among them.

        Raises:
            UnknownPlugin: There is no such provider.
            NotConfigured: Nothing acts on its webhooks.

        """
        self._require_receiver(provider)
        now = self._clock.now()
        with writing(self._storage, tx) as unit:
            count = self._storage.inbox(unit).rearm_range(provider, since=since, until=until or now, states=states, now=now)
            unit.after_commit(self._wake)
        return count

    def entries(self, provider: str, *, limit: int = 50, state: str | None = None, tx: Transaction | None = None) -> Sequence[InboxEntry]:
        """Return the newest stored webhooks of a provider, newest first."""
        with reading(self._storage, tx) as unit:
            return self._storage.inbox(unit).entries(provider, limit=limit, state=state)

    def event(self, inbox_id: int, *, tx: Transaction | None = None) -> IncomingEvent:
        """Return a stored webhook in its one form, e.g. in a durable handler of ``WebhookReceived``.

        Raises:
            NotFound: There is no such row, or retention took its body.
            UnknownPlugin: Its provider is not installed any more.
            PayloadMalformed: The provider reads it otherwise than when it came.

        """
        with reading(self._storage, tx) as unit:
            entry = self._storage.inbox(unit).entry(inbox_id)
        if entry is None or not entry.body:
            raise NotFound(f"There is no webhook {inbox_id} in the inbox, or its body is no longer kept.", id=inbox_id)
        provider = self._admission.provider(entry.provider)
        webhook = stored_webhook(
            provider.scheme, body=entry.body, event=entry.event, delivery_id=entry.delivery_id, received_at=entry.received_at
        )
        return provider.parse(webhook)

    def statistics(self, provider: str, *, tx: Transaction | None = None) -> InboxStatistics:
        """Return a provider's webhooks in numbers."""
        with reading(self._storage, tx) as unit:
            inbox = self._storage.inbox(unit)
            received, last_at = inbox.totals(provider)
            states = inbox.states(provider)
        rejected, deduplicated = self._audit.counts(provider)
        return InboxStatistics(
            received=received,
            last_at=last_at,
            deduplicated=deduplicated,
            rejected=rejected,
            waiting=states.get("ready", 0) + states.get("leased", 0),
            failed=states.get("failed", 0),
        )

    def purge(self) -> int:
        """Empty the bodies of webhooks handled longer ago than they are kept; return how many. Their keys stay."""
        now = self._clock.now()
        least = _TURN if self._is_read_later else timedelta()
        own = sum(self._purge(now - max(least, forgetting.keep_bodies()), name) for name, forgetting in self._forgetting.items())
        return own + self._purge(now - self._retention, None)

    @property
    def _is_read_later(self) -> bool:
        """Whether durable handlers of ``WebhookReceived`` read what came, each at a time of its own."""
        return any(issubclass(WebhookReceived, handler.event) for handler in self._recorder.handlers.values())

    def _keeps_body(self, provider: str, tx: Transaction | None = None) -> bool:
        forgetting = self._forgetting.get(provider)
        return forgetting is None or self._is_read_later or bool(forgetting.keep_bodies(tx))

    def _purge(self, before: datetime, provider: str | None) -> int:
        total = 0
        while True:
            with self._storage.transaction() as tx:
                count = self._storage.inbox(tx).purge(before=before, limit=_PURGE_BATCH, provider=provider)
            total += count
            if count < _PURGE_BATCH:
                return total

    def schedules(self) -> Sequence[Schedule]:
        """Return the loops of this domain, for the worker."""

        def retain() -> None:
            self.purge()

        return [Schedule(name="webhooks.retention", run=retain, every=timedelta(days=1))]

    def inbox_handlers(self) -> Mapping[str, Callable[[Mapping[str, Any], Transaction], None]]:
        """Return what the worker calls for claimed rows, by provider: for each provider that has a receiver."""
        return {name: self._handler(self._admission.provider(name), receiver) for name, receiver in self._receivers.items()}

    def close(self) -> None:
        """Store what was submitted and refuse what comes later."""
        self._committer.close()

    def _handler(self, provider: Provider, receiver: Receiver) -> Callable[[Mapping[str, Any], Transaction], None]:
        def handle(row: Mapping[str, Any], tx: Transaction) -> None:
            webhook = stored_webhook(
                provider.scheme,
                body=row["body"],
                event=row["event"],
                delivery_id=row["delivery_id"],
                received_at=row["received_at"],
            )
            receiver.handle(provider.parse(webhook), tx)
            if not self._keeps_body(provider.name, tx):
                self._storage.inbox(tx).drop_bodies([row["id"]])

        return handle

    def _require_receiver(self, provider: str) -> None:
        self._admission.provider(provider)
        if provider not in self._receivers:
            raise NotConfigured(f"Nothing acts on webhooks of {provider!r}.", provider=provider)

    def _file(self, provider: str, headers: Headers, body: bytes, *, trusted_peer: bool, known_sender: bool) -> _Filing:
        admitted = self._admission.admit(provider, headers, body, trusted_peer=trusted_peer, known_sender=known_sender)
        replying = self._replying.get(provider)
        return _Filing(
            arrival=rules.arrival_of(admitted.webhook, admitted.event, admitted.relevance),
            relevance=admitted.relevance,
            reply=replying.reply(admitted.event) if replying is not None else None,
            keep=self._keeps_body(provider),
        )

    def _write(self, filings: Sequence[_Filing]) -> Sequence[Receipt]:
        try:
            with self._storage.transaction() as tx:
                return self._store(tx, filings)
        except StorageError:
            raise
        except Exception as error:
            if len(filings) > 1:
                raise
            # Its class alone: a driver's message may quote the row.
            _log.error("a webhook of %s could not be stored: %s", filings[0].arrival.provider, type(error).__name__)
            return [Receipt(action=ReceiptAction.ERROR)]

    def _store(self, tx: Transaction, filings: Sequence[_Filing]) -> Sequence[Receipt]:
        stored = self._storage.inbox(tx).store([filing.arrival for filing in filings], burst=self._burst)
        for filing, each in zip(filings, stored, strict=True):
            if not each.duplicate and each.id is not None:
                self._recorder.record(tx, WebhookReceived(provider=filing.arrival.provider, kind=filing.arrival.kind, inbox_id=each.id))
        over = [
            each.id
            for filing, each in zip(filings, stored, strict=True)
            if not (filing.keep or filing.arrival.wanted or each.duplicate) and each.id is not None
        ]
        if over:
            self._storage.inbox(tx).drop_bodies(over)
        tx.after_commit(lambda: self._tell(filings, stored))
        return [filing.receipt(each) for filing, each in zip(filings, stored, strict=True)]

    def _tell(self, filings: Sequence[_Filing], stored: Sequence[Stored]) -> None:
        for filing, each in zip(filings, stored, strict=True):
            if each.duplicate:
                self._audit.deduplicated(filing.arrival.provider)
        if any(filing.arrival.wanted and not each.duplicate for filing, each in zip(filings, stored, strict=True)):
            self._wake()
