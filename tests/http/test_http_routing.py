from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit import errors
from forgekit.http.routing import Router

SEGMENTS = st.sampled_from(["a", "b", "c", "{x}"])
PATTERNS = st.lists(st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)), max_size=8, unique=True)
PATHS = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))


def naive(patterns, path):
    """Try every pattern, and rank those that fit: fixed before varying, from the left."""
    parts = path.split("/")[1:]
    fitting = []
    for pattern in patterns:
        shape = pattern.split("/")[1:]
        if len(shape) == len(parts) and all(want == part or (want == "{x}" and part) for want, part in zip(shape, parts, strict=True)):
            fitting.append(([want == "{x}" for want in shape], pattern))
    return min(fitting)[1] if fitting else None


@given(PATTERNS, PATHS)
def test_the_most_specific_pattern_wins(patterns, path):
    """The router finds what trying every pattern and ranking by specificity finds."""
    found = Router(("GET", pattern, pattern) for pattern in patterns).find(path)
    assert (found and found.methods["GET"]) == naive(patterns, path)


@given(PATTERNS, PATHS)
def test_values_are_those_of_the_varying_segments(patterns, path):
    """The values are the path's segments at the pattern's parameters, in order."""
    found = Router(("GET", pattern, pattern) for pattern in patterns).find(path)
    if found is not None:
        shape, parts = found.methods["GET"].split("/"), path.split("/")
        assert list(found.values) == [part for want, part in zip(shape, parts, strict=True) if want == "{x}"]


@given(st.text())
def test_any_path_is_survived(path):
    """No text makes the router fail."""
    Router([("GET", "/{x}/{y}", 1)]).find(path)


def test_methods_of_one_path_gather_whatever_their_parameters_are_called():
    """Two operations may name one segment differently."""
    found = Router([("GET", "/p/{id}", 1), ("DELETE", "/p/{name}", 2)]).find("/p/x")
    assert found.methods == {"GET": 1, "DELETE": 2}
    assert found.allow == "DELETE, GET, HEAD, OPTIONS"


def test_one_place_has_one_operation():
    """The same method and pattern twice is refused when the table is put together."""
    with pytest.raises(errors.ConfigurationError, match=r"GET /p/\{name\}"):
        Router([("GET", "/p/{id}", 1), ("GET", "/p/{name}", 2)])


def test_a_long_path_costs_nothing():
    """Depth is bounded by the patterns, not by the path."""
    assert Router([("GET", "/{a}/{b}", 1)]).find("/x" * 100_000) is None
