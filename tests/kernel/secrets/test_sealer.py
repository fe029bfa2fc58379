from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import ConfigurationError, SealBroken
from forgekit.kernel.secrets import Sealer

OLD, NEW = ("old", b"o" * 32), ("new", b"n" * 32)
CONTEXT = "settings|plane|api_key"
ENVELOPE_LETTERS = string.ascii_letters + string.digits + "-_.="

any_text = st.text(alphabet=st.characters(codec=None, exclude_categories=()))


@given(any_text, any_text)
def test_what_is_sealed_can_be_opened(plain, context):
    """Every text comes back from its envelope in its own context."""
    sealer = Sealer([NEW])
    assert sealer.open(sealer.seal(plain, context), context) == plain


@given(st.text(min_size=8))
def test_an_envelope_shows_neither_text_nor_repetition(plain):
    """The text is not in the envelope, and sealing it again makes another one."""
    sealer = Sealer([NEW])
    first, second = sealer.seal(plain, CONTEXT), sealer.seal(plain, CONTEXT)
    assert plain not in first
    assert first != second
    assert first.startswith("v1.new.")


@given(st.text(max_size=40), st.data())
def test_any_changed_character_breaks_the_seal(plain, data):
    """Replacing any one character of an envelope is noticed, the spare bits of base64 included."""
    envelope = Sealer([OLD]).seal(plain, CONTEXT)
    place = data.draw(st.integers(0, len(envelope) - 1))
    letter = data.draw(st.sampled_from(ENVELOPE_LETTERS).filter(lambda letter: letter != envelope[place]))
    with pytest.raises(SealBroken) as caught:
        Sealer([OLD, NEW]).open(envelope[:place] + letter + envelope[place + 1 :], CONTEXT)
    assert envelope not in str(caught.value)


@given(st.data())
def test_a_shortened_or_lengthened_envelope_is_broken(data):
    """Cutting an envelope anywhere, or appending to it, is noticed."""
    envelope = Sealer([NEW]).seal("content", CONTEXT)
    cut = data.draw(st.integers(0, len(envelope) - 1))
    for altered in (envelope[:cut], envelope + data.draw(st.sampled_from(ENVELOPE_LETTERS))):
        with pytest.raises(SealBroken):
            Sealer([NEW]).open(altered, CONTEXT)


@given(any_text)
def test_anything_else_is_no_envelope(text):
    """Arbitrary text is refused as a broken seal, by ``open`` and by ``key_id``."""
    for look in (lambda: Sealer([NEW]).open(text, CONTEXT), lambda: Sealer([NEW]).key_id(text)):
        with pytest.raises(SealBroken):
            look()


@given(any_text.filter(lambda context: context != CONTEXT))
def test_an_envelope_opens_in_its_own_context_only(context):
    """An envelope moved to another row or field is worth nothing there."""
    envelope = Sealer([NEW]).seal("content", CONTEXT)
    with pytest.raises(SealBroken):
        Sealer([NEW]).open(envelope, context)


def test_every_key_opens_and_the_first_seals():
    """After a rotation old envelopes still open, and new ones carry the new key's id."""
    envelope = Sealer([OLD]).seal("content", CONTEXT)
    both = Sealer([NEW, OLD])
    assert both.open(envelope, CONTEXT) == "content"
    assert both.key_id(envelope) == "old"
    assert both.key_id(both.seal("content", CONTEXT)) == both.current == "new"


def test_an_unknown_key_is_told_by_its_id():
    """A seal by a key that is not at hand names the key, and nothing of the content."""
    envelope = Sealer([OLD]).seal("content", CONTEXT)
    with pytest.raises(SealBroken) as caught:
        Sealer([NEW]).open(envelope, CONTEXT)
    assert caught.value.data == {"key_id": "old"}


def test_a_key_id_cannot_be_swapped():
    """An envelope relabelled with the id of another key with the same bytes does not open."""
    twins = Sealer([("a", b"k" * 32), ("b", b"k" * 32)])
    relabelled = twins.seal("content", CONTEXT).replace("v1.a.", "v1.b.")
    with pytest.raises(SealBroken):
        twins.open(relabelled, CONTEXT)


@pytest.mark.parametrize(
    "keys",
    [[], [("a", b"short")], [("a.b", b"k" * 32)], [("", b"k" * 32)], [("a", b"k" * 32), ("a", b"l" * 32)], [("ä", b"k" * 32)]],
    ids=["none", "short", "dotted id", "empty id", "repeated id", "non-ASCII id"],
)
def test_unusable_keys_are_refused(keys):
    """Keys that could not work are a configuration error at once, not at the first secret."""
    with pytest.raises(ConfigurationError):
        Sealer(keys)


def test_a_sealer_shows_no_key():
    """Its representation names keys by id."""
    assert repr(Sealer([NEW, OLD])) == "Sealer(new, old)"
