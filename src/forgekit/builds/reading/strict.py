"""The flat form as strangers send it: every field of its own JSON type, no field that nothing reads, all that is wrong told at once.

``flat.parse_build`` reads what files and frames hold, where a number may be spelt as text. A sender over HTTP gets no such guesses:
``"1"`` is no attempt, ``"green"`` is no status, and ``branhc`` is no field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from forgekit.builds.models import GREATEST, BuildRecord, Status
from forgekit.builds.reading.making import record_of_checked
from forgekit.builds.reading.texts import UNSTORABLE, is_storable
from forgekit.errors import InvalidInput

MAX_NAME = 200
"""Characters of what identifies a build (``build_id``, ``project``), and of every other name."""

MAX_URL = 2_000
"""Characters of an address."""

STATUSES: Mapping[str, Status] = {
    "passed": Status.PASSED,
    "failed": Status.FAILED,
    "errored": Status.ERRORED,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
    "running": Status.RUNNING,
    "queued": Status.QUEUED,
}
"""The words that stand for a status, and what they mean."""

MOST_UNKNOWN = 10
"""Of so many unknown fields of one build is told; a sender who has more of them has sent something else."""

MOST_UNKNOWN = 10
"""Unknown fields of one build that are told by name. Whoever sends more of them has not misspelt one."""

MOST_PROBLEMS = 1_000
"""What is told of a batch in which builds are wrong: a refusal must not be many times as large as what it refuses."""

REQUIRED = ("build_id", "project", "status")
"""The fields that every build has; ``started_at`` too unless it is queued."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_YEARS = range(1970, 2200)
_TIME = "must be a date and time such as 2026-02-10T14:30:00Z, from 1970 to 2199; one without an offset is UTC"
_WORDS = "must be one of " + ", ".join(STATUSES)


class _Wrong(Exception):
    """A value does not fit; the text says what would."""


def _name(value: Any) -> str:
    if type(value) is str and 0 < len(value) <= MAX_NAME:
        return _storable(value)
    raise _Wrong(f"must be text of 1 to {MAX_NAME} characters")


def _url(value: Any) -> str:
    if type(value) is str and 0 < len(value) <= MAX_URL:
        return _storable(value)
    raise _Wrong(f"must be text of 1 to {MAX_URL} characters")


def _storable(text: str) -> str:
    if is_storable(text):
        return text
    raise _Wrong(UNSTORABLE)


def _status(value: Any) -> Status:
    try:
        return STATUSES[value]
    except (KeyError, TypeError):
        raise _Wrong(_WORDS) from None


def _moment(value: Any) -> datetime:
    if type(value) is str and _MOMENT.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError:
            raise _Wrong(_TIME) from None
        if moment.year in _YEARS:
            if moment.tzinfo is UTC:
                return moment
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
            if moment.year in _YEARS:
                return moment
    raise _Wrong(_TIME)


def _attempt(value: Any) -> int:
    return _whole(value, 1)


def _count(value: Any) -> int:
    return _whole(value, 0)


def _whole(value: Any, least: int) -> int:
    if type(value) is not int or not least <= value <= GREATEST:
        raise _Wrong(f"must be a whole number from {least} to {GREATEST}")
    return value


def _seconds(value: Any) -> float:
    if type(value) not in {int, float} or not 0 <= value <= GREATEST:
        raise _Wrong(f"must be a number from 0 to {GREATEST}")
    return float(value)


FIELDS: Mapping[str, Callable[[Any], Any]] = {
    "build_id": _name,
    "project": _name,
    "status": _status,
    "started_at": _moment,
    "duration_seconds": _seconds,
    "branch": _name,
    "commit": _name,
    "workflow": _name,
    "attempt": _attempt,
    "event": _name,
    "actor": _name,
    "queued_at": _moment,
    "finished_at": _moment,
    "language": _name,
    "tests_run": _count,
    "tests_failed": _count,
    "url": _url,
    "provider": _name,
}
"""How each field is read; null stands for absence."""


def parse_strictly(row: Any) -> BuildRecord:
    """Return the build that one JSON object tells.

    Args:
        row: The object as a JSON decoder gives it.

    Raises:
        InvalidInput: Something is wrong; ``data["problems"]`` lists all of it, with pointers into the object.

    """
    if type(row) is not dict:
        raise _refused([(None, "must be an object")])
    values: dict[str, Any] = {}
    problems: list[_Problem] = []
    unknown: list[str] = []
    for name, value in row.items():
        read = FIELDS.get(name)
        if read is None:
            unknown.append(name)
        elif value is not None:
            try:
                values[name] = read(value)
            except _Wrong as wrong:
                problems.append((name, str(wrong)))
    if problems or unknown or "started_at" not in values or "build_id" not in values or "project" not in values or "status" not in values:
        problems += _missing(values, {name for name, _ in problems}) + _unknown(unknown)
        if problems:
            raise _refused(problems)
    return record_of_checked(values)


_Problem = tuple[str | None, str]
"""A field's name, None for the whole, and what is wrong with it."""


def _missing(values: Mapping[str, Any], wrong: set[str | None]) -> list[_Problem]:
    problems: list[_Problem] = [(name, "is required") for name in REQUIRED if name not in values and name not in wrong]
    if not {"started_at"} & (values.keys() | wrong) and values.get("status", Status.QUEUED) is not Status.QUEUED:
        problems.append(("started_at", "is required unless the build is queued"))
    return problems


def _unknown(names: Sequence[str]) -> list[_Problem]:
    problems: list[_Problem] = [(name, "is not a known field") for name in names[:MOST_UNKNOWN]]
    more = len(names) - len(problems)
    return [*problems, (None, f"has {more} more fields that are not known")] if more else problems


def _refused(problems: Sequence[_Problem]) -> InvalidInput:
    told = [{"pointer": "" if name is None else f"/{_escaped(name)}", "message": message} for name, message in problems]
    sentence = "; ".join(f"{each['pointer']} {each['message']}".strip() for each in told)
    return InvalidInput(f"A build cannot be read: {sentence}.", problems=told)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
