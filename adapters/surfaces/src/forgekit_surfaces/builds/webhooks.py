"""``POST /webhook/github`` and ``POST /webhook/generic``: stored before they are answered."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from forgekit.errors import StorageBusy, Unauthenticated
from forgekit.hosting import ApiKeyGuard
from forgekit.http import Caller, Open, RawRequest, RequestHead
from forgekit.webhooks import Receipt, ReceiptAction
from forgekit_surfaces.builds.contract import SCOPE, surface

if TYPE_CHECKING:
    from forgekit import Forge

MAX_BODY = 5_000_000
"""Bytes of a webhook's body; more is 413."""

_KEY = "key"
_RETRY_AFTER = 5.0


@attrs.frozen
class SenderGuard:
    """Admits who shows an API key, or at least claims to sign: the signature is over the body, which is read later."""

    keys: ApiKeyGuard

    inline: ClassVar[bool] = False
    challenge: ClassVar[str] = "Bearer"
    schemes: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        **ApiKeyGuard.schemes,
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Signature-256",
            "description": "`sha256=` and the HMAC-SHA256 of the body, in lower-case hex.",
        },
    }

    def __call__(self, request: RequestHead, forge: Forge, /) -> Caller:
        """Name the caller.

        Raises:
            Unauthenticated: Neither a key that holds, nor a signature.
            PermissionDenied: The key does not allow this.

        """
        if request.bearer is not None:
            return self.keys(request, forge)
        if request.header("x-signature-256") is None:
            raise Unauthenticated("A signature (X-Signature-256) or an API key (Authorization: Bearer …) is needed.")
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
