"""The ``forgekit`` command."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command; the entry point of the installed script."""
    try:
        from forgekit.cli.app import run
    except ModuleNotFoundError as error:
        if error.name not in {"click", "rich"}:
            raise
        sys.exit("error: the forgekit command needs click and rich.\nhint: pip install click rich (the extra forgekit-core[cli] has both)")
    sys.exit(run())
