from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import EmptySecret
from forgekit.kernel.secrets import Secret

TEXT = "plane_api_0123456789abcdef"


@pytest.mark.parametrize("form", ["{}", "{!r}", "{!s}", "{!a}", "{:>40}", "{:.100}"])
def test_nothing_prints_a_secret(form):
    """Every way to print a secret shows the same mask."""
    assert form.format(Secret(TEXT)).strip() == "Secret(****)"


def test_a_container_shows_no_secret():
    """A secret inside other things stays masked."""
    assert TEXT not in repr({"key": [Secret(TEXT)]})


def test_logging_shows_no_secret(caplog):
    """A secret handed to a logger stays masked."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("x").warning("key %s %r", Secret(TEXT), Secret(TEXT))
    assert TEXT not in caplog.text


def test_reveal_is_the_only_way_in():
    """The text comes out where it is asked for, and nowhere else."""
    secret = Secret(TEXT)
    assert secret.reveal() == TEXT
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        json.dumps(secret)


def test_asdict_of_a_holder_keeps_the_mask():
    """Turning an attrs class into a dict does not open its secrets."""
    holder = attrs.make_class("Holder", ["key"])
    assert TEXT not in repr(attrs.asdict(holder(Secret(TEXT))))


@given(st.text(min_size=1), st.text(min_size=1))
def test_equality_is_by_content(left, right):
    """Two secrets are equal, and hash alike, exactly if their texts are."""
    assert (Secret(left) == Secret(right)) is (left == right)
    assert hash(Secret(left)) == hash(Secret(str(left)))


def test_a_secret_equals_no_plain_text():
    """Comparing with a text is always False, so nobody compares by accident."""
    assert Secret(TEXT) != TEXT


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), min_size=1))
def test_a_secret_survives_copy_and_pickle(text):
    """Copies and pickles are equal to the secret, whatever characters it has."""
    secret = Secret(text)
    assert pickle.loads(pickle.dumps(secret)) == secret  # noqa: S301 -- our own pickle
    assert copy.deepcopy(secret) == copy.copy(secret) == secret


def test_the_empty_text_is_no_secret():
    """An empty secret is a configuration error, wherever it comes from."""
    with pytest.raises(EmptySecret):
        Secret("")


def test_a_secret_is_immutable():
    """No attribute can be set, and the refusal does not show the text."""
    with pytest.raises(AttributeError) as caught:
        Secret(TEXT).other = 1
    assert TEXT not in "".join(traceback.format_exception(caught.value))
