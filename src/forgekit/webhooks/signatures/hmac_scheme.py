"""Signatures by a shared key (RFC 2104), for any sender, described by data."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal, TypeAlias

import attrs

from forgekit.errors import ConfigurationError, SignatureInvalid, SignatureMissing

from .headers import MAX_SIGNATURES, first
from .keys import SigningSecret, base64_key, text_key
from .scheme import Claims, Matcher, header_tuple
from .signed_text import SignedText
from .verified import Dedup

Algorithm: TypeAlias = Literal["sha1", "sha256", "sha384", "sha512"]
FIVE_MINUTES = timedelta(minutes=5)
# Ten digits are enough until 2286; thirteen would be milliseconds.
_UNIX_SECONDS = re.compile(r"[0-9]{1,10}", re.ASCII)
_ALGORITHMS = frozenset({"sha1", "sha256", "sha384", "sha512"})


@attrs.frozen(kw_only=True)
class HmacScheme:
    """A sender that signs with HMAC.

    Attributes:
        name: The provider's name in configuration.
        signature_headers: Where the signature stands; the first of them that is there counts.
        prefix: What stands before each signature of this version, e.g. ``sha256=`` or ``v1,``.
        separator: What separates several signatures in the header, entries with other prefixes being skipped; empty where the header
            is one signature.
        encoding: The notation of a signature: lower-case hex or padded base64. Any other spelling of the same bytes is refused.
        algorithm: The hash.
        allow_sha1: Set it to accept ``sha1``, which no listed sender needs any more.
        signed: The signed text, a template of ``{id}``, ``{timestamp}`` and, last, ``{body}``.
        timestamp_headers: Where the timestamp stands, in Unix seconds.
        timestamp_prefix: Its prefix where it is an entry of the signature header instead (Stripe's ``t=``).
        tolerance: How far the timestamp may be from now, on either side (inclusive).
        id_headers: Where the delivery's id stands.
        event_headers: Where the event's name stands.
        key: ``text``: the secret's characters are the key; ``base64``: the secret writes it in base64, after an optional ``whsec_``.
        dedup: By what a second delivery of the same event is recognised.
        body_id: The member of the body that holds the event's id, for ``Dedup.BODY_ID``.

    Raises:
        ConfigurationError: The parts do not fit together; the message says which.

    """

    name: str
    signature_headers: tuple[str, ...] = attrs.field(converter=header_tuple)
    prefix: str = ""
    separator: str = ""
    encoding: Literal["hex", "base64"] = "hex"
    algorithm: Algorithm = "sha256"
    allow_sha1: bool = False
    signed: str = "{body}"
    timestamp_headers: tuple[str, ...] = attrs.field(default=(), converter=header_tuple)
    timestamp_prefix: str = ""
    tolerance: timedelta = FIVE_MINUTES
    id_headers: tuple[str, ...] = attrs.field(default=(), converter=header_tuple)
    event_headers: tuple[str, ...] = attrs.field(default=(), converter=header_tuple)
    key: Literal["text", "base64"] = "text"
    dedup: Dedup = Dedup.BODY
    body_id: str | None = None
    _text: SignedText = attrs.field(init=False, repr=False)

    @_text.default
    def _parse_signed(self) -> SignedText:
        return SignedText.parse(self.signed)

    def __attrs_post_init__(self) -> None:
        """Refuse a description that contradicts itself."""
        for broken, reason in _contradictions(self):
            if broken:
                raise ConfigurationError(f"The webhook scheme {self.name!r}: {reason}.", scheme=self.name)

    @property
    def header_names(self) -> frozenset[str]:
        """The headers that it reads."""
        return frozenset(self.signature_headers + self.timestamp_headers + self.id_headers + self.event_headers)

    def claims(self, found: Mapping[str, str]) -> Claims:
        """Read the claims from the headers found; see ``Scheme.claims``."""
        entries = self._entries(found)
        signatures = [entry.removeprefix(self.prefix) for entry in entries if entry.startswith(self.prefix)]
        if not signatures:
            raise SignatureInvalid("The signature header holds no signature of the expected form.", provider=self.name)
        delivery_id, event = first(found, self.id_headers), first(found, self.event_headers)
        if not self._text.head:
            return Claims(signatures=signatures, delivery_id=delivery_id, event=event)
        timestamp = self._timestamp(found, entries)
        self._require_signable(delivery_id)
        return Claims(
            signatures=signatures,
            signed_head=self._text.head_bytes(timestamp, delivery_id),
            timestamp=None if timestamp is None else int(timestamp),
            delivery_id=delivery_id,
            event=event,
        )

    def matcher(self, secret: SigningSecret) -> Matcher:
        """Prepare the check against one secret; see ``Scheme.matcher``."""
        keyed = self._keyed(secret)

        def matches(claims: Claims, body: bytes) -> bool:
            expected = self._signature(keyed, claims.signed_head, body)
            for signature in claims.signatures:  # noqa: SIM110 - any() over a generator costs as much as the comparison
                if hmac.compare_digest(expected, signature):
                    return True
            return False

        return matches

    def sign(self, secret: SigningSecret, body: bytes, *, timestamp: int, delivery_id: str, event: str | None) -> dict[str, str]:
        """Return a sender's headers; see ``Scheme.sign``."""
        head = self._text.head_bytes(str(timestamp), delivery_id)
        signature = self.prefix + self._signature(self._keyed(secret), head, body)
        if self.timestamp_prefix:
            signature = f"{self.timestamp_prefix}{timestamp}{self.separator}{signature}"
        return self.with_signature(signature, timestamp=timestamp, delivery_id=delivery_id, event=event)

    def with_signature(self, signature: str, *, timestamp: int, delivery_id: str, event: str | None) -> dict[str, str]:
        """Return a sender's headers around a finished signature header."""
        values = [
            (self.signature_headers, signature),
            (self.timestamp_headers, str(timestamp)),
            (self.id_headers, delivery_id),
            (self.event_headers, event),
        ]
        return {names[0]: value for names, value in values if names and value}

    def signed_head(self, timestamp: int, delivery_id: str) -> bytes:
        """Return the signed bytes that stand before the body."""
        return self._text.head_bytes(str(timestamp), delivery_id)

    def _keyed(self, secret: SigningSecret) -> hmac.HMAC:
        key = base64_key(secret) if self.key == "base64" else text_key(secret)
        return hmac.new(key, digestmod=self.algorithm)

    def _signature(self, keyed: hmac.HMAC, head: bytes, body: bytes) -> str:
        # Written out, not decoded: two equal texts leave no room for a lenient decoder. The copy spares hashing the key anew.
        mac = keyed.copy()
        if head:
            mac.update(head)
        mac.update(body)
        return mac.hexdigest() if self.encoding == "hex" else base64.b64encode(mac.digest()).decode("ascii")

    def _entries(self, found: Mapping[str, str]) -> Sequence[str]:
        header = first(found, self.signature_headers)
        if header is None:
            raise SignatureMissing(provider=self.name)
        if not self.separator:
            return (header,)
        if header.count(self.separator) >= MAX_SIGNATURES:
            raise SignatureInvalid(f"The signature header holds more than {MAX_SIGNATURES} entries.", provider=self.name)
        return header.split(self.separator)

    def _timestamp(self, found: Mapping[str, str], entries: Sequence[str]) -> str | None:
        """Return the timestamp as it was written: that text is what was signed."""
        if "timestamp" not in self._text.parts:
            return None
        if self.timestamp_prefix:
            given = [entry.removeprefix(self.timestamp_prefix) for entry in entries if entry.startswith(self.timestamp_prefix)]
        else:
            given = [found[name] for name in self.timestamp_headers if found.get(name)][:1]
        if not given:
            raise SignatureMissing("The webhook carries no timestamp.", provider=self.name)
        if len(given) > 1 or _UNIX_SECONDS.fullmatch(given[0]) is None:
            raise SignatureInvalid("The webhook's timestamp is not one number of Unix seconds.", provider=self.name)
        return given[0]

    def _require_signable(self, delivery_id: str | None) -> None:
        if "id" not in self._text.parts:
            return
        if delivery_id is None:
            raise SignatureMissing("The webhook carries no id.", provider=self.name)
        if self._text.after_id in delivery_id:
            raise SignatureInvalid("The webhook's id could be read in two ways.", provider=self.name)


def _contradictions(scheme: HmacScheme) -> list[tuple[bool, str]]:
    parts = scheme._text.parts  # noqa: SLF001 - the checks of this very class, apart only for length
    times = bool(scheme.timestamp_headers) + bool(scheme.timestamp_prefix)
    return [
        (not scheme.name, "it needs a name"),
        (not scheme.signature_headers, "it needs a signature header"),
        (scheme.encoding not in {"hex", "base64"}, "its encoding is neither hex nor base64"),
        (scheme.key not in {"text", "base64"}, "its key is neither text nor base64"),
        (scheme.algorithm not in _ALGORITHMS, "its algorithm is not known"),
        (scheme.algorithm == "sha1" and not scheme.allow_sha1, "sha1 is accepted with allow_sha1=True only"),
        (times != ("timestamp" in parts), "a timestamp has one place, and is signed"),
        (bool(scheme.timestamp_prefix) and not scheme.separator, "a timestamp in the signature header needs a separator"),
        (scheme.tolerance <= timedelta(0), "its tolerance is not positive"),
        ("id" in parts and not scheme.id_headers, "a signed id needs a header"),
        (scheme.dedup is Dedup.SIGNED_ID and "id" not in parts, "its id is not signed"),
        (scheme.dedup is Dedup.DELIVERY and not scheme.id_headers, "it has no delivery id"),
        ((scheme.dedup is Dedup.BODY_ID) != (scheme.body_id is not None), "Dedup.BODY_ID and body_id belong together"),
    ]
