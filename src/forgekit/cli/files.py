"""Builds that a command reads: from a file of any kind that is known, or from standard input."""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click

from forgekit.builds import BuildRecord, read_csv, read_json, read_json_lines, read_parquet
from forgekit.builds.reading.sources import OnError

_READERS: Mapping[str, Callable[..., Iterator[BuildRecord]]] = {
    "csv": read_csv,
    "json": read_json,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
}

KINDS = tuple(_READERS)
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
            path = Path(folder) / "Standard input"
            with path.open("wb") as copy:
                shutil.copyfileobj(sys.stdin.buffer, copy)
        read = _READERS[kind or _KNOWN.get(path.suffix.lower()) or _kind_of(path)]
        yield read(path, on_error=on_error)


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
