"""What a signature is checked with."""

from __future__ import annotations

import base64
import re
from datetime import datetime

import attrs

from forgekit.errors import ConfigurationError, EmptySecret

# Stripe writes it in front of plain text, Standard Webhooks in front of base64; with nothing behind it, it is no secret in either.
BASE64_PREFIX = "whsec_"
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)


@attrs.frozen(kw_only=True)
class SigningSecret:
    """One secret shared with a sender; several may be valid while one replaces the other.

    Attributes:
        id: Our name for it, told in logs and in ``VerifiedWebhook.secret_id``.
        value: The secret as the sender shows it, never in ``repr``.
        not_after: The last moment at which it is accepted (inclusive, aware); None for no end.

    Raises:
        EmptySecret: The value is empty, only white space, or a bare ``whsec_``.
        ConfigurationError: The id is empty, the value is not encodable as UTF-8, or ``not_after`` has no time zone.

    """

    id: str
    value: str = attrs.field(repr=lambda _: "'****'")
    not_after: datetime | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what could never verify anything, or would verify everything."""
        if not self.id:
            raise ConfigurationError("A webhook secret needs an id.")
        if self.value.strip() in {"", BASE64_PREFIX}:
            raise EmptySecret(f"The webhook secret {self.id!r} is empty.", secret_id=self.id)
        if not _is_utf8(self.value):
            raise ConfigurationError(f"The webhook secret {self.id!r} is not valid text.", secret_id=self.id)
        if self.not_after is not None and self.not_after.tzinfo is None:
            raise ConfigurationError(f"The end of the webhook secret {self.id!r} has no time zone.", secret_id=self.id)

    def valid_at(self, now: datetime) -> bool:
        """Tell whether the secret is still accepted."""
        return self.not_after is None or now <= self.not_after


def text_key(secret: SigningSecret) -> bytes:
    """Return the secret's own characters as the key: what most senders do."""
    return secret.value.encode()


def base64_key(secret: SigningSecret, prefix: str = BASE64_PREFIX) -> bytes:
    """Return the bytes that the secret writes in base64, after an optional prefix (Standard Webhooks).

    Raises:
        ConfigurationError: It is not canonical, padded base64.

    """
    encoded = secret.value.removeprefix(prefix)
    if not encoded or _BASE64.fullmatch(encoded) is None:
        raise ConfigurationError(f"The webhook secret {secret.id!r} is not base64.", secret_id=secret.id)
    return base64.b64decode(encoded)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
