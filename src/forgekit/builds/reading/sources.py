"""Where builds are read from: files of several kinds, frames of several libraries, rows."""

from __future__ import annotations

import csv
import functools
import importlib.util
import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TextIO, TypeVar

from forgekit.builds.models import BuildRecord
from forgekit.builds.reading.flat import parse_build
from forgekit.builds.reading.strict import REQUIRED
from forgekit.builds.reading.travistorrent import REQUIRED_COLUMNS, is_travistorrent, join_jobs, parse_row
from forgekit.errors import ConfigurationError, InvalidInput

Row = Mapping[str, Any]
OnError = Callable[[InvalidInput], None]
"""Called with what is wrong with a row, its number in ``data["row"]`` (1 for the first); the row is then passed over."""

_BATCH = 10_000
T = TypeVar("T")


def records(source: Any, *, on_error: OnError | None = None) -> Iterator[BuildRecord]:
    """Yield builds from anything that holds some.

    Args:
        source: Records; rows (mappings) in the flat form or with TravisTorrent's columns; the path of a file that ends in ``.csv``,
            ``.json``, ``.jsonl``, ``.ndjson`` or ``.parquet``; a DataFrame of pandas or polars, or a table of pyarrow.
        on_error: Called for each row that cannot be read; without it the first one ends the reading.

    Raises:
        InvalidInput: A row cannot be read, or nothing is known of such a source.

    """
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        if (read := _FILES.get(path.suffix.lower())) is None:
            raise InvalidInput(f"{path.name} does not end in one of {', '.join(_FILES)}.")
        return read(path, on_error=on_error)
    if hasattr(source, "columns") or hasattr(source, "column_names"):
        return read_frame(source, on_error=on_error)
    if not isinstance(source, Iterable):
        raise InvalidInput(f"Builds cannot be read from {type(source).__name__}.")
    return _mixed(source, on_error)


def _mixed(source: Iterable[Any], on_error: OnError | None) -> Iterator[BuildRecord]:
    items = iter(source)
    for first in items:
        if not isinstance(first, BuildRecord):
            yield from read_rows(itertools.chain([first], items), on_error=on_error)
            return
        yield first


def read_rows(rows: Iterable[Any], *, on_error: OnError | None = None) -> Iterator[BuildRecord]:
    """Yield builds from mappings in the flat form or with TravisTorrent's columns: the first one tells which. See ``records``."""
    items = iter(rows)
    for first in items:  # of no rows nothing is made
        whole = itertools.chain([first], items)
        if is_travistorrent(first):
            yield from join_jobs(_each(whole, lambda row: (parse_row(row), row.get("tr_job_id")), on_error))
        else:
            yield from _each(whole, lambda row: row if isinstance(row, BuildRecord) else parse_build(row), on_error)


def _each(rows: Iterable[Any], parse: Callable[[Any], T], on_error: OnError | None) -> Iterator[T]:
    for number, row in enumerate(rows, start=1):
        try:
            if isinstance(row, InvalidInput):
                raise row
            parsed = parse(row)
        except InvalidInput as error:
            error.data["row"] = number
            if on_error is None:
                raise InvalidInput(f"Row {number}: {error.message}", **error.data) from error
            on_error(error)
        else:
            yield parsed


P = ParamSpec("P")


def _told_by_file(read: Callable[P, Iterator[BuildRecord]]) -> Callable[P, Iterator[BuildRecord]]:
    """Have whatever a file holds that it cannot hold be one error, which names the file; the first argument is the file."""

    @functools.wraps(read)
    def told(*args: P.args, **kwargs: P.kwargs) -> Iterator[BuildRecord]:
        try:
            yield from read(*args, **kwargs)
        except (ValueError, csv.Error, RecursionError) as error:
            raise InvalidInput(f"{_name(args[0])} {_trouble(error)}.") from error

    return told


def _name(source: object) -> str:
    return Path(source).name if isinstance(source, (str, os.PathLike)) else "The file"


