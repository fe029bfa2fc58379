"""From plain JSON values to typed objects and back.

Two decoders. The strict one reads bodies: ``"1"`` is no number, an unknown key is an error, and every wrong field is
reported at once with its JSON pointer (RFC 6901). The lenient one reads parameters, which are text to begin with.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

import attrs
from cattrs import Converter

from forgekit import errors
from forgekit.http import jsontext, scalars
from forgekit.http.fields import UNSET, member_rules_of, rules_of, wire_name
from forgekit.http.scalars import MOST_PROBLEMS, FieldProblem, Invalid, invalid
from forgekit.http.unions import is_mapping, is_sequence, is_union, tag_of, union_members

Hook = Callable[[Any, Any], Any]

_AS_IT_IS = frozenset({str, int, bool, float, type(None)})


def decode_body(raw: bytes, kind: Any) -> Any:
    """Read a JSON body as a type.

    Raises:
        ValueError: It is not JSON.
        Invalid: It is JSON of another shape.

    """
    return STRICT.structure(jsontext.loads(raw), kind)


def encode(value: Any) -> bytes:
    """Render a value as JSON: attrs objects by field order, moments as ``…Z``, None kept, UNSET left out."""
    return jsontext.dumps(to_plain(value))


def to_plain(value: Any) -> Any:
    """Turn a value into dicts, lists, text, numbers, booleans and None."""
    return ENCODER.unstructure(value)


def render_moment(moment: datetime) -> str:
    """Write a moment in UTC: ``2026-02-10T14:30:00Z``, with a fraction only where there is one.

    Raises:
        ValueError: It has no offset.

    """
    if moment.tzinfo is None:
        raise ValueError(f"a datetime without offset cannot be rendered: {moment!r}")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _one_of(choices: Mapping[tuple[type, Any], Any]) -> Hook:
    message = "must be one of " + ", ".join(str(value) for _, value in choices)

    def hook(value: Any, _: Any) -> Any:
        # Keyed with the type: True is no 1 here.
        try:
            return choices[type(value), value]
        except (KeyError, TypeError):
            raise invalid(message) from None

    return hook


def _literal_hook(kind: Any, *, lenient: bool) -> Hook:
    values = get_args(kind)
    return _one_of({(str, str(value)) if lenient else (type(value), value): value for value in values})


def _enum_hook(kind: Any, *, lenient: bool) -> Hook:
    return _one_of({(str, str(item.value)) if lenient else (type(item.value), item.value): item for item in kind})


def _collect(parts: Iterable[tuple[str | int, Any, Callable[[Any], Any]]]) -> list[Any]:
    """Decode every part and only then complain, about all of them; once `MOST_PROBLEMS` are found the rest is left."""
    done: list[Any] = []
    problems: list[FieldProblem] = []
    for step, value, decode in parts:
        try:
            done.append(decode(value))
        except Invalid as wrong:
            problems += [problem.under(step) for problem in wrong.problems]
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise Invalid(*problems)
    return done


def _list_hook(converter: Converter, kind: Any) -> Hook:
    inner = next((arg for arg in get_args(kind) if arg is not Ellipsis), Any)
    build = _builder(get_origin(kind) or kind)

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, list):
            raise invalid("must be a list")
        if inner is Any:  # nothing to decode, and a million members are soon sent
            return build(value)
        decode = _decoder(converter, inner)
        return build(_collect((index, item, decode) for index, item in enumerate(value)))

    return hook


def _builder(origin: Any) -> Callable[[list[Any]], Any]:
    if issubclass(origin, tuple):
        return tuple
    if issubclass(origin, (set, frozenset, AbstractSet)):
        return frozenset
    return list


def _dict_hook(converter: Converter, kind: Any) -> Hook:
    inner = (*get_args(kind), Any, Any)[1]

    def hook(value: Any, _: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise invalid("must be an object")
        decode = _decoder(converter, inner)
        return dict(zip(value, _collect((key, item, decode) for key, item in value.items()), strict=True))

    return hook


def _decoder(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    hook = converter.get_structure_hook(kind)
    return lambda value: hook(value, kind)


def _union_hook(converter: Converter, kind: Any) -> Hook:
    members, nullable = union_members(kind)
    if len(members) == 1:
        decode_one = _late(converter, members[0])
    elif (tagged := tag_of(members)) is not None:
        decode_one = _tagged(converter, *tagged)
    else:
        decode_one = _first_that_fits(converter, members)
    return lambda value, _: None if value is None and nullable else decode_one(value)


def _late(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    # Looked up at the first call: a class may refer to itself.
    return lambda value: converter.get_structure_hook(kind)(value, kind)


def _tagged(converter: Converter, tag: str, classes: Mapping[str, Any]) -> Callable[[Any], Any]:
    choose = _one_of({(type(value), value): kind for value, kind in classes.items()})

    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            raise invalid("must be an object")
        [kind] = _collect([(tag, value.get(tag), lambda found: choose(found, None))])
        return converter.structure(value, kind)

    return decode


def _first_that_fits(converter: Converter, members: Sequence[Any]) -> Callable[[Any], Any]:
    def decode(value: Any) -> Any:
        reasons: list[str] = []
        for member in members:
            try:
                return converter.structure(value, member)
            except Invalid as wrong:
                reasons += [problem.message for problem in wrong.problems if not problem.steps]
        raise invalid(", or ".join(dict.fromkeys(reasons)) or "fits none of the forms this place may have")

    return decode


@attrs.frozen(kw_only=True)
class _Field:
    """How one field of a class is read."""

    key: str
    attribute: attrs.Attribute[Any]
    decode: Callable[[Any], Any]
    required: bool


def _class_hook(converter: Converter, kind: Any) -> Hook:
    fields: list[_Field] = []

    def hook(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise invalid("must be an object")
        if not fields:  # at first use, since a class may refer to itself
            fields.extend(_fields_of(converter, kind))
        return _build(get_origin(kind) or kind, fields, value)

    return hook


def _fields_of(converter: Converter, kind: Any) -> list[_Field]:
    origin = get_origin(kind) or kind
    attrs.resolve_types(origin, include_extras=True)
    return [
        _Field(
            key=wire_name(attribute),
            attribute=attribute,
            decode=_checked(_decoder(converter, attribute.type or Any), attribute.validator),
            required=attribute.default is attrs.NOTHING,
        )
        for attribute in attrs.fields(origin)
        if attribute.init
    ]


def _checked(decode: Callable[[Any], Any], validator: Any) -> Callable[[Any], Any]:
    rules, member_rules = tuple(rules_of(validator)), tuple(member_rules_of(validator))
    if not rules and not member_rules:
        return decode

    def checked(value: Any) -> Any:
        decoded = decode(value)
        problems = [FieldProblem((), rule.message) for rule in rules if not rule.holds(decoded)]
        for index, member in enumerate(decoded if member_rules and decoded is not None else ()):
            problems += [FieldProblem((index,), rule.message) for rule in member_rules if not rule.holds(member)]
            if len(problems) >= MOST_PROBLEMS:
                break
        if problems:
            raise Invalid(*problems)
        return decoded

    return checked


def _build(kind: Any, fields: Sequence[_Field], value: Mapping[str, Any]) -> Any:
    arguments: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    for field in fields:
        if field.key in value:
            try:
                arguments[field.attribute.alias or field.attribute.name] = field.decode(value[field.key])
            except Invalid as wrong:
                problems += [problem.under(field.key) for problem in wrong.problems]
        elif field.required:
            problems.append(FieldProblem((field.key,), "is required"))
    known = {field.key for field in fields}
    unknown = itertools.islice((key for key in value if key not in known), MOST_PROBLEMS)
    problems += [FieldProblem((key,), "is not a known field") for key in unknown]
    if problems:
        raise Invalid(*problems, *_refusals(kind, fields, arguments))
    return _construct(kind, fields, arguments)


def _construct(kind: Any, fields: Sequence[_Field], arguments: Mapping[str, Any]) -> Any:
    try:
        return kind(**arguments)
    except errors.InvalidInput as wrong:
        raise Invalid(*_declared_problems(wrong)) from wrong
    except (ValueError, TypeError) as wrong:
        raise Invalid(*_refusals(kind, fields, arguments) or [FieldProblem((), _message_of(wrong))]) from wrong


def _declared_problems(wrong: errors.InvalidInput) -> list[FieldProblem]:
    declared = [
        FieldProblem(tuple(filter(None, str(item["pointer"]).split("/"))), str(item["message"])) for item in wrong.data.get("problems", ())
    ]
    return declared or [FieldProblem((), wrong.message)]


def _refusals(kind: Any, fields: Sequence[_Field], arguments: Mapping[str, Any]) -> list[FieldProblem]:
    """Ask each field's own validator: attrs stops at the first that refuses and names no field."""
    bare = object.__new__(kind)
    for name, value in arguments.items():
        object.__setattr__(bare, name, value)
    problems: list[FieldProblem] = []
    for field in fields:
        attribute = field.attribute
        if attribute.validator is None or attribute.name not in arguments:
            continue
        try:
            attribute.validator(bare, attribute, arguments[attribute.name])
        except (ValueError, TypeError) as refusal:
            problems.append(FieldProblem((field.key,), _message_of(refusal)))
        except AttributeError:  # it looks at a field that has no value yet
            continue
    return problems


