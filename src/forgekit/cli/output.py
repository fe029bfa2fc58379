"""Results on standard output: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from typing import Any

import attrs
import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


def plain(value: Any) -> Any:
    """Return a model as JSON-able values."""
    if attrs.has(type(value)):
        return {field.name: plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value


class Output:
    """Prints results one way or the other."""

    def __init__(self, *, as_json: bool) -> None:
        """Choose between JSON and text."""
        self.as_json = as_json
        self._console = Console(soft_wrap=True, highlight=False)

    def line(self, text: str) -> None:
        """Print a line for people; nothing as JSON."""
        if not self.as_json:
            click.echo(text)

    def json(self, value: Any) -> None:
        """Print a value for programs; nothing as text."""
        if self.as_json:
            click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
        """Print a table for people, or the sentence ``empty`` where there are no rows; nothing as JSON."""
        if self.as_json:
            return
        if not rows:
            click.echo(empty)
            return
        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            # Text from outside must not be read as rich's markup.
            table.add_row(*("" if cell is None else str(cell).replace("[", r"\[") for cell in row))
        self._console.print(table)

    def show(self, drawn: Any) -> None:
        """Print what rich draws, as it is."""
        self._console.print(drawn)

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[int, int | None], None]]:
        """Show a progress bar on standard error while the block runs; yields what moves it. Silent as JSON or without a terminal."""
        console = Console(stderr=True)
        if self.as_json or not console.is_terminal:
            yield lambda _done, _total: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
