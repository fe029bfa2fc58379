"""Declaring operations: a surface is one API contract, and each of its operations is one plain function.

From the function's signature come decoding, encoding and the OpenAPI document. It may take, by name and in any order:

``forge``    what the application was given to work with (opaque here)
``caller``   the guard's finding, a `forgekit.http.Caller`
``params``   an attrs class: path, query, declared headers and cookies
``body``     an attrs class (or any type the codec reads), from JSON; ``X | None`` where the body may be missing
``raw``      a `forgekit.http.RawRequest`: the exact bytes, for signatures
``head``     the `forgekit.http.RequestHead`
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar, Union, get_args, get_origin

import attrs

from forgekit import errors
from forgekit.http.envelopes import Bare, Envelope
from forgekit.http.fields import place_of, wire_name
from forgekit.http.guards import Guard
from forgekit.http.messages import File, Page, Redirect, Reply, Response
from forgekit.http.problems import Problems, detail_problems
from forgekit.http.schema import SchemaBook
from forgekit.http.streams import EventStream
from forgekit.http.unions import is_union

MAX_BODY = 1_048_576
"""Bytes a body may have where the operation says nothing (1 MiB)."""

NOT_JSON = frozenset({Page, File, Redirect, EventStream, Response})
"""What an operation may return that is not rendered as JSON."""

_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_ARGUMENTS = frozenset({"forge", "caller", "params", "body", "raw", "head"})
_TYPED = frozenset({"params", "body"})
_PATH_NAME = re.compile(r"\{([a-z_][a-z0-9_]*)\}", re.ASCII)

F = TypeVar("F", bound=Callable[..., Any])


@attrs.frozen(kw_only=True)
class Operation:
    """One operation as declared; see `Surface.op` for the meaning of the fields."""

    surface: str
    method: str
    path: str
    function: Callable[..., Any] = attrs.field(repr=False)
    takes: frozenset[str]
    params: Any = None
    body: Any = None
    body_optional: bool = False
    returns: Any = None
    status: int = 200
    also: Mapping[int, Any] = attrs.field(factory=dict)
    errors: tuple[int, ...] = ()
    guard: Guard
    limit: str | None = None
    max_body: int = MAX_BODY
    inline: bool = False
    hidden: bool = False
    envelope: Envelope
    problems: Problems
    summary: str = ""
    description: str = ""

    @property
    def id(self) -> str:
        """The operation's name in the OpenAPI document."""
        return f"{self.surface}_{self.function.__name__}"

    @property
    def path_names(self) -> frozenset[str]:
        """The parameters in the path."""
        return frozenset(_PATH_NAME.findall(self.path))

    @property
    def reads_body(self) -> bool:
        """Whether the request's body is read at all."""
        return bool(self.takes & {"body", "raw"})


class Surface:
    """One API contract: its prefix, its envelope, its errors, its guard, its operations."""

    def __init__(
        self,
        name: str,
        *,
        guard: Guard,
        prefix: str = "",
        envelope: Envelope | None = None,
        problems: Problems | None = None,
        description: str = "",
    ) -> None:
        """Begin a contract without operations.

        Args:
            name: Names the surface among others: tag and prefix of operation ids in the OpenAPI document.
            guard: Decides who may call; an operation may bring its own.
            prefix: Path before every operation's, such as ``/api/plane``.
            envelope: Stands around every answer; `Bare` by default.
            problems: Makes answers of errors; ``{"detail": …}`` with the usual statuses by default.
            description: For the OpenAPI document.

        """
        self.name = name
        self.guard = guard
        self.prefix = _checked_prefix(prefix)
        self.envelope = envelope if envelope is not None else Bare()
        self.problems = problems if problems is not None else detail_problems()
        self.description = description
        self._operations: list[Operation] = []

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations in the order of their declaration."""
        return tuple(self._operations)

    def at(self, prefix: str) -> Surface:
        """Give the same contract under a further prefix: ``integration.at("/integration")``."""
        moved = Surface(
            self.name,
            guard=self.guard,
            prefix=prefix + self.prefix,
            envelope=self.envelope,
            problems=self.problems,
            description=self.description,
        )
        moved._operations = [attrs.evolve(operation, path=prefix + operation.path) for operation in self._operations]
        return moved

    def op(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        also: Mapping[int, Any] | None = None,
        errors: Sequence[int] = (),
        guard: Guard | None = None,
        envelope: Envelope | None = None,
        problems: Problems | None = None,
        limit: str | None = None,
        max_body: int = MAX_BODY,
        inline: bool = False,
        hidden: bool = False,
    ) -> Callable[[F], F]:
        """Declare a function as an operation; the function itself stays as it is.

        Args:
            method: GET, POST, PUT, PATCH or DELETE; GET answers HEAD as well.
            path: Below the surface's prefix, with parameters as ``{name}``, each one whole segment.
            status: The status of success; 204 sends no body.
            also: Further statuses of success and their types, for an operation that returns a `Reply`.
            errors: Statuses to document; those that the machine itself can answer are added.
            guard: Instead of the surface's.
            envelope: Instead of the surface's.
            problems: Instead of the surface's.
            limit: Name of the bucket that each call takes from.
            max_body: Most bytes of a body; more is 413.
            inline: Call the function on the event loop; it must not block, and may return a `concurrent.futures.Future`.
            hidden: Leave it out of the OpenAPI document.

        Raises:
            errors.UsageError: The declaration does not hold together.

        """

        def declare(function: F) -> F:
            operation = Operation(
                surface=self.name,
                method=method,
                path=self.prefix + path,
                function=function,
                status=status,
                also=also or {},
                errors=tuple(errors),
                guard=guard or self.guard,
                envelope=envelope or self.envelope,
                problems=problems or self.problems,
                limit=limit,
                max_body=max_body,
                inline=inline,
                hidden=hidden,
                **_signature_of(function),
            )
            _check(operation)
            self._operations.append(operation)
            return function

        return declare


def hints_of(function: Callable[..., Any], names: frozenset[str]) -> dict[str, Any]:
    """Resolve some annotations of a function; the others may name what exists for type checkers only."""
    wanted = types.SimpleNamespace(__annotations__={name: hint for name, hint in function.__annotations__.items() if name in names})
    return typing.get_type_hints(wanted, globalns=getattr(function, "__globals__", {}), include_extras=True)


def result_type(hint: Any) -> Any:
    """Give the type of an operation's value: what a ``Future`` or a ``Reply`` holds, also within a union."""
    while get_origin(hint) in (Future, Reply):
        hint = get_args(hint)[0]
    return _union_of(result_type(member) for member in get_args(hint)) if is_union(hint) else hint


