"""An analysis as JSON-able values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs

from forgekit.builds.models import Mean, Rate
from forgekit.builds.results import ProjectMetrics

if TYPE_CHECKING:
    from forgekit.builds.analysis import Analysis

NUMBERS = (
    "overall_success_rate",
    "overall_failure_rate",
    "overall_error_rate",
    "median_duration_seconds",
    "p90_duration_seconds",
    "max_duration_seconds",
)
"""Plain numbers of an analysis, which stand beside the fields that they are read from."""

RATES = ("success_rate", "failure_rate", "error_rate")
"""The same of a project's metrics."""


def as_dict(analysis: Analysis) -> dict[str, Any]:
    """Return every field, and the plain numbers that are read from them."""
    return {**{name: getattr(analysis, name) for name in NUMBERS}, **{field: _plain(value) for field, value in _fields(analysis)}}


def _fields(instance: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(instance, field.name)) for field in attrs.fields(type(instance))]


def _plain(value: Any) -> Any:
    if isinstance(value, (Rate, Mean)):
        return {"value": value.value, **{name: _plain(part) for name, part in _fields(value)}}
    if attrs.has(type(value)):
        rates = {name: getattr(value, name) for name in RATES if isinstance(value, ProjectMetrics)}
        return rates | {name: _plain(part) for name, part in _fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
