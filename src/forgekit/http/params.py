"""Parameters: path, query, headers and cookies gathered into one attrs class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_origin
from urllib.parse import parse_qsl

import attrs

from forgekit import errors
from forgekit.http.codec import LENIENT
from forgekit.http.fields import Place, place_of, wire_name
from forgekit.http.messages import RequestHead
from forgekit.http.scalars import FieldProblem, Invalid
from forgekit.http.unions import is_sequence, plain_type

_MAX_QUERY_FIELDS = 200


@attrs.frozen
class Parameter:
    """One declared parameter. ``many`` ones may be repeated in the query."""

    key: str
    place: Place
    attribute: attrs.Attribute[Any]
    many: bool


def parameters_of(kind: Any, path_names: frozenset[str]) -> list[Parameter]:
    """List the parameters that an attrs class declares."""
    attrs.resolve_types(get_origin(kind) or kind, include_extras=True)
    return [
        Parameter(wire_name(field), place_of(field, path_names), field, is_sequence(plain_type(field.type)))
        for field in attrs.fields(get_origin(kind) or kind)
    ]


def params_reader(kind: Any, names: Sequence[str]) -> Callable[[RequestHead, Sequence[str]], Any]:
    """Make the function that reads a params class from a request's head and the values of its path.

    The function raises `errors.NotFound` for a path value that does not fit (such a path names nothing), else
    `errors.InvalidInput` with every problem.
    """
    parameters = parameters_of(kind, frozenset(names))
    places = {parameter.key: parameter.place for parameter in parameters}
    reads_query = "query" in places.values()

    def read(head: RequestHead, values: Sequence[str]) -> Any:
        path = dict(zip(names, values, strict=True))
        query = _parse_query(head.query) if reads_query and head.query else {}
        given = {parameter.key: _find(parameter, path, query, head) for parameter in parameters}
        try:
            return LENIENT.structure({key: value for key, value in given.items() if value is not None}, kind)
        except Invalid as wrong:
            raise _refusal(wrong.problems, places) from None

    return read


def _find(parameter: Parameter, path: Mapping[str, str], query: Mapping[str, list[str]], head: RequestHead) -> Any:
    if parameter.place == "path":
        return path[parameter.key]
    if parameter.place == "header":
        return head.header(parameter.key)
    if parameter.place == "cookie":
        return head.cookie(parameter.key)
    found = query.get(parameter.key)
    # A scalar that came twice stays a list, which no scalar accepts.
    return found[0] if found is not None and len(found) == 1 and not parameter.many else found


def _parse_query(query: str) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError:  # bytes that are not UTF-8, or too many fields
        raise errors.InvalidInput("The query string is malformed.", problems=[{"pointer": "?", "message": "is malformed"}]) from None
    found: dict[str, list[str]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _refusal(problems: Sequence[FieldProblem], places: Mapping[str, Place]) -> errors.ForgekitError:
    placed = [(places.get(str(problem.steps[0]) if problem.steps else "", "query"), problem) for problem in problems]
    if any(place == "path" for place, _ in placed):
        return errors.NotFound()
    marks = {"query": "?", "header": "header:", "cookie": "cookie:"}
    described = [{"pointer": marks[place] + _key(problem), "message": problem.message} for place, problem in placed]
    return errors.InvalidInput("The parameters are not valid.", problems=described)


def _key(problem: FieldProblem) -> str:
    return "/".join(map(str, problem.steps))
