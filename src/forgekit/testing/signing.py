"""Signing webhooks as their senders do, for tests, demonstrations and the command line."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import attrs

from forgekit.errors import UsageError
from forgekit.webhooks.signatures import Scheme, SigningSecret
from forgekit.webhooks.signatures.verifier import scheme_named


def _secret(secret: str | SigningSecret) -> SigningSecret:
    return SigningSecret(id="signer", value=secret) if isinstance(secret, str) else secret


@attrs.frozen
class PayloadSigner:
    """A sender of webhooks.

    Attributes:
        scheme: How it signs: a name of ``SCHEMES``, or a scheme of your own.
        secret: What it signs with; the private key where the scheme has key pairs.

    Raises:
        UnknownPlugin: No built-in scheme has that name.
        EmptySecret: The secret is empty.

    """

    scheme: Scheme = attrs.field(converter=scheme_named)
    secret: SigningSecret = attrs.field(converter=_secret)

    def sign(self, body: bytes, now: datetime, *, event: str | None = None, delivery_id: str | None = None) -> dict[str, str]:
        """Return the headers that go with the body.

        Args:
            body: The exact bytes to be sent.
            now: When it is sent, aware.
            event: The event's name, for senders that have a header for it.
            delivery_id: The delivery's id; by default one made from the body, so that a retry of it has the same.

        Raises:
            ConfigurationError: The secret is no signing key of this scheme.
            UsageError: ``now`` has no time zone.

        """
        if now.tzinfo is None:
            raise UsageError("A webhook is signed at an aware time.")
        name = f"msg_{hashlib.sha256(body).hexdigest()[:24]}" if delivery_id is None else delivery_id
        return self.scheme.sign(self.secret, body, timestamp=int(now.timestamp()), delivery_id=name, event=event)


def sign(
    scheme: str | Scheme,
    secret: str | SigningSecret,
    body: bytes,
    now: datetime,
    *,
    event: str | None = None,
    delivery_id: str | None = None,
) -> dict[str, str]:
    """Sign one body; see ``PayloadSigner.sign``."""
    return PayloadSigner(scheme, secret).sign(body, now, event=event, delivery_id=delivery_id)


@attrs.frozen(kw_only=True)
class SignatureVector:
    """One published example: what a receiver with this secret answers to this request.

    Attributes:
        name: What it shows.
        scheme: The name of the scheme.
        secret: The receiver's secret, made up or published by its sender's documentation.
        now: The receiver's time.
        headers: The request's headers.
        body: The request's bytes.
        error: The code of the expected ``WebhookRejected``; None where the webhook is accepted.
        origin: Where the example comes from.

    """

    name: str
    scheme: str
    secret: str
    now: datetime
    headers: tuple[tuple[str, str], ...]
    body: bytes = attrs.field(repr=False)
    error: str | None
    origin: str


def published_vectors() -> tuple[SignatureVector, ...]:
    """Return the examples of ``vectors.json``, which lies beside this module for programs in other languages."""
    content: dict[str, Any] = json.loads(files("forgekit.testing").joinpath("vectors.json").read_bytes())
    return tuple(_vector(entry) for entry in content["vectors"])


def _vector(entry: dict[str, Any]) -> SignatureVector:
    return SignatureVector(
        name=entry["name"],
        scheme=entry["scheme"],
        secret=entry["secret"],
        now=datetime.fromtimestamp(entry["now"], UTC),
        headers=tuple((name, value) for name, value in entry["headers"]),
        body=base64.b64decode(entry["body_base64"], validate=True),
        error=entry["error"],
        origin=entry["origin"],
    )
