"""Pure rules of projects, work items and test runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from forgekit.errors import InvalidInput
from forgekit.work.models import State, WorkItem

LONGEST_NAME = 255
LONGEST_NOTE = 10_000
PRIORITIES = range(1, 6)
DEFAULT_CATEGORY = "functional"

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_CLOCK_DRIFT = timedelta(minutes=5)


def invalid(pointer: str, message: str) -> InvalidInput:
    """Return the error for one wrong value.

    Args:
        pointer: Where it stands (RFC 6901).
        message: One sentence for a person.

    """
    return InvalidInput(message, problems=[{"pointer": pointer, "message": message}])


def check_project_key(key: str) -> str:
    """Return ``key`` when it may name a project.

    A key names a folder and stands in addresses, hence the narrow alphabet: 1 to 100 letters, digits, ``-``, ``_`` and ``.``, the
    first a letter or digit (so neither ``..`` nor an option of a program).

    Raises:
        InvalidInput: It may not.

    """
    if not _KEY.fullmatch(key):
        message = "A project's key is 1 to 100 letters, digits, '-', '_' or '.', and begins with a letter or digit."
        raise invalid("/project", message)
    return key


def check_item(item: WorkItem) -> WorkItem:
    """Return ``item`` when its fields keep the bounds of the model.

    Raises:
        InvalidInput: One or more do not; all are listed.

    """
    problems = list(_problems(item))
    if problems:
        raise InvalidInput(problems[0]["message"], problems=problems)
    return item


def _problems(item: WorkItem) -> Iterable[dict[str, str]]:
    if not item.name.strip():
        yield {"pointer": "/name", "message": "A work item needs a name."}
    if len(item.name) > LONGEST_NAME:
        yield {"pointer": "/name", "message": f"A work item's name has at most {LONGEST_NAME} characters."}
    if item.priority not in PRIORITIES:
        yield {"pointer": "/priority", "message": "A priority is 1 (urgent) to 5 (none)."}


def check_run(at: datetime, note: str, now: datetime) -> None:
    """Refuse a test run that cannot have been.

    Raises:
        InvalidInput: ``at`` has no time zone or lies in the future, or the note is too long.

    """
    if at.tzinfo is None:
        raise invalid("/at", "The time of a test run needs a time zone.")
    if at > now + _CLOCK_DRIFT:
        raise invalid("/at", "A test run cannot be of the future.")
    if len(note) > LONGEST_NOTE:
        raise invalid("/note", f"A test run's note has at most {LONGEST_NOTE} characters.")


def after_run(item: WorkItem, *, passed: bool, at: datetime, now: datetime) -> WorkItem:
    """Return ``item`` as a test run leaves it.

    The newest word decides: a run older than the last decision changes nothing. A run that passed makes the item done; one that
    failed takes a done item back into work.

    Args:
        item: The item before.
        passed: The run's result.
        at: When it ran.
        now: The present.

    """
    if item.passing_at is not None and at < item.passing_at:
        return item
    state = State.DONE if passed else State.IN_PROGRESS if item.state is State.DONE else item.state
    changed = (item.state, item.passing) != (state, passed)
    return attrs.evolve(item, state=state, passing=passed, passing_at=at, updated_at=now if changed else item.updated_at)