def _trouble(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8: save it as UTF-8"
    if isinstance(error, RecursionError):
        return "nests too deep for a list of builds"
    if isinstance(error, json.JSONDecodeError):
        return f"is not JSON: {error}"
    return f"cannot be read: {(str(error).splitlines() or [type(error).__name__])[0].rstrip('.')}"


@_told_by_file
def read_csv(source: str | os.PathLike[str] | TextIO, *, on_error: OnError | None = None) -> Iterator[BuildRecord]:
    """Yield builds from CSV with a line of names, a row at a time: memory does not grow with the file. See ``records``.

    Raises:
        InvalidInput: It lacks a column that every build needs, is not text in UTF-8, or a row cannot be read.

    """
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open(encoding="utf-8-sig", newline="") as file:
            yield from _csv_rows(file, _name(source), on_error)
    else:
        yield from _csv_rows(source, _name(source), on_error)


def _csv_rows(file: TextIO, name: str, on_error: OnError | None) -> Iterator[BuildRecord]:
    rows = csv.DictReader(file)
    names = rows.fieldnames
    if names:
        needed = REQUIRED_COLUMNS if is_travistorrent(dict.fromkeys(names)) else REQUIRED
        # Without this, every row would be told, or passed over, for the same reason.
        if missing := [column for column in needed if column not in names]:
            problems = [{"pointer": f"/{column}", "message": "is required"} for column in missing]
            raise InvalidInput(f"{name} has no column {' and no column '.join(missing)}; each is required.", problems=problems)
    yield from read_rows(rows, on_error=on_error)


@_told_by_file
def read_json(path: str | os.PathLike[str], *, on_error: OnError | None = None) -> Iterator[BuildRecord]:
    """Yield builds from JSON: a list, or an object with a list under ``builds``. See ``records``.

    Raises:
        InvalidInput: It is not JSON, or JSON of another shape.

    """
    whole = json.loads(Path(path).read_bytes())
    rows = whole.get("builds") if isinstance(whole, dict) else whole
    if not isinstance(rows, list):
        raise InvalidInput(f"{Path(path).name} holds neither a list of builds nor an object with a list of them under 'builds'.")
    yield from read_rows(rows, on_error=on_error)


@_told_by_file
def read_json_lines(path: str | os.PathLike[str], *, on_error: OnError | None = None) -> Iterator[BuildRecord]:
    """Yield builds from a file with a JSON object a line, a line at a time. See ``records``.

    Raises:
        InvalidInput: A line is not JSON, or a row cannot be read.

    """
    with Path(path).open(encoding="utf-8-sig") as file:
        yield from read_rows((_line(line) for line in file if line.strip()), on_error=on_error)


def _line(line: str) -> Any:
    """Return a line's value; where it is not JSON the error, which is told as that of a row, so that the next line can be read."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        message = _trouble(error)
        return InvalidInput(f"The line {message}.", problems=[{"pointer": "", "message": message}])


@_told_by_file
def read_parquet(path: str | os.PathLike[str], *, on_error: OnError | None = None) -> Iterator[BuildRecord]:
    """Yield builds from a Parquet file, in batches where pyarrow is installed, else with polars. See ``records``.

    Raises:
        ConfigurationError: Neither pyarrow nor polars is installed.

    """
    if importlib.util.find_spec("pyarrow") is not None:
        return read_rows(_batches(importlib.import_module("pyarrow.parquet").ParquetFile(Path(path))), on_error=on_error)
    if importlib.util.find_spec("polars") is not None:
        return read_frame(importlib.import_module("polars").read_parquet(Path(path)), on_error=on_error)
    raise ConfigurationError("Parquet files are read with pyarrow or polars, and neither is installed.")


def _batches(file: Any) -> Iterator[Row]:
    with file:
        for batch in file.iter_batches(_BATCH):
            yield from batch.to_pylist()


def read_frame(frame: Any, *, on_error: OnError | None = None) -> Iterator[BuildRecord]:
    """Yield builds from a DataFrame of pandas or polars, or from a table of pyarrow. See ``records``.

    Raises:
        InvalidInput: It is none of these.

    """
    if hasattr(frame, "iter_rows"):
        return read_rows(frame.iter_rows(named=True), on_error=on_error)
    if hasattr(frame, "to_batches"):
        return read_rows((row for batch in frame.to_batches(_BATCH) for row in batch.to_pylist()), on_error=on_error)
    if hasattr(frame, "itertuples"):
        columns = [frame[name].tolist() for name in frame.columns]
        return read_rows((dict(zip(frame.columns, row, strict=True)) for row in zip(*columns, strict=True)), on_error=on_error)
    raise InvalidInput(f"Builds cannot be read from {type(frame).__name__}.")


_FILES: Mapping[str, Callable[..., Iterator[BuildRecord]]] = {
    ".csv": read_csv,
    ".json": read_json,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".parquet": read_parquet,
}
