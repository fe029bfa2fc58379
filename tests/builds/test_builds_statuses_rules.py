"""The words of build systems, in the spellings that they have there."""

from __future__ import annotations

from itertools import product

import pytest

from forgekit.builds import Status, parse_status


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("timed out", Status.TIMED_OUT),
        ("in progress", Status.RUNNING),
        ("startup failure", Status.ERRORED),
        ("waiting for resource", Status.QUEUED),
        ("not run", Status.SKIPPED),
    ],
)
def test_any_spelling_of_a_word_is_that_word(words, status):
    """Case, blanks around it, and whether blanks, hyphens or underscores part it, make no difference to a status."""
    spellings = [f" {case(words.replace(' ', gap))}\n" for case, gap in product((str.lower, str.upper, str.title), " -_")]
    assert {parse_status(spelling) for spelling in spellings} == {status}


@pytest.mark.parametrize("word", ["", "green", "timed.out", "not passed"])
def test_a_word_that_nobody_uses_is_refused(word):
    """What is no system's word is no status, however near it comes to one."""
    with pytest.raises(ValueError, match="no status"):
        parse_status(word)
