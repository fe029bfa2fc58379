from __future__ import annotations

import io

import pytest

from forgekit.hosting import application

TOKEN = "correct horse"


@pytest.fixture
def guarded(open_forge):
    """A forge whose host asks for its token."""
    return open_forge({"FORGEKIT_HOST_TOKEN": TOKEN})


def sign_in(client, token=TOKEN):
    """Send the form."""
    return client.post("/console/sign-in", json={"token": token}, headers={"Origin": "http://127.0.0.1:8000"})


def test_a_stranger_gets_the_form(guarded, browse):
    """Instead of the page comes the sign-in, and nothing of what the page shows; the script's requests are refused."""
    client = browse(guarded)
    answer = client.get("/")
    assert answer.status_code == 401
    assert 'id="sign-in"' in answer.text
    assert "Connection" not in answer.text
    assert client.get("/console/status").json() == {"detail": "This host asks for its token."}


def test_the_cookie_opens_and_signing_out_closes(guarded, browse):
    """The cookie stands for the token until it is taken back."""
    client = browse(guarded)
    answer = sign_in(client)
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(answer.headers["set-cookie"].split("; "))
    assert client.get("/").status_code == 200
    client.post("/console/sign-out", headers={"Origin": "http://127.0.0.1:8000"})
    assert client.get("/").status_code == 401


def test_tls_keeps_the_cookie_to_itself(guarded, browse):
    """Over https the cookie is never sent in the clear."""
    client = browse(guarded, address="https://127.0.0.1:8000")
    answer = client.post("/console/sign-in", json={"token": TOKEN}, headers={"Origin": "https://127.0.0.1:8000"})
    assert "Secure" in answer.headers["set-cookie"].split("; ")


@pytest.mark.parametrize("token", ["", "wrong", "correct horse ", "ü"])
def test_a_wrong_token_gets_no_cookie(token, guarded, browse):
    """Whatever is not the token is refused."""
    answer = sign_in(browse(guarded), token)
    assert (answer.status_code, answer.json()) == (401, {"detail": "That is not this host's token."})
    assert "set-cookie" not in answer.headers


def test_without_a_token_nobody_signs_in(forge, browse):
    """A host without a token gives no cookie, for an empty one neither."""
    assert sign_in(browse(forge), "").status_code == 401
    assert "Sign out" not in browse(forge).get("/").text


def test_guessing_is_slow(guarded, browse):
    """After some attempts the next one has to wait, the right one too, and is told how long."""
    client = browse(guarded)
    statuses = [sign_in(client, "guess").status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    answer = sign_in(client)
    assert answer.status_code == 429
    assert "Try again in" in answer.json()["detail"]


def test_the_cookie_is_kept_to_the_mount(guarded):
    """Below a path the cookie is sent to that path alone: two forges on one host do not take each other's."""
    sent = []
    body = b'{"token": "correct horse"}'
    environ = {
        "REQUEST_METHOD": "POST", "SCRIPT_NAME": "/back", "PATH_INFO": "/console/sign-in", "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json", "REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(body),
    }  # fmt: skip
    application(guarded, ["console"]).wsgi(environ, lambda status, headers: sent.extend(headers))
    assert "Path=/back" in dict(sent)["Set-Cookie"]
