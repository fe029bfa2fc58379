from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from forgekit.errors import BudgetExhausted, ForgeClosed, NetworkInTransaction, UsageError
from forgekit.kernel.clock import SystemClock
from forgekit.kernel.net.budgets import BudgetPolicy, Budgets, MemoryBudgets, Priority
from forgekit.kernel.storage.transaction import counted_write

CREDENTIAL = "0123456789abcdef" * 4
POLICY = BudgetPolicy(calls=4, window=60.0, keep={Priority.POLL: 2}, patience={Priority.PEOPLE: 5.0, Priority.POLL: 60.0})

TAKES = """
import sys
from forgekit.errors import BudgetExhausted
from forgekit.kernel.clock import SystemClock
from forgekit.kernel.net.budgets import BudgetPolicy, Budgets, Priority
from forgekit_sql import open_sqlite

clock = SystemClock()
storage = open_sqlite(sys.argv[1], clock)
ticket = Budgets(storage, clock).ticket("c" * 64, BudgetPolicy(calls=20, window=3600.0), Priority.PEOPLE)
granted = 0
for _ in range(20):
    try:
        ticket.take()
        granted += 1
    except BudgetExhausted:
        pass
storage.close()
print(granted)
"""


class Time:
    """A clock that only sleeping moves, and that writes down every sleep."""

    def __init__(self):
        self.moment = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.slept = []

    def now(self):
        return self.moment

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def time():
    """The time of one test."""
    return Time()


@pytest.fixture
def budgets(time):
    """Budgets of this process on that time, with no chance in them."""
    return Budgets(MemoryBudgets(), time, sleep=time.sleep, noise=lambda: 1.0)


def test_a_burst_goes_through_at_once(budgets, time):
    """All calls of a budget may be made without waiting."""
    ticket = budgets.ticket(CREDENTIAL, POLICY, Priority.PEOPLE)
    for _ in range(4):
        ticket.take()
    assert time.slept == []


def test_a_patient_caller_waits_for_its_turn(budgets, time):
    """The loop waits exactly as long as the window needs, once."""
    ticket = budgets.ticket(CREDENTIAL, POLICY, Priority.POLL)
    ticket.take()
    time.moment += timedelta(seconds=12.5)
    ticket.take()
    ticket.take()
    assert time.slept == [47.5]


def test_an_impatient_caller_is_told_when_to_come_back(budgets, time):
    """A click waits five seconds at most; beyond, the error tells the whole wait."""
    ticket = budgets.ticket(CREDENTIAL, POLICY, Priority.PEOPLE)
    for _ in range(4):
        ticket.take()
    with pytest.raises(BudgetExhausted) as caught:
        ticket.take()
    assert caught.value.retry_after == 60.0
    assert caught.value.data == {"priority": "people"}
    time.moment += timedelta(seconds=55)
    ticket.take()
    assert time.slept == [5.0]


def test_the_loop_leaves_room_for_people(budgets, time):
    """When the loop has used its share, people go through at once."""
    loop, people = (budgets.ticket(CREDENTIAL, POLICY, priority) for priority in (Priority.POLL, Priority.PEOPLE))
    loop.take()
    loop.take()
    people.take()
    people.take()
    assert time.slept == []


def test_patience_is_counted_over_all_waits(time):
    """Somebody who is overtaken after each wait gives up when the waits together are too long."""
    store, policy = MemoryBudgets(), BudgetPolicy(calls=1, window=2.0)
    rival = Budgets(store, time).ticket(CREDENTIAL, policy, Priority.PEOPLE)

    def sleep_and_be_overtaken(seconds):
        time.sleep(seconds)
        rival.take()

    rival.take()
    with pytest.raises(BudgetExhausted):
        Budgets(store, time, sleep=sleep_and_be_overtaken).ticket(CREDENTIAL, policy, Priority.PEOPLE).take()
    assert time.slept == [2.0, 2.0]


def test_credentials_have_budgets_of_their_own(budgets, time):
    """Two keys do not share."""
    for credential in ("a" * 64, "b" * 64):
        for _ in range(4):
            budgets.ticket(credential, POLICY, Priority.PEOPLE).take()
    assert time.slept == []


