"""API keys."""

from __future__ import annotations

from typing import Any

import pytest

from forgekit.accounts.models import ApiKey, StoredKey
from forgekit.errors import Conflict
from forgekit.hookspecs import StorageEngine
from forgekit.testing.storage.base import NOW, SECOND, Contract, present


def _stored(key_id: str, **changes: Any) -> StoredKey:
    return StoredKey(key=ApiKey(**{"id": key_id, "name": f"Key {key_id}", "created_at": NOW, **changes}), digest="ab" * 32)


class AccountContract(Contract):
    """What the repository of ``accounts`` promises."""

    def test_a_key_comes_back_as_it_was_stored(self, storage: StorageEngine) -> None:
        """Every field of a key is kept, its hash too."""
        whole = _stored("k-1", name="CI ünïcødé", scopes=("builds", "other"), expires_at=NOW + SECOND)
        with storage.transaction() as tx:
            storage.accounts(tx).add_key(whole)
        with storage.transaction(write=False) as tx:
            assert storage.accounts(tx).key("k-1") == whole
            assert storage.accounts(tx).key("k-2") is None

    def test_a_taken_id_of_a_key_is_a_conflict(self, storage: StorageEngine) -> None:
        """A second key of one id is refused, and the transaction goes on."""
        with storage.transaction() as tx:
            accounts = storage.accounts(tx)
            accounts.add_key(_stored("k-1"))
            with pytest.raises(Conflict):
                accounts.add_key(_stored("k-1", name="Other"))
            assert [key.name for key in accounts.all_keys()] == ["Key k-1"]

    def test_keys_are_told_oldest_first(self, storage: StorageEngine) -> None:
        """Keys come in the order of their issue, those of one moment by id."""
        with storage.transaction() as tx:
            accounts = storage.accounts(tx)
            for key_id, after in (("c", 1), ("b", 0), ("a", 1)):
                accounts.add_key(_stored(key_id, created_at=NOW + after * SECOND))
            assert [key.id for key in accounts.all_keys()] == ["b", "a", "c"]

    def test_a_key_is_revoked_once(self, storage: StorageEngine) -> None:
        """The first revocation counts and keeps its time; others change nothing."""
        with storage.transaction() as tx:
            accounts = storage.accounts(tx)
            accounts.add_key(_stored("k-1"))
            assert [accounts.revoke_key(key_id, NOW + after * SECOND) for key_id, after in (("k-1", 1), ("k-1", 2), ("k-9", 1))] == [
                True,
                False,
                False,
            ]
            assert present(accounts.key("k-1")).key.revoked_at == NOW + SECOND
