from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit import errors
from forgekit.http import HOST_COOKIE, Caller, HostGuard, Open, RequestHead, host_cookie
from forgekit.http.guards import is_loopback

TOKEN = "the host's token"
BEARER = ("authorization", f"Bearer {TOKEN}")
COOKIE = ("cookie", f"a=b; {HOST_COOKIE}={host_cookie(TOKEN)}")
SAME = ("sec-fetch-site", "same-origin")
LOCAL = ("host", "localhost:8000")


def head(*headers, method="GET", peer="127.0.0.1"):
    """Make a request's head."""
    return RequestHead(method=method, path="/", headers=list(headers), peer=peer)


def verdict(request, token=None, otherwise=None):
    """Say what the host's guard makes of a request."""
    try:
        return HostGuard(token=lambda _: token, otherwise=otherwise)(request, None).kind
    except (errors.Unauthenticated, errors.PermissionDenied) as refusal:
        return refusal.code


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("127.0.0.1", "host"),
        ("127.9.9.9", "host"),
        ("::1", "host"),
        ("::ffff:127.0.0.1", "host"),
        ("10.0.0.1", "permission_denied"),
        ("::ffff:10.0.0.1", "permission_denied"),
        ("128.0.0.1", "permission_denied"),
        ("localhost", "permission_denied"),
        ("", "permission_denied"),
        (None, "permission_denied"),
    ],
)
def test_without_a_token_only_this_machine_is_admitted(peer, expected):
    """The socket's address decides; an unknown one is not this machine."""
    assert verdict(head(LOCAL, peer=peer)) == expected


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_forwarded_addresses_are_not_believed(name):
    """No header makes a far caller near, nor a near one far."""
    assert verdict(head(LOCAL, (name, "127.0.0.1"), peer="10.0.0.1")) == "permission_denied"
    assert verdict(head(LOCAL, (name, "10.0.0.1"))) == "host"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", "host"),
        ("app.localhost:80", "host"),
        ("127.0.0.1:8000", "host"),
        ("[::1]:8000", "host"),
        ("evil.example", "permission_denied"),
        ("localhost.evil.example", "permission_denied"),
        ("[", "permission_denied"),
        ("", "permission_denied"),
    ],
)
def test_without_a_token_the_host_must_be_this_machine_by_name(host, expected):
    """A page elsewhere whose name was pointed at 127.0.0.1 gets nowhere."""
    assert verdict(head(("host", host))) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([BEARER], "host"),
        ([("authorization", f"bearer  {TOKEN} ")], "host"),
        ([("authorization", "Bearer wrong")], "unauthenticated"),
        ([("authorization", "Bearer é")], "unauthenticated"),
        ([("authorization", f"Basic {TOKEN}")], "unauthenticated"),
        ([], "unauthenticated"),
        ([COOKIE], "host"),
        ([("cookie", f"{HOST_COOKIE}={TOKEN}")], "unauthenticated"),
        ([("authorization", "Bearer wrong"), COOKIE], "unauthenticated"),
    ],
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.1", None])
def test_with_a_token_everybody_shows_it(headers, expected, peer):
    """Near or far, the token or its cookie is asked for."""
    assert verdict(head(*headers, peer=peer), TOKEN) == expected


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize(
    "foreign", [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
)
def test_pages_of_other_sites_are_refused(token, foreign):
    """A browser's request from elsewhere is refused, whatever it carries."""
    assert verdict(head(LOCAL, BEARER, foreign), token) == "permission_denied"


LINK = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")]


def test_a_link_on_another_site_may_be_followed():
    """A person who follows a link to a page sees it."""
    assert verdict(head(*LINK)) == "host"


@pytest.mark.parametrize(
    ("method", "mode", "dest"),
    [("POST", "navigate", "document"), ("GET", "cors", "document"), ("GET", "no-cors", "image"), ("GET", "navigate", "iframe")],
)
def test_only_a_followed_link_may_come_from_another_site(method, mode, dest):
    """Forms, scripts, images and frames of other sites are refused."""
    marks = [LINK[0], ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)]
    assert verdict(head(*marks, method=method)) == "permission_denied"


@pytest.mark.parametrize("near", [("origin", "http://localhost:8000"), SAME, ("sec-fetch-site", "none")])
def test_own_pages_are_admitted(near):
    """A browser's request from a page of this host is like any other."""
    assert verdict(head(LOCAL, near)) == "host"


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        ([SAME], "host"),
        ([("origin", "http://localhost:8000")], "host"),
        ([], "permission_denied"),
        ([("sec-fetch-site", "none")], "permission_denied"),
    ],
)
def test_a_change_by_cookie_proves_where_it_comes_from(proof, expected):
    """A cookie alone changes nothing: the request must come from a page of this host."""
    assert verdict(head(LOCAL, COOKIE, *proof, method="POST"), TOKEN) == expected


def test_an_empty_token_is_an_error():
    """A token that was set to nothing admits nobody."""
    with pytest.raises(errors.EmptySecret):
        HostGuard(token=lambda _: "")(head(LOCAL), None)


def test_another_guard_is_asked_for_other_credentials():
    """A bearer that is not the host's goes to the other guard; no bearer does not."""

    def admin(request, _forge):
        return Caller(kind=request.bearer or "?")

    assert verdict(head(("authorization", "Bearer key")), TOKEN, admin) == "key"
    assert verdict(head(), TOKEN, admin) == "unauthenticated"
    assert HostGuard(token=lambda _: None).inline
    assert not HostGuard(token=lambda _: None, otherwise=admin).inline
    assert HostGuard(token=lambda _: None, otherwise=Open()).inline


def test_the_cookie_does_not_tell_the_token():
    """The cookie is derived one way, and differs by token."""
    assert TOKEN not in host_cookie(TOKEN)
    assert host_cookie(TOKEN) != host_cookie(TOKEN + "x")


@given(st.text())
def test_any_address_is_judged(text):
    """No text makes the judgement fail, and only loopback addresses pass."""
    assert is_loopback(text) in (True, False)


@given(st.lists(st.tuples(st.sampled_from(["host", "origin", "cookie", "authorization", "sec-fetch-site"]), st.text()), max_size=5))
def test_any_headers_are_judged(headers):
    """Whatever the headers hold, the guard admits or refuses."""
    for token in (None, TOKEN):
        assert verdict(head(*headers), token) in ("host", "permission_denied", "unauthenticated")
