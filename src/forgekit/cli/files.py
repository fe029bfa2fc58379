"""Builds that a command reads: from a file of any kind that is known, or from standard input."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from forgekit.builds import BuildRecord, records
from forgekit.builds.reading.sources import OnError
from forgekit.errors import InvalidInput

KINDS = ("csv", "json", "jsonl", "parquet")
"""Kinds of files that builds are read from."""

_KNOWN = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_HEAD = 1_000_000

file_argument = click.Path(exists=True, dir_okay=False, allow_dash=True)
"""The type of an argument that names such a file, or ``-``."""

kind_option = click.option(
    "--kind", type=click.Choice(KINDS), help="What the file holds; told by the end of its name, else by its content, when absent."
)


@contextmanager
def builds_of(name: str, kind: str | None, on_error: OnError | None) -> Iterator[Iterator[BuildRecord]]:
    """Yield the builds of a file, or of standard input for ``-``, which is kept in a temporary file meanwhile."""
    with tempfile.TemporaryDirectory(prefix="forgekit-") as folder:
        path = Path(name)
        if name == "-":
            path = Path(folder) / "standard input"
            with path.open("wb") as copy:
                shutil.copyfileobj(sys.stdin.buffer, copy)
        kind = kind or _KNOWN.get(path.suffix.lower()) or _kind_of(path)
        if _KNOWN.get(path.suffix.lower()) != kind:
            # Readers tell the kind by the name's end.
            link = Path(folder) / f"{path.name}.{kind}"
            link.symlink_to(path.absolute())
            path = link
        yield _read(path, name, on_error)


def _read(path: Path, name: str, on_error: OnError | None) -> Iterator[BuildRecord]:
    try:
        yield from records(path, on_error=on_error)
    except (ValueError, csv.Error, RecursionError) as error:  # no UTF-8, a quote without end, no Parquet
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        shown = "Standard input" if name == "-" else Path(name).name
        raise InvalidInput(f"{shown} cannot be read: {problem}.") from error


def _kind_of(path: Path) -> str:
    """Return what a file holds, as far as its beginning tells."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PAR1"):
        return "parquet"
    text = head.decode("utf-8-sig", "replace").lstrip()
    if text.startswith("["):
        return "json"
    if not text.startswith("{"):
        return "csv"
    try:
        first = json.loads(io.StringIO(text).readline())
    except ValueError:
        return "json"  # an object over several lines
    return "json" if isinstance(first, dict) and isinstance(first.get("builds"), list) else "jsonl"
