"""Build metrics by DuckDB: builds as Parquet, the same analysis in SQL, and a connection for questions of one's own."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forgekit_duckdb.analysing import analyse_parquet
    from forgekit_duckdb.exporting import export_parquet
    from forgekit_duckdb.opening import connect

__all__ = ["analyse_parquet", "connect", "export_parquet"]

_HOMES = {"analyse_parquet": "analysing", "connect": "opening", "export_parquet": "exporting"}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: a forge that discovers the package must not pay for DuckDB, which takes its time to import."""
    if name not in _HOMES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
