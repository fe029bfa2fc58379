"""Questions about annotations: is it a union, a list, a mapping; which field tells a union's classes apart."""

from __future__ import annotations

import types
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import attrs

from forgekit.http.fields import Unset, wire_name


def is_union(kind: Any) -> bool:
    """Tell whether a type is a union, in either spelling."""
    return get_origin(kind) in (Union, types.UnionType)


def is_sequence(kind: Any) -> bool:
    """Tell whether a type is written as a JSON array."""
    return (get_origin(kind) or kind) in (list, tuple, set, frozenset, Sequence, MutableSequence, AbstractSet)


def is_mapping(kind: Any) -> bool:
    """Tell whether a type is written as a JSON object with free keys."""
    return (get_origin(kind) or kind) in (dict, Mapping, MutableMapping)


def plain_type(kind: Any) -> Any:
    """Strip None, Unset and annotations from around a type."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif is_union(kind) and len(members := union_members(kind)[0]) == 1:
            kind = members[0]
        else:
            return kind


def union_members(kind: Any) -> tuple[list[Any], bool]:
    """Give the types of a union without None and Unset, and whether None was among them."""
    members = [arg for arg in get_args(kind) if arg is not Unset and arg != Literal[Unset.UNSET]]
    return [arg for arg in members if arg is not type(None)], type(None) in members


def tag_of(members: Sequence[Any]) -> tuple[str, dict[str, Any]] | None:
    """Find the field that tells the classes of a union apart: one ``Literal`` in each, no value twice."""
    if not all(attrs.has(member) for member in members):
        return None
    for attribute in attrs.fields(members[0]):
        name = wire_name(attribute)
        literals = [_literal_values(member, name) for member in members]
        values = [value for found in literals for value in found]
        if all(literals) and len(values) == len(set(values)):
            return name, {value: member for member, found in zip(members, literals, strict=True) for value in found}
    return None


def _literal_values(kind: Any, name: str) -> tuple[Any, ...]:
    for attribute in attrs.fields(attrs.resolve_types(kind)):
        if wire_name(attribute) == name and get_origin(attribute.type) is Literal:
            return get_args(attribute.type)
    return ()
