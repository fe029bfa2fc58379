"""The pure rules of API keys."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.accounts import ApiKey, parse_given_keys
from forgekit.accounts.rules import check_name, check_scopes, digest_of, key_id_of, matching_key, new_key_text
from forgekit.errors import ConfigurationError, InvalidInput

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=","), min_size=1, max_size=60).filter(
    lambda text: not text.lower().startswith("sha256:")
)


def test_a_new_key_names_its_id():
    """The id stands in the text, and two keys are never alike."""
    pairs = [new_key_text() for _ in range(50)]
    assert all(key_id_of(text) == key_id for key_id, text in pairs)
    assert len(set(pairs)) == len({text for _, text in pairs}) == 50


@pytest.mark.parametrize(
    "text", ["", "fk_", "fk_0123456789abcdef_short", "FK_" + "0" * 16 + "_" + "a" * 43, "fk_" + "0" * 16 + "_" + "ä" * 43]
)
def test_other_texts_have_no_id(text):
    """A text of another form than an issued key's names none."""
    assert key_id_of(text) is None


@given(st.lists(PLAIN, min_size=1, max_size=6), st.data())
def test_every_given_key_is_found_and_no_other(keys, data):
    """Keys of the environment are found by their text, written plainly or as a hash; nothing else is."""
    written = [f"sha256:{hashlib.sha256(key.encode()).hexdigest()}" if data.draw(st.booleans()) else key for key in keys]
    given_keys = parse_given_keys(" , ".join(written))
    assert all(matching_key(digest_of(key), given_keys) is not None for key in keys)
    other = data.draw(PLAIN.filter(lambda text: text not in keys))
    assert matching_key(digest_of(other), given_keys) is None


@pytest.mark.parametrize("text", ["", ",", "a,", ",a", "a, ,b", "a b", "käse", "sha256:", "sha256:12", "SHA256:" + "g" * 64, "x" * 513])
def test_what_cannot_be_a_key_is_a_configuration_error(text):
    """An empty or malformed entry is told by its place, and not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        parse_given_keys(text)
    assert "API key" in caught.value.message
    assert not any(len(part) > 3 and part in caught.value.message for part in text.split(",") if not part.lower().startswith("sha256:"))


def test_nothing_that_is_printed_holds_a_hash():
    """The repr of a given key names it and keeps its hash."""
    (key,) = parse_given_keys("made-up")
    assert digest_of("made-up").hex() not in repr(key)
    assert "made-up" not in repr(key)


@pytest.mark.parametrize(("scopes", "sorted_"), [(["b", "a", "b"], ("a", "b")), (("*",), ("*",)), ({"builds.read"}, ("builds.read",))])
def test_scopes_are_sorted_and_kept_once(scopes, sorted_):
    """Scopes have one form."""
    assert check_scopes(scopes) == sorted_


@pytest.mark.parametrize("scopes", [[], "builds", ["Builds"], [""], ["a b"], ["x" * 51]])
def test_what_is_no_scope_is_refused(scopes):
    """A key without a scope, or with a word that is none, is not issued."""
    with pytest.raises(InvalidInput):
        check_scopes(scopes)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_is_for_people(name):
    """A name that people cannot read is refused."""
    with pytest.raises(InvalidInput):
        check_name(name)


@pytest.mark.parametrize(
    ("changes", "usable"),
    [
        ({}, True),
        ({"expires_at": NOW + timedelta(seconds=1)}, True),
        ({"expires_at": NOW}, False),
        ({"revoked_at": NOW - timedelta(days=1)}, False),
    ],
)
def test_a_key_is_usable_until_it_expires_or_is_revoked(changes, usable):
    """The moment of expiry is the first that the key is refused at."""
    assert ApiKey(id="k", name="k", **changes).usable_at(NOW) is usable


@pytest.mark.parametrize(("scopes", "allowed"), [(("*",), True), (("builds",), True), (("other", "builds"), True), (("other",), False)])
def test_a_scope_or_the_star_allows(scopes, allowed):
    """A key allows what it names, and with the star everything."""
    assert ApiKey(id="k", name="k", scopes=scopes).allows("builds") is allowed