def test_a_block_stops_everybody_for_as_long(budgets, time):
    """When the outside system asks to wait, nobody calls before, whatever is left of the budget."""
    people = budgets.ticket(CREDENTIAL, POLICY, Priority.PEOPLE)
    assert people.block(17.0) == 17.0
    with pytest.raises(BudgetExhausted) as caught:
        people.take()
    assert caught.value.retry_after == 17.0
    budgets.ticket(CREDENTIAL, POLICY, Priority.POLL).take()
    assert time.slept == [17.0]


@pytest.mark.parametrize(("asked", "blocked"), [(0.0, 30.0), (-5.0, 30.0), (90.0, 90.0), (1e9, 3600.0)])
def test_a_block_is_prolonged_within_bounds(budgets, asked, blocked):
    """A second answer never shortens a block, and none lasts longer than an hour."""
    ticket = budgets.ticket(CREDENTIAL, POLICY, Priority.PEOPLE)
    ticket.block(30.0)
    assert ticket.block(asked) == blocked


def test_a_refusal_without_a_word_backs_off_exponentially(budgets, time):
    """Each refusal in a row doubles the block; a quiet window starts anew."""
    ticket = budgets.ticket(CREDENTIAL, POLICY, Priority.PEOPLE)
    blocks = []
    for _ in range(10):
        blocks.append(ticket.block(None))
        time.sleep(blocks[-1])
    assert blocks == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0]
    time.sleep(60.0)
    assert ticket.block(None) == 2.0


def test_an_unreadable_ledger_starts_anew(time, caplog):
    """A damaged row stops nobody, and is told."""
    store = MemoryBudgets()
    store.save(CREDENTIAL, "damaged", None)
    Budgets(store, time, sleep=time.sleep).ticket(CREDENTIAL, POLICY, Priority.PEOPLE).take()
    assert "unreadable" in caplog.text


def test_no_budget_is_asked_inside_a_write_transaction(budgets):
    """Waiting for a turn while others wait for the database is refused."""
    with counted_write(), pytest.raises(NetworkInTransaction):
        budgets.ticket(CREDENTIAL, POLICY, Priority.PEOPLE).take()


def test_closing_wakes_whoever_waits(time):
    """A forge that closes does not keep a thread waiting for its turn."""
    budgets = Budgets(MemoryBudgets(), time)
    ticket = budgets.ticket(CREDENTIAL, POLICY, Priority.POLL)
    ticket.block(50.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ticket.take)
        budgets.close()
        with pytest.raises(ForgeClosed):
            waiting.result(timeout=60)


def test_a_long_wait_is_made_of_short_ones(time, monkeypatch):
    """Ctrl-C that comes while a wait begins, which Python hears at the end of it only, is heard within a second."""
    budgets, waited = Budgets(MemoryBudgets(), time), []
    monkeypatch.setattr(budgets._closing, "wait", waited.append)
    budgets.wait(2.5)
    assert waited == [1.0, 1.0, 0.5]


def test_a_ticket_shows_no_credential(budgets):
    """Not even the credential's hash is printed."""
    assert CREDENTIAL not in repr(budgets.ticket(CREDENTIAL, POLICY, Priority.PEOPLE))


def test_memory_budgets_are_written_in_write_transactions_only(time):
    """The fallback keeps the rules of a storage."""
    store = MemoryBudgets()
    with store.transaction(write=False) as tx, pytest.raises(UsageError):
        store.budgets(tx)


def test_threads_share_a_budget():
    """However many threads ask at once, exactly the budget is granted."""
    budgets = Budgets(MemoryBudgets(), SystemClock())
    ticket = budgets.ticket(CREDENTIAL, BudgetPolicy(calls=30, window=3600.0), Priority.PEOPLE)
    start = threading.Barrier(8)

    def granted():
        start.wait()
        return sum(_goes_through(ticket) for _ in range(10))

    with ThreadPoolExecutor(8) as pool:
        assert sum(future.result() for future in [pool.submit(granted) for _ in range(8)]) == 30


def _goes_through(ticket):
    try:
        ticket.take()
    except BudgetExhausted:
        return False
    return True


def test_processes_share_a_budget(tmp_path, begin):
    """Several processes on one database are granted exactly the budget between them."""
    sql = pytest.importorskip("forgekit_sql")
    path = f"sqlite:///{tmp_path / 'forge.db'}"
    storage = sql.open_sqlite(path, SystemClock())
    storage.upgrade()
    storage.close()
    running = [begin(sys.executable, "-c", TAKES, path, stdout=subprocess.PIPE) for _ in range(3)]
    assert sum(int(process.communicate(timeout=300)[0]) for process in running) == 20
