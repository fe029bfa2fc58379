"""Build metrics by DuckDB: builds as Parquet, the same analysis in SQL, and a connection for questions of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forgekit.lazy import lazily as _lazily

if TYPE_CHECKING:
    from forgekit_duckdb.analysing import analyse_parquet
    from forgekit_duckdb.exporting import export_parquet
    from forgekit_duckdb.opening import connect

__all__ = ["analyse_parquet", "connect", "export_parquet"]

# A forge that discovers the package must not pay for DuckDB, which takes its time to import.
__getattr__, __dir__ = _lazily(
    __name__,
    {
        "analyse_parquet": "forgekit_duckdb.analysing",
        "connect": "forgekit_duckdb.opening",
        "export_parquet": "forgekit_duckdb.exporting",
    },
)
