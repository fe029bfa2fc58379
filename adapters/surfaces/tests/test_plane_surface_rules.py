"""The surface's pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit_surfaces.plane.rules import mask, same_server

keys = st.text(min_size=1, max_size=60)


@given(keys)
def test_a_mask_shows_at_most_four_characters_of_the_rest(key):
    """Besides the known prefix a masked key shows four characters, and only of a rest of twelve."""
    rest = key.removeprefix("plane_api_")
    shown = mask(key).removeprefix("plane_api_").removeprefix("****")
    assert shown == (rest[-4:] if len(rest) >= 12 else "")


@given(st.text(alphabet="0123456789abcdef", min_size=12, max_size=64))
def test_the_documented_form(rest):
    """A key of Plane's has the form that the document prints."""
    assert mask(f"plane_api_{rest}") == f"plane_api_****{rest[-4:]}"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://plane", "http://plane/", True),
        ("http://plane", "HTTP://PLANE:80/api/v1/", True),
        ("https://plane", "https://plane:443", True),
        ("http://plane", "https://plane", False),
        ("http://plane", "http://plane:8080", False),
        ("http://plane", "http://plane.evil.example", False),
        ("http://plane/a", "http://plane/b", False),
        ("http://plane", None, False),
        ("http://plane", "http://plane:port", False),
        ("http://[bad", "http://[bad", True),
        (None, None, True),
    ],
)
def test_which_addresses_are_one_servers(one, other, same):
    """The scheme, the host, the port and the path decide, however they are written."""
    assert same_server(one, other) is same
    assert same_server(other, one) is same


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_two_texts_can_be_compared(one, other):
    """No text makes the comparison fail, and a text is its own server's."""
    assert same_server(one, other) is same_server(other, one)
    assert same_server(one, one)
