"""JSON as bytes, with orjson where it is installed and with the standard library elsewhere, to the same result.

What both refuse: more than `MAX_VALUES` values, bytes that are not UTF-8, ``NaN`` and infinities, nesting beyond `MAX_DEPTH`, and
text that no database takes (NUL, lone surrogates). Integers beyond 64 bits become floats, as orjson has it.
"""

from __future__ import annotations

import json
import math
from typing import Any

orjson: Any
try:
    import orjson
except ImportError:  # pragma: no cover - an environment has it or has it not; the portable functions are tested in both
    orjson = None

MAX_DEPTH = 64
"""How deep arrays and objects may nest in what comes in."""

MAX_VALUES = 1_000_000
"""How many commas may be in what comes in: sixteen megabytes of ``{},`` would take up half a gigabyte once they are read."""

_PLAIN_ONLY = 0 if orjson is None else orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_INT64 = range(-(2**63), 2**64)


def loads(raw: bytes) -> Any:
    """Read one JSON text.

    Raises:
        ValueError: It is not JSON, or JSON that this module refuses; the message is fit for the sender.

    """
    if len(raw) > MAX_VALUES and raw.count(b",") > MAX_VALUES:
        raise ValueError(f"holds more than {MAX_VALUES} values")
    try:
        value = _parse(raw)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise ValueError(f"nests deeper than {MAX_DEPTH} levels")
    # A NUL or a lone surrogate can only come as an escape: without one the walk is not needed.
    if b"\\u" in raw:
        _refuse_unstorable(value)
    return value


def dumps(value: Any) -> bytes:
    """Write plain values (dict, list, str, int, float, bool, None) as one compact JSON text in UTF-8.

    Raises:
        ValueError: A float is not finite.
        TypeError: A value has no JSON form.

    """
    if orjson is None:
        return dumps_portably(value)
    try:
        text: bytes = orjson.dumps(value, option=_PLAIN_ONLY)
    except TypeError:  # an integer beyond 64 bits is what the standard library can still write
        return dumps_portably(value)
    # orjson writes NaN as null without a word, so a text with a null is looked at again.
    return text if b"null" not in text or _all_finite(value) else dumps_portably(value)


def dumps_portably(value: Any) -> bytes:
    """Do what `dumps` does, with the standard library alone."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def loads_portably(raw: bytes) -> Any:
    """Parse with the standard library alone, to orjson's reading of numbers."""
    # Decoded by hand: json.loads would guess UTF-16 and UTF-32 from the first bytes.
    return json.loads(raw.decode(), parse_constant=_refuse_constant, parse_float=_finite, parse_int=_bounded_int)


def is_storable(text: str) -> bool:
    """Tell whether text is free of NUL and lone surrogates, which databases and UTF-8 refuse."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _parse(raw: bytes) -> Any:
    return orjson.loads(raw) if orjson is not None else loads_portably(raw)


def _refuse_constant(text: str) -> Any:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _bounded_int(text: str) -> int | float:
    number = int(text)
    return number if number in _INT64 else _finite(text)


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [child for parent in level for child in _children(parent) if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple)) else ()


def _refuse_unstorable(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if not is_storable(item):
                raise ValueError("holds text with a NUL character or half a surrogate pair")
        else:
            waiting.extend(_children(item))
            if isinstance(item, dict):
                waiting.extend(item)


def _all_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return all(map(_all_finite, _children(value))) if isinstance(value, (dict, list, tuple)) else True
