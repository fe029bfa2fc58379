"""Who may call: guards look at a request's head, before its body is read, and name the caller or refuse."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

import attrs

from forgekit import errors
from forgekit.http.messages import RequestHead

HOST_COOKIE = "forgekit_host"
"""The cookie that stands in for the host's token in a browser."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})


@attrs.frozen(kw_only=True)
class Caller:
    """Who calls: the guard's finding.

    Attributes:
        kind: What the guard believed: ``open``, ``host``, ``user``, ``key``…
        id: Stable name of the caller within its kind; None where nobody in particular calls.
        scopes: What the credentials allow.
        subject: Whatever else the guard knows (the user's record), for the operations of the same surface.

    """

    kind: str
    id: str | None = None
    scopes: frozenset[str] = frozenset()
    subject: Any = attrs.field(default=None, repr=False, eq=False)


class Guard(Protocol):
    """Decides who calls. Any callable of this form will do.

    Three attributes are looked for on it:

    - ``inline`` (bool, default False): the guard never blocks, so the ASGI face calls it on the event loop;
    - ``schemes`` (mapping, default empty): OpenAPI security schemes, any one of which suffices;
    - ``challenge`` (str, default none): the WWW-Authenticate value of its 401.
    """

    def __call__(self, request: RequestHead, forge: Any, /) -> Caller:
        """Name the caller.

        Raises:
            errors.Unauthenticated: No credentials, or wrong ones.
            errors.PermissionDenied: These credentials, or this place, may not.

        """


@attrs.frozen
class Open:
    """Lets everybody in."""

    inline: ClassVar[bool] = True

    def __call__(self, request: RequestHead, forge: Any, /) -> Caller:  # noqa: ARG002 - the port's signature
        """Name nobody in particular."""
        return Caller(kind="open")


@attrs.frozen
class HostGuard:
    """The host's own guard: a token where one is set, else this machine alone.

    With a token, every caller shows it as ``Authorization: Bearer`` or as the cookie of `host_cookie`; who does not is
    asked for it (401). Without one, only peers on the loopback interface get in (403): the address is the socket's,
    ``X-Forwarded-For`` is never believed, and an unknown address (a Unix socket) is not loopback. The Host header must
    then name the loopback too, since a page elsewhere can point a name of its own at 127.0.0.1 (DNS rebinding) and
    browsers send neither Origin nor Sec-Fetch-Site with such a request.

    A browser's request from another site is refused (403) in either case, unless a person followed a link to a page; one
    that changes something and relies on the cookie must prove that it comes from our own pages.

    Attributes:
        token: Gives the token that is in force, or None; called for every request on the event loop, so it must not block.
        otherwise: Asked when credentials other than the host's are shown while a token is set (an administrator's key).

    """

    token: Callable[[Any], str | None]
    otherwise: Guard | None = None

    schemes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "hostToken": {"type": "http", "scheme": "bearer", "description": "The host's token; loopback callers need none while it is unset."},
    }
    challenge: ClassVar[str] = "Bearer"

    @property
    def inline(self) -> bool:
        """Whether the guard never blocks: so it is unless another guard is asked."""
        return self.otherwise is None or bool(getattr(self.otherwise, "inline", False))

    def __call__(self, request: RequestHead, forge: Any, /) -> Caller:
        """Admit the host's owner.

        Raises:
            errors.Unauthenticated: A token is set and was not shown.
            errors.PermissionDenied: Not from this machine, or from a page of another site.
            errors.EmptySecret: The token is set and empty.

        """
        if _is_foreign_page(request):
            raise errors.PermissionDenied("Requests from pages of other sites are refused.")
        token = self.token(forge)
        if token is None:
            _require_loopback(request)
        elif not token:
            raise errors.EmptySecret
        elif not _shows_token(request, token):
            return self._ask_other(request, forge)
        return Caller(kind="host", id="host", scopes=frozenset({"host"}))

    def _ask_other(self, request: RequestHead, forge: Any) -> Caller:
        if self.otherwise is None or request.bearer is None:
            raise errors.Unauthenticated("This host asks for its token.")
        return self.otherwise(request, forge)


def host_cookie(token: str) -> str:
    """Derive the value of the `HOST_COOKIE` from the host's token, which it does not reveal."""
    return hmac.new(token.encode(), b"forgekit host cookie v1", hashlib.sha256).hexdigest()


def is_loopback(peer: str | None) -> bool:
    """Tell whether an address is of the loopback interface (127.0.0.0/8, ::1, ::ffff:127.0.0.0/104)."""
    try:
        address = ipaddress.ip_address(peer or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _is_loopback_name(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    return name == "localhost" or name.endswith(".localhost") or is_loopback(name)


def _require_loopback(request: RequestHead) -> None:
    host = request.header("host")
    try:
        near = is_loopback(request.peer) and (host is None or _is_loopback_name(host))
    except ValueError:  # a Host header that is no host
        near = False
    if not near:
        raise errors.PermissionDenied("Without a host token only callers on this machine are admitted.")


def _shows_token(request: RequestHead, token: str) -> bool:
    bearer = request.bearer
    if bearer is not None:
        return hmac.compare_digest(bearer.encode(), token.encode())
    cookie = request.cookie(HOST_COOKIE)
    if cookie is None or not hmac.compare_digest(cookie.encode(), host_cookie(token).encode()):
        return False
    if request.method not in _SAFE_METHODS and not _is_own_page(request):
        raise errors.PermissionDenied("A change by cookie must come from a page of this host.")
    return True


def _is_foreign_page(request: RequestHead) -> bool:
    site = request.header("sec-fetch-site")
    if site is not None and site not in _OWN_SITES:
        return not _is_followed_link(request)
    return request.header("origin") is not None and not _origin_is_ours(request)


def _is_followed_link(request: RequestHead) -> bool:
    # A person followed a link to a page: the site with the link sees nothing of the answer, and reading changes nothing.
    marks = (request.method, request.header("sec-fetch-mode"), request.header("sec-fetch-dest"))
    return marks == ("GET", "navigate", "document")


def _is_own_page(request: RequestHead) -> bool:
    return request.header("sec-fetch-site") == "same-origin" or _origin_is_ours(request)


def _origin_is_ours(request: RequestHead) -> bool:
    # The scheme is left out: behind a proxy that ends TLS the server does not know the browser's.
    origin, host = request.header("origin"), request.header("host")
    _, _, authority = (origin or "").partition("://")
    return bool(authority) and authority == host
