"""What ``accounts`` needs from outside: a repository bound to a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from forgekit.accounts.models import ApiKey, StoredKey
from forgekit.kernel.storage.transaction import Transaction


class KeyRepository(Protocol):
    """Stored API keys: their hashes, never their texts."""

    def add_key(self, key: StoredKey) -> None:
        """Store a new key.

        Raises:
            Conflict: The id is taken.

        """
        ...

    def key(self, key_id: str) -> StoredKey | None:
        """Return the key with this id, revoked or not."""
        ...

    def all_keys(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first."""
        ...

    def revoke_key(self, key_id: str, now: datetime) -> bool:
        """Mark a key as revoked; False where there is none such, or it is revoked already and keeps its time."""
        ...


class AccountRepositories(Protocol):
    """Builds the repository for a transaction."""

    def accounts(self, tx: Transaction, /) -> KeyRepository:
        """Return the repository."""
        ...
