"""JSON Schema (2020-12) from annotations, and from the validators that enforce it.

Input and output differ: what comes in may leave defaults out and must hold no unknown key; what goes out is whole.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import attrs

from forgekit import errors
from forgekit.http.codec import to_plain
from forgekit.http.fields import UNSET, Rule, Unset, member_rules_of, rules_of, shape_of, wire_name
from forgekit.http.unions import is_mapping, is_sequence, is_union, tag_of, union_members

Schema = dict[str, Any]
Mode = Literal["input", "output"]

_SCALARS: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer", "format": "int64", "minimum": -(2**63), "maximum": 2**63 - 1},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    UUID: {"type": "string", "format": "uuid"},
}
_SIZES = {
    "string": {"maxSize": "maxLength", "minSize": "minLength"},
    "array": {"maxSize": "maxItems", "minSize": "minItems"},
    "object": {"maxSize": "maxProperties", "minSize": "minProperties"},
}


class SchemaBook:
    """Collects the schemas of classes under ``#/components/schemas``, each once a mode."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}
        self._names: dict[tuple[Any, Mode], str] = {}

    def schema(self, kind: Any, mode: Mode) -> Schema:
        """Give the schema of a type: in place, or a reference for a class.

        Raises:
            errors.UsageError: JSON has no form for the type.

        """
        kind = _unwrapped(kind)
        if kind in (Any, object):
            return {}
        if kind in _SCALARS:
            return dict(_SCALARS[kind])
        if attrs.has(get_origin(kind) or kind):
            return self._reference(kind, mode)
        if is_union(kind):
            return self._union(kind, mode)
        return self._container_or_choice(kind, mode)

    def shared(self, name: str, schema: Mapping[str, Any]) -> Schema:
        """Give a reference to a schema that is no class's; equal ones are kept once."""
        names = (f"{name}{number or ''}" for number in (0, *range(2, 1000)))
        taken = next(found for found in names if self.components.get(found, schema) == schema)
        self.components[taken] = dict(schema)
        return {"$ref": f"#/components/schemas/{taken}"}

    def parameter(self, attribute: attrs.Attribute[Any]) -> Schema:
        """Give the schema of one field of a params class: None stands for absence there."""
        members = union_members(attribute.type)[0] if is_union(attribute.type) else [attribute.type]
        schemas = [self.schema(member, "input") for member in members]
        schema = _ruled(schemas[0] if len(schemas) == 1 else {"anyOf": schemas}, attribute.validator)
        return schema if attribute.default is None else _with_default(schema, attribute)

    def _container_or_choice(self, kind: Any, mode: Mode) -> Schema:
        arguments = get_args(kind)
        if get_origin(kind) is Literal:
            return {"enum": list(arguments)}
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return {"enum": [item.value for item in kind]}
        if is_sequence(kind):
            return {"type": "array", "items": self.schema((*arguments, Any)[0], mode)}
        if is_mapping(kind):
            inner = self.schema((*arguments, Any, Any)[1], mode)
            return {"type": "object", "additionalProperties": inner} if inner else {"type": "object"}
        raise errors.UsageError(f"{kind!r} has no form in JSON")

    def _union(self, kind: Any, mode: Mode) -> Schema:
        members, nullable = union_members(kind)
        schemas = [self.schema(member, mode) for member in members]
        if len(schemas) == 1 and not nullable:
            return schemas[0]
        null: list[Schema] = [{"type": "null"}] if nullable else []
        tagged = tag_of(members) if len(members) > 1 else None
        if tagged is None:
            return {"anyOf": schemas + null}
        name, classes = tagged
        mapping = {str(value): self._reference(member, mode)["$ref"] for value, member in classes.items()}
        union: Schema = {"oneOf": schemas, "discriminator": {"propertyName": name, "mapping": mapping}}
        return {"anyOf": [union, *null]} if nullable else union

    def _reference(self, kind: Any, mode: Mode) -> Schema:
        name = self._names.get((kind, mode))
        if name is None:
            name = self._names[kind, mode] = self._free_name(kind, mode)
            self.components[name] = {}  # taken before it is filled: a class may refer to itself
            self.components[name] = self._class(kind, mode)
        return {"$ref": f"#/components/schemas/{name}"}

    def _free_name(self, kind: Any, mode: Mode) -> str:
        plain = "".join(character if character.isalnum() else "_" for character in getattr(kind, "__name__", str(kind))).strip("_")
        wanted = plain if mode == "output" else f"{plain}Input"
        names = (f"{wanted}{number or ''}" for number in (0, *range(2, 1000)))
        return next(name for name in names if name not in self.components)

    def _class(self, kind: Any, mode: Mode) -> Schema:
        origin = get_origin(kind) or kind
        attrs.resolve_types(origin, include_extras=True)
        fields = attrs.fields(origin)
        if mode == "input":
            fields = [field for field in fields if field.init]
        schema: Schema = {"type": "object", "properties": {wire_name(field): self._property(field, mode) for field in fields}}
        if required := [wire_name(field) for field in fields if _is_required(field, mode)]:
            schema["required"] = required
        if mode == "input":
            schema["additionalProperties"] = False
        return schema

    def _property(self, attribute: attrs.Attribute[Any], mode: Mode) -> Schema:
        schema = self.schema(shape_of(attribute), mode)
        if mode == "output":
            return schema
        return _with_default(_ruled(schema, attribute.validator), attribute)


def _unwrapped(kind: Any) -> Any:
    while True:
        if hasattr(kind, "__metadata__"):  # Annotated
            kind = get_args(kind)[0]
        elif hasattr(kind, "__supertype__"):  # NewType
            kind = kind.__supertype__
        else:
            return Any if kind is None or kind is Unset else kind


def _is_required(attribute: attrs.Attribute[Any], mode: Mode) -> bool:
    return attribute.default is attrs.NOTHING if mode == "input" else attribute.default is not UNSET


def _with_default(schema: Schema, attribute: attrs.Attribute[Any]) -> Schema:
    default = attribute.default
    if default is attrs.NOTHING or default is UNSET or isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return schema
    return {**schema, "default": to_plain(default)}


def _ruled(schema: Schema, validator: Any) -> Schema:
    """Add to a schema what a validator states, to each form it may have but null."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [form if form == {"type": "null"} else _ruled(form, validator) for form in schema["anyOf"]]}
    ruled = _merged(schema, rules_of(validator))
    members = list(member_rules_of(validator))
    return {**ruled, "items": _merged(ruled["items"], members)} if members and "items" in ruled else ruled


def _merged(schema: Schema, rules: Iterable[Rule]) -> Schema:
    merged = dict(schema)
    sizes = _SIZES.get(str(schema.get("type")), {})
    for rule in rules:
        for keyword, value in rule.schema.items():
            name = sizes.get(keyword, keyword)
            if name in ("maxSize", "minSize"):
                continue
            merged[name] = to_plain(value)
    return merged
