"""Looking into a payload: what is absent is None, and what is of a wrong kind is noted by its place, all of it at once."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from forgekit.builds.models import BuildRecord, Job, Status
from forgekit.builds.reading.flat import parse_count, parse_number, parse_text, parse_time
from forgekit.builds.rules.statuses import parse_status
from forgekit.errors import InvalidInput

LONGEST = 2000
"""Characters of a text; no name, id or address that means something is longer."""

MOST_JOBS = 2000
"""Jobs of one build that are read; systems that tell of all jobs at once have a limit of their own below it."""

Value = TypeVar("Value")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOOSE_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d\Z)")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NOTHING: Mapping[str, Any] = {}


class Look:
    """An object of a payload, and what is wrong in it so far."""

    def __init__(self, value: Mapping[str, Any], system: str, *, pointer: str = "", problems: list[dict[str, str]] | None = None) -> None:
        """Keep the parts.

        Args:
            value: The object.
            system: Whose it is, for people.
            pointer: Where it is in the payload (RFC 6901).
            problems: What was wrong elsewhere in the payload.

        """
        self._value = value
        self._system = system
        self._pointer = pointer
        self._problems: list[dict[str, str]] = [] if problems is None else problems

    def problem(self, name: str, message: str) -> None:
        """Note what is wrong with a member."""
        self._problems.append({"pointer": f"{self._pointer}/{name}", "message": message})

    def at(self, name: str) -> Look:
        """Return the object that a member is; an empty one where it is absent."""
        value = self._value.get(name)
        if value is not None and not isinstance(value, Mapping):
            self.problem(name, "must be an object")
            value = None
        return Look(value or _NOTHING, self._system, pointer=f"{self._pointer}/{name}", problems=self._problems)

    def encoded(self, name: str) -> Look:
        """Return the object that a member holds as JSON in base64."""
        from forgekit.http import jsontext  # few senders write so, and no program that only reads builds needs it

        text, value = self._value.get(name), None
        with suppress(ValueError):  # neither base64 nor JSON
            value = jsontext.loads(base64.b64decode(text, validate=True)) if isinstance(text, str) else None
        if not isinstance(value, Mapping):
            self.problem(name, "must be an object as JSON in base64")
            value = _NOTHING
        return Look(value, self._system, pointer=f"{self._pointer}/{name}", problems=self._problems)

    def each(self, name: str) -> Sequence[Look]:
        """Return the objects that a list holds; none where it is absent."""
        value = self._value.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > MOST_JOBS or not all(isinstance(each, Mapping) for each in value):
            self.problem(name, f"must be a list of at most {MOST_JOBS} objects")
            return []
        pointer = f"{self._pointer}/{name}"
        return [Look(each, self._system, pointer=f"{pointer}/{number}", problems=self._problems) for number, each in enumerate(value)]

    def has(self, name: str) -> bool:
        """Tell whether a member says anything."""
        return self._value.get(name) not in (None, "")

    def holds(self, name: str) -> bool:
        """Tell whether a member is an object."""
        return isinstance(self._value.get(name), Mapping)

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Return a text, or a whole number's digits; None for the empty text."""
        return self._read(name, _text, required=required)

    def time(self, name: str) -> datetime | None:
        """Return a moment from ISO 8601, or from Ruby's form of it with spaces."""
        return self._read(name, _moment)

    def moment(self, name: str) -> datetime:
        """Return a moment that must be there; one without an offset is in UTC.

        Raises:
            InvalidInput: It is not, or something else was wrong before.

        """
        found = self._read(name, _moment, required=True)
        if found is None:
            self.check()
            raise AssertionError
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def millis(self, name: str) -> datetime | None:
        """Return a moment from milliseconds since 1970; None for 0, which stands for nothing."""
        since = self._read(name, parse_count)
        if not since:
            return None
        try:
            return _EPOCH + timedelta(milliseconds=since)
        except OverflowError:
            self.problem(name, "must be a time")
            return None

    def seconds(self, name: str) -> float | None:
        """Return a length of time in whatever unit it is told in."""
        return self._read(name, parse_number)

    def count(self, name: str) -> int | None:
        """Return a whole number."""
        return self._read(name, parse_count)

    def status(self, name: str, words: Mapping[str, Status], *, required: bool = True) -> Status | None:
        """Return what a word means: by the system's own list first, then by what is usual."""
        return self._read(name, lambda value: _status(value, words), required=required)

    def _read(self, name: str, parse: Callable[[Any], Value], *, required: bool = False) -> Value | None:
        value = self._value.get(name)
        if value is None or value == "":
            if required:
                self.problem(name, "is required")
            return None
        try:
            if isinstance(value, (Mapping, list)):
                raise ValueError("must be a single value")  # noqa: TRY004, TRY301 - and no message may spell out what may be very deep
            return parse(value)
        except ValueError as error:
            self.problem(name, str(error))
            return None

    # What comes out

    def job(
        self,
        *,
        name: str | None,
        status: Status | None,
        started_at: datetime | None = None,
        finished_at: datetime | None = None,
    ) -> tuple[Job, ...]:
        """Return a job, as one or none: one without a name or a status is not told."""
        if name is None or status is None:
            return ()
        try:
            return (Job(name=name, status=status, started_at=started_at, finished_at=finished_at),)
        except ValueError as error:
            self._problems.append({"pointer": self._pointer, "message": str(error)})
            return ()

    def sighting(self, **told: Any) -> list[BuildRecord]:
        """Return the one sighting that a payload comes to.

        Raises:
            InvalidInput: Something was wrong; ``data["problems"]`` has all of it.

        """
        self.check()
        try:
            return [BuildRecord(**{name: value for name, value in told.items() if value is not None})]
        except ValueError as error:
            self._problems.append({"pointer": "", "message": str(error)})
        self.check()
        raise AssertionError

    def check(self) -> None:
        """Pass if nothing was wrong.

        Raises:
            InvalidInput: Something was; ``data["problems"]`` has all of it.

        """
        if self._problems:
            sentence = "; ".join(f"{each['pointer']} {each['message']}" for each in self._problems[:5])
            raise InvalidInput(f"A webhook of {self._system} cannot be read: {sentence}.", problems=list(self._problems))


def _text(value: object) -> str:
    text = parse_text(value)
    if len(text) > LONGEST:
        raise ValueError(f"must have at most {LONGEST} characters")
    # No database takes the first, no encoding the second.
    if _UNSTORABLE.search(text):
        raise ValueError("must not hold NUL or half a surrogate pair")
    return text


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"must be a time in ISO 8601, not {type(value).__name__}")  # noqa: TRY004 - problems of values are one class
    return parse_time(_LOOSE_OFFSET.sub("", value.strip()))


def _status(value: object, words: Mapping[str, Status]) -> Status:
    word = _text(value)
    known = words.get(word.lower())
    return parse_status(word) if known is None else known
