"""Where two domains meet: a tracker's webhooks ask for imports, a CI system's tell of builds."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import attrs

from forgekit.builds.models import BuildRecord
from forgekit.builds.ports import BuildReader, BuildSourceAdapter
from forgekit.builds.reading.strict import MOST_PROBLEMS, parse_strictly
from forgekit.builds.reading.texts import text_problem
from forgekit.builds.settings import BuildSettings
from forgekit.errors import InvalidInput, PayloadMalformed
from forgekit.kernel.settings import Settings
from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.ports import TrackerSettings
from forgekit.webhooks.models import IncomingEvent, Relevance
from forgekit.webhooks.ports import ProviderConfiguration
from forgekit.webhooks.settings import WebhookSettings
from forgekit.webhooks.signatures import SCHEMES, AnyScheme, Scheme, SigningSecret, VerifiedWebhook

_KINDS = {"issue", "cycle"}
"""What an import may be due for. Plane sends nothing when items join or leave a cycle: polling sees that."""

_ACTIONS = {"created", "updated", "deleted"}


class ImportDesk(Protocol):
    """Takes orders for imports (the sprint service)."""

    def active_cycle(self, tracker: str) -> str | None:
        """Return the active cycle's id from a snapshot, without blocking."""
        ...

    def request_import(self, tracker: str, tx: Transaction) -> bool:
        """Ask for an import of the active cycle on the trailing edge; False where no cycle is active."""
        ...


@attrs.frozen(kw_only=True)
class TrackerReceiver:
    """Turns a tracker's webhooks into orders for an import.

    Attributes:
        tracker: The tracker's name, which is its webhook provider's too.
        settings: Returns the tracker's settings from a snapshot.
        configured: Tells from the same snapshot whether the tracker can be reached.
        desk: Who imports.

    """

    tracker: str
    settings: Callable[[], TrackerSettings]
    configured: Callable[[], bool]
    desk: ImportDesk

    def configuration(self) -> ProviderConfiguration:
        """Return the secret that is configured now."""
        secret = self.settings().webhook_secret
        secrets = () if secret is None else (SigningSecret(id=self.tracker, value=secret.reveal()),)
        return ProviderConfiguration(secrets=secrets, configured=self.configured())

    def relevance(self, event: IncomingEvent) -> Relevance:
        """Tell whether the event asks for an import."""
        if event.kind not in _KINDS or event.action not in _ACTIONS:
            return Relevance.OTHER
        project = self.settings().project_id
        if event.scope and project and event.scope != project:
            return Relevance.OTHER
        if not self.configured():
            return Relevance.UNCONFIGURED
        active = self.desk.active_cycle(self.tracker)
        if active is None:
            return Relevance.IDLE
        return Relevance.OTHER if event.kind == "cycle" and event.subject != active else Relevance.WANTED

    def handle(self, event: IncomingEvent, tx: Transaction) -> None:  # noqa: ARG002 - a hint is enough: the import fetches the truth
        """Ask for an import in the transaction that ends the webhook's row."""
        self.desk.request_import(self.tracker, tx)


GENERIC = "generic"
"""The provider of builds from any CI system."""

MOST_FLAT = 10_000
"""Builds that one webhook of the flat form may tell."""

# Signatures first: a token says nothing about the body.
_WAYS = (GENERIC, "github", "bitbucket", "circleci", "buildkite", "gitlab-signing", "gitlab-token", "buildkite-token")
GENERIC_SCHEME = AnyScheme(
    name=GENERIC,
    ways=[SCHEMES[name] for name in _WAYS],
    id_headers=("X-Delivery-Id", "ce-id", "Idempotency-Key", "X-Request-UUID"),
    # CloudEvents in binary form, GitHub, GitLab, Buildkite, CircleCI, Bitbucket, others.
    event_headers=("ce-type", "X-GitHub-Event", "X-Gitlab-Event", "X-Buildkite-Event", "Circleci-Event-Type", "X-Event-Key", "X-Event"),
)
"""How senders of builds may prove that they know the secret."""

_FLAT = "builds"


class BuildDesk(Protocol):
    """Takes sightings of builds (the build service)."""

    def observe(self, sightings: Iterable[BuildRecord], *, tx: Transaction) -> object:
        """Store what was seen of builds, in this transaction."""
        ...


@attrs.frozen(kw_only=True)
class GenericProvider:
    """The sender of builds that any CI system may be: the body's shape tells which reader reads it.

    Attributes:
        readers: The readers by name; each knows its own system's webhooks and no other's.

    """

    readers: Mapping[str, BuildReader]
    name: str = GENERIC
    scheme: Scheme = GENERIC_SCHEME

    def parse(self, webhook: VerifiedWebhook) -> IncomingEvent:
        """Bring an authentic webhook into one form: its ``kind`` is the reader's name, its ``action`` the event's.

        Raises:
            PayloadMalformed: The body is no JSON object.
            InvalidInput: Nobody reads such a body, or it is wrong; the sentence says what is read.

        """
        body, event = webhook.json(), webhook.event or ""
        if not isinstance(body, dict):
            raise PayloadMalformed("The body is a JSON object.", provider=self.name)
        return IncomingEvent(provider=self.name, kind=self._kind(event, body), action=event, payload=body)

    def sightings(self, event: IncomingEvent) -> Sequence[BuildRecord]:
        """Return what a webhook tells of builds.

        Raises:
            InvalidInput: It is not of its system's shape.

        """
        if event.kind == _FLAT:
            return read_flat(event.payload)
        return self.readers[event.kind].read(event.action, event.payload) or ()

    def _kind(self, event: str, body: Mapping[str, Any]) -> str:
        # Systems first: GitLab's webhooks of jobs have a build_id too.
        for name, reader in sorted(self.readers.items()):
            if reader.read(event, body) is not None:
                return name
        if "builds" in body or "build_id" in body:
            return _FLAT
        systems = ", ".join(sorted(self.readers)) or "none is installed"
        message = f'is neither {{"builds": […]}}, nor one flat build, nor a webhook of a system that is known here ({systems})'
        raise InvalidInput(f"The body {message}.", problems=[{"pointer": "", "message": message}])


