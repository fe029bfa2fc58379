import json
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit import errors
from forgekit.webhooks.signatures import payload

DECODERS = [payload.loads_stdlib, *([payload.loads_orjson] if payload.loads_orjson else [])]
MALFORMED = [
    b"",
    b" ",
    b"{",
    b"{} {}",
    b"NaN",
    b"[Infinity]",
    b"-Infinity",
    b"1e999",
    b"-1e999",
    b'{"a": 1,}',
    b"'a'",
    b"\xff",
    b'"\xc3"',
    b'"\xed\xa0\x80"',
    b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"),
    b'"\\ud800"',
    b'"\\uDFFF\\ud800"',
    b'{"\\udead": 1}',
    b'"\n"',
    b"9" * 5000,
    b"[" * 200_000,
    b" [" * 200_000 + b"]" * 200_000,
    b'{"a":' * 200_000,
]


@pytest.fixture(params=DECODERS, ids=lambda decoder: decoder.__name__)
def decoder(request, monkeypatch):
    """Each decoder that is installed, in its place."""
    monkeypatch.setattr(payload, "loads", request.param)


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body[:16]))
def test_malformed_json_is_one_error(decoder, body):
    """Whatever is wrong with a body, by either decoder, it is one error, which does not hold the body."""
    with pytest.raises(errors.PayloadMalformed) as caught:
        payload.parse(body)
    assert caught.value.__suppress_context__
    assert caught.value.message == "The webhook's body is not JSON."


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b" [1.5, -0.0, 1e3, true, null] \n", [1.5, -0.0, 1000.0, True, None]),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\ud800"', "\\ud800"),
        ('"é"'.encode(), "é"),
        (b'"\\u0000"', "\0"),
    ],
)
def test_json_has_one_meaning(decoder, body, value):
    """Both decoders read the same; the last of two members of one name counts."""
    assert payload.parse(body) == value


def test_a_body_as_deep_as_the_stack_is_one_error(decoder):
    """Where the stack is nearly used up, no RecursionError escapes."""

    def descend(levels):
        return payload.parse(b"[" * 500 + b"]" * 500) if levels == 0 else descend(levels - 1)

    try:
        assert isinstance(descend(sys.getrecursionlimit() - 350), list)
    except errors.PayloadMalformed:
        assert payload.loads is payload.loads_stdlib


def test_without_orjson_the_standard_library_reads(monkeypatch):
    """The faster decoder is used where it is installed, and not needed where it is not."""
    monkeypatch.setitem(sys.modules, "orjson", SimpleNamespace(loads=json.loads))
    assert payload.loads_if_installed() is json.loads
    monkeypatch.setitem(sys.modules, "orjson", None)
    assert payload.loads_if_installed() is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON, st.booleans())
def test_whatever_json_writes_is_read_back(value, ascii_only):
    """Every decoder reads what the standard library writes, escaped or not."""
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert all(decode(body) == value for decode in DECODERS)


@given(st.binary() | st.text().map(str.encode))
def test_arbitrary_bytes_are_json_or_one_error(body):
    """Both decoders agree on what is JSON."""
    answers = []
    for decode in DECODERS:
        try:
            answers.append(decode(body))
        except ValueError:
            answers.append("malformed")
    assert all(answer == answers[0] for answer in answers)
