"""What a stranger's plugin offers, one implementation a hook: this file only has to type-check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, assert_type

import attrs

from forgekit import Forge, Secret, SprintCompleted, errors, hookimpl
from forgekit.hookspecs import StorageEngine, StorageFactory, SurfaceFactory
from forgekit.http import UNSET, App, Caller, Open, Surface, Unset, detail_problems
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Handler
from forgekit.kernel.settings import setting, settings
from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.models import Connection, Cycle, CycleStatus, StateGroup, TrackerItem
from forgekit.sprints.ports import (
    CompletionRule,
    KnowsRelations,
    Progress,
    SprintFacts,
    Tracker,
    TrackerAdapter,
    TrackerContext,
    TrackerSettings,
)
from forgekit.webhooks.models import IncomingEvent
from forgekit.webhooks.ports import Provider
from forgekit.webhooks.signatures import HmacScheme, Scheme, VerifiedWebhook

# A tracker


@settings("paper", env_prefix="PAPER_")
class PaperSettings:
    """What every tracker's settings have, and one of its own."""

    shelf: str = setting(doc="Where the paper lies.")
    poll_interval: float = setting(default=30.0, doc="Seconds between two looks.")
    webhook_secret: Secret | None = setting(default=None, secret=True, doc="What its webhooks are signed with.")
    project_id: str | None = setting(default=None, doc="The project that its webhooks are about.")


@attrs.frozen
class Paper:
    """A tracker that also knows what an item waits for."""

    API_VERSION: ClassVar[int] = 1

    shelf: str

    def check(self) -> Connection:
        """Nothing to try."""
        return Connection(workspace=self.shelf, project="paper")

    def cycles(self) -> Sequence[Cycle]:
        """One cycle."""
        return [Cycle(id="c", name="c", description="", status=CycleStatus.CURRENT)]

    def cycle(self, cycle_id: str) -> Cycle:
        """No other cycle."""
        if cycle_id != "c":
            raise errors.RemoteNotFound(system="paper")
        return self.cycles()[0]

    def items(self, cycle_id: str, *, progress: Progress | None = None) -> Sequence[TrackerItem]:
        """One item."""
        if progress is not None:
            progress(1, None)
        return [TrackerItem(id="i", name=cycle_id, group=StateGroup.STARTED, updated_at=datetime(2026, 3, 1, tzinfo=UTC))]

    def set_group(self, item_id: str, group: StateGroup) -> StateGroup:
        """Write nothing."""
        return group if item_id else StateGroup.BACKLOG

    def comment(self, item_id: str, text: str, *, marker: str) -> None:
        """Write nothing."""

    def append_to_cycle(self, cycle_id: str, text: str, *, marker: str) -> None:
        """Write nothing."""

    def blockers(self, item_id: str) -> Sequence[str] | None:
        """Nothing waits."""
        return [item_id][1:]


def open_paper(context: TrackerContext) -> Tracker:
    """The settings that were asked for are the settings that come."""
    assert isinstance(context.settings, PaperSettings)
    return Paper(context.settings.shelf)


tracker: Tracker = Paper("top")
relations: KnowsRelations = Paper("top")


def every_trackers_settings(own: PaperSettings) -> TrackerSettings:
    """The class has what forgekit reads of any tracker's settings."""
    return own


@hookimpl
def forgekit_trackers() -> Mapping[str, TrackerAdapter]:
    """Trackers by name."""
    return {"paper": TrackerAdapter(settings=PaperSettings, open=open_paper)}


class HalfATracker:
    """Without its methods a class is none."""

    def check(self) -> Connection:
        """The one method that there is."""
        return Connection(workspace="half", project="half")


half: Tracker = HalfATracker()  # type: ignore[assignment]


# A sender of webhooks

POST = HmacScheme(name="post", signature_headers="X-Post-Signature", prefix="sha256=")


@attrs.frozen
class Post:
    """A sender that signs with a shared key."""

    name: str = "post"
    scheme: Scheme = POST

    def parse(self, webhook: VerifiedWebhook) -> IncomingEvent:
        """Everything is a letter."""
        return IncomingEvent(provider=self.name, kind="letter", payload=webhook.json())


@hookimpl
def forgekit_webhook_providers() -> Mapping[str, Provider]:
    """Senders by name."""
    return {"post": Post()}


# A surface


@attrs.frozen(kw_only=True)
class NewLetter:
    """What is sent."""

    to: str
    text: str | Unset = UNSET


@attrs.frozen
class OneLetter:
    """Which letter is meant."""

    letter_id: int


surface = Surface("letters", prefix="/api/letters", guard=Open(), problems=detail_problems({errors.Conflict: 409}))


@surface.op("POST", "/{letter_id}", status=201, errors=(409,))
def write(forge: Forge, caller: Caller, params: OneLetter, body: NewLetter) -> NewLetter:
    """Write a letter."""
    forge.work.create_item("letters", name=f"{params.letter_id} {body.to} {caller.kind}")
    return body


def calls_an_operation(forge: Forge, caller: Caller) -> None:
    """An operation stays the function that it was."""
    assert_type(write(forge, caller, OneLetter(1), NewLetter(to="you")), NewLetter)
    write(forge, caller, OneLetter(1), "letter")  # type: ignore[arg-type]
    App([surface], forge, title="Letters", version="1")


@hookimpl
def forgekit_surfaces() -> Mapping[str, SurfaceFactory]:
    """Surfaces by name."""
    return {"letters": lambda _forge: surface}


# The rest


def nobody_is_tired(facts: SprintFacts) -> str | None:
    """A rule of the Definition of Done."""
    return "Nothing was done." if not facts.items else None


@hookimpl
def forgekit_completion_rules() -> Mapping[str, CompletionRule]:
    """Rules by name."""
    return {"tired": nobody_is_tired}


def ring(event: SprintCompleted, tx: Transaction) -> None:
    """A transactional handler."""
    tx.after_commit(lambda: print(event.sprint_name))


@hookimpl
def forgekit_handlers() -> Mapping[str, Callable[[Forge], Handler]]:
    """Handlers by name."""
    return {"bell": lambda _forge: Handler(name="bell", event=SprintCompleted, run=ring)}


def engines(engine: Callable[[str, Clock], StorageEngine]) -> Mapping[str, StorageFactory]:
    """Storage engines by the scheme of their URL."""

    @hookimpl
    def forgekit_storages() -> Mapping[str, StorageFactory]:
        return {"paper": engine}

    return forgekit_storages()
