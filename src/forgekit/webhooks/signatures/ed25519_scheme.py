"""Signatures by a private key that the receiver never sees: version ``v1a`` of Standard Webhooks."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import timedelta

import attrs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from forgekit.errors import ConfigurationError

from .hmac_scheme import HmacScheme
from .keys import SigningSecret, base64_key
from .scheme import Claims, Matcher
from .verified import Dedup

PUBLIC_PREFIX = "whpk_"
PRIVATE_PREFIX = "whsk_"
SEED_BYTES = 32


@attrs.frozen(kw_only=True)
class Ed25519Scheme:
    """A sender that signs with Ed25519.

    The receiver's secret is the public key (``whpk_`` and base64), the sender's the private one (``whsk_`` and base64 of the seed,
    followed by the public key or not).

    Attributes:
        layout: Where the parts stand in a request; its hash and its key are not used.

    """

    layout: HmacScheme

    @property
    def name(self) -> str:
        """The provider's name in configuration."""
        return self.layout.name

    @property
    def header_names(self) -> frozenset[str]:
        """The headers that it reads."""
        return self.layout.header_names

    @property
    def tolerance(self) -> timedelta:
        """How far the timestamp may be from now, on either side."""
        return self.layout.tolerance

    @property
    def dedup(self) -> Dedup:
        """By what a second delivery of the same event is recognised."""
        return self.layout.dedup

    @property
    def body_id(self) -> str | None:
        """The member of the body that holds the event's id."""
        return self.layout.body_id

    def claims(self, found: Mapping[str, str]) -> Claims:
        """Read the claims from the headers found; see ``Scheme.claims``."""
        return self.layout.claims(found)

    def matcher(self, secret: SigningSecret) -> Matcher:
        """Prepare the check against one public key; see ``Scheme.matcher``."""
        try:
            public = Ed25519PublicKey.from_public_bytes(base64_key(secret, PUBLIC_PREFIX))
        except ValueError:
            raise ConfigurationError(f"The webhook secret {secret.id!r} is not an Ed25519 public key.", secret_id=secret.id) from None

        def matches(claims: Claims, body: bytes) -> bool:
            return any(_fits(public, signature, claims.signed_head + body) for signature in claims.signatures)

        return matches

    def sign(self, secret: SigningSecret, body: bytes, *, timestamp: int, delivery_id: str, event: str | None) -> dict[str, str]:
        """Return a sender's headers; see ``Scheme.sign``."""
        seed = base64_key(secret, PRIVATE_PREFIX)[:SEED_BYTES]
        try:
            private = Ed25519PrivateKey.from_private_bytes(seed)
        except ValueError:
            raise ConfigurationError(f"The webhook secret {secret.id!r} is not an Ed25519 private key.", secret_id=secret.id) from None
        signature = base64.b64encode(private.sign(self.layout.signed_head(timestamp, delivery_id) + body)).decode("ascii")
        return self.layout.with_signature(self.layout.prefix + signature, timestamp=timestamp, delivery_id=delivery_id, event=event)


def _fits(public: Ed25519PublicKey, signature: str, signed: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        public.verify(raw, signed)
    except (binascii.Error, InvalidSignature):
        return False
    # One signature has one spelling: the last character of base64 has spare bits.
    return base64.b64encode(raw).decode("ascii") == signature
