from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from forgekit import errors
from forgekit.http import App, Caller, Open, Surface

if TYPE_CHECKING:
    from somewhere import Forge


@attrs.frozen
class Named:
    name: str


@attrs.frozen
class Unreadable:
    raw: bytes


def blocking(request, forge):
    """Guard in a way that may block."""
    return Caller(kind="x")


def takes_stranger(stranger):
    """Take what no operation is given."""


def takes_body_untyped(body):
    """Take a body of no type."""


def takes_both(body: Named, raw):
    """Take the body twice."""


def takes_body(body: Named):
    """Take a body."""


def takes_bytes(body: Unreadable):
    """Take what JSON cannot hold."""


def gives_bytes() -> bytes:
    """Give what JSON cannot hold."""


def takes_int_params(params: int):
    """Take parameters that are no class."""


def takes_params(params: Named):
    """Take parameters."""


def takes_unknown(body: Forge):
    """Take a type that exists for checkers only."""


def nothing():
    """Take nothing."""


@pytest.mark.parametrize(
    ("method", "path", "function", "options", "why"),
    [
        ("GET", "/x", takes_stranger, {}, "stranger"),
        ("POST", "/x", takes_body_untyped, {}, "without an annotation"),
        ("POST", "/x", takes_both, {}, "both"),
        ("GET", "/x", takes_body, {}, "body of a GET"),
        ("POST", "/x", takes_bytes, {}, "bytes"),
        ("POST", "/x", gives_bytes, {}, "bytes"),
        ("POST", "/x", takes_int_params, {}, "no attrs class"),
        ("POST", "/{other}", takes_params, {}, "lacks: other"),
        ("POST", "/x", takes_unknown, {}, "does not resolve"),
        ("FETCH", "/x", nothing, {}, "method"),
        ("GET", "x", nothing, {}, "slash"),
        ("GET", "/a{b}", nothing, {}, "whole segments"),
        ("GET", "/{a}/{a}", nothing, {}, "once"),
        ("GET", "/x", nothing, {"inline": True, "guard": blocking}, "block"),
    ],
)
def test_a_declaration_that_does_not_hold_together_is_refused(method, path, function, options, why):
    """Mistakes show when the module is imported, with the function's name."""
    with pytest.raises(errors.UsageError, match=why):
        Surface("s", guard=Open()).op(method, path, **options)(function)


@pytest.mark.parametrize("prefix", ["api", "/api/"])
def test_a_prefix_has_one_form(prefix):
    """A prefix begins with a slash and ends without one."""
    with pytest.raises(errors.UsageError, match="slash"):
        Surface("s", guard=Open(), prefix=prefix)


def test_the_function_stays_a_function():
    """Declaring changes nothing about the function, and its docstring is the summary."""
    surface = Surface("s", guard=Open())
    assert surface.op("GET", "/x")(nothing) is nothing
    [operation] = surface.operations
    assert (operation.id, operation.summary) == ("s_nothing", "Take nothing.")


def test_the_forge_may_be_a_name_for_checkers(bench, ask_both):
    """Only the annotations that matter are resolved."""
    surface = Surface("s", guard=Open())

    @surface.op("GET", "/x")
    def show(forge: Forge, head: Any) -> str:
        return head.method

    assert ask_both(App([surface], bench), "GET", "/x").body == b'"GET"'


def test_two_surfaces_cannot_claim_one_place(bench):
    """Putting together what collides is an error of the configuration."""
    surface = Surface("s", guard=Open())
    surface.op("GET", "/x")(nothing)
    with pytest.raises(errors.ConfigurationError, match="GET /x"):
        App([surface, surface.at("")], bench)
