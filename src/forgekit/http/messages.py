"""What goes in and out of an operation: the request's head, its raw form, and answers that are not JSON."""

from __future__ import annotations

import base64
from typing import Generic, Literal, TypeVar
from urllib.parse import quote

import attrs

T = TypeVar("T")

Headers = list[tuple[str, str]]

PAGE_POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
"""The Content-Security-Policy of a `Page` that brings none of its own."""

_SAFE_IN_URL = "/:?#[]@!$&'()*+,;=%~"


@attrs.frozen(kw_only=True)
class RequestHead:
    """Everything about a request but its body.

    Header names are lower case. ``peer`` is the address of the socket's other end as the server knows it, never taken
    from a header; None for a Unix socket. ``path`` is percent-decoded and relative to ``root_path``, where the host
    mounted the application.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = attrs.field(factory=list, repr=False)
    peer: str | None = None
    scheme: str = "http"
    root_path: str = ""

    def header(self, name: str) -> str | None:
        """Give the first value of a header, or None. The name is lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def cookie(self, name: str) -> str | None:
        """Give the value of a cookie, or None."""
        for header, line in self.headers:
            if header == "cookie":
                for part in line.split(";"):
                    key, separator, value = part.strip().partition("=")
                    if separator and key == name:
                        return value.strip('"')
        return None

    @property
    def bearer(self) -> str | None:
        """The token of ``Authorization: Bearer …``, or None."""
        kind, _, token = (self.header("authorization") or "").partition(" ")
        return token.strip() or None if kind.lower() == "bearer" else None

    @property
    def password(self) -> str | None:
        """The password of ``Authorization: Basic …``, whoever the user; None where it is empty or unreadable."""
        kind, _, coded = (self.header("authorization") or "").partition(" ")
        if kind.lower() != "basic":
            return None
        try:
            return base64.b64decode(coded.strip(), validate=True).decode().partition(":")[2] or None
        except ValueError:
            return None


@attrs.frozen(kw_only=True)
class RawRequest:
    """A request as it came, for operations that verify a signature over its exact bytes."""

    headers: Headers = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    peer: str | None = None


@attrs.frozen(kw_only=True)
class Response:
    """A finished answer: what a face sends."""

    status: int
    headers: Headers
    body: bytes = b""


def _one_line_each(_instance: object, _attribute: object, headers: Headers) -> None:
    # A line break in a value would begin a header, or a body, of whoever wrote the value.
    if any(mark in part for header in headers for part in header for mark in "\r\n\0"):
        raise ValueError("a header holds a line break")


@attrs.frozen
class Reply(Generic[T]):
    """An answer whose status or headers the operation decides: ``return Reply(job, status=202)``."""

    value: T
    status: int | None = attrs.field(default=None, kw_only=True)
    headers: Headers = attrs.field(factory=list, kw_only=True, validator=_one_line_each)


@attrs.frozen
class Page:
    """An HTML page, with a strict Content-Security-Policy unless ``headers`` brings another."""

    html: str = attrs.field(repr=False)
    status: int = attrs.field(default=200, kw_only=True)
    headers: Headers = attrs.field(factory=list, kw_only=True, validator=_one_line_each)


@attrs.frozen
class File:
    """Bytes of one media type; with an ``etag`` a client that has them already gets 304."""

    content: bytes = attrs.field(repr=False)
    media_type: str
    etag: str | None = attrs.field(default=None, kw_only=True)
    headers: Headers = attrs.field(factory=list, kw_only=True, validator=_one_line_each)


def _escaped(url: str) -> str:
    return quote(url, safe=_SAFE_IN_URL)


@attrs.frozen
class Redirect:
    """Send the client elsewhere: 303 unless said otherwise. Characters that no URL holds are escaped."""

    url: str = attrs.field(converter=_escaped)
    status: int = attrs.field(default=303, kw_only=True)
    headers: Headers = attrs.field(factory=list, kw_only=True, validator=_one_line_each)


def set_cookie(
    name: str, value: str, *, path: str = "/", max_age: int | None = None, secure: bool = False, same_site: Literal["Lax", "Strict"] = "Lax"
) -> tuple[str, str]:
    """Make a ``Set-Cookie`` header: HttpOnly, kept from other sites; ``max_age`` in seconds, 0 clears the cookie."""
    parts = [f"{name}={value}", f"Path={path}", "HttpOnly", f"SameSite={same_site}"]
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    if secure:
        parts.append("Secure")
    return "Set-Cookie", "; ".join(parts)
