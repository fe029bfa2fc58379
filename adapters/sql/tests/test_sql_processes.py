"""Several processes on one database."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime

import pytest

from forgekit.kernel.events.models import Queue
from forgekit.kernel.storage.ports import OutboxRow

ROWS = 300
WORKER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from forgekit.kernel.clock import SystemClock
from forgekit.kernel.events.models import Outcome, Queue
from forgekit_sql import open_postgresql, open_sqlite

url, clock = sys.argv[1], SystemClock()
storage = (open_sqlite if url.startswith("sqlite") else open_postgresql)(url, clock)

def work(_number):
    done = []
    while True:
        with storage.transaction() as tx:
            claims = storage.claims(tx).claim(Queue.OUTBOX, handlers=["h"], now=clock.now(), lease=timedelta(seconds=60), limit=7)
        if not claims:
            return done
        for claim in claims:
            with storage.transaction() as tx:
                if storage.claims(tx).settle(claim, Outcome.done()):
                    done.append(claim.key)

with ThreadPoolExecutor(3) as pool:
    print(" ".join(key for keys in pool.map(work, range(3)) for key in keys))
storage.close()
"""


@pytest.mark.faults
def test_no_row_is_done_twice(storage, url, begin):
    """Two processes of three threads each share the rows out: every row is done, and by one of them."""
    now = datetime.now(UTC)
    with storage.transaction() as tx:
        rows = [OutboxRow(id=f"{n:04}", event="e", handler="h", payload={}, due_at=now) for n in range(ROWS)]
        storage.claims(tx).add_outbox(rows)
    workers = [begin(sys.executable, "-c", WORKER, url, stdout=subprocess.PIPE) for _ in range(2)]
    done = Counter(key for worker in workers for key in worker.communicate(timeout=300)[0].split())
    assert [worker.returncode for worker in workers] == [0, 0]
    assert len(done) == ROWS
    assert set(done.values()) == {1}
    with storage.transaction(write=False) as tx:
        assert storage.claims(tx).counts(Queue.OUTBOX) == {"done": ROWS}
