"""What is SQLite's own."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from forgekit.errors import ConfigurationError, StorageBusy, StorageError
from forgekit.kernel.events.models import Queue
from forgekit_sql import open_sqlite
from forgekit_sql.sqlite import _WriteLocks

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def file_url(tmp_path):
    """The URL of a file that is not there yet, with little patience."""
    return f"sqlite:///{tmp_path}/forge.db?timeout=0.2"


def _pragmas(storage):
    with storage.transaction(write=False) as tx:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return [tx.connection.execute(text(f"PRAGMA {name}")).scalar() for name in names]


def test_a_file_is_durable(open_storage, file_url):
    """WAL, fully synchronous, references watched over, and a timeout for writers of other processes."""
    with open_storage(file_url) as storage:
        assert _pragmas(storage) == ["wal", 2, 1, 200]


def test_paths_are_relative_or_absolute(clock, tmp_path, monkeypatch):
    """Three slashes name a file in the working directory, four one from the root."""
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///here.db", f"sqlite:///{tmp_path}/there.db"):
        open_sqlite(url, clock).close()
    assert {path.name for path in tmp_path.glob("*.db")} == {"here.db", "there.db"}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_private_database_goes_with_its_storage(open_storage, add_project, keys, url):
    """Without a file there is a database that all threads share, nobody else sees, and that leaves nothing behind."""
    with open_storage(url) as one, open_storage(url) as other:
        with one.transaction() as tx:
            add_project(one, tx, "a")
        seen = []
        thread = threading.Thread(target=lambda: seen.append(keys(one)))
        thread.start()
        thread.join()
        assert (seen, keys(other)) == ([["a"]], [])
        directory = Path(one._database.path).parent
        assert directory.exists()
    assert not directory.exists()
    assert "temporary" in one.describe()


@pytest.mark.parametrize(
    "url",
    ["sqlite:///x.db?cache=shared", "sqlite://host/x.db", "sqlite:///x.db?timeout=soon", "sqlite+pysqlite//:", "sqlite://u:sekret@h:x/y"],
)
def test_a_url_that_cannot_be_used_is_refused(clock, url):
    """What SQLite has no use for is said, and no part that may be secret is repeated."""
    with pytest.raises(ConfigurationError) as caught:
        open_sqlite(url, clock)
    assert "sekret" not in str(caught.value)


def test_a_file_that_cannot_be_opened_is_an_error_of_storage(clock, tmp_path):
    """A directory that is not there is told in the database's words."""
    with pytest.raises(StorageError, match="unable to open"):
        open_sqlite(f"sqlite:///{tmp_path}/nowhere/forge.db", clock)


def test_another_processes_writer_makes_us_busy(open_storage, file_url, tmp_path):
    """Who waits too long for the file's lock is told to come again."""
    with open_storage(file_url) as storage:
        other = sqlite3.connect(tmp_path / "forge.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusy) as caught, storage.transaction():
            pass
        other.close()
        assert caught.value.retryable
        assert caught.value.retry_after


def test_writers_of_one_process_share_one_lock(open_storage, file_url):
    """Two storages on one file take turns, and who waits too long is told so."""
    with open_storage(file_url) as one, open_storage(file_url) as other, one.transaction():
        refused = []

        def write():
            try:
                with other.transaction():
                    pass
            except StorageBusy as error:
                refused.append(error.message)

        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert refused == ["Another thread of this process is still writing."]


def test_a_child_process_forgets_its_parents_locks():
    """After a fork no lock is held by a thread that is not there."""
    locks = _WriteLocks()
    lock = locks.lock("/x")
    with lock.held(1):
        assert locks.lock("/x") is lock
        locks.clear()
        with locks.lock("/x").held(0.1):
            pass


def _plan(storage, statement, parameters=()):
    with storage.transaction(write=False) as tx:
        rows = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return "\n".join(row[3] for row in rows)


class TestQueryPlans:
    @pytest.mark.parametrize("queue", [Queue.OUTBOX, Queue.INBOX])
    def test_claiming_does_not_look_at_finished_rows(self, open_storage, file_url, counter, queue):
        """What is due is found, in order, in an index that holds nothing else."""
        with open_storage(file_url) as storage:
            with storage.transaction() as tx, counter.counting():
                storage.claims(tx).claim(queue, handlers=["a", "b"], now=START, lease=timedelta(5), limit=20)
                storage.claims(tx).next_due(queue, handlers=["a", "b"])
            plans = [_plan(storage, statement, parameters) for statement, parameters in counter.executed]
        assert all(f"USING INDEX ix_forgekit_{queue.value}_claim_at" in plan for plan in plans)
        assert not any("TEMP B-TREE" in plan for plan in plans)

    def test_arrivals_are_recognised_by_index(self, open_storage, file_url):
        """Neither duplicates nor bursts are looked for in the whole inbox."""
        from forgekit_sql.arrivals import _DIALECTS

        with open_storage(file_url) as storage:
            plan = _plan(storage, _DIALECTS["sqlite"].seen, ("[]", "[]", "[]", "[]", 0))
        assert "SCAN forgekit_inbox" not in plan
        assert "(provider=? AND event_key=? AND received_at>?)" in plan

    def test_pending_links_have_an_index(self, open_storage, file_url):
        """What waits is found without looking at what does not."""
        with open_storage(file_url) as storage:
            for flag in ("relations_pending", "push_pending"):
                plan = _plan(storage, f"SELECT * FROM forgekit_links WHERE tracker = ? AND {flag} = 1 ORDER BY external_id", ("plane",))
                assert "ix_forgekit_links_pending" in plan
