"""Senders whose events need no adapter of their own: JSON brought into one form by a pure function each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from forgekit.errors import PayloadMalformed
from forgekit.webhooks.models import IncomingEvent
from forgekit.webhooks.ports import Provider
from forgekit.webhooks.signatures import SCHEMES, Scheme, VerifiedWebhook

Body = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Reading:
    """What a body says of its event; see ``IncomingEvent``.

    Attributes:
        kind: The event; empty means that the body is not of the sender's shape.
        action: What happened.
        subject: Id of what it is about.
        scope: Id of the project, repository or account.

    """

    kind: str
    action: str = ""
    subject: str = ""
    scope: str = ""


@attrs.frozen(kw_only=True)
class JsonProvider:
    """A sender of JSON objects.

    Attributes:
        name: Its name in configuration.
        scheme: How it signs.
        read: Reads a body, together with the event's name from the header (empty where there is none).

    """

    name: str
    scheme: Scheme
    read: Callable[[Body, str], Reading]

    def parse(self, webhook: VerifiedWebhook) -> IncomingEvent:
        """Bring an authentic webhook into one form; see ``Provider.parse``."""
        body = webhook.json()
        if not isinstance(body, dict):
            raise PayloadMalformed(f"The body of a webhook of {self.name} is a JSON object.", provider=self.name)
        reading = self.read(body, webhook.event or "")
        if not reading.kind:
            raise PayloadMalformed(f"The webhook of {self.name} does not say what happened.", provider=self.name)
        return IncomingEvent(
            provider=self.name,
            kind=reading.kind,
            action=reading.action,
            subject=reading.subject,
            scope=reading.scope,
            payload=body,
        )


@attrs.frozen(kw_only=True)
class SlackProvider(JsonProvider):
    """Slack, which wants its challenge read back once, when the address is entered."""

    def reply(self, event: IncomingEvent) -> str | None:
        """Return the challenge of a ``url_verification``."""
        return text(event.payload, "challenge") or None if event.kind == "url_verification" else None


def text(body: object, *path: str) -> str:
    """Return the text or whole number at a path of members, as text; empty where there is none."""
    for name in path:
        body = body.get(name) if isinstance(body, Mapping) else None
    if isinstance(body, str):
        return body
    return str(body) if isinstance(body, int) and not isinstance(body, bool) else ""


def read_github(body: Body, header: str) -> Reading:
    """Read https://docs.github.com/en/webhooks/webhook-events-and-payloads: the event's name is in the header alone."""
    # The subject's member is called after the event (``pull_request``), or its singular (``issues``).
    subject = text(body, header, "id") or text(body, header.removesuffix("s"), "id") or text(body, "after")
    return Reading(kind=header, action=text(body, "action"), subject=subject, scope=text(body, "repository", "full_name"))


def read_gitlab(body: Body, _header: str) -> Reading:
    """Read https://docs.gitlab.com/user/project/integrations/webhook_events/."""
    return Reading(
        kind=text(body, "object_kind") or text(body, "event_name"),
        action=text(body, "object_attributes", "action"),
        subject=text(body, "object_attributes", "id") or text(body, "checkout_sha"),
        scope=text(body, "project", "path_with_namespace"),
    )


def read_bitbucket(body: Body, header: str) -> Reading:
    """Read https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/; Bitbucket Server has the event's name in the body too."""
    kind, _, action = (header or text(body, "eventKey")).partition(":")
    subject = text(body, "pullrequest", "id") or text(body, "pullRequest", "id") or text(body, "issue", "id")
    scope = text(body, "repository", "full_name") or text(body, "repository", "slug")
    return Reading(kind=kind, action=action, subject=subject, scope=scope)


def read_circleci(body: Body, _header: str) -> Reading:
    """Read https://circleci.com/docs/reference/webhooks-reference/."""
    subject = text(body, "job", "id") or text(body, "workflow", "id")
    return Reading(kind=text(body, "type"), subject=subject, scope=text(body, "project", "slug"))


def read_buildkite(body: Body, _header: str) -> Reading:
    """Read https://buildkite.com/docs/apis/webhooks/pipelines: events such as ``build.finished``."""
    event = body.get("event")
    kind, _, action = event.partition(".") if isinstance(event, str) else ("", "", "")
    subject = text(body, kind, "id") or text(body, "build", "id")
    return Reading(kind=kind, action=action, subject=subject, scope=text(body, "pipeline", "slug"))


def read_stripe(body: Body, _header: str) -> Reading:
    """Read https://docs.stripe.com/api/events/object."""
    return Reading(kind=text(body, "type"), subject=text(body, "data", "object", "id"), scope=text(body, "account"))


def read_slack(body: Body, _header: str) -> Reading:
    """Read https://docs.slack.dev/apis/events-api/; commands and interactions come as forms and are no events."""
    if text(body, "type") != "event_callback":
        return Reading(kind=text(body, "type"))
    return Reading(kind=text(body, "event", "type"), action=text(body, "event", "subtype"), scope=text(body, "team_id"))


def read_standard(body: Body, _header: str) -> Reading:
    """Read https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md."""
    return Reading(kind=text(body, "type"), subject=text(body, "data", "id"))


def read_lemonsqueezy(body: Body, header: str) -> Reading:
    """Read https://docs.lemonsqueezy.com/help/webhooks/webhook-requests."""
    return Reading(
        kind=text(body, "meta", "event_name") or header,
        subject=text(body, "data", "id"),
        scope=text(body, "data", "attributes", "store_id"),
    )


def _providers() -> dict[str, Provider]:
    readers: dict[str, Callable[[Body, str], Reading]] = {
        "bitbucket": read_bitbucket,
        "buildkite": read_buildkite,
        "buildkite-token": read_buildkite,
        "circleci": read_circleci,
        "github": read_github,
        "gitlab-signing": read_gitlab,
        "gitlab-token": read_gitlab,
        "lemonsqueezy": read_lemonsqueezy,
        "standard-webhooks": read_standard,
        "standard-webhooks-v1a": read_standard,
        "stripe": read_stripe,
    }
    providers: dict[str, Provider] = {name: JsonProvider(name=name, scheme=SCHEMES[name], read=read) for name, read in readers.items()}
    return providers | {"slack": SlackProvider(name="slack", scheme=SCHEMES["slack"], read=read_slack)}


PROVIDERS: Mapping[str, Provider] = MappingProxyType(_providers())
"""The senders known without an adapter, by name. Plane's comes with its adapter, through the hook."""
