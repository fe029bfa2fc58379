"""What this distribution offers to a forge."""

from __future__ import annotations

from collections.abc import Mapping

from forgekit import hookimpl
from forgekit.hookspecs import StorageFactory
from forgekit_sql.engine import open_postgresql, open_sqlite


@hookimpl
def forgekit_storages() -> Mapping[str, StorageFactory]:
    """Offer SQLite and PostgreSQL by the scheme of their URLs."""
    return {"postgresql": open_postgresql, "sqlite": open_sqlite}
