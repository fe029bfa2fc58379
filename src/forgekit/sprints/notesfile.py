"""Release notes as a file in the project's work tree."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from forgekit.sprints.rules.notes import note_marker

_HEAD = 4096
"""The marker of a notes file stands within its first bytes."""


def write_notes(repository: Path, slugs: Iterable[str], sprint_id: str, text: str) -> Path:
    """Write ``releases/sprint-<slug>.md`` under the first slug that is free or ours, whole or not at all; return its path.

    Raises:
        OSError: It cannot be written, or ``releases`` is a link that leads out of the work tree.

    """
    top = repository.resolve()
    folder = (top / "releases").resolve()
    if not folder.is_relative_to(top):
        raise OSError(errno.EPERM, "the folder releases leads out of the repository")
    folder.mkdir(exist_ok=True)
    for slug in slugs:
        path = folder / f"sprint-{slug}.md"
        if _is_free(path, sprint_id):
            _replace(path, text)
            return path
    raise OSError(errno.EEXIST, "every name for them is taken")


def _is_free(path: Path, sprint_id: str) -> bool:
    if path.is_symlink():
        return False
    try:
        with path.open("rb") as file:
            return note_marker(sprint_id).encode() in file.read(_HEAD)
    except FileNotFoundError:
        return True


def _replace(path: Path, text: str) -> None:
    for left in path.parent.glob(f".{path.name}.*"):
        # By a process that died while it wrote; whoever still writes would have lost its lease by now.
        left.unlink(missing_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
