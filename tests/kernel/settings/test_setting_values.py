from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.kernel.secrets import Secret
from forgekit.kernel.settings.values import BadValue, kind_of, plain


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


VALUES = {
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    str: st.text(),
    tuple[str, ...]: st.lists(st.text()).map(tuple),
    Mapping[str, str]: st.dictionaries(st.text(), st.text()),
    Literal["a", "b", 3]: st.sampled_from(["a", "b", 3]),
    Colour: st.sampled_from(Colour),
    Secret: st.text(min_size=1).filter(str.strip).map(Secret),
    int | None: st.none() | st.integers(),
}
KINDS = list(VALUES)


@given(st.data(), st.sampled_from(KINDS))
def test_a_value_survives_storage(data, annotation):
    """Every value of every kind comes back equal from its JSON text."""
    value = data.draw(VALUES[annotation])
    again = kind_of(annotation).check(json.loads(json.dumps(plain(value))))
    assert again == value
    assert type(again) is type(kind_of(annotation).check(value))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=6,
    ),
    st.sampled_from(KINDS),
)
def test_any_value_fits_or_is_refused(value, annotation):
    """Any decoded JSON is taken or refused; nothing else is raised, and nothing is converted."""
    with suppress(BadValue):
        taken = kind_of(annotation).check(value)
        assert isinstance(taken, Secret) or plain(taken) == value


@given(st.text(), st.sampled_from(KINDS))
def test_any_environment_text_fits_or_is_refused(text, annotation):
    """Any environment text is read or refused; nothing else is raised."""
    kind = kind_of(annotation)
    with suppress(BadValue):
        taken = kind.parse(text)
        assert kind.check(taken) == taken


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "5"),
        (int, True),
        (int, 5.0),
        (float, "1.5"),
        (float, True),
        (float, float("nan")),
        (float, float("inf")),
        (bool, 1),
        (bool, "true"),
        (str, 5),
        (str, None),
        (tuple[str, ...], "a,b"),
        (tuple[str, ...], ["a", 1]),
        (Mapping[str, str], {"a": 1}),
        (Literal["a"], "b"),
        (Literal[1], True),
        (Colour, "green"),
        (Secret, ""),
        (Secret, "  "),
        (Secret, 5),
        (int | None, "5"),
    ],
    ids=repr,
)
def test_given_values_are_strict(annotation, value):
    """A value of another type is refused, never converted."""
    with pytest.raises(BadValue):
        kind_of(annotation).check(value)


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, " 5 ", 5),
        (int, "-5", -5),
        (float, "1.5", 1.5),
        (float, "2", 2.0),
        (bool, "Yes", True),
        (bool, "off", False),
        (str, " as it is ", " as it is "),
        (tuple[str, ...], "a, b,", ("a", "b")),
        (list[str], '["a", "b"]', ("a", "b")),
        (dict[str, str], '{"a": "b"}', {"a": "b"}),
        (Colour, "red", Colour.RED),
        (Literal[1, 2], "2", 2),
        (int | None, "5", 5),
    ],
    ids=repr,
)
def test_environment_text_is_read_by_type(annotation, text, value):
    """The environment has only text, so text is what it is read from."""
    assert kind_of(annotation).parse(text) == value


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "5.0"),
        (int, "٣"),
        (int, "1_000"),
        (int, "9" * 5000),
        (float, "nan"),
        (float, "1e999"),
        (bool, "2"),
        (list[str], "[1]"),
        (list[str], "["),
        (list[str], "[" * 100_000),
        (dict[str, str], "a=b"),
        (Colour, "RED"),
        (Secret, ""),
    ],
    ids=lambda part: repr(part)[:30],
)
def test_unreadable_environment_text_is_refused(annotation, text):
    """What the type does not allow is refused, with a message that does not repeat it."""
    with pytest.raises(BadValue) as caught:
        kind_of(annotation).parse(text)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("annotation", [bytes, Any, int | str, object, tuple[int, ...], list[int], dict[str, int], None, "text"], ids=repr)
def test_other_types_are_not_for_settings(annotation):
    """A type that could not be read strictly from every source has no kind."""
    assert kind_of(annotation) is None
