"""The worker's threads, on a real database and the real clock."""

from __future__ import annotations

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
        assert done.wait(10)


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
