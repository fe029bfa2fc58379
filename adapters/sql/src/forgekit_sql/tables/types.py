"""Column types that mean the same on every database and on every connection.

A joined connection belongs to the host, with the host's converters on it (Django's turn ``DATETIME`` and ``BOOL`` columns of
SQLite into objects of its own, psycopg loads ``jsonb`` as the host likes). Only integers, text and bytes cross the driver here.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, SmallInteger, Text
from sqlalchemy.dialects.postgresql import TEXT as PG_TEXT
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from forgekit.errors import UsageError

try:
    import orjson
except ImportError:  # an optional accelerator: the text it writes is the same JSON
    orjson = None  # type: ignore[assignment]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_E = TypeVar("_E", bound=Enum)


def to_micros(moment: datetime) -> int:
    """Return a moment as whole microseconds since 1970, UTC.

    Raises:
        UsageError: The moment has no time zone, so nobody knows which one it is.

    """
    if moment.tzinfo is None:
        raise UsageError("Only times with a time zone can be stored.")
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the moment that is so many microseconds after 1970, UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def dump_json(value: object) -> str:
    """Return a value as JSON text."""
    if orjson is not None:
        try:
            return orjson.dumps(value).decode()
        except TypeError:
            # orjson refuses integers beyond 64 bits and lone surrogates; both are legal JSON.
            pass
    return json.dumps(value, separators=(",", ":"))


def load_json(text: str) -> Any:
    """Return the value of a JSON text."""
    if orjson is not None:
        try:
            return orjson.loads(text)
        except ValueError:
            # As above, on the way back.
            pass
    return json.loads(text)


def text() -> TypeEngine[str]:
    """Return the type of text, ordered by code point on every database, whatever the server's locale."""
    return Text().with_variant(PG_TEXT(collation="C"), "postgresql")


class UtcTime(TypeDecorator[datetime]):
    """An aware moment as whole microseconds since 1970: exact, and it sorts."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return the microseconds."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Return the moment."""
        return None if value is None else from_micros(value)


class Day(TypeDecorator[date]):
    """A calendar day as ``YYYY-MM-DD``."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        """Return the text."""
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        """Return the day."""
        return None if value is None else date.fromisoformat(value)


class Flag(TypeDecorator[bool]):
    """A truth value as 0 or 1."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:  # noqa: FBT001 - SQLAlchemy's signature
        """Return the number."""
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        """Return the truth."""
        return None if value is None else bool(value)


class Json(TypeDecorator[Any]):
    """A JSON value as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Return the text."""
        return None if value is None else dump_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Return the value."""
        return None if value is None else load_json(value)


class Lines(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts as a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """Return the text."""
        return None if value is None else dump_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        """Return the tuple."""
        return None if value is None else tuple(load_json(value))


class EnumText(TypeDecorator[_E], Generic[_E]):
    """A member of an enumeration as the text of its value."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: type[_E]) -> None:
        """Keep the enumeration."""
        super().__init__()
        self.kind = kind
        # Calling an enumeration costs ten times as much as this look-up, and every row of an import has one or two.
        self._members = {member.value: member for member in kind}

    def process_bind_param(self, value: _E | None, dialect: Dialect) -> str | None:
        """Return the text."""
        return None if value is None else str(value.value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> _E | None:
        """Return the member."""
        return None if value is None else self._members[value]
