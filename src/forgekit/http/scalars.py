"""Scalar values: strict from JSON, lenient from the text of parameters; and how a value says that it does not fit."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import attrs

from forgekit.http import jsontext

MOST_PROBLEMS = 1_000
"""How much of what is wrong with one body is told: an answer must not be many times as large as what it refuses."""

_INT64 = range(-(2**63), 2**63)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@attrs.frozen
class FieldProblem:
    """One wrong place: where, as steps from the root, and why."""

    steps: tuple[str | int, ...]
    message: str

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer (RFC 6901)."""
        return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in self.steps)

    def under(self, step: str | int) -> FieldProblem:
        """Give the same problem seen from one level up."""
        return FieldProblem((step, *self.steps), self.message)


class Invalid(Exception):
    """A value does not fit its type; holds every problem found in it."""

    def __init__(self, *problems: FieldProblem) -> None:
        super().__init__(problems)
        self.problems = problems


def invalid(message: str) -> Invalid:
    """Say what is wrong with the value at hand."""
    return Invalid(FieldProblem((), message))


def strict_text(value: Any, _: Any) -> str:
    """Take text that any database can hold."""
    if not isinstance(value, str):
        raise invalid("must be text")
    if not jsontext.is_storable(value):
        raise invalid("must not hold a NUL character or half a surrogate pair")
    return value


def strict_int(value: Any, _: Any) -> int:
    """Take an integer of 64 bits; a boolean is none."""
    if not isinstance(value, int) or isinstance(value, bool) or value not in _INT64:
        raise invalid("must be an integer")
    return value


def strict_float(value: Any, _: Any) -> float:
    """Take a finite number."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise invalid("must be a number")
    return float(value)


def strict_bool(value: Any, _: Any) -> bool:
    """Take a boolean."""
    if not isinstance(value, bool):
        raise invalid("must be true or false")
    return value


def null(value: Any, _: Any) -> None:
    """Take null."""
    if value is not None:
        raise invalid("must be null")


def moment(value: Any, _: Any) -> datetime:
    """Take a date and time with offset (RFC 3339), and give it in UTC."""
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise invalid("must be a date and time with offset, such as 2026-02-10T14:30:00Z")


def day(value: Any, _: Any) -> date:
    """Take a date (RFC 3339)."""
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise invalid("must be a date, such as 2026-02-10")


def uuid(value: Any, _: Any) -> UUID:
    """Take a UUID in its canonical form."""
    if isinstance(value, str) and len(value) == 36:  # noqa: PLR2004 - the one form that is canonical
        try:
            return UUID(value)
        except ValueError:
            pass
    raise invalid("must be a UUID")


def text_to_int(value: Any, kind: Any) -> int:
    """Read an integer of 64 bits from text."""
    if not isinstance(value, str) or not _INTEGER.fullmatch(value):
        raise invalid("must be an integer")
    return strict_int(int(value), kind)


def text_to_float(value: Any, kind: Any) -> float:
    """Read a finite number from text."""
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise invalid("must be a number")
    return strict_float(float(value), kind)


def text_to_bool(value: Any, _: Any) -> bool:
    """Read a boolean from the words that query strings use for it."""
    if not isinstance(value, str) or value.lower() not in _BOOLEANS:
        raise invalid("must be true or false")
    return _BOOLEANS[value.lower()]
