"""Signing in and out: a cookie that stands for the host's token."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import attrs
from attrs import validators

from forgekit.errors import Unauthenticated
from forgekit.hosting import host_token
from forgekit.http import HOST_COOKIE, Open, Reply, RequestHead, Surface, host_cookie, set_cookie
from forgekit.kernel.net.buckets import limit

if TYPE_CHECKING:
    from forgekit import Forge

SIGN_INS = limit("console.sign-in", "10/minute", doc="Attempts to sign in to the pages with the host's token, by the caller's address.")

_LASTS = 7 * 86_400
"""Seconds until a browser has to sign in again."""


@attrs.frozen(kw_only=True)
class Token:
    """What the sign-in form sends."""

    token: str = attrs.field(validator=validators.max_len(4096), repr=False)


@attrs.frozen
class SignedIn:
    """Whether the browser now has the cookie."""

    signed_in: bool


def declare_session(surface: Surface) -> None:
    """Declare how one signs in and out."""

    @surface.op("POST", "/console/sign-in", guard=Open(), limit=SIGN_INS.name, hidden=True)
    def sign_in(forge: Forge, head: RequestHead, body: Token) -> Reply[SignedIn]:
        """Take the host's token and give the cookie that stands for it."""
        token = host_token(forge)
        if not token or not hmac.compare_digest(body.token.encode(), token.encode()):
            raise Unauthenticated("That is not this host's token.")
        return Reply(SignedIn(signed_in=True), headers=[_cookie(head, host_cookie(token), _LASTS)])

    @surface.op("POST", "/console/sign-out", hidden=True)
    def sign_out(head: RequestHead) -> Reply[SignedIn]:
        """Take the cookie back from this browser."""
        return Reply(SignedIn(signed_in=False), headers=[_cookie(head, "", 0)])


def _cookie(head: RequestHead, value: str, max_age: int) -> tuple[str, str]:
    path = head.root_path or "/"
    return set_cookie(HOST_COOKIE, value, path=path, max_age=max_age, secure=head.scheme == "https", same_site="Strict")
