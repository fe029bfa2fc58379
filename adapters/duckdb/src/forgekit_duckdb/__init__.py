"""Build metrics by DuckDB: builds as Parquet, the same analysis in SQL, and a connection for questions of one's own."""

from forgekit_duckdb.analysing import analyse_parquet
from forgekit_duckdb.exporting import export_parquet
from forgekit_duckdb.opening import connect

__all__ = ["analyse_parquet", "connect", "export_parquet"]
