"""``POST /webhook/github`` and ``POST /webhook/generic``: stored before they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from forgekit.errors import StorageBusy, Unauthenticated
from forgekit.hosting import ApiKeyGuard
from forgekit.http import Caller, Open, RawRequest, RequestHead
from forgekit.receivers import GENERIC_SCHEME
from forgekit.webhooks import Receipt, ReceiptAction
from forgekit_surfaces.builds.contract import SCOPE, surface

if TYPE_CHECKING:
    from forgekit import Forge

MAX_BODY = 5_000_000
"""Bytes of a webhook's body; more is 413."""

_KEY = "key"
_TOKENS = ("x-gitlab-token", "x-buildkite-token")
_RETRY_AFTER = 5.0


def _in_header(name: str, description: str) -> Mapping[str, str]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


@attrs.frozen
class SenderGuard:
    """Admits who shows an API key, or at least claims to know the secret: signatures are over the body, which is read later.

    Systems differ in what they can send. A key comes as a bearer token, as the password of basic authentication (Azure DevOps; Jenkins,
    from the address), or as the token that GitLab and Buildkite show. Where such a token is no key, it must be the secret.
    """

    keys: ApiKeyGuard

    inline: ClassVar[bool] = False
    challenge: ClassVar[str] = "Bearer"
    schemes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        **ApiKeyGuard.schemes,
        "password": {"type": "http", "scheme": "basic", "description": "An API key as the password, with any name."},
        "signature": _in_header("X-Signature-256", "`sha256=` and the HMAC-SHA256 of the body, in lower-case hex."),
        "hubSignature": _in_header("X-Hub-Signature", "The same, as Bitbucket calls it; `X-Hub-Signature-256` too."),
        "circleciSignature": _in_header("circleci-signature", "`v1=` and the same HMAC."),
        "buildkiteSignature": _in_header("X-Buildkite-Signature", "`timestamp=…,signature=` and the HMAC of time, dot and body."),
        "gitlabSignature": _in_header("webhook-signature", "As Standard Webhooks has it, with `webhook-id` and `webhook-timestamp`."),
        "gitlabToken": _in_header("X-Gitlab-Token", "An API key, or the secret."),
        "buildkiteToken": _in_header("X-Buildkite-Token", "An API key, or the secret."),
    }

    def __call__(self, request: RequestHead, forge: Forge, /) -> Caller:
        """Name the caller.

        Raises:
            Unauthenticated: Neither a key that holds, nor a proof that the secret is known.
            PermissionDenied: The key does not allow this.
            SignatureInvalid: A header is malformed.

        """
        shown = request.bearer or request.password
        if shown is not None:
            return self.keys.owner(shown, forge)
        for name in _TOKENS:
            token = request.header(name)
            if token is not None:
                with suppress(Unauthenticated):
                    return self.keys.owner(token, forge)
        if not GENERIC_SCHEME.is_claimed(request.headers):
            raise Unauthenticated("An API key (Authorization: Bearer …) or a signature (X-Signature-256: sha256=…) is needed.")
        return Caller(kind="signed")


@attrs.frozen
class WebhookAnswer:
    """What the sender is told: that it is stored, and whether it came before."""

    status: str
    action: str


@surface.op("POST", "/webhook/github", status=202, guard=Open(), errors=(400, 401, 413, 503), max_body=MAX_BODY, inline=True)
def github_webhook(forge: Forge, raw: RawRequest) -> Future[WebhookAnswer]:
    """Receive a webhook from GitHub, signed with the configured secret (``X-Hub-Signature-256``); 401 where there is none."""
    return forge.webhooks.submit("github", raw.headers, raw.body).then(_answer)


@surface.op(
    "POST", "/webhook/generic", status=202, guard=SenderGuard(ApiKeyGuard(SCOPE)), errors=(400, 401, 413, 422, 503), max_body=MAX_BODY
)
def generic_webhook(forge: Forge, caller: Caller, raw: RawRequest) -> Future[WebhookAnswer]:
    """Receive builds from any CI system: the flat form, CDEvents, or what the installed readers know."""
    return forge.webhooks.submit("generic", raw.headers, raw.body, known_sender=caller.kind == _KEY).then(_answer)


def _answer(receipt: Receipt) -> WebhookAnswer:
    if receipt.action is ReceiptAction.ERROR:
        raise StorageBusy("The webhook could not be stored; send it again.", retry_after=_RETRY_AFTER)
    return WebhookAnswer("ok", receipt.action.value)
