"""The secret itself in a header: what GitLab sends where no signing token is set."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

import attrs

from forgekit.errors import ConfigurationError, SignatureMissing

from .headers import first
from .keys import SigningSecret, text_key
from .scheme import Claims, Matcher, header_tuple
from .verified import Dedup


@attrs.frozen(kw_only=True)
class TokenScheme:
    """A sender that shows the secret and signs nothing: whoever reads one delivery can forge all others.

    Attributes:
        name: The provider's name in configuration.
        token_headers: Where the secret stands; the first of them that is there counts.
        id_headers: Where the delivery's id stands.
        event_headers: Where the event's name stands.

    Raises:
        ConfigurationError: The name or the token header is missing.

    """

    name: str
    token_headers: tuple[str, ...] = attrs.field(converter=header_tuple)
    id_headers: tuple[str, ...] = attrs.field(default=(), converter=header_tuple)
    event_headers: tuple[str, ...] = attrs.field(default=(), converter=header_tuple)

    def __attrs_post_init__(self) -> None:
        """Refuse a description that could not check anything."""
        if not self.name or not self.token_headers:
            raise ConfigurationError(f"The webhook scheme {self.name!r} needs a name and a token header.", scheme=self.name)

    @property
    def header_names(self) -> frozenset[str]:
        """The headers that it reads."""
        return frozenset(self.token_headers + self.id_headers + self.event_headers)

    @property
    def tolerance(self) -> timedelta:
        """No time: there is no timestamp."""
        return timedelta(0)

    @property
    def dedup(self) -> Dedup:
        """By the delivery id and the body together, neither being signed."""
        return Dedup.DELIVERY

    @property
    def body_id(self) -> None:
        """None: the body is not signed."""
        return

    def claims(self, found: Mapping[str, str]) -> Claims:
        """Read the claims from the headers found; see ``Scheme.claims``."""
        token = first(found, self.token_headers)
        if token is None:
            raise SignatureMissing(provider=self.name)
        return Claims(signatures=(token,), delivery_id=first(found, self.id_headers), event=first(found, self.event_headers))

    def matcher(self, secret: SigningSecret) -> Matcher:
        """Prepare the check against one secret; see ``Scheme.matcher``."""
        if not secret.value.isascii():
            raise ConfigurationError(f"The webhook secret {secret.id!r} is not ASCII: no header could carry it.", secret_id=secret.id)
        expected = hashlib.sha256(text_key(secret)).digest()

        def matches(claims: Claims, _body: bytes) -> bool:
            # Hashes are of one length, so the time tells nothing about the secret's.
            return any(hmac.compare_digest(expected, hashlib.sha256(token.encode()).digest()) for token in claims.signatures)

        return matches

    def sign(self, secret: SigningSecret, _body: bytes, *, timestamp: int, delivery_id: str, event: str | None) -> dict[str, str]:  # noqa: ARG002 - the Protocol's
        """Return a sender's headers; see ``Scheme.sign``."""
        values = [(self.token_headers, secret.value), (self.id_headers, delivery_id), (self.event_headers, event)]
        return {names[0]: value for names, value in values if names and value}