def read_flat(body: Mapping[str, Any]) -> Sequence[BuildRecord]:
    """Return the builds of ``{"builds": [...]}``, or the one that the body itself is.

    Raises:
        InvalidInput: Some are wrong; ``data["problems"]`` lists all of it.

    """
    if "builds" not in body:
        return [parse_strictly(body)]
    rows = body["builds"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_FLAT or len(body) > 1:
        message = f"must be a list of 1 to {MOST_FLAT} builds, and nothing beside it"
        raise InvalidInput(f"The member builds {message}.", problems=[{"pointer": "/builds", "message": message}])
    builds, problems = [], []
    for number, row in enumerate(rows):
        try:
            builds.append(parse_strictly(row))
        except InvalidInput as wrong:
            problems += [{**each, "pointer": f"/builds/{number}{each['pointer']}"} for each in wrong.data["problems"]]
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise InvalidInput("Some builds cannot be read; nothing was stored.", problems=problems[:MOST_PROBLEMS])
    return builds


@attrs.frozen(kw_only=True)
class BuildReceiver:
    """Turns a CI system's webhooks into sightings of builds.

    Attributes:
        name: The provider's name.
        secrets: Returns, from a snapshot, the secrets that may have signed.
        read: Returns what an event tells of builds.
        keep: Returns for how long bodies are kept once they are handled: in this transaction, or from a snapshot.
        desk: Who stores what was seen.

    """

    name: str
    secrets: Callable[[], Sequence[SigningSecret]]
    read: Callable[[IncomingEvent], Sequence[BuildRecord]]
    keep: Callable[[Transaction | None], timedelta]
    desk: BuildDesk

    def configuration(self) -> ProviderConfiguration:
        """Return the secrets that are configured now."""
        return ProviderConfiguration(secrets=self.secrets(), configured=True)

    def relevance(self, event: IncomingEvent) -> Relevance:
        """Tell whether the event tells of a build; it is read whole, so that what is stored can be handled.

        Raises:
            InvalidInput: It is not of its system's shape.

        """
        sightings = self.read(event)
        _require_storable(sightings)
        return Relevance.WANTED if sightings else Relevance.OTHER

    def handle(self, event: IncomingEvent, tx: Transaction) -> None:
        """Store what was seen in the transaction that ends the webhook's row."""
        self.desk.observe(self.read(event), tx=tx)

    def keep_bodies(self, tx: Transaction | None = None) -> timedelta:
        """Return for how long bodies are kept once they are handled."""
        return self.keep(tx)


def reading_of(reader: BuildReader) -> Callable[[IncomingEvent], Sequence[BuildRecord]]:
    """Return what reads the events of a system whose webhooks name them in a header.

    What is not of the system's shape raises ``PayloadMalformed``: the sender is known, so the body alone is wrong.
    """

    def read(event: IncomingEvent) -> Sequence[BuildRecord]:
        try:
            return reader.read(event.kind, event.payload) or ()
        except InvalidInput as wrong:
            raise PayloadMalformed(wrong.message, provider=event.provider) from wrong

    return read


def build_receivers(
    generic: GenericProvider,
    sources: Mapping[str, BuildSourceAdapter],
    providers: Container[str],
    *,
    settings: Settings,
    desk: BuildDesk,
) -> dict[str, BuildReceiver]:
    """Return what acts on the webhooks of any CI system, and on those of each source that both signs and is read.

    A source's secret is the setting ``webhook_secret`` of its own settings, if it has one; those of ``webhooks.secrets`` are added.
    """
    known: dict[str, tuple[type, Callable[[IncomingEvent], Sequence[BuildRecord]]]] = {GENERIC: (BuildSettings, generic.sightings)}
    for name, source in sources.items():
        if name in providers and name in generic.readers:
            known[name] = (source.settings, reading_of(generic.readers[name]))

    def secrets(name: str, kind: type) -> Sequence[SigningSecret]:
        own = getattr(settings.snapshot(kind), "webhook_secret", None)
        more = settings.snapshot(WebhookSettings).signing_secrets.get(name, ())
        return more if own is None else (SigningSecret(id=f"{name}.webhook_secret", value=own.reveal()), *more)

    def keep(tx: Transaction | None) -> timedelta:
        found = settings.snapshot(BuildSettings) if tx is None else settings.load(BuildSettings, tx)
        return timedelta(days=found.keep_webhooks_days)

    return {
        name: BuildReceiver(name=name, secrets=partial(secrets, name, kind), read=read, keep=keep, desk=desk)
        for name, (kind, read) in known.items()
    }


def _require_storable(sightings: Iterable[BuildRecord]) -> None:
    """Refuse text that a database would: a NUL, half a surrogate pair."""
    for sighting in sightings:
        if (problem := text_problem(sighting)) is not None:
            raise InvalidInput(f"A build in the body {problem}.", problems=[{"pointer": "", "message": problem}])