def json_types(returns: Any) -> list[Any]:
    """List the types of a result that are rendered as JSON."""
    members = get_args(returns) if is_union(returns) else (returns,)
    if not any(member in NOT_JSON for member in members):
        return [returns]
    return [member for member in members if member not in NOT_JSON]


def _signature_of(function: Callable[..., Any]) -> dict[str, Any]:
    takes = frozenset(inspect.signature(function).parameters)
    if unknown := takes - _ARGUMENTS:
        _refuse(function, f"takes {', '.join(sorted(unknown))}; an operation may take {', '.join(sorted(_ARGUMENTS))}")
    try:
        hints = hints_of(function, _TYPED | {"return"})
    except NameError as wrong:
        _refuse(function, f"has an annotation that does not resolve at run time: {wrong}")
    body, optional = _without_none(hints.get("body"))
    summary, _, description = (inspect.getdoc(function) or "").partition("\n")
    return {
        "takes": takes,
        "params": hints.get("params"),
        "body": body,
        "body_optional": optional,
        "returns": result_type(hints.get("return")),
        "summary": summary.strip(),
        "description": description.split("\nRaises:")[0].strip(),
    }


def _without_none(hint: Any) -> tuple[Any, bool]:
    if is_union(hint) and type(None) in get_args(hint):
        return _union_of(arg for arg in get_args(hint) if arg is not type(None)), True
    return hint, False


def _union_of(members: Iterable[Any]) -> Any:
    return Union[tuple(members)]  # noqa: UP007 - the members are known at run time only


def _checked_prefix(prefix: str) -> str:
    if prefix and (not prefix.startswith("/") or prefix.endswith("/")):
        raise errors.UsageError(f"a prefix begins with a slash and ends without one: {prefix!r}")
    return prefix


def _check(operation: Operation) -> None:
    function = operation.function
    if operation.method not in _METHODS:
        _refuse(function, f"has the method {operation.method!r}")
    if not operation.path.startswith("/"):
        _refuse(function, f"has the path {operation.path!r}, which does not begin with a slash")
    for name in _TYPED & operation.takes:
        if getattr(operation, name) is None:
            _refuse(function, f"takes {name} without an annotation")
    if {"body", "raw"} <= operation.takes:
        _refuse(function, "takes both body and raw")
    if operation.reads_body and operation.method == "GET":
        _refuse(function, "reads the body of a GET")
    _check_types(operation)
    if operation.inline and not getattr(operation.guard, "inline", False):
        _refuse(function, "is inline, but its guard may block")
    _check_params(operation)


def _check_types(operation: Operation) -> None:
    book = SchemaBook()
    if "body" in operation.takes:
        book.schema(operation.body, "input")
    if attrs.has(operation.params):
        book.schema(operation.params, "input")
    for kind in json_types(operation.returns):
        book.schema(kind, "output")


def _check_params(operation: Operation) -> None:
    names = operation.path_names
    if operation.path.count("{") != len(names) or any("{" in part and not _PATH_NAME.fullmatch(part) for part in operation.path.split("/")):
        _refuse(operation.function, f"has the path {operation.path!r}, whose parameters are not whole segments, each named once")
    if operation.params is None:
        return
    if not attrs.has(operation.params):
        _refuse(operation.function, "takes params that are no attrs class")
    read = {wire_name(field) for field in attrs.fields(operation.params) if place_of(field, names) == "path"}
    if missing := names - read:
        _refuse(operation.function, f"has path parameters that params lacks: {', '.join(sorted(missing))}")


def _refuse(function: Callable[..., Any], why: str) -> typing.NoReturn:
    raise errors.UsageError(f"operation {function.__module__}.{function.__qualname__} {why}")
