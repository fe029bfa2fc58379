"""JSON from bytes that a stranger wrote: one meaning, one error, by orjson where it is installed."""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Callable
from typing import Any, NoReturn

from forgekit.errors import PayloadMalformed

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(text)
    return number


# Built once: json.loads makes a new decoder a call as soon as it is given a hook. NaN and 1e999 are no JSON numbers of any other language.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def loads_stdlib(body: bytes) -> Any:
    """Decode UTF-8 JSON as strictly as orjson does.

    Raises:
        ValueError: It is no JSON, or text in it is half a surrogate pair, which nothing could store.
        RecursionError: It is nested too deep.

    """
    value = _DECODER.decode(body.decode())
    if b"\\" in body and _SURROGATE_ESCAPE.search(body):
        json.dumps(value, ensure_ascii=False).encode()
    return value


def loads_if_installed() -> Callable[[bytes], Any] | None:
    """Return orjson's decoder; None where it is not installed."""
    try:
        orjson = importlib.import_module("orjson")
    except ImportError:
        return None
    decoder: Callable[[bytes], Any] = orjson.loads
    return decoder


loads_orjson = loads_if_installed()
loads = loads_orjson or loads_stdlib


def parse(body: bytes) -> Any:
    """Return what the body says in JSON.

    Raises:
        PayloadMalformed: It is not UTF-8, not JSON, nested too deep, or holds a number that is none.

    """
    try:
        return loads(body)
    except (ValueError, RecursionError):
        # The decoder's own error holds the whole body. GitHub sends a form unless it is told otherwise.
        hint = " It is a form: choose the content type application/json at the sender." if body.startswith(b"payload=") else ""
        raise PayloadMalformed(f"The webhook's body is not JSON.{hint}") from None
