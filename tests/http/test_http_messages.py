from __future__ import annotations

import pytest

from forgekit import errors
from forgekit.http import HOST_COOKIE, File, Page, ProblemTable, Redirect, Reply, RequestHead, rfc9457_problems, set_cookie
from forgekit.http.failures import BodyMalformed


def head(*headers):
    """Make a request's head."""
    return RequestHead(method="GET", path="/", headers=list(headers))


@pytest.mark.parametrize(
    ("options", "extra"),
    [({}, ""), ({"max_age": 0}, "; Max-Age=0"), ({"max_age": 60, "secure": True}, "; Max-Age=60; Secure")],
)
def test_cookies_are_kept_from_scripts(options, extra):
    """A cookie is HttpOnly and SameSite, and may be limited in time and to TLS."""
    assert set_cookie(HOST_COOKIE, "v", **options) == ("Set-Cookie", f"{HOST_COOKIE}=v; Path=/; HttpOnly; SameSite=Lax{extra}")


def test_a_cookie_may_be_kept_from_every_other_site():
    """A strict cookie is not even sent along when somebody follows a link to us."""
    assert "SameSite=Strict" in set_cookie(HOST_COOKIE, "v", same_site="Strict")[1]


@pytest.mark.parametrize(("line", "value"), [("a=1; b=2", "2"), ('b="2"', "2"), ("b", None), ("", None), ("ab=1", None), ("b=2=3", "2=3")])
def test_cookies_are_found(line, value):
    """A cookie is found by its whole name, in any of the lines."""
    assert head(("cookie", "x=y"), ("cookie", line)).cookie("b") == value


@pytest.mark.parametrize(
    ("line", "password"),
    [
        ("Basic Y2k6YTpi", "a:b"),
        ("basic  OmtleQ== ", "key"),
        ("Basic Y2k6", None),
        ("Basic Y2k=", None),
        ("Basic ?", None),
        ("Basic gDqA", None),
        ("Basic", None),
        ("Bearer Y2k6YTpi", None),
        ("", None),
    ],
)
def test_a_password_is_read_from_basic_authentication(line, password):
    """What stands after the first colon is the password; what is unreadable or empty is none."""
    assert head(("authorization", line)).password == password


def test_headers_hide_from_repr():
    """The headers of a request, which carry credentials, are not in its repr."""
    assert "secret" not in repr(head(("authorization", "Bearer secret")))


@pytest.mark.parametrize("url", ["/a b", "/\r\nX: 1", "https://example.org/ü?q=1&r=%20#f"])
def test_redirects_hold_no_control_characters(url):
    """Whatever the address holds, the header is one line of ASCII, and escapes that are there stay."""
    escaped = Redirect(url).url
    assert escaped.isascii()
    assert escaped.isprintable()
    assert ("%20#f" in escaped) == ("#f" in url)


@pytest.mark.parametrize("answer", [Reply, Page, Redirect, lambda value, headers: File(b"", value, headers=headers)])
def test_headers_are_one_line_each(answer):
    """No answer takes a header with a line break, wherever its value came from."""
    with pytest.raises(ValueError, match="line break"):
        answer("x", headers=[("X-Name", "a\r\nSet-Cookie: b=c")])


def test_the_most_specific_class_decides():
    """A class without a status has its base's; one nobody knows has the status of a bug."""
    table = rfc9457_problems({errors.NotFound: 410})
    statuses = {kind: table(kind()).status for kind in (errors.ProjectNotFound, BodyMalformed, errors.RemoteConflict, errors.GitFailed)}
    assert list(statuses.values()) == [410, 400, 502, 500]


def test_problem_details_list_wrong_fields():
    """Field problems stand under ``errors``."""
    wrong = errors.InvalidInput("No.", problems=[{"pointer": "/a", "message": "is required"}])
    body = rfc9457_problems()(wrong).body
    assert (body["title"], body["status"], body["errors"]) == ("No.", 422, [{"pointer": "/a", "message": "is required"}])


def test_a_shape_is_a_function():
    """Any function of error and status shapes the body."""
    table = ProblemTable(shape=lambda error, status: [status, error.code])
    assert table(errors.Conflict()).body == [409, "conflict"]
