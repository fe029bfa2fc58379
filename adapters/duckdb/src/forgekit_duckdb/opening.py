"""A connection on which ``builds`` are what Parquet files hold."""

from __future__ import annotations

import os
from collections.abc import Mapping

import duckdb

from forgekit.builds.models import Status
from forgekit.errors import InvalidInput

JOBS = "STRUCT(name VARCHAR, status VARCHAR, started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, rate DOUBLE)[]"

COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("build_id", "project", "status"), "VARCHAR"),
    "started_at": "TIMESTAMPTZ",
    "provider": "VARCHAR",
    "attempt": "BIGINT",
    "duration_seconds": "DOUBLE",
    **dict.fromkeys(("queued_at", "finished_at"), "TIMESTAMPTZ"),
    **dict.fromkeys(("branch", "commit", "workflow", "event", "actor", "language"), "VARCHAR"),
    **dict.fromkeys(("tests_run", "tests_failed"), "BIGINT"),
    "url": "VARCHAR",
    "jobs": JOBS,
    "updated_at": "TIMESTAMPTZ",
    "end_estimated": "BOOLEAN",
    "environment": "VARCHAR",
    "committed_at": "TIMESTAMPTZ",
}
"""The fields of a record and their types; a file may lack any but the first three, and may have others besides."""

_DEFAULTS = {"provider": "'api'", "attempt": "1", "end_estimated": "false", "jobs": "[]"}
_REQUIRED = ("build_id", "project", "status")

_KEY = "provider, project, build_id, attempt"
_TWICE = f"SELECT 1 FROM builds GROUP BY {_KEY} HAVING count(*) > 1 LIMIT 1"  # noqa: S608 - constants of this module

# As forgekit.builds.rules.precedence has it; where that compares contents, which is arbitrary, another arbitrary order stands here.
_HOLDS = f"""QUALIFY row_number() OVER (PARTITION BY {_KEY} ORDER BY
    CASE status WHEN 'queued' THEN 0 WHEN 'running' THEN 1 ELSE 2 END DESC,
    end_estimated,
    CASE WHEN end_estimated THEN finished_at END NULLS LAST,
    updated_at DESC NULLS LAST,
    {", ".join(f'"{name}"' for name in COLUMNS if name not in {"updated_at", "end_estimated"})}) = 1"""


def connect(path: str | os.PathLike[str], *, spill: str | os.PathLike[str] | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection of its own to DuckDB, in memory, with a view ``builds`` of what the files hold.

    The view has a column for each field of ``BuildRecord``, in UTC, and one row a build: where files tell of one several times, the version
    that holds. Extensions are neither fetched nor loaded.

    Args:
        path: A Parquet file, or a pattern (``builds/*.parquet``) of several.
        spill: A directory for what does not fit into memory; DuckDB's own choice where none is given.

    Raises:
        InvalidInput: There is no such file, it is no Parquet, or it lacks a column that every build needs.

    """
    connection = in_memory(spill)
    try:
        _view(connection, os.fspath(path))
        _check(connection)
    except duckdb.Error as error:
        connection.close()
        raise InvalidInput(f"Builds cannot be read from {os.fspath(path)}: {str(error).splitlines()[0]}") from error
    except InvalidInput:
        connection.close()
        raise
    return connection


def in_memory(spill: str | os.PathLike[str] | None = None) -> duckdb.DuckDBPyConnection:
    """Return a connection to an empty database in memory, which tells times in UTC and fetches no extension."""
    options: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    if spill is not None:
        options["temp_directory"] = os.fspath(spill)
    connection = duckdb.connect(":memory:", config=options)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def quoted(path: str | os.PathLike[str]) -> str:
    """Return a path as a literal of SQL: where files are named, statements take no parameters."""
    return "'" + os.fspath(path).replace("'", "''") + "'"


def _view(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    files = f"read_parquet({quoted(path)}, union_by_name = true)"
    present = {str(row[0]) for row in connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()}  # noqa: S608 - quoted above
    if missing := [name for name in _REQUIRED if name not in present]:
        raise InvalidInput(f"The files lack the columns {', '.join(missing)}.")
    columns = ", ".join(f'{_column(name, kind, present=name in present)} AS "{name}"' for name, kind in COLUMNS.items())
    connection.execute(f"CREATE VIEW builds AS SELECT {columns} FROM {files}")  # noqa: S608 - quoted above
    if connection.execute(_TWICE).fetchone() is not None:
        # Every question pays for this, so only where it is needed.
        connection.execute(f"CREATE OR REPLACE VIEW builds AS SELECT {columns} FROM {files} {_HOLDS}")  # noqa: S608 - quoted above


def _column(name: str, kind: str, *, present: bool) -> str:
    value = f'CAST("{name}" AS {kind})' if present else f"CAST(NULL AS {kind})"
    return f"coalesce({value}, {_DEFAULTS[name]})" if name in _DEFAULTS else value


def _check(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute("SELECT DISTINCT status, build_id IS NULL OR project IS NULL FROM builds").fetchall()
    if any(nameless for _, nameless in found):
        raise InvalidInput("The files have rows without a build_id or a project.")
    if strange := sorted(str(status) for status, _ in found if status not in set(Status)):
        raise InvalidInput(f"The files have statuses that no build has here: {', '.join(strange)}.")
