"""The OpenAPI 3.1 document of an application, from its operations alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, get_args

import attrs

from forgekit import errors
from forgekit.http import failures
from forgekit.http.messages import File, Page
from forgekit.http.operations import Operation, Surface, json_types
from forgekit.http.params import parameters_of
from forgekit.http.schema import Schema, SchemaBook
from forgekit.http.streams import EventStream
from forgekit.http.unions import is_union, plain_type

_NO_BODY = frozenset({204, 304})
_TEXT: Schema = {"type": "string"}


def openapi_document(surfaces: Iterable[Surface], *, title: str, version: str) -> dict[str, Any]:
    """Describe every operation that is not hidden."""
    surfaces = list(surfaces)
    book = SchemaBook()
    schemes: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for surface in surfaces:
        for operation in surface.operations:
            if not operation.hidden:
                schemes.update({name: dict(scheme) for name, scheme in _schemes(operation).items()})
                paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, book)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "tags": [_tag(surface) for surface in surfaces if any(not operation.hidden for operation in surface.operations)],
        "paths": paths,
        "components": {"schemas": book.components, "securitySchemes": schemes},
    }


def _tag(surface: Surface) -> dict[str, str]:
    return {"name": surface.name, "description": surface.description} if surface.description else {"name": surface.name}


def _schemes(operation: Operation) -> Mapping[str, Mapping[str, Any]]:
    schemes: Mapping[str, Mapping[str, Any]] = getattr(operation.guard, "schemes", {})
    return schemes


def _operation(operation: Operation, book: SchemaBook) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": operation.id, "tags": [operation.surface]}
    if operation.summary:
        described["summary"] = operation.summary
    if operation.description:
        described["description"] = operation.description
    if parameters := _parameters(operation, book):
        described["parameters"] = parameters
    if operation.reads_body:
        described["requestBody"] = _request_body(operation, book)
    described["responses"] = _responses(operation, book)
    described["security"] = [{name: []} for name in _schemes(operation)]
    return described


def _parameters(operation: Operation, book: SchemaBook) -> list[dict[str, Any]]:
    if operation.params is None:
        return [_parameter(name, "path", _TEXT, required=True) for name in sorted(operation.path_names)]
    return [
        _parameter(
            parameter.key,
            parameter.place,
            book.parameter(parameter.attribute),
            required=parameter.place == "path" or parameter.attribute.default is attrs.NOTHING,
        )
        for parameter in parameters_of(operation.params, operation.path_names)
    ]


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _request_body(operation: Operation, book: SchemaBook) -> dict[str, Any]:
    schema = book.schema(operation.body, "input") if "body" in operation.takes else {}
    return {"required": not operation.body_optional, "content": {"application/json": {"schema": schema}}}


def _responses(operation: Operation, book: SchemaBook) -> dict[str, Any]:
    answers = {str(operation.status): _success(operation, operation.status, operation.returns, book)}
    answers |= {str(status): _success(operation, status, kind, book) for status, kind in operation.also.items()}
    for status in sorted({*operation.errors, *_own_errors(operation)} - {operation.status, *operation.also}):
        answers[str(status)] = {"description": _phrase(status), "content": _problem_content(operation, book)}
    return answers


def _success(operation: Operation, status: int, returns: Any, book: SchemaBook) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _phrase(status)}
    if status in _NO_BODY:
        return answer
    content = _content(returns)
    for kind in json_types(returns):
        content["application/json"] = {"schema": operation.envelope.schema(book.schema(kind, "output"))}
    if content:
        answer["content"] = content
    return answer


def _content(returns: Any) -> dict[str, Any]:
    members = set(get_args(returns)) if is_union(returns) else {returns}
    media_types = {Page: "text/html", EventStream: "text/event-stream", File: "*/*"}
    return {media_type: {"schema": _TEXT} for kind, media_type in media_types.items() if kind in members}


def _own_errors(operation: Operation) -> set[int]:
    """List the statuses that the machine may answer before or instead of the operation."""
    causes: list[errors.ForgekitError] = []
    if _schemes(operation):
        causes += [errors.Unauthenticated(), errors.PermissionDenied()]
    if operation.params is not None:
        causes.append(errors.InvalidInput())
    if operation.path_names and operation.params is not None:
        causes.append(errors.NotFound())
    if operation.limit is not None:
        causes.append(errors.RateLimited())
    if operation.reads_body:
        causes += [failures.BodyTooLarge(), failures.MediaTypeUnsupported(), failures.RequestRefused()]
    if "body" in operation.takes:
        causes += [errors.InvalidInput(), failures.BodyMalformed()]
    if plain_type(operation.returns) is EventStream:
        causes.append(failures.StreamUnsupported())
    return {operation.problems(cause).status for cause in causes}


def _problem_content(operation: Operation, book: SchemaBook) -> dict[str, Any]:
    media_type = operation.problems(failures.InternalFault()).media_type
    schema = getattr(operation.problems, "schema", {})
    return {media_type: {"schema": book.shared("Problem", schema) if schema else {}}}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Answer"
