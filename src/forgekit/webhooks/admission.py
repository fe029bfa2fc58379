"""The door: size, signature, shape. What passes is authentic and readable; nothing here touches the storage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

import attrs

from forgekit.errors import PayloadTooLarge, SignatureMissing, UnknownPlugin, WebhookRejected
from forgekit.kernel.clock import Clock
from forgekit.webhooks.audit import Audit
from forgekit.webhooks.models import IncomingEvent, Relevance
from forgekit.webhooks.ports import Provider, ProviderConfiguration, Receiver
from forgekit.webhooks.signatures import Scheme, SigningSecret, VerifiedWebhook, Verifier
from forgekit.webhooks.signatures.headers import HeaderReader, Headers, first

Secrets = Callable[[], Mapping[str, Sequence[SigningSecret]]]
"""Tells, from a snapshot, the secrets of providers that no receiver acts for."""


@runtime_checkable
class _NamesHeaders(Protocol):
    """A scheme that tells which header is which; needed only where nothing is signed."""

    @property
    def id_headers(self) -> Sequence[str]:
        """Where the delivery's id stands."""
        ...

    @property
    def event_headers(self) -> Sequence[str]:
        """Where the event's name stands."""
        ...


@attrs.frozen(kw_only=True)
class Admitted:
    """A webhook that passed.

    Attributes:
        webhook: Its bytes and keys.
        event: What it says.
        relevance: What that means to whoever shall act on it.

    """

    webhook: VerifiedWebhook
    event: IncomingEvent
    relevance: Relevance


class Admission:
    """Lets webhooks in, or refuses them with one error family; thread-safe."""

    def __init__(
        self,
        clock: Clock,
        providers: Mapping[str, Provider],
        receivers: Mapping[str, Receiver],
        secrets: Secrets,
        *,
        max_body: int,
        audit: Audit,
    ) -> None:
        """Take what the forge was opened with; see ``WebhookService``."""
        self._clock = clock
        self._providers = providers
        self._receivers = receivers
        self._secrets = secrets
        self._max_body = max_body
        self._audit = audit
        self._verifiers: dict[str, Verifier] = {}

    def verify(self, provider: str, headers: Headers, body: bytes) -> VerifiedWebhook:
        """Return an authentic webhook; see ``WebhookService.verify``."""
        known = self.provider(provider)
        return self._authenticate(known, self._configuration(provider), headers, body, trusted_peer=False)

    def admit(self, provider: str, headers: Headers, body: bytes, *, trusted_peer: bool, known_sender: bool = False) -> Admitted:
        """Return an authentic, readable webhook; count and log a refusal.

        Raises:
            UnknownPlugin: There is no such provider.
            WebhookRejected: It is too large, not authentic or not readable.

        """
        known = self.provider(provider)
        try:
            configuration = self._configuration(provider)
            webhook = self._authenticate(known, configuration, headers, body, trusted_peer=trusted_peer, known_sender=known_sender)
            event = known.parse(webhook)
        except WebhookRejected as error:
            self._audit.rejected(provider, error.code, self._clock.now())
            raise
        return Admitted(webhook=webhook, event=event, relevance=self._relevance(configuration, event))

    def provider(self, name: str) -> Provider:
        """Return a provider by its name.

        Raises:
            UnknownPlugin: There is none.

        """
        try:
            return self._providers[name]
        except KeyError:
            raise UnknownPlugin(f"There is no webhook provider {name!r}.", name=name) from None

    def _configuration(self, provider: str) -> ProviderConfiguration:
        receiver = self._receivers.get(provider)
        if receiver is not None:
            return receiver.configuration()
        return ProviderConfiguration(secrets=self._secrets().get(provider, ()), configured=True)

    def _relevance(self, configuration: ProviderConfiguration, event: IncomingEvent) -> Relevance:
        receiver = self._receivers.get(event.provider)
        if receiver is None:
            return Relevance.OTHER
        return receiver.relevance(event) if configuration.configured else Relevance.UNCONFIGURED

    def _authenticate(
        self,
        provider: Provider,
        configuration: ProviderConfiguration,
        headers: Headers,
        body: bytes,
        *,
        trusted_peer: bool,
        known_sender: bool = False,
    ) -> VerifiedWebhook:
        if len(body) > self._max_body:
            raise PayloadTooLarge(provider=provider.name, limit=self._max_body)
        now = self._clock.now()
        if known_sender:
            return unsigned(provider.scheme, headers, body, now)
        if configuration.secrets:
            return self._verifier(provider, configuration.secrets).verify(headers, body, now)
        if trusted_peer:
            return unsigned(provider.scheme, headers, body, now)
        raise SignatureMissing("No secret is configured for these webhooks, so nothing proves who sent this one.", provider=provider.name)

    def _verifier(self, provider: Provider, secrets: Sequence[SigningSecret]) -> Verifier:
        """Return the verifier made last where the secrets are still the same; making one hashes every key."""
        verifier = self._verifiers.get(provider.name)
        if verifier is None or verifier.secrets != tuple(secrets):
            verifier = Verifier(scheme=provider.scheme, secrets=secrets, max_body=self._max_body)
            self._verifiers[provider.name] = verifier
        return verifier


def unsigned(scheme: Scheme, headers: Headers, body: bytes, now: datetime) -> VerifiedWebhook:
    """Return a webhook of a sender that is believed without a signature.

    Raises:
        SignatureInvalid: A header is malformed.

    """
    found = HeaderReader(scheme.header_names).read(headers)
    named = scheme if isinstance(scheme, _NamesHeaders) else None
    return VerifiedWebhook(
        provider=scheme.name,
        secret_id="",
        received_at=now,
        body=body,
        event=first(found, named.event_headers) if named else None,
        delivery_id=first(found, named.id_headers) if named else None,
        dedup=scheme.dedup,
        body_id=scheme.body_id,
    )


def stored_webhook(scheme: Scheme, *, body: bytes, event: str, delivery_id: str, received_at: datetime) -> VerifiedWebhook:
    """Return the webhook of an inbox row, to be read again."""
    return VerifiedWebhook(
        provider=scheme.name,
        secret_id="",
        received_at=received_at,
        body=body,
        event=event or None,
        delivery_id=delivery_id or None,
        dedup=scheme.dedup,
        body_id=scheme.body_id,
    )
