from __future__ import annotations

import gc
import threading
import weakref

import pytest

from forgekit.errors import Conflict, RemoteRateLimited, RemoteUnavailable
from forgekit.hosting import application
from forgekit.sprints.models import ImportProgress
from forgekit.testing import FakeClock
from forgekit_console.live import BELIEVED, BUILDS, SYNC, Live


class Listener:
    """Stands for a page's stream."""

    def __init__(self, live, topic=SYNC):
        self.heard = []
        self.leave = live.stream(topic).subscribe(self)

    def send(self, event):
        self.heard.append(event.event)

    def close(self):
        """Never called."""


@pytest.fixture
def clock():
    """A clock that stands still."""
    return FakeClock()


@pytest.fixture
def live(clock):
    """A memory that hears no forge."""
    return Live(clock)


def step(phase, fetched=0, total=None):
    """Tell of an import's progress."""
    return ImportProgress(cycle_id="c", project="shop", fetched=fetched, total=total, phase=phase)


@pytest.mark.parametrize(
    ("event", "label"),
    [
        (step("fetching", 3, 9), "Fetching 3 of 9 items"),
        (step("fetching", 3), "Fetching 3 items"),
        (step("writing", 9, 9), "Writing 9 of 9 items"),
    ],
)
def test_progress_is_told_in_words(event, label, live):
    """How far an import is reads as one line."""
    live.note(event)
    assert live.running.label == label


@pytest.mark.parametrize("phase", ["done", "failed"])
def test_an_import_that_ended_does_not_run(phase, live):
    """Its end is heard, whoever began it."""
    live.note(step("fetching"))
    live.note(step(phase))
    assert live.running is None


def test_an_import_that_is_not_heard_of_is_not_believed(live, clock):
    """What died without a word does not show for ever."""
    live.note(step("fetching"))
    clock.advance(BELIEVED)
    assert live.running is None


def test_a_stream_begins_with_the_present_state(live):
    """Who comes late hears of the import that runs, then to look at the rest, then what happens."""
    live.note(step("fetching", 1))
    listener = Listener(live)
    live.note(step("writing", 2))
    live.note(step("done", 2))
    assert listener.heard == ["progress", "changed", "progress", "changed"]
    listener.leave()
    live.tell()
    assert len(listener.heard) == 4


def test_one_import_at_a_time(live):
    """A second one is refused while the first runs, and may begin after it."""
    begun, go = threading.Event(), threading.Event()

    def work():
        begun.set()
        go.wait(60)
        raise RemoteUnavailable

    first = threading.Thread(target=live.run, args=("shop", work))
    first.start()
    assert begun.wait(60)
    assert live.running.label == "Asking Plane"
    with pytest.raises(Conflict):
        live.run("shop", work)
    go.set()
    first.join()
    assert live.run("shop", work).problem
    assert live.running is None


def test_a_failure_says_when_to_come_back(live):
    """The seconds of a rate limit are part of the outcome."""

    def work():
        raise RemoteRateLimited("Too many.", retry_after=11.2)

    assert live.run("shop", work).summary == "Too many. Try again in 12 s."


def test_a_fault_is_kept_without_its_words(live):
    """What nobody foresaw is told as such, raised for the log, and frees the button."""

    def work():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        live.run("shop", work)
    assert live.outcome.problem == "The import failed inside; the host's log says how."
    assert live.running is None


def test_the_forges_signals_are_heard(forge, plane):
    """An import that a script began is shown while it runs, and its end is told."""
    cycle = plane.add_cycle("Sprint 1")
    plane.add_item("a", cycle=cycle)
    live = Live(forge.clock)
    live.hear(forge)
    listener = Listener(live)
    seen = []
    forge.sprints.import_cycle(cycle, project="shop", progress=lambda *_: seen.append(live.running.phase))
    assert seen == ["fetching"]
    assert listener.heard[-1] == "changed"
    assert live.running is None


def test_builds_that_come_in_are_told_to_the_page_of_builds(forge):
    """Whoever submits builds, their page hears of it, and the sprint sync does not; nor does it hear of a sprint's import."""
    live = Live(forge.clock)
    live.hear(forge)
    builds, sync = Listener(live, BUILDS), Listener(live)
    forge.builds.submit([{"build_id": "1", "project": "acme/shop", "status": "running", "started_at": "2026-03-01T12:00:00Z"}])
    live.note(step("fetching", 1))
    assert builds.heard == ["changed", "changed"]
    assert sync.heard == ["changed", "progress"]


def test_a_forge_keeps_no_application(forge):
    """A forge that outlives an application holds none of its pages' memory, and calls nothing of it."""
    signals = forge._signals._signals
    app = application(forge, ["console"])
    kept = {kind: len(signal.receivers) for kind, signal in signals.items()}
    gone = weakref.ref(app)
    for _ in range(5):
        app = application(forge, ["console"])
    gc.collect()
    assert gone() is None
    assert {kind: len(signal.receivers) for kind, signal in signals.items()} == kept
