from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import RemoteError, RemoteForbidden, RemoteMalformed, RemoteNotFound, RemoteRefused, RemoteUnauthorized
from forgekit.kernel.net.answers import MAX_PROBLEM, content_of, error_body, shown, text_of
from forgekit.kernel.net.http import Response


def _answer(status, body=None, *, content=None):
    return Response(status=status, headers={}, content=json.dumps(body).encode() if content is None else content, system="acme")


def _shown(response, hide=""):
    return shown(response, "the shelf 7", name="Acme", problem_of=lambda body: text_of(body, "message"), hide=hide)


def _error(status, body=None, *, hide="", **options):
    with pytest.raises(RemoteError) as caught:
        _shown(_answer(status, body, **options), hide)
    return caught.value


def test_a_success_is_its_body():
    """What was asked for comes decoded."""
    assert _shown(_answer(200, {"books": 3})) == {"books": 3}


def test_an_answer_without_a_body_is_a_success():
    """204 has nothing to decode."""
    assert _shown(_answer(204, content=b"")) is None


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, RemoteUnauthorized, "Acme refuses the token: it is wrong, expired or revoked."),
        (403, RemoteForbidden, "Acme does not permit to see the shelf 7: no reason given"),
        (404, RemoteNotFound, "Acme does not know the shelf 7, or not without a token."),
        (410, RemoteNotFound, "Acme does not know the shelf 7, or not without a token."),
        (422, RemoteRefused, "Acme refuses to show the shelf 7: HTTP 422"),
        (302, RemoteMalformed, "Acme redirects the shelf 7: was it renamed?"),
    ],
)
def test_each_status_is_an_error_of_its_own(status, kind, message):
    """The error says what was asked for and why it does not come, and carries the system and the status for programs."""
    error = _error(status)
    assert (type(error), error.message, error.data) == (kind, message, {"system": "acme", "status": status})


def test_who_showed_a_token_is_told_that_it_may_be_the_wrong_one():
    """What a token may not see looks as if it were not there."""
    assert _error(404, hide="secret").message.endswith("or not for this token.")


def test_the_system_s_own_words_are_told():
    """What went wrong stands in the error as one line."""
    assert _error(403, {"message": "not\n\x1byou  there"}).message.endswith("the shelf 7: not you there")


def test_a_proxy_s_page_says_nothing():
    """A body that is no JSON still leaves the status."""
    response = _answer(403, content=b"<h1>No</h1>")
    assert error_body(response) is None
    assert _error(403, content=response.content).message.endswith("no reason given")


def test_a_success_that_is_no_json_is_malformed():
    """Of a page of HTML nobody knows what it says."""
    assert isinstance(_error(200, content=b"<h1>Yes</h1>"), RemoteMalformed)


@given(st.integers(0, MAX_PROBLEM + 20), st.integers(0, 20))
def test_no_part_of_a_secret_is_told(before, after):
    """Wherever a server repeats it, also where the error is cut, a secret does not stand in the error; nor does more than fits."""
    error = _error(422, {"message": "." * before + "sesame\topen" + "." * after}, hide="sesame open")
    problem = error.message.partition(": ")[2]
    assert not {"s", "e"} & set(problem)
    assert len(problem) <= MAX_PROBLEM


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"message": "a", "error": "b"}, "a"),
        ({"message": {"name": ["x"]}, "error": "b"}, "b"),
        ({"message": "", "error": "b"}, "b"),
        ({"error": 5}, ""),
        (["message"], ""),
        (None, ""),
    ],
)
def test_an_error_s_text_is_the_first_that_there_is(body, text):
    """Members of other kinds and other bodies have none."""
    assert text_of(body, "message", "error") == text


def test_a_system_may_say_itself_which_error_it_is():
    """The adapter sees status, words and body, and its error is raised."""
    seen = []

    def fail(refusal):
        seen.append((refusal.system, refusal.status, refusal.problem, refusal.body))
        return RemoteRefused("No.")

    with pytest.raises(RemoteRefused, match=r"No\."):
        content_of(_answer(409, {"id": 7}), fail, problem_of=lambda body: f"it is {body['id']}", redirected="")
    assert seen == [("acme", 409, "it is 7", {"id": 7})]
