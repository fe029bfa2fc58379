"""Stored settings and outgoing budgets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from forgekit.hookspecs import StorageEngine
from forgekit.kernel.storage.ports import StoredSetting
from forgekit.testing.storage.base import NOW, SECOND, Contract


def _setting(name: str, value: str = "1", *, namespace: str = "plane", sealed: bool = False) -> StoredSetting:
    return StoredSetting(namespace=namespace, name=name, value=value, sealed=sealed)


class KernelContract(Contract):
    """What the kernel's own repositories promise."""

    def test_settings_are_read_back_by_namespace(self, storage: StorageEngine) -> None:
        """Only the namespace that is asked for is told."""
        with storage.transaction() as tx:
            settings = storage.settings(tx)
            settings.write([_setting("url", '"http://x"'), _setting("url", "2", namespace="github")])
            assert settings.read("plane") == [_setting("url", '"http://x"')]
            assert not settings.read("slack")

    def test_a_setting_is_replaced(self, storage: StorageEngine) -> None:
        """The last word counts, the kind of value too."""
        with storage.transaction() as tx:
            settings = storage.settings(tx)
            settings.write([_setting("key", "plain")])
            settings.write([_setting("key", "v1.k1.x", sealed=True)])
            assert settings.read("plane") == [_setting("key", "v1.k1.x", sealed=True)]

    def test_a_setting_is_removed(self, storage: StorageEngine) -> None:
        """Removing forgets what is there, and does not mind what is not."""
        with storage.transaction() as tx:
            settings = storage.settings(tx)
            settings.write([_setting("a"), _setting("b")])
            settings.remove("plane", ["a", "never"])
            assert settings.read("plane") == [_setting("b")]

    def test_nothing_to_write_is_no_error(self, storage: StorageEngine) -> None:
        """Empty collections are accepted."""
        with storage.transaction() as tx:
            storage.settings(tx).write([])
            storage.settings(tx).remove("plane", [])

    def test_envelopes_of_other_keys_are_found(self, storage: StorageEngine) -> None:
        """Rotation asks for what another key sealed: by namespace and name, so many at a time, plain values left out."""
        with storage.transaction() as tx:
            settings = storage.settings(tx)
            sealed = [_setting(name, f"v1.{key}.x", sealed=True) for name, key in (("a", "old"), ("b", "new"), ("c", "new2"))]
            settings.write([*sealed, _setting("d", "v1.old.not sealed")])
            assert settings.sealed(not_with="new", limit=10) == [sealed[0], sealed[2]]
            assert settings.sealed(not_with="new", limit=1) == [sealed[0]]

    def test_a_budget_begins_empty(self, storage: StorageEngine) -> None:
        """A credential that was never used has an empty ledger and is not blocked."""
        with storage.transaction() as tx:
            assert storage.budgets(tx).lock("abc") == ("", None)

    def test_a_budget_is_kept(self, storage: StorageEngine) -> None:
        """Ledger and block are told as they were saved, each credential's its own."""
        with storage.transaction() as tx:
            storage.budgets(tx).lock("abc")
            storage.budgets(tx).save("abc", "[1]", NOW + SECOND)
        with storage.transaction() as tx:
            assert storage.budgets(tx).lock("abc") == ("[1]", NOW + SECOND)
            assert storage.budgets(tx).lock("other") == ("", None)

    def test_a_locked_budget_is_one_writers(self, storage: StorageEngine) -> None:
        """Counting up in a ledger from many threads loses nothing, from the first use on."""

        def count(_number: int) -> None:
            with storage.transaction() as tx:
                ledger, _ = storage.budgets(tx).lock("abc")
                storage.budgets(tx).save("abc", str(int(ledger or 0) + 1), None)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(count, range(24)))
        with storage.transaction() as tx:
            assert storage.budgets(tx).lock("abc") == ("24", None)
