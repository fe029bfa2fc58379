"""The worker's threads, on a real database and the real clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from forgekit import Forge
from forgekit.errors import UsageError
from forgekit.sprints.models import CommentDue

ANY = CommentDue(project_id="none", tracker="none", external_id="1", text="t", marker="m")


@pytest.fixture
def forge():
    """A forge in memory."""
    with Forge.open("sqlite://", discover=True, environ={}) as opened:
        yield opened


def test_a_running_worker_takes_up_new_work_at_once(forge):
    """A commit wakes the worker: it does not wait for its next look at the queue."""
    from forgekit.kernel.events.models import Handler

    done = threading.Event()
    forge._recorder._handlers.clear()
    forge._recorder.register([Handler(name="tests.done", event=CommentDue, run=lambda event, tx: done.set())])
    with forge.worker():
        with forge.transaction() as tx:
            forge._recorder.record(tx, ANY)
        assert done.wait(60)


def test_a_worker_is_not_started_twice(forge):
    """Starting a running worker is a mistake that is told."""
    worker = forge.worker()
    with worker, pytest.raises(UsageError):
        worker.start()


def test_a_stopped_worker_leaves_no_thread(forge):
    """After the block no thread of the worker is alive."""
    with forge.worker():
        pass
    assert not [
        thread for thread in threading.enumerate() if thread.name.startswith(("forgekit-inbox-", "forgekit-outbox", "forgekit-sched"))
    ]


def test_a_signal_is_heard_whenever_it_comes():
    """A worker that is told to stop while it begins to wait stops, every time; what other signals tell is left to others."""
    program = """
        import os, random, signal, threading
        from forgekit import Forge

        heard = []
        signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))

        def tell(ready, number):
            ready.wait()
            for _ in range(random.randrange(300)):
                pass
            os.kill(os.getpid(), signal.SIGUSR1)
            os.kill(os.getpid(), number)

        with Forge.open("sqlite://", discover=True, environ={}) as forge:
            for turn in range(300):
                ready = threading.Event()
                teller = threading.Thread(target=tell, args=(ready, (signal.SIGINT, signal.SIGTERM)[turn % 2]))
                teller.start()
                forge.worker().serve(ready.set)
                teller.join()
        print(len(heard))
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORGEKIT_")}
    found = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    assert found.stdout == "300\n"


def test_before_and_after_serving_signals_do_what_they_did(forge):
    """The handlers of the program are back when the worker has stopped."""
    before = signal.getsignal(signal.SIGTERM)
    forge.worker().serve(lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert signal.getsignal(signal.SIGTERM) is before
