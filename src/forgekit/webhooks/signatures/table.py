"""The senders that are known without a plugin, as data.

The scheme of a request is what its receiver configured, never what its headers look like: ``X-Hub-Signature`` is SHA-1 at GitHub and
SHA-256 at Bitbucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from .ed25519_scheme import Ed25519Scheme
from .hmac_scheme import HmacScheme
from .scheme import Scheme
from .token_scheme import TokenScheme
from .verified import Dedup

# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
_GITHUB = HmacScheme(
    name="github",
    signature_headers="X-Hub-Signature-256",
    prefix="sha256=",
    id_headers="X-GitHub-Delivery",
    event_headers="X-GitHub-Event",
    dedup=Dedup.DELIVERY,
)
# Plane gives every retry of a delivery a new X-Plane-Delivery, so only the body tells that it is one.
_PLANE = HmacScheme(
    name="plane",
    signature_headers=("X-Plane-Signature", "X-Signature"),
    id_headers="X-Plane-Delivery",
    event_headers="X-Plane-Event",
)
# https://docs.lemonsqueezy.com/help/webhooks/signing-requests
_LEMONSQUEEZY = HmacScheme(name="lemonsqueezy", signature_headers="X-Signature", event_headers="X-Event-Name")
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md; Svix sends the same under its older names.
_STANDARD = HmacScheme(
    name="standard-webhooks",
    signature_headers=("webhook-signature", "svix-signature"),
    prefix="v1,",
    separator=" ",
    encoding="base64",
    signed="{id}.{timestamp}.{body}",
    timestamp_headers=("webhook-timestamp", "svix-timestamp"),
    id_headers=("webhook-id", "svix-id"),
    key="base64",
    dedup=Dedup.SIGNED_ID,
)
_STANDARD_ED25519 = Ed25519Scheme(layout=attrs.evolve(_STANDARD, name="standard-webhooks-v1a", prefix="v1a,"))
# https://api.slack.com/authentication/verifying-requests-from-slack
_SLACK = HmacScheme(
    name="slack",
    signature_headers="X-Slack-Signature",
    prefix="v0=",
    signed="v0:{timestamp}:{body}",
    timestamp_headers="X-Slack-Request-Timestamp",
    dedup=Dedup.BODY_ID,
    body_id="event_id",
)
# https://docs.stripe.com/webhooks/signature
_STRIPE = HmacScheme(
    name="stripe",
    signature_headers="Stripe-Signature",
    prefix="v1=",
    separator=",",
    signed="{timestamp}.{body}",
    timestamp_prefix="t=",
    dedup=Dedup.BODY_ID,
    body_id="id",
)
# https://docs.gitlab.com/user/project/integrations/webhooks/; Idempotency-Key stays the same over retries.
_GITLAB_TOKEN = TokenScheme(
    name="gitlab-token",
    token_headers="X-Gitlab-Token",  # noqa: S106 - a header's name
    id_headers=("Idempotency-Key", "X-Gitlab-Event-UUID"),
    event_headers="X-Gitlab-Event",
)
_GITLAB_SIGNING = attrs.evolve(
    _STANDARD,
    name="gitlab-signing",
    signature_headers="webhook-signature",
    timestamp_headers="webhook-timestamp",
    id_headers="webhook-id",
    event_headers="X-Gitlab-Event",
)
# https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/; the second id is Bitbucket Server's.
_BITBUCKET = HmacScheme(
    name="bitbucket",
    signature_headers="X-Hub-Signature",
    prefix="sha256=",
    id_headers=("X-Request-UUID", "X-Request-Id"),
    event_headers="X-Event-Key",
    dedup=Dedup.DELIVERY,
)
# https://circleci.com/docs/guides/integration/outbound-webhooks/; the id in the body stays the same over retries.
_CIRCLECI = HmacScheme(
    name="circleci",
    signature_headers="circleci-signature",
    prefix="v1=",
    separator=",",
    event_headers="Circleci-Event-Type",
    dedup=Dedup.BODY_ID,
    body_id="id",
)
# https://buildkite.com/docs/apis/webhooks/pipelines: a webhook service either signs, or shows its token.
_BUILDKITE = HmacScheme(
    name="buildkite",
    signature_headers="X-Buildkite-Signature",
    prefix="signature=",
    separator=",",
    signed="{timestamp}.{body}",
    timestamp_prefix="timestamp=",
    event_headers="X-Buildkite-Event",
)
_BUILDKITE_TOKEN = TokenScheme(
    name="buildkite-token",
    token_headers="X-Buildkite-Token",  # noqa: S106 - a header's name
    event_headers="X-Buildkite-Event",
)
# Our own, for scripts and systems that sign as GitHub does.
_GENERIC = HmacScheme(
    name="generic",
    signature_headers="X-Signature-256",
    prefix="sha256=",
    id_headers="X-Delivery-Id",
    event_headers="X-Event",
    dedup=Dedup.DELIVERY,
)

_ALL: tuple[Scheme, ...] = (
    _BITBUCKET,
    _BUILDKITE,
    _BUILDKITE_TOKEN,
    _CIRCLECI,
    _GENERIC,
    _GITHUB,
    _GITLAB_SIGNING,
    _GITLAB_TOKEN,
    _LEMONSQUEEZY,
    _PLANE,
    _SLACK,
    _STANDARD,
    _STANDARD_ED25519,
    _STRIPE,
)
SCHEMES: Mapping[str, Scheme] = MappingProxyType({scheme.name: scheme for scheme in _ALL})
"""The built-in schemes by the provider's name in configuration."""
