import pytest

from forgekit import errors
from forgekit.webhooks.signatures.headers import MAX_HEADER, HeaderReader, first

READER = HeaderReader(["X-Signature", "X-Event"])


@pytest.mark.parametrize(
    "headers",
    [
        {"x-signature": "abc", "other": "ignored"},
        {"X-SIGNATURE": "abc"},
        [("X-Signature", "abc"), ("Accept", "ä"), ("Accept", "\ud800")],
        [(b"x-signature", b"abc"), (b"accept", b"\xff\xfe")],
        [(b"X-Signature", b"abc"), (b"x-signature", b"abc")],
        (("X-signature", "abc"),),
    ],
)
def test_headers_are_found_in_any_form(headers):
    """Mappings, pairs of text and pairs of bytes, in any case, all read alike; other headers are not looked at."""
    assert READER.read(headers) == {"X-Signature": "abc"}


@pytest.mark.parametrize("value", ["ä", "\u0660", "a\x00", "a\n", "\ud800", "a\tb", "\x7f", b"\xff", b"a\r\nb", b"\x00"], ids=repr)
def test_only_printable_ascii_is_read(value):
    """Anything else in a header that counts is refused, as text and as bytes."""
    with pytest.raises(errors.SignatureInvalid, match="printable ASCII") as caught:
        READER.read([(b"x-event" if isinstance(value, bytes) else "x-event", value)])
    assert caught.value.data == {"header": "X-Event"}


@pytest.mark.parametrize("character", ["a", b"a"], ids=repr)
def test_a_header_has_a_largest_length(character):
    """The longest header is read, and one character more is refused."""
    name = "X-Event" if isinstance(character, str) else b"x-event"
    assert len(READER.read([(name, character * MAX_HEADER)])["X-Event"]) == MAX_HEADER
    with pytest.raises(errors.SignatureInvalid, match="longer than"):
        READER.read([(name, character * (MAX_HEADER + 1))])


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Signature", "abc"), ("x-signature", "abd")],
        [(b"x-signature", b"abc"), (b"x-signature", b"")],
        {"X-Signature": "abc", "x-signature": "abd"},
        [("X-Event", "push"), ("X-Event", "ping")],
    ],
)
def test_a_header_with_two_values_is_refused(headers):
    """Which of two values a proxy or another framework would have read cannot be known."""
    with pytest.raises(errors.SignatureInvalid, match="twice"):
        READER.read(headers)


def test_a_look_alike_is_another_header():
    """The Kelvin sign is a "k" in lower case, and still no header of ours."""
    assert HeaderReader(["webhook-id"]).read({"webhoo\u212a-id": "x"}) == {}


def test_an_empty_header_counts_as_absent():
    """The first header with something in it is taken."""
    assert first({"a": "", "b": "2", "c": "3"}, ["a", "b", "c"]) == "2"
    assert first({"a": ""}, ["a", "z"]) is None
