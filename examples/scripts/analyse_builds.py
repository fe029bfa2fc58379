"""Analyse a file of builds, and show what it comes to.

``python examples/scripts/analyse_builds.py builds.csv`` prints tables; ``--html page.html`` writes a page with charts, ``--markdown``
prints the context for a language model, and ``--json`` everything. The file is CSV, JSON, JSON lines or Parquet, in TravisTorrent's columns
or with the names of ``forgekit.builds.BuildRecord``. Rows that cannot be read are told and passed over.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from forgekit.builds import Analysis, Scope, analyse
from forgekit.errors import ForgekitError, InvalidInput


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments ask for; the exit code tells whether the file could be read."""
    asked = parser().parse_args(arguments)
    problems: list[InvalidInput] = []
    try:
        scope = Scope(project=asked.project, branch=asked.branch, workflow=asked.workflow)
        analysis = analyse(asked.file, scope=scope, since=asked.since, until=asked.until, on_error=problems.append)
    except (ForgekitError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for problem in problems[:10]:
        print(f"row {problem.data['row']} was passed over: {problem.message}", file=sys.stderr)
    if len(problems) > 10:  # noqa: PLR2004 - as many as are told
        print(f"and {len(problems) - 10} more", file=sys.stderr)
    show(analysis, asked)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the arguments."""
    found = argparse.ArgumentParser(description="Analyse a file of builds.")
    found.add_argument("file", type=Path, help="CSV, JSON, JSON lines or Parquet")
    for name in ("project", "branch", "workflow"):
        found.add_argument(f"--{name}", help=f"only builds of this {name}")
    for name in ("since", "until"):
        found.add_argument(f"--{name}", type=date.fromisoformat, help=f"{name} this day in UTC, as in 2026-01-31")
    how = found.add_mutually_exclusive_group()
    how.add_argument("--html", type=Path, help="write a page with charts")
    how.add_argument("--markdown", action="store_true", help="print Markdown, as for a language model")
    how.add_argument("--json", action="store_true", help="print JSON")
    return found


def show(analysis: Analysis, asked: argparse.Namespace) -> None:
    """Show the analysis in the way that was asked for."""
    if asked.html is not None:
        page = f'<!doctype html><meta charset="utf-8"><title>Builds</title>{analysis._repr_html_()}'
        asked.html.write_text(page, encoding="utf-8")
        print(f"{asked.html}: {analysis.n_builds} builds of {analysis.n_projects} projects")
    elif asked.json:
        print(analysis.to_json())
    elif asked.markdown:
        print(analysis.to_markdown())
    else:
        from rich.console import Console

        Console().print(analysis)


if __name__ == "__main__":
    sys.exit(main())
