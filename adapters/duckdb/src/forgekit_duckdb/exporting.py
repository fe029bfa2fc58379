"""Builds as a Parquet file."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import duckdb

from forgekit.builds.models import BuildRecord, Job
from forgekit.errors import InvalidInput
from forgekit_duckdb.opening import COLUMNS, in_memory, quoted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TIMES = tuple(name for name, kind in COLUMNS.items() if kind == "TIMESTAMPTZ")
_PLAIN = tuple(name for name in COLUMNS if name not in {*_TIMES, "jobs"})
_JOBS = "STRUCT(name VARCHAR, status VARCHAR, started_at BIGINT, finished_at BIGINT, rate DOUBLE)[]"
_JOB = """[{name: j.name, status: j.status, started_at: make_timestamptz(j.started_at), finished_at: make_timestamptz(j.finished_at),
    rate: j.rate} for j in jobs]"""


def export_parquet(builds: Iterable[BuildRecord], path: str | os.PathLike[str]) -> int:
    """Write builds to a Parquet file and return how many; the file is there whole, or is what it was before.

    Builds are streamed: memory does not grow with them. Until the end they take about half a kilobyte each in the temporary directory.

    Args:
        builds: The builds, such as ``forge.builds.builds()``. What comes oldest first is the quickest to ask about days.
        path: The file, which is replaced where it exists.

    Raises:
        InvalidInput: A text in a build is none that Unicode allows.

    """
    target = Path(path)
    # Beside the target, as only there it can be moved in one step.
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        with tempfile.TemporaryDirectory(prefix="forgekit-duckdb-") as folder:
            lines = Path(folder) / "builds.jsonl"
            with lines.open("w", encoding="ascii") as file:
                count = _write(builds, file)
            _convert(lines, part, Path(folder) / "spill")
        part.replace(target)
    except duckdb.InvalidInputException as error:
        raise InvalidInput(f"A build cannot be written: {str(error).splitlines()[0]}") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def _write(builds: Iterable[BuildRecord], file: TextIO) -> int:
    count = 0
    encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode
    for count, build in enumerate(builds, start=1):  # noqa: B007 - the count is the answer
        file.write(encode(_row(build)))
        file.write("\n")
    return count


def _row(build: BuildRecord) -> dict[str, Any]:
    row: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(build, name)) is not None}
    row.update({name: (moment - _EPOCH) // _MICROSECOND for name in _TIMES if (moment := getattr(build, name)) is not None})
    row["jobs"] = [_job(job) for job in build.jobs]
    return row


def _job(job: Job) -> dict[str, Any]:
    times = {"started_at": job.started_at, "finished_at": job.finished_at}
    told = {name: (moment - _EPOCH) // _MICROSECOND for name, moment in times.items() if moment is not None}
    return {"name": job.name, "status": job.status, "rate": job.rate, **told}


def _convert(lines: Path, target: Path, spill: Path) -> None:
    columns = {name: "BIGINT" if name in _TIMES else _JOBS if name == "jobs" else kind for name, kind in COLUMNS.items()}
    told = ", ".join(f"\"{name}\": '{kind}'" for name, kind in columns.items())
    source = f"read_json({quoted(lines)}, format = 'newline_delimited', columns = {{{told}}})"
    chosen = {name: f'make_timestamptz("{name}")' if name in _TIMES else f'"{name}"' for name in COLUMNS}
    chosen["jobs"] = _JOB
    selected = ", ".join(f'{value} AS "{name}"' for name, value in chosen.items())
    query = f"SELECT {selected} FROM {source}"  # noqa: S608 - names of this package; the path is quoted
    with in_memory(spill) as connection:
        connection.execute(f"COPY ({query}) TO {quoted(target)} (FORMAT parquet, COMPRESSION zstd)")
