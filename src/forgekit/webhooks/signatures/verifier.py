"""Checking that a webhook comes from whom it says, without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import attrs

from forgekit.errors import ConfigurationError, PayloadTooLarge, SignatureInvalid, TimestampOutOfRange, UnknownPlugin, UsageError

from .headers import HeaderReader, Headers
from .keys import SigningSecret
from .scheme import Claims, Matcher, Scheme
from .table import SCHEMES
from .verified import VerifiedWebhook

MAX_BODY = 5 * 1024 * 1024


def _as_tuple(secrets: Iterable[SigningSecret]) -> tuple[SigningSecret, ...]:
    return tuple(secrets)


@attrs.frozen(kw_only=True)
class Verifier:
    """Checks the webhooks of one configured sender; made once, used from any thread.

    Attributes:
        scheme: How the sender signs.
        secrets: The secrets that it may sign with, tried in this order.
        max_body: The largest body in bytes (inclusive).

    Raises:
        ConfigurationError: There is no secret, two have one id, or one is no key of this scheme.

    """

    scheme: Scheme
    secrets: tuple[SigningSecret, ...] = attrs.field(converter=_as_tuple)
    max_body: int = MAX_BODY
    _reader: HeaderReader = attrs.field(init=False, repr=False, eq=False)
    _matchers: Sequence[tuple[SigningSecret, Matcher]] = attrs.field(init=False, repr=False, eq=False)

    @_reader.default
    def _read_only_what_counts(self) -> HeaderReader:
        return HeaderReader(self.scheme.header_names)

    @_matchers.default
    def _prepare_secrets(self) -> Sequence[tuple[SigningSecret, Matcher]]:
        return tuple((secret, self.scheme.matcher(secret)) for secret in self.secrets)

    def __attrs_post_init__(self) -> None:
        """Fail closed: without a secret nothing could be checked."""
        if not self.secrets:
            raise ConfigurationError(f"The webhooks of {self.scheme.name!r} have no secret.", provider=self.scheme.name)
        if len({secret.id for secret in self.secrets}) < len(self.secrets):
            raise ConfigurationError(f"Two webhook secrets of {self.scheme.name!r} have the same id.", provider=self.scheme.name)

    def verify(self, headers: Headers, body: bytes, now: datetime) -> VerifiedWebhook:
        """Return what is known of a webhook, or refuse it.

        Args:
            headers: The request's headers: a mapping, or pairs of text or bytes; names in any case.
            body: The request's raw bytes; re-serialised JSON never fits.
            now: The present moment, aware.

        Raises:
            PayloadTooLarge: The body is larger than ``max_body``.
            SignatureMissing: The signature, or a header that was signed with it, is absent.
            SignatureInvalid: The signature fits no valid secret, or a header is malformed.
            TimestampOutOfRange: The sender's timestamp is too far from now.
            UsageError: The body is not ``bytes``, or ``now`` has no time zone: mistakes of the calling code, never of the sender.

        """
        _require_usable(body, now)
        if len(body) > self.max_body:
            raise PayloadTooLarge(provider=self.scheme.name, limit=self.max_body)
        scheme = self.scheme
        claims = scheme.claims(self._reader.read(headers))
        sent_at = None if claims.timestamp is None else self._fresh(claims.timestamp, now)
        return VerifiedWebhook(
            provider=scheme.name,
            secret_id=self._matching_secret(claims, body, now),
            received_at=now,
            body=body,
            event=claims.event,
            delivery_id=claims.delivery_id,
            sent_at=sent_at,
            dedup=scheme.dedup,
            body_id=scheme.body_id,
        )

    def _fresh(self, timestamp: int, now: datetime) -> datetime:
        sent_at = datetime.fromtimestamp(timestamp, UTC)
        # A time ahead of ours is refused as well, or a captured delivery could be kept for later.
        if abs(now - sent_at) > self.scheme.tolerance:
            raise TimestampOutOfRange(provider=self.scheme.name)
        return sent_at

    def _matching_secret(self, claims: Claims, body: bytes, now: datetime) -> str:
        for secret, matches in self._matchers:
            if secret.valid_at(now) and matches(claims, body):
                return secret.id
        raise SignatureInvalid(provider=self.scheme.name)


def _require_usable(body: object, now: datetime) -> None:
    if not isinstance(body, bytes) or now.tzinfo is None:
        raise UsageError("Give verify() the raw bytes of the body and an aware time.")


def verifier_for(scheme: str | Scheme, secrets: Iterable[SigningSecret], *, max_body: int = MAX_BODY) -> Verifier:
    """Make the verifier of one configured sender.

    Args:
        scheme: A name of ``SCHEMES``, or a scheme of your own.
        secrets: The secrets that the sender may sign with, at least one.
        max_body: The largest body in bytes (inclusive).

    Raises:
        UnknownPlugin: No built-in scheme has that name.
        ConfigurationError: There is no secret, two have one id, or one is no key of this scheme.

    """
    return Verifier(scheme=scheme_named(scheme), secrets=secrets, max_body=max_body)


def scheme_named(scheme: str | Scheme) -> Scheme:
    """Return the built-in scheme of that name; a scheme is returned as it is.

    Raises:
        UnknownPlugin: No built-in scheme has that name.

    """
    if not isinstance(scheme, str):
        return scheme
    if scheme not in SCHEMES:
        raise UnknownPlugin(f"There is no webhook scheme {scheme!r}; there are {', '.join(sorted(SCHEMES))}.", name=scheme)
    return SCHEMES[scheme]
