"""What values a setting takes, by its type: strict where a program or the storage gives them, lenient for environment text."""

from __future__ import annotations

import enum
import json
import math
import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import attrs

from forgekit.kernel.secrets.secret import Secret

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class BadValue(ValueError):
    """A value does not fit; the text says what would, and never repeats the value."""


@attrs.frozen(kw_only=True)
class Kind:
    """What values a setting takes.

    Attributes:
        name: What people call it.
        optional: Whether None is a value.
        secret: Whether values are secrets.
        check: Returns the value of a decoded one, or raises ``BadValue``.
        parse: Returns the value of an environment text, or raises ``BadValue``.

    """

    name: str
    optional: bool = False
    secret: bool = False
    check: Callable[[object], Any] = attrs.field(repr=False)
    parse: Callable[[str], Any] = attrs.field(repr=False)


def kind_of(annotation: object) -> Kind | None:
    """Return the kind of a type annotation; None where settings cannot have that type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        inner = [argument for argument in arguments if argument is not types.NoneType]
        kind = kind_of(inner[0]) if len(inner) == 1 else None
        return None if kind is None else _optional(kind)
    if origin is Literal:
        return _choice({str(value): value for value in arguments})
    if origin in {tuple, Sequence, list}:
        return _TEXTS if arguments in {(str, ...), (str,)} else None
    if origin in {dict, Mapping}:
        return _TEXT_MAP if arguments == (str, str) else None
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return _choice({str(member.value): member for member in annotation})
    return _SIMPLE.get(annotation) if isinstance(annotation, type) else None


def plain(value: object) -> object:
    """Return a value in a form that JSON has, secrets revealed; ``Kind.check`` turns it back."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _optional(kind: Kind) -> Kind:
    return attrs.evolve(kind, optional=True, check=lambda value: None if value is None else kind.check(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadValue("must be a text")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue("must be a whole number")
    return value


def _parse_whole(text: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise BadValue("must be a whole number")
    return int(text)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadValue("must be a number")
    return float(value)


def _parse_number(text: str) -> float:
    try:
        return _number(float(text))
    except ValueError:
        raise BadValue("must be a number") from None


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadValue("must be true or false")
    return value


def _parse_truth(text: str) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise BadValue("must be true or false (or 1, 0, yes, no, on, off)")
    return word in _TRUE


def _secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise BadValue("must be a text")
    if not value.strip():
        raise BadValue("is an empty secret: leave it out where there is none")
    return Secret(value)


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(entry, str) for entry in value):
        raise BadValue("must be a list of texts")
    return tuple(value)


def _parse_texts(text: str) -> tuple[str, ...]:
    if text.lstrip().startswith("["):
        return _texts(_from_json(text, "must be texts separated by commas, or a JSON list"))
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def _text_map(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise BadValue("must be a table of texts by name")
    return types.MappingProxyType(dict(value))


def _parse_text_map(text: str) -> Mapping[str, str]:
    return _text_map(_from_json(text, "must be a JSON object of texts"))


def _from_json(text: str, otherwise: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadValue(otherwise) from None


def _choice(choices: Mapping[str, Any]) -> Kind:
    expected = f"must be one of {', '.join(choices)}"

    def check(value: object) -> Any:
        for choice in choices.values():
            spelt = choice.value if isinstance(choice, enum.Enum) else choice
            if value is choice or (type(value) is type(spelt) and value == spelt):
                return choice
        raise BadValue(expected)

    def parse(text: str) -> Any:
        if text.strip() not in choices:
            raise BadValue(expected)
        return choices[text.strip()]

    return Kind(name=" | ".join(choices), check=check, parse=parse)


_TEXTS = Kind(name="list of texts", check=_texts, parse=_parse_texts)
_TEXT_MAP = Kind(name="table of texts", check=_text_map, parse=_parse_text_map)
_SIMPLE: Mapping[type, Kind] = {
    str: Kind(name="text", check=_text, parse=_text),
    int: Kind(name="whole number", check=_whole, parse=_parse_whole),
    float: Kind(name="number", check=_number, parse=_parse_number),
    bool: Kind(name="true or false", check=_truth, parse=_parse_truth),
    Secret: Kind(name="secret", secret=True, check=_secret, parse=_secret),
}
