from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forgekit.http import jsontext

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20)


def portable(monkeypatch):
    """Do without orjson."""
    monkeypatch.setattr(jsontext, "orjson", None)


@pytest.fixture(params=["orjson", "portable"])
def engine(request, monkeypatch):
    """Either way to read and write."""
    if request.param == "portable":
        portable(monkeypatch)
    elif jsontext.orjson is None:
        pytest.skip("orjson is not installed")


def both(function, value):
    """Give what both engines make of a value: a result, or the kind of failure."""
    outcomes = []
    for engine in (jsontext.orjson, None):
        before, jsontext.orjson = jsontext.orjson, engine
        try:
            outcomes.append(repr(function(value)))
        except (ValueError, TypeError):
            outcomes.append("refused")
        finally:
            jsontext.orjson = before
    return outcomes


@given(VALUES)
def test_both_engines_write_what_both_read(value):
    """What is written is read again as it was, by both engines alike."""
    if any(character in json.dumps(value, ensure_ascii=False) for character in ("\0",)) or "\\u0000" in json.dumps(value):
        return
    text = jsontext.dumps(value)
    assert jsontext.loads(text) == value
    first, second = both(jsontext.loads, text)
    assert first == second


@given(st.binary(max_size=40) | VALUES.map(lambda value: json.dumps(value).encode()))
@example(b"NaN")
@example(b"[1e999]")
@example(b"-Infinity")
@example(b'"\\ud800"')
@example(b'{"\\u0000": 1}')
@example(b"123456789012345678901234567890")
@example(b"\xef\xbb\xbf1")
@example("1".encode("utf-16"))
@example(b"[" * 100 + b"]" * 100)
@example(b"[" * 200_000)
@example(b"1" * 5000)
@example(b"")
def test_both_engines_read_alike(raw):
    """Any bytes are read to the same value or refused, whether orjson is there or not."""
    first, second = both(jsontext.loads, raw)
    assert first == second


@pytest.mark.parametrize("value", [math.nan, math.inf, [1, {"a": -math.inf}]])
def test_what_json_cannot_say_is_not_written(engine, value):
    """A float that is not finite is an error, not a null."""
    with pytest.raises(ValueError, match="JSON"):
        jsontext.dumps(value)


def test_a_null_is_written(engine):
    """None is null, which is not mistaken for a lost NaN."""
    assert jsontext.dumps({"a": None, "b": [1.5]}) == b'{"a":null,"b":[1.5]}'


def test_big_integers_are_written(engine):
    """Integers beyond 64 bits are written in full."""
    assert jsontext.dumps(2**70) == str(2**70).encode()


def test_nesting_is_bounded(engine):
    """Depth up to the bound is read, one more is refused."""
    deep = jsontext.MAX_DEPTH
    assert jsontext.loads(b"[" * deep + b"]" * deep)
    with pytest.raises(ValueError, match="deeper"):
        jsontext.loads(b"[" * (deep + 1) + b"]" * (deep + 1))


@pytest.mark.parametrize("raw", [b'"\\u0000"', b'[{"a\\u0000": 1}]', b'["\\udfff"]'])
def test_text_that_no_database_takes_is_refused(engine, raw):
    """NUL characters and lone surrogates are refused wherever they hide."""
    with pytest.raises(ValueError, match=r"NUL|JSON"):
        jsontext.loads(raw)


def test_many_small_containers_are_not_deep(engine):
    """A wide body is not taken for a deep one."""
    assert len(jsontext.loads(b"[" + b"[],{}," * 500 + b'"\\u00e9"]')) == 1001


def test_a_million_values_are_read_and_no_more(engine):
    """The bound counts commas before anything is parsed, so that a small body cannot become a large object."""
    most = jsontext.MAX_VALUES
    assert len(jsontext.loads(b"[" + b"0," * most + b"0]")) == most + 1
    for raw in (b"[" + b"0," * (most + 1) + b"0]", b"{}," * (most + 1)):
        with pytest.raises(ValueError, match=f"more than {most} values"):
            jsontext.loads(raw)
