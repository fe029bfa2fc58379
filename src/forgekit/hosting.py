"""What a host application needs: the chosen surfaces of a forge as one mountable application, and the guard before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, ClassVar

import attrs

from forgekit.builds.settings import BuildSettings
from forgekit.configuration import ForgeSettings
from forgekit.errors import ForgekitError, InvalidInput, PermissionDenied, Unauthenticated, UnknownPlugin
from forgekit.forge import Forge
from forgekit.http import App, Caller, HostGuard, RequestHead, Surface, detail_problems
from forgekit.http.limits import Limiter, LimitState
from forgekit.http.problems import Problem
from forgekit.kernel.net.buckets import Buckets
from forgekit.webhooks.settings import WebhookSettings

INTEGRATION = "integration"
"""A surface whose paths clash with others': it goes under a prefix of its own unless it is alone."""

_PROBLEMS = detail_problems({InvalidInput: 400})


def application(forge: Forge, surfaces: Sequence[str] = (), *, prefixes: dict[str, str] | None = None) -> App:
    """Mount surfaces of a forge in one application; ``.asgi`` and ``.wsgi`` of the result go into any host.

    Args:
        forge: The forge that they show; it must live as long as the application.
        surfaces: Their names; all that the forge's plugins offer when empty.
        prefixes: A further path before a surface's own, by name.

    Raises:
        UnknownPlugin: No plugin offers a surface of that name.
        SettingsInvalid: ``FORGEKIT_LIMITS`` holds something that is no rate, or what the program or the environment gives for a
            tracker, for builds or for a source of them is wrong: better told now than to every caller.
        EmptySecret: A secret of webhooks is empty.

    """
    offered = forge.surfaces()
    chosen = list(surfaces) or sorted(offered)
    unknown = [name for name in chosen if name not in offered]
    if unknown:
        raise UnknownPlugin(f"No plugin offers the surface {unknown[0]!r} (offered: {', '.join(sorted(offered))}).", name=unknown[0])
    _check_given(forge)
    places = {INTEGRATION: "/integration"} if len(chosen) > 1 else {}
    places.update(prefixes or {})
    made = [_placed(offered[name](forge), places.get(name)) for name in chosen]
    return App(made, forge, limiter=_limiter(forge), title="forgekit", version=version("forgekit-core"))


def _check_given(forge: Forge) -> None:
    outside = [tracker.settings for tracker in forge.trackers.values()] + [source.settings for source in forge.build_sources.values()]
    for cls in (BuildSettings, *outside):
        forge.settings.check_given(cls)
    _ = forge.settings.snapshot(WebhookSettings).signing_secrets  # read, and so checked, when it is asked for


def _placed(surface: Surface, prefix: str | None) -> Surface:
    return surface.at(prefix) if prefix else surface


def _limiter(forge: Forge) -> Limiter:
    """Return what counts the calls of operations that name a limit: in this process, or in Redis where one is configured."""
    own = forge.settings.snapshot(ForgeSettings)
    buckets = Buckets(own.limits, redis_url=own.redis_url)
    buckets.check()
    forge.on_close(buckets.close)

    def take(name: str, key: str, /) -> LimitState | None:
        standing = buckets.hit(name, key)
        if standing is None:
            return None
        return LimitState(limit=standing.limit, remaining=standing.remaining, reset_after=standing.reset_after)

    return take


def host_guard() -> HostGuard:
    """Return the guard that stands before the guarded operations.

    With ``FORGEKIT_HOST_TOKEN`` set everyone needs the token; without it only this machine may call.
    """
    return HostGuard(token=host_token)


def host_token(forge: Forge) -> str | None:
    """Return the host's token from a snapshot of the settings; None where none is set."""
    token = forge.settings.snapshot(ForgeSettings).host_token
    return None if token is None else token.reveal()


@attrs.frozen
class ApiKeyGuard:
    """Admits callers that show an API key: ``Authorization: Bearer …``, and no other header.

    Keys are those of ``FORGEKIT_API_KEYS`` and those that ``forge.accounts`` issued. Where there is none at all, nobody is admitted.
    A revoked key is refused at once, in every process. The caller's ``kind`` is ``key`` and its ``id`` the key's, which is no secret:
    limits are counted by it.

    Attributes:
        scope: What the key must allow.

    """

    scope: str

    # An issued key is looked up, which may block: never on the event loop.
    inline: ClassVar[bool] = False
    schemes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key: issued by `forgekit key issue`, or of the environment."},
    }
    challenge: ClassVar[str] = "Bearer"

    def __call__(self, request: RequestHead, forge: Forge, /) -> Caller:
        """Admit the owner of a key.

        Raises:
            Unauthenticated: No key, or one that is wrong, expired or revoked.
            PermissionDenied: The key does not allow this.

        """
        return self.owner(request.bearer, forge)

    def owner(self, shown: str | None, forge: Forge) -> Caller:
        """Name the owner of a key that was shown in any way; see ``__call__``."""
        key = None if shown is None else forge.accounts.authenticate_key(shown)
        if key is None:
            raise Unauthenticated("An API key is needed: Authorization: Bearer …")
        if not key.allows(self.scope):
            raise PermissionDenied(f"This API key does not have the scope {self.scope}.")
        return Caller(kind="key", id=key.id, scopes=frozenset(key.scopes), subject=key)


def admit(forge: Forge, *, method: str, path: str, headers: Iterable[tuple[str, str]], peer: str | None) -> Caller:
    """Ask the host's guard who calls a route of the host's own.

    Args:
        forge: Whose guard.
        method: Of the request.
        path: Of the request.
        headers: Of the request; names in any case.
        peer: The address at the other end of the socket, not one that a header claims.

    Raises:
        Unauthenticated: The host's token is set and was not shown.
        PermissionDenied: Not from this machine, or from a page of another site.

    """
    head = RequestHead(method=method, path=path, headers=[(name.lower(), value) for name, value in headers], peer=peer)
    return host_guard()(head, forge)


def problem(error: ForgekitError) -> Problem:
    """Return the status, the body and the headers with which a route of the host's own answers an error, as the surfaces do."""
    found = _PROBLEMS(error)
    if isinstance(error, Unauthenticated):
        found.headers.append(("WWW-Authenticate", HostGuard.challenge))
    return found
