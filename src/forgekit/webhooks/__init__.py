"""Webhooks: received, checked, stored before they are answered, and handled by the worker."""

from __future__ import annotations

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
from forgekit.webhooks.ports import ForgetsBodies, InboxRepositories, InboxRepository, Provider, ProviderConfiguration, Receiver, Replies
from forgekit.webhooks.providers import PROVIDERS, JsonProvider
from forgekit.webhooks.service import WebhookService
from forgekit.webhooks.signatures import SCHEMES, SigningSecret, VerifiedWebhook, Verifier, verifier_for

__all__ = [
    "PROVIDERS",
    "SCHEMES",
    "Arrival",
    "ForgetsBodies",
    "InboxEntry",
    "InboxRepositories",
    "InboxRepository",
    "InboxStatistics",
    "IncomingEvent",
    "JsonProvider",
    "Provider",
    "ProviderConfiguration",
    "Receipt",
    "ReceiptAction",
    "Receiver",
    "Relevance",
    "Replies",
    "SigningSecret",
    "Stored",
    "VerifiedWebhook",
    "Verifier",
    "WebhookReceived",
    "WebhookService",
    "verifier_for",
]
