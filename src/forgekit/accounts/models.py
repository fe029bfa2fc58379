"""API keys: what is known of one, what is shown once, and what is stored."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import attrs

from forgekit.kernel.events.models import Event
from forgekit.kernel.secrets import Secret

EVERYTHING = "*"
"""The scope of a key that may do whatever a key may do."""


@attrs.frozen(kw_only=True)
class ApiKey:
    """A key, without its secret.

    Attributes:
        id: Its name for programs: part of its text, and no secret.
        name: Its name for people.
        scopes: What it allows, sorted; ``EVERYTHING`` allows all.
        created_at: When it was issued; None for a key that the environment gives.
        expires_at: From when on it is refused; None if never.
        revoked_at: When it was revoked; None if it was not.

    """

    id: str
    name: str
    scopes: tuple[str, ...] = (EVERYTHING,)
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def usable_at(self, now: datetime) -> bool:
        """Tell whether it is neither revoked nor expired at a moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def allows(self, scope: str) -> bool:
        """Tell whether it may do what needs this scope."""
        return scope in self.scopes or EVERYTHING in self.scopes


@attrs.frozen(kw_only=True)
class IssuedKey:
    """A key that was just issued: the one time that its secret is shown.

    Attributes:
        key: What is known of it.
        secret: The whole text that callers show; nobody can tell it again.

    """

    key: ApiKey
    secret: Secret


@attrs.frozen(kw_only=True)
class StoredKey:
    """A key as it is stored.

    Attributes:
        key: What is known of it.
        digest: SHA-256 of its whole text, in hex. The text has 256 random bits: no slow hash is needed.

    """

    key: ApiKey
    digest: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ApiKeyIssued(Event):
    """An API key was issued.

    Attributes:
        key_id: Its id.
        key_name: Its name for people.

    """

    name: ClassVar[str] = "accounts.key_issued"

    key_id: str
    key_name: str


@attrs.frozen(kw_only=True)
class ApiKeyRevoked(Event):
    """An API key was revoked.

    Attributes:
        key_id: Its id.

    """

    name: ClassVar[str] = "accounts.key_revoked"

    key_id: str
