"""What a killed process, and two living ones, leave in the inbox."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forgekit.kernel.clock import SystemClock
from forgekit.webhooks import Arrival
from forgekit_sql import open_postgresql

PROGRAM = Path(__file__).with_name("inbox_process.py")
pytestmark = [pytest.mark.faults]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A database of each kind, in a file or on the server."""
    return f"sqlite:///{tmp_path}/inbox.db" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")


@pytest.fixture
def start(begin):
    """Start a process that receives a burst."""

    def burst(url, **options):
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        return begin(sys.executable, PROGRAM, "burst", url, *words, stdout=subprocess.PIPE)

    return burst


def _report(url, answered):
    given = "".join(f"{number}\n" for number in answered)
    done = subprocess.run([sys.executable, PROGRAM, "report", url], input=given, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _answered_before_the_kill(process, count):
    """Read that many answers, kill, and return them with those that were on their way."""
    lines = [process.stdout.readline() for _ in range(count)]
    process.kill()
    lines += process.stdout.readlines()
    process.wait()
    return [int(line.split()[0]) for line in lines if line.endswith("\n")]


@pytest.mark.parametrize("count", [1, 300])
def test_what_was_answered_survives_a_kill(url, start, count):
    """After kill -9 in a burst, every answered webhook is there, refused as a duplicate, and handled exactly once."""
    answered = _answered_before_the_kill(start(url), count)
    assert len(answered) >= count
    found = _report(url, answered)
    assert found["answers"] == {"deduped": len(answered)}
    assert found["received"] >= len(answered)
    assert (found["waiting"], found["failed"]) == (0, 0)
    assert found["effects"] == {"1": found["received"]}


def test_two_processes_share_an_inbox(postgresql_url, start):
    """Two processes that get the same webhooks in different orders store each once and handle each once; none gets in the other's way."""
    processes = [start(postgresql_url, count=500, seed=seed) for seed in (1, 2)]
    answers = [line.split()[1] for process in processes for line in process.communicate(timeout=300)[0].splitlines()]
    assert [process.returncode for process in processes] == [0, 0]
    assert (answers.count("processed"), answers.count("deduped")) == (500, 500)
    found = _report(postgresql_url, [])
    assert (found["received"], found["waiting"], found["effects"]) == (500, 0, {"1": 500})


def test_two_processes_with_one_batch_each_do_not_deadlock(postgresql_url):
    """The same webhooks, in one batch each and in different orders, are stored by two connections at once without an error."""
    storage = open_postgresql(postgresql_url, SystemClock())
    storage.upgrade()
    together = threading.Barrier(2)

    def store(seed):
        for batch in range(50):
            arrivals = [_arrival(number) for number in range(batch * 30, batch * 30 + 30)]
            random.Random(seed).shuffle(arrivals)
            together.wait(30)
            with storage.transaction() as tx:
                storage.inbox(tx).store(arrivals, burst=timedelta(seconds=5))
        return True

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(store, [1, 2])) == [True, True]
    storage.close()


def _arrival(number):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    return Arrival(provider="p", dedup_key=f"body:{number}", event_key="", kind="issue", body=b"{}", received_at=now, wanted=True)
