"""What the distribution offers."""

from __future__ import annotations

import pluggy

import forgekit_sql
from forgekit_sql import plugin


def test_both_databases_are_offered_by_their_scheme():
    """The plugin is found under the hook's name and offers two engines."""
    manager = pluggy.PluginManager("forgekit")
    manager.register(plugin)
    assert [found.function for found in manager.hook.forgekit_storages.get_hookimpls()] == [plugin.forgekit_storages]
    assert plugin.forgekit_storages() == {"sqlite": forgekit_sql.open_sqlite, "postgresql": forgekit_sql.open_postgresql}


def test_public_names_are_there():
    """Every public name exists, in order."""
    assert forgekit_sql.__all__ == sorted(forgekit_sql.__all__)
    assert all(hasattr(forgekit_sql, name) for name in forgekit_sql.__all__)
