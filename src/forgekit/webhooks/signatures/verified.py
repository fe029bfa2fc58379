"""What is known of a webhook once its signature is checked."""

from __future__ import annotations

import enum
import hashlib
from datetime import datetime
from functools import cached_property
from typing import Any

import attrs

from forgekit.errors import PayloadMalformed

from . import payload

_UNPARSED: Any = ...  # no JSON value, and itself after pickling
# Of an id that a sender chose; beyond it the key holds the id's hash. Keys stay within 180 characters.
MAX_ID_IN_KEY = 100


class Dedup(enum.Enum):
    """By what two deliveries are known to be one.

    A delivery id outside the signed text is anybody's to change, so it never counts alone.
    """

    SIGNED_ID = "signed id"
    """The id header, which is part of the signed text."""
    BODY_ID = "id in the body"
    """A member of the signed body; the body's hash where it is absent."""
    DELIVERY = "delivery and body"
    """The unsigned id header together with the body's hash; the hash alone where the header is absent."""
    BODY = "body"
    """The body's hash, for senders that give a retry a new id (Plane) or none (LemonSqueezy)."""


@attrs.frozen(kw_only=True, slots=False)  # one is made a request: frozen slots are the slowest to fill
class VerifiedWebhook:
    """A webhook whose sender is known.

    Attributes:
        provider: The name of the scheme that it was checked by.
        secret_id: Which secret it was signed with.
        received_at: When it was checked, aware, in UTC.
        body: The exact bytes that were signed.
        event: The event's name from the header, where the sender has such a header; no sender signs it.
        delivery_id: The delivery's id from the header, signed only where ``dedup`` is ``Dedup.SIGNED_ID``.
        sent_at: The signed time of sending, where the sender gives one.
        dedup: By what a second delivery of it is recognised.
        body_id: The member of the body that ``Dedup.BODY_ID`` reads.

    """

    provider: str
    secret_id: str
    received_at: datetime
    body: bytes = attrs.field(repr=False)
    event: str | None = None
    delivery_id: str | None = None
    sent_at: datetime | None = None
    dedup: Dedup = Dedup.BODY
    body_id: str | None = None
    # By hand, for Python 3.11's cached_property takes a lock.
    _parsed: Any = attrs.field(default=_UNPARSED, init=False, repr=False, eq=False)

    def json(self) -> Any:
        """Return the body's JSON, parsed at the first call; every call gives the same object.

        Raises:
            PayloadMalformed: The body is not UTF-8, not JSON, nested too deep, or holds NaN or an infinite number.

        """
        if self._parsed is _UNPARSED:
            object.__setattr__(self, "_parsed", payload.parse(self.body))
        return self._parsed

    @cached_property
    def dedup_key(self) -> str:
        """The key that every delivery of this event has: printable ASCII, at most 180 characters, unique within one source."""
        if self.dedup is Dedup.SIGNED_ID and self.delivery_id:
            return f"id:{_bounded(self.delivery_id)}"
        if self.dedup is Dedup.BODY_ID and (found := self._id_in_body()):
            return f"event:{_bounded(found)}"
        if self.dedup is Dedup.DELIVERY and self.delivery_id:
            return f"delivery:{_bounded(self.delivery_id)}:{self.body_sha256}"
        return f"body:{self.body_sha256}"

    @cached_property
    def body_sha256(self) -> str:
        """SHA-256 of the body in hex: the same for the same bytes, whatever the unsigned headers say."""
        return hashlib.sha256(self.body).hexdigest()

    def _id_in_body(self) -> str | None:
        try:
            content = self.json()
        except PayloadMalformed:
            return None
        found = content.get(self.body_id) if isinstance(content, dict) else None
        return found if isinstance(found, str) else None


def _bounded(text: str) -> str:
    """Return the id, or its hash in another notation than any plain id has."""
    if len(text) <= MAX_ID_IN_KEY and text.isascii() and text.isprintable() and not text.startswith("#"):
        return text
    return "#" + hashlib.sha256(text.encode()).hexdigest()
