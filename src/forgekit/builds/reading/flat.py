"""The flat form of a build: one JSON object or one row, with the names of ``BuildRecord``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import attrs

from forgekit.builds.models import GREATEST, BuildRecord, Job, Status
from forgekit.builds.reading.making import record_of_checked
from forgekit.builds.reading.texts import UNSTORABLE, is_storable
from forgekit.builds.rules.statuses import parse_status
from forgekit.errors import InvalidInput

Parser = Callable[[Any], Any]

_YEARS = range(1970, 2200)


def parse_time(value: object) -> datetime:
    """Return a moment from ISO 8601 text (``2024-01-15T10:30:00Z``, also with a space or `` UTC``) or a datetime; no offset means UTC.

    Raises:
        ValueError: It is no moment.

    """
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value.strip().removesuffix(" UTC"))
        except ValueError:
            message = f"must be a time such as 2026-02-10T14:30:00Z, not {value!r:.40}"
            raise ValueError(message) from None
    if isinstance(value, datetime):
        # A frame's own timestamps are a subclass that counts nanoseconds and answers to other rules.
        plain = getattr(value, "to_pydatetime", None)
        return plain() if plain is not None else value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - the record takes a time without offset as UTC
    message = f"must be a time in ISO 8601, not {type(value).__name__}"
    raise ValueError(message)


def parse_text(value: object) -> str:
    """Return text; a whole number becomes its digits, since systems number their builds.

    Raises:
        ValueError: It is neither, or empty, or cannot be kept.

    """
    if type(value) is str and value:
        return _storable(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        message = f"must be text, not {value!r:.40}"
        raise ValueError(message)
    return _storable(str(value))


def _storable(text: str) -> str:
    if is_storable(text):
        return text
    raise ValueError(UNSTORABLE)


def parse_number(value: object) -> float:
    """Return a number of at least 0, which text may spell.

    Raises:
        ValueError: It is none.

    """
    if isinstance(value, bool):
        message = "must be a number, not a truth value"
        raise ValueError(message)  # noqa: TRY004 - problems of values are one class
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        message = f"must be a number, not {value!r:.40}"
        raise ValueError(message) from None
    if not 0 <= number < float("inf"):
        message = f"must be a number of at least 0, not {value!r:.40}"
        raise ValueError(message)
    return number


def parse_count(value: object) -> int:
    """Return a whole number of at least 0, which text may spell.

    Raises:
        ValueError: It is none.

    """
    number = parse_number(value)
    if not number.is_integer():
        message = f"must be a whole number, not {value!r:.40}"
        raise ValueError(message)
    return int(number)


def parse_flag(value: object) -> bool:
    """Return a truth value, which text may spell.

    Raises:
        ValueError: It is none.

    """
    if isinstance(value, str):
        value = {"true": True, "false": False, "1": True, "0": False}.get(value.strip().lower())
    if not isinstance(value, bool):
        message = "must be true or false"
        raise ValueError(message)  # noqa: TRY004 - likewise
    return value


def _jobs(value: object) -> tuple[Job, ...]:
    if not isinstance(value, (list, tuple)):
        message = "must be a list of jobs"
        raise ValueError(message)  # noqa: TRY004 - likewise
    return tuple(
        each if isinstance(each, Job) else Job(**_parsed(each, _JOB, ("name", "status"), at=f"/jobs/{number}"))
        for number, each in enumerate(value)
    )


_JOB: Mapping[str, Parser] = {
    "name": parse_text,
    "status": lambda value: parse_status(parse_text(value)),
    "started_at": parse_time,
    "finished_at": parse_time,
    "rate": parse_number,
}

PARSERS: Mapping[str, Parser] = {
    **dict.fromkeys(("build_id", "project", "provider", "branch", "commit", "workflow", "event", "actor", "language", "url"), parse_text),
    **dict.fromkeys(("started_at", "queued_at", "finished_at", "updated_at", "committed_at"), parse_time),
    **dict.fromkeys(("attempt", "tests_run", "tests_failed"), parse_count),
    "environment": parse_text,
    "status": lambda value: parse_status(parse_text(value)),
    "duration_seconds": parse_number,
    "end_estimated": parse_flag,
    "jobs": _jobs,
}
"""How each field of a record is read."""


def absent(value: object) -> bool:
    """Tell whether a value stands for nothing: None, empty text, or what frames write for it (NaN, NaT, NA)."""
    if value is None or value == "":
        return True
    return value != value or type(value).__name__ in {"NAType", "NaTType"}  # noqa: PLR0124 - only NaN differs from itself


def _parsed(row: object, parsers: Mapping[str, Parser], required: tuple[str, ...], *, at: str = "") -> dict[str, Any]:
    if not isinstance(row, Mapping):
        message = f"must be an object, not {type(row).__name__}"
        raise ValueError(message)  # noqa: TRY004 - likewise
    problems = []
    values = {}
    for name, parse in parsers.items():
        value = row.get(name)
        if value is None or (type(value) is not str and absent(value)) or value == "":
            if name in required:
                problems.append({"pointer": f"{at}/{name}", "message": "is required"})
            continue
        try:
            values[name] = parse(value)
        except ValueError as error:
            problems.append({"pointer": f"{at}/{name}", "message": str(error)})
    if problems:
        raise InvalidInput(_sentence(problems), problems=problems)
    return values


def _sentence(problems: list[dict[str, str]]) -> str:
    return "A build cannot be read: " + "; ".join(f"{each['pointer']} {each['message']}" for each in problems) + "."


def parse_build(row: Mapping[str, Any]) -> BuildRecord:
    """Return the build that a mapping with the names of ``BuildRecord`` describes; names that mean nothing here are passed over.

    Required are ``build_id``, ``project`` and ``status``, and ``started_at`` unless the build is queued.

    Raises:
        InvalidInput: Fields are missing or wrong; ``data["problems"]`` lists all of them, with pointers into the row.

    """
    try:
        values = _parsed(row, PARSERS, ("build_id", "project", "status"))
        if "started_at" not in values and values["status"] is not Status.QUEUED:
            problems = [{"pointer": "/started_at", "message": "is required unless the build is queued"}]
            raise InvalidInput(_sentence(problems), problems=problems)
        return _record(values)
    except ValueError as error:
        raise InvalidInput(f"A build cannot be read: {error}.", problems=[{"pointer": "", "message": str(error)}]) from error


def _record(values: Mapping[str, Any]) -> BuildRecord:
    """Return the record of parsed values, the short way where every one is as a record keeps it."""
    for name, value in values.items():
        kind = type(value)
        if kind is datetime:
            plain = value.tzinfo is UTC and value.year in _YEARS
        elif kind is int or kind is float:
            plain = (name == "attempt") <= value <= GREATEST
        else:
            plain = True
        if not plain:
            return BuildRecord(**values)
    return record_of_checked(values)


def to_flat(record: BuildRecord) -> dict[str, Any]:
    """Return a build in its flat form, JSON-able; ``parse_build`` gives the same build back. Fields without a value are left out."""
    return {name: value for name, value in attrs.asdict(record, value_serializer=_plain).items() if value not in (None, [], ())}


def _plain(_instance: object, _field: object, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Status) else value
