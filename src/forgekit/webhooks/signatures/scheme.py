"""What a way of signing webhooks is, and what every one of them reads from a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol, TypeAlias

import attrs

from forgekit.errors import ConfigurationError

from .keys import SigningSecret
from .verified import Dedup

_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*", re.ASCII)


@attrs.define(kw_only=True)
class Claims:
    """What a request's headers say, none of it believed yet.

    Not frozen, for one is made a request and gone with it, and frozen ones take three times as long to make.

    Attributes:
        signatures: The signatures of the scheme's own version, each in the scheme's notation, without its prefix.
        signed_head: The signed bytes that stand before the body.
        timestamp: When the sender says that it was sent, in Unix seconds; None where the scheme has no timestamp.
        delivery_id: The delivery's id.
        event: The event's name.

    """

    signatures: Sequence[str] = attrs.field(repr=False)
    signed_head: bytes = b""
    timestamp: int | None = None
    delivery_id: str | None = None
    event: str | None = None


Matcher: TypeAlias = Callable[[Claims, bytes], bool]
"""Tells, in constant time, whether one of the claims' signatures fits the body."""


class Scheme(Protocol):
    """A way of signing webhooks. Attributes are data; ``HmacScheme`` covers most senders without new code."""

    @property
    def name(self) -> str:
        """The provider's name in configuration, e.g. ``github``."""
        ...

    @property
    def header_names(self) -> frozenset[str]:
        """The headers that it reads; it is handed no others."""
        ...

    @property
    def tolerance(self) -> timedelta:
        """How far a timestamp may be from now, on either side."""
        ...

    @property
    def dedup(self) -> Dedup:
        """By what a second delivery of the same event is recognised."""
        ...

    @property
    def body_id(self) -> str | None:
        """The member of the body that holds the event's id, for ``Dedup.BODY_ID``."""
        ...

    def claims(self, found: Mapping[str, str]) -> Claims:
        """Read the claims from the headers found, by name as in ``header_names``.

        Raises:
            SignatureMissing: A header without which nothing can be checked is absent.
            SignatureInvalid: One of them is malformed.

        """
        ...

    def matcher(self, secret: SigningSecret) -> Matcher:
        """Prepare the check against one secret, once.

        Raises:
            ConfigurationError: The secret is no key of this scheme.

        """
        ...

    def sign(self, secret: SigningSecret, body: bytes, *, timestamp: int, delivery_id: str, event: str | None) -> dict[str, str]:
        """Return the headers that a sender would add to the body.

        Raises:
            ConfigurationError: The secret is no signing key of this scheme.

        """
        ...


def header_tuple(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return one or several header names as a tuple, in the order in which they are looked for.

    Raises:
        ConfigurationError: One of them is no header name.

    """
    given = (names,) if isinstance(names, str) else tuple(names)
    for name in given:
        if _HEADER_NAME.fullmatch(name) is None:
            raise ConfigurationError(f"{name!r} is not a header name.")
    return given
