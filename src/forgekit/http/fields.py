"""Fields of request classes: absent values, names that differ, and the rules that attrs validators state."""

from __future__ import annotations

import enum
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import attrs
from attrs import validators

_NAME = "forgekit.http.name"
_PLACE = "forgekit.http.place"
_SHAPE = "forgekit.http.shape"


class Unset(enum.Enum):
    """The type of `UNSET`: ``name: str | None | Unset = UNSET`` tells an absent key from a null one."""

    UNSET = enum.auto()

    def __bool__(self) -> bool:
        """Be false, like None."""
        return False

    def __repr__(self) -> str:
        """Show the name that code uses."""
        return "UNSET"


UNSET: Final = Unset.UNSET
"""The value of a field whose key was not in the body. Left out when rendered."""


def named(name: str) -> Mapping[str, str]:
    """Give the metadata of a field that has another name on the wire: ``attrs.field(metadata=named("pairingId"))``."""
    return {_NAME: name}


def header(name: str) -> Mapping[str, str]:
    """Give the metadata of a parameter that is read from a request header."""
    return {_NAME: name.lower(), _PLACE: "header"}


def shaped(kind: Any) -> Mapping[str, Any]:
    """Give the metadata of a field that the OpenAPI document describes as another type than it is decoded to.

    For what comes by the ten thousand and is read by a reader of its own: ``rows: list[Any] = attrs.field(metadata=shaped(list[Row]))``.
    """
    return {_SHAPE: kind}


def shape_of(attribute: attrs.Attribute[Any]) -> Any:
    """Give the type that a field is described as."""
    return attribute.metadata.get(_SHAPE, attribute.type)


def cookie(name: str) -> Mapping[str, str]:
    """Give the metadata of a parameter that is read from a cookie."""
    return {_NAME: name, _PLACE: "cookie"}


def wire_name(attribute: attrs.Attribute[Any]) -> str:
    """Give the name of a field on the wire."""
    return str(attribute.metadata.get(_NAME, attribute.alias or attribute.name))


Place = Literal["path", "query", "header", "cookie"]


def place_of(attribute: attrs.Attribute[Any], path_names: frozenset[str]) -> Place:
    """Tell where a parameter comes from."""
    declared = attribute.metadata.get(_PLACE)
    if declared == "header":
        return "header"
    if declared == "cookie":
        return "cookie"
    return "path" if wire_name(attribute) in path_names else "query"


@attrs.frozen
class _Given:
    """Applies a validator unless the value is UNSET."""

    validator: Callable[[Any, Any, Any], Any]

    def __call__(self, instance: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if value is not UNSET:
            self.validator(instance, attribute, value)


def given(*checks: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Make a validator that lets UNSET pass and applies the others to any other value."""
    return _Given(validators.and_(*checks))


@attrs.frozen
class Rule:
    """One check that a validator states.

    Attributes:
        holds: Whether a value keeps the rule.
        message: What to tell the sender when not; never holds the value.
        schema: The JSON Schema keywords that say the same, for text and numbers; ``size`` stands for a length.

    """

    holds: Callable[[Any], bool]
    message: str
    schema: Mapping[str, Any]


# attrs keeps the classes of its validators private; their attributes are public in effect, and pinned by our tests.
_KINDS: Mapping[str, type] = {
    "max_len": type(validators.max_len(1)),
    "min_len": type(validators.min_len(1)),
    "in": type(validators.in_([0])),
    "matches": type(validators.matches_re("")),
    "number": type(validators.ge(0)),
    "and": type(validators.and_()),
    "optional": type(validators.optional(validators.ge(0))),
    "members": type(validators.deep_iterable(validators.ge(0))),
}

_BOUNDS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    ">=": ("minimum", operator.ge),
    "<=": ("maximum", operator.le),
    ">": ("exclusiveMinimum", operator.gt),
    "<": ("exclusiveMaximum", operator.lt),
}


def rules_of(validator: Any) -> Iterator[Rule]:
    """Give the rules of a validator that can be stated in JSON Schema; others are enforced by the class itself."""
    if isinstance(validator, _KINDS["and"]):
        for part in _parts(validator):
            yield from rules_of(part)
    elif isinstance(validator, _Given):
        yield from (attrs.evolve(rule, holds=_or_absent(rule.holds)) for rule in rules_of(validator.validator))
    elif isinstance(validator, _KINDS["optional"]):
        yield from (attrs.evolve(rule, holds=_or_none(rule.holds)) for rule in rules_of(_inner(validator)))
    elif (rule := _rule(validator)) is not None:
        yield rule


def member_rules_of(validator: Any) -> Iterator[Rule]:
    """Give the rules that ``deep_iterable`` states for each member of a list."""
    if isinstance(validator, _KINDS["and"]):
        for part in _parts(validator):
            yield from member_rules_of(part)
    elif isinstance(validator, (_Given, _KINDS["optional"])):
        yield from member_rules_of(_inner(validator))
    elif isinstance(validator, _KINDS["members"]):
        yield from rules_of(_attribute(validator, "member_validator"))


def _attribute(validator: Any, name: str) -> Any:
    return getattr(validator, name)


def _inner(validator: Any) -> Any:
    return _attribute(validator, "validator")


def _parts(validator: Any) -> Any:
    return _attribute(validator, "_validators")


def _rule(validator: Any) -> Rule | None:
    if isinstance(validator, _KINDS["max_len"]):
        most = _attribute(validator, "max_length")
        return Rule(lambda value: len(value) <= most, f"must not be longer than {most}", {"maxSize": most})
    if isinstance(validator, _KINDS["min_len"]):
        least = _attribute(validator, "min_length")
        return Rule(lambda value: len(value) >= least, f"must not be shorter than {least}", {"minSize": least})
    if isinstance(validator, _KINDS["in"]):
        return _choice_rule(list(_attribute(validator, "options")))
    if isinstance(validator, _KINDS["matches"]):
        return _pattern_rule(_attribute(validator, "pattern"))
    if isinstance(validator, _KINDS["number"]):
        return _bound_rule(_attribute(validator, "compare_op"), _attribute(validator, "bound"))
    return None


def _choice_rule(options: list[Any]) -> Rule:
    plain = [option.value if isinstance(option, enum.Enum) else option for option in options]
    return Rule(lambda value: value in options, f"must be one of {', '.join(map(str, plain))}", {"enum": plain})


def _pattern_rule(pattern: re.Pattern[str]) -> Rule:
    return Rule(
        lambda value: pattern.fullmatch(value) is not None,
        f"must match {pattern.pattern}",
        {"pattern": f"^(?:{pattern.pattern})$"},
    )


def _bound_rule(sign: str, bound: Any) -> Rule:
    keyword, compare = _BOUNDS[sign]
    return Rule(lambda value: compare(value, bound), f"must be {sign} {bound}", {keyword: bound})


def _or_none(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


def _or_absent(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is UNSET or holds(value)
