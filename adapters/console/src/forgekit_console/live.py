"""What the pages know beyond the database: how far an import is, how the last one went, which cycles there were."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from forgekit.builds.events import BuildImportChanged, BuildsSubmitted
from forgekit.errors import Conflict, ForgekitError
from forgekit.http import EventStream, Hub, ServerEvent, Sink
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Event
from forgekit.sprints.models import Cycle, ImportProgress, SprintCompleted, SprintImported
from forgekit.sprints.reports import ImportReport
from forgekit.webhooks.models import WebhookReceived
from forgekit.work.models import TestRunRecorded
from forgekit_console.problems import words

if TYPE_CHECKING:
    from forgekit import Forge

SYNC = "sync"
"""What the page of the sprint sync hears."""

BUILDS = "builds"
"""What the page of builds hears."""

CHANGED = "changed"
"""Has a page ask for all of it."""

PROGRESS = "progress"
"""Tells how far an import is; the page of builds asks for that itself, in its host's words."""

_NEWS: Mapping[type[Event], tuple[str, str]] = {
    SprintImported: (SYNC, CHANGED),
    SprintCompleted: (SYNC, CHANGED),
    WebhookReceived: (SYNC, CHANGED),
    TestRunRecorded: (SYNC, CHANGED),
    BuildsSubmitted: (BUILDS, CHANGED),
    BuildImportChanged: (BUILDS, PROGRESS),
}
_ENDS = frozenset({"done", "failed"})

BELIEVED = timedelta(minutes=2)
"""How long an import that is not heard of is taken for running: longer than any single answer of a tracker takes."""


@attrs.frozen(kw_only=True)
class Running:
    """An import that runs.

    Attributes:
        project: Key of the project that it goes into.
        phase: ``starting``, ``fetching`` or ``writing``.
        fetched: How many items are here.
        total: How many there are; None while unknown.
        at: When it was last heard of.

    """

    project: str
    phase: str
    fetched: int = 0
    total: int | None = None
    at: datetime

    @property
    def label(self) -> str:
        """How far it is, in words."""
        if self.phase == "starting":
            return "Asking Plane"
        count = f"{self.fetched}" if self.total is None else f"{self.fetched} of {self.total}"
        return f"{self.phase.capitalize()} {count} items"


@attrs.frozen(kw_only=True)
class Outcome:
    """How an import from these pages ended.

    Attributes:
        at: When.
        report: What it did; None where it failed.
        problem: Why it failed, and what to do.

    """

    at: datetime
    report: ImportReport | None = None
    problem: str | None = None

    @property
    def summary(self) -> str:
        """One sentence."""
        if self.report is None:
            return self.problem or ""
        return f"{self.report.imported} imported, {self.report.updated} updated, {self.report.skipped} skipped."


@attrs.frozen(kw_only=True)
class CycleList:
    """The tracker's cycles as they were when somebody asked.

    Attributes:
        at: When.
        source: What they were asked of: another tracker's cycles are of no use.
        cycles: The cycles, newest first.

    """

    at: datetime
    source: object
    cycles: Sequence[Cycle]


class Live:
    """The memory that the pages of one application share, and what tells them of changes. Thread-safe.

    It hears the forge's signals for as long as it lives itself, so a forge that outlives many applications keeps none of them.
    """

    def __init__(self, clock: Clock) -> None:
        """Begin with nothing known."""
        self._clock = clock
        self._hub = Hub()
        self._one_import = threading.Lock()
        self._running: Running | None = None
        self.outcome: Outcome | None = None
        self.cycles: CycleList | None = None

    @property
    def running(self) -> Running | None:
        """The import that runs in this process, whoever began it."""
        running = self._running
        return running if running is not None and self._clock.now() - running.at < BELIEVED else None

    def hear(self, forge: Forge) -> None:
        """Hear the forge's signals until this object is gone."""
        this = weakref.ref(self)

        def progress(event: ImportProgress) -> None:
            if (live := this()) is not None:
                live.note(event)

        def changed(event: Event) -> None:
            if (live := this()) is not None:
                live.tell(*_NEWS[type(event)])

        leave = [forge.on(ImportProgress, progress), *(forge.on(kind, changed) for kind in _NEWS)]
        for end in leave:
            weakref.finalize(self, end).atexit = False

    def note(self, event: ImportProgress) -> None:
        """Keep how far an import is, and tell the pages."""
        if event.phase in _ENDS:
            self._running = None
            self.tell()
            return
        self._show(Running(project=event.project, phase=event.phase, fetched=event.fetched, total=event.total, at=self._clock.now()))

    def tell(self, topic: str = SYNC, what: str = CHANGED) -> None:
        """Have the pages of a topic ask for what changed, or for how far an import is."""
        self._hub.publish(topic, ServerEvent({}, event=what))

    def run(self, project: str, work: Callable[[], ImportReport]) -> Outcome:
        """Run an import and keep how it ended; it is not raised, since every page shows it.

        Raises:
            Conflict: One runs already.

        """
        if not self._one_import.acquire(blocking=False):
            raise Conflict("An import is running already.")
        try:
            self._show(Running(project=project, phase="starting", at=self._clock.now()))
            outcome = self.outcome = self._outcome(work)
        finally:
            self._running = None
            self._one_import.release()
            self.tell()
        return outcome

    def stream(self, topic: str = SYNC) -> EventStream:
        """Return the stream of a topic's progress and changes, the present state first."""

        def subscribe(sink: Sink) -> Callable[[], None]:
            leave = self._hub.subscribe([topic], sink.send)
            if topic == SYNC and (running := self.running) is not None:
                sink.send(_progress(running))
            sink.send(ServerEvent({}, event=CHANGED))
            return leave

        return EventStream(subscribe=subscribe)

    def _outcome(self, work: Callable[[], ImportReport]) -> Outcome:
        try:
            return Outcome(report=work(), at=self._clock.now())
        except ForgekitError as error:
            return Outcome(problem=words(error), at=self._clock.now())
        except BaseException:
            self.outcome = Outcome(problem="The import failed inside; the host's log says how.", at=self._clock.now())
            raise

    def _show(self, running: Running) -> None:
        self._running = running
        self._hub.publish(SYNC, _progress(running))


def _progress(running: Running) -> ServerEvent:
    data = {"fetched": running.fetched, "total": running.total, "label": running.label}
    return ServerEvent(data, event=PROGRESS)