def _message_of(refusal: Exception) -> str:
    return str(refusal.args[0]) if refusal.args else "is not acceptable"


def _unsupported(kind: Any) -> Hook:
    raise errors.UsageError(f"{kind!r} cannot be read from a request")


def _is_class(kind: Any) -> bool:
    return attrs.has(get_origin(kind) or kind)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _is_literal(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _is_annotated(kind: Any) -> bool:
    return hasattr(kind, "__metadata__")


def _decoder_converter(*, lenient: bool) -> Converter:
    converter = Converter(structure_fallback_factory=_unsupported)
    plain: dict[Any, Hook] = {
        str: scalars.strict_text,
        int: scalars.text_to_int if lenient else scalars.strict_int,
        float: scalars.text_to_float if lenient else scalars.strict_float,
        bool: scalars.text_to_bool if lenient else scalars.strict_bool,
        type(None): scalars.null,
        datetime: scalars.moment,
        date: scalars.day,
        UUID: scalars.uuid,
    }
    for kind, hook in plain.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_func(lambda kind: kind in (Any, object), lambda value, _: value)
    converter.register_structure_hook_factory(is_sequence, lambda kind: _list_hook(converter, kind))
    converter.register_structure_hook_factory(is_mapping, lambda kind: _dict_hook(converter, kind))
    converter.register_structure_hook_factory(_is_class, lambda kind: _class_hook(converter, kind))
    converter.register_structure_hook_factory(_is_enum, lambda kind: _enum_hook(kind, lenient=lenient))
    converter.register_structure_hook_factory(_is_literal, lambda kind: _literal_hook(kind, lenient=lenient))
    converter.register_structure_hook_factory(is_union, lambda kind: _union_hook(converter, kind))
    converter.register_structure_hook_factory(_is_annotated, lambda kind: lambda value, _: converter.structure(value, get_args(kind)[0]))
    return converter


def _encoder() -> Converter:
    converter = Converter(unstruct_collection_overrides={AbstractSet: list, frozenset: list, set: list, tuple: list})
    converter.register_unstructure_hook(datetime, render_moment)
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_unstructure_hook(UUID, str)
    converter.register_unstructure_hook_factory(attrs.has, lambda kind: _class_encoder(converter, kind))
    return converter


def _class_encoder(converter: Converter, kind: Any) -> Callable[[Any], Any]:
    names = [(attribute.name, wire_name(attribute)) for attribute in attrs.fields(kind)]

    def encode_object(value: Any) -> dict[str, Any]:
        rendered: dict[str, Any] = {}
        for name, key in names:
            item = getattr(value, name)
            if item.__class__ in _AS_IT_IS:
                rendered[key] = item
            elif item is not UNSET:
                rendered[key] = converter.unstructure(item)
        return rendered

    return encode_object


STRICT = _decoder_converter(lenient=False)
LENIENT = _decoder_converter(lenient=True)
ENCODER = _encoder()
