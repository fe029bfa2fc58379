"""Several ways of signing for one receiver: whoever sends, the secret is the receiver's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import attrs

from forgekit.errors import ConfigurationError, SignatureMissing

from .headers import HeaderReader, Headers, first
from .keys import SigningSecret
from .scheme import Claims, Matcher, Scheme, header_tuple
from .verified import Dedup


@attrs.define(kw_only=True)
class _Chosen(Claims):
    """Claims, and which way they are to be proved."""

    way: int


def _never(_claims: Claims, _body: bytes) -> bool:
    return False


def _as_tuple(ways: Iterable[Scheme]) -> tuple[Scheme, ...]:
    return tuple(ways)


@attrs.frozen(kw_only=True)
class AnyScheme:
    """A receiver of many senders, each of which proves in its own way that it knows the receiver's secret.

    The first way whose proof is there counts, and no other is tried: put signatures before plain tokens. A secret that is no key of a
    way (not base64, say) proves nothing that way.

    Attributes:
        name: The provider's name in configuration.
        ways: How senders prove themselves, in this order.
        id_headers: Where the delivery's id stands, unless it is signed.
        event_headers: Where the event's name stands.

    Raises:
        ConfigurationError: The name or the ways are missing.

    """

    name: str
    ways: tuple[Scheme, ...] = attrs.field(converter=_as_tuple)
    id_headers: tuple[str, ...] = attrs.field(default=(), converter=header_tuple)
    event_headers: tuple[str, ...] = attrs.field(default=(), converter=header_tuple)
    _reader: HeaderReader = attrs.field(init=False, repr=False, eq=False)

    @_reader.default
    def _read_only_what_counts(self) -> HeaderReader:
        return HeaderReader(self.header_names)

    def __attrs_post_init__(self) -> None:
        """Refuse a description that could not check anything."""
        if not self.name or not self.ways:
            raise ConfigurationError(f"The webhook scheme {self.name!r} needs a name, and a way to sign.", scheme=self.name)

    @property
    def header_names(self) -> frozenset[str]:
        """The headers that it reads."""
        return frozenset(self.id_headers + self.event_headers).union(*(way.header_names for way in self.ways))

    @property
    def tolerance(self) -> timedelta:
        """The longest of the ways'."""
        return max(way.tolerance for way in self.ways)

    @property
    def dedup(self) -> Dedup:
        """By the delivery id and the body together: most senders sign no id."""
        return Dedup.DELIVERY

    @property
    def body_id(self) -> None:
        """None: senders' bodies differ."""
        return

    def claims(self, found: Mapping[str, str]) -> Claims:
        """Read the claims from the headers found; see ``Scheme.claims``."""
        for number, way in enumerate(self.ways):
            try:
                claims = way.claims(found)
            except SignatureMissing:
                continue
            return _Chosen(
                way=number,
                signatures=claims.signatures,
                signed_head=claims.signed_head,
                timestamp=claims.timestamp,
                delivery_id=claims.delivery_id or first(found, self.id_headers),
                event=claims.event or first(found, self.event_headers),
            )
        raise SignatureMissing(provider=self.name)

    def is_claimed(self, headers: Headers) -> bool:
        """Tell whether a proof of any way is there, before the body is; whether it holds is the verifier's to say.

        Raises:
            SignatureInvalid: A header is malformed.

        """
        try:
            self.claims(self._reader.read(headers))
        except SignatureMissing:
            return False
        return True

    def matcher(self, secret: SigningSecret) -> Matcher:
        """Prepare the check against one secret, in each way of which it is a key; see ``Scheme.matcher``."""
        matchers = self._matchers(secret)

        def matches(claims: Claims, body: bytes) -> bool:
            return isinstance(claims, _Chosen) and matchers[claims.way](claims, body)

        return matches

    def sign(self, secret: SigningSecret, body: bytes, *, timestamp: int, delivery_id: str, event: str | None) -> dict[str, str]:
        """Return a sender's headers, in the first way; see ``Scheme.sign``."""
        return self.ways[0].sign(secret, body, timestamp=timestamp, delivery_id=delivery_id, event=event)

    def _matchers(self, secret: SigningSecret) -> Sequence[Matcher]:
        found, reasons = list[Matcher](), list[ConfigurationError]()
        for way in self.ways:
            try:
                found.append(way.matcher(secret))
            except ConfigurationError as reason:
                found.append(_never)
                reasons.append(reason)
        if len(reasons) == len(self.ways):
            raise reasons[0]
        return found
