"""The form of an analysis in JSON, made of its own classes, so that the document says what ``Analysis.to_dict`` gives."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from datetime import date, datetime
from types import UnionType
from typing import Any, Union

import attrs

from forgekit.builds import Analysis, Mean, ProjectMetrics, Rate
from forgekit.builds.models import Key
from forgekit.builds.rendering.data import NUMBERS, RATES

# What ``to_dict`` adds to the fields: plain numbers, read from them.
_ADDED: Mapping[type, Mapping[str, Any]] = {
    Analysis: dict.fromkeys(NUMBERS, float),
    ProjectMetrics: dict.fromkeys(RATES, float),
    Rate: {"value": float | None},
    Mean: {"value": float | None},
}
_PLAIN = frozenset({str, int, float, bool, type(None), date, datetime, Any})


def shape_of_class(kind: type, made: dict[type, type] | None = None) -> type:
    """Return an attrs class with the members that a class has in JSON."""
    made = {} if made is None else made
    if kind not in made:
        added = {name: attrs.field(type=shape) for name, shape in _ADDED.get(kind, {}).items()}
        hints = typing.get_type_hints(kind)
        own = {field.name: attrs.field(type=_shape(hints[field.name], made)) for field in attrs.fields(kind)}
        made[kind] = attrs.make_class(kind.__name__, {**added, **own}, kw_only=True, frozen=True)
    return made[kind]


def _shape(hint: Any, made: dict[type, type]) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _PLAIN:
        return hint
    if hint is Key:
        return list[str | int]
    if origin in {Union, UnionType}:
        return Union[tuple(_shape(each, made) for each in arguments)]  # noqa: UP007 - the members are known at run time only
    if origin is tuple:
        return list[_shape(arguments[0], made)]  # type: ignore[misc]
    if origin is Mapping:
        return dict[str, _shape(arguments[1], made)]  # type: ignore[misc]
    return shape_of_class(hint, made) if attrs.has(hint) else str


AnalysisAnswer: Any = shape_of_class(Analysis)
"""An analysis in JSON."""
