from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from forgekit.errors import ForgeClosed, ForgeForked, StorageBusy, StorageError
from forgekit.webhooks.committer import GroupCommitter


class Book:
    """Something to write to, whose writer waits while the gate is shut."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def write(self, items):
        self.entered.set()
        assert self.gate.wait(60)
        for item in items:
            if isinstance(item, Exception):
                raise item
        self.batches.append(list(items))
        return [item * 2 for item in items]

    def shut_in(self, committer):
        """Let the writer wait inside its first write, and return what it writes."""
        self.gate.clear()
        first = committer.submit(0)
        assert self.entered.wait(60)
        return first


@pytest.fixture
def book():
    """Return something to write to, with the gate open."""
    return Book()


@pytest.fixture
def committer(book):
    """A committer of ten places, four to a batch."""
    made = GroupCommitter(book.write, capacity=10, batch=4)
    yield made
    book.gate.set()
    made.close()


def test_no_thread_before_the_first_item(book):
    """Making one starts nothing; closing one that never worked is nothing."""
    before = set(threading.enumerate())
    committer = GroupCommitter(book.write)
    assert set(threading.enumerate()) <= before
    committer.close()


def test_what_waits_is_written_together_and_in_order(book, committer):
    """While one batch is written the next collects, up to the size of a batch."""
    first = book.shut_in(committer)
    others = [committer.submit(number) for number in range(1, 7)]
    book.gate.set()
    assert [pending.result(60) for pending in [first, *others]] == [0, 2, 4, 6, 8, 10, 12]
    assert book.batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_many_threads_each_get_their_own_result(book):
    """Sixty-four threads hand in at once; nobody gets another's result, nothing is written twice."""
    committer = GroupCommitter(book.write)
    with ThreadPoolExecutor(64) as pool:
        results = list(pool.map(lambda number: committer.submit(number).result(60), range(2_000)))
    committer.close()
    assert results == [number * 2 for number in range(2_000)]
    assert sorted(number for batch in book.batches for number in batch) == list(range(2_000))


def test_a_bad_item_does_not_take_the_others(book, committer):
    """After an error each item of the batch is written alone, and only the bad one's caller hears of it."""
    first = book.shut_in(committer)
    good, bad, fine = committer.submit(1), committer.submit(ValueError("bad")), committer.submit(3)
    book.gate.set()
    assert [first.result(60), good.result(60), fine.result(60)] == [0, 2, 6]
    with pytest.raises(ValueError, match="bad"):
        bad.result(60)


@pytest.mark.parametrize("error", [StorageBusy, StorageError])
def test_a_storage_in_trouble_is_asked_once(book, committer, error):
    """When the storage is busy or away, everyone who waits hears so at once: asking for each item would take for ever."""
    book.shut_in(committer)
    waiting = [committer.submit(error()), committer.submit(1)]
    book.gate.set()
    for pending in waiting:
        with pytest.raises(error):
            pending.result(60)
    assert book.batches == [[0]]


def test_a_storage_that_becomes_busy_meanwhile_ends_the_attempt(book, committer):
    """Item by item, the first busy answer counts for the rest; what was written stays written."""
    book.shut_in(committer)
    items = [1, ValueError("bad"), StorageBusy(), 2]
    waiting = [committer.submit(item) for item in items]
    book.gate.set()
    outcomes = [type(pending.exception(60)) for pending in waiting]
    assert outcomes == [type(None), ValueError, StorageBusy, StorageBusy]
    assert book.batches == [[0], [1]]


def test_a_full_queue_refuses(book, committer):
    """More than the capacity is refused with a time to come again, and there is room again afterwards."""
    first = book.shut_in(committer)
    others = [committer.submit(number) for number in range(9)]
    with pytest.raises(StorageBusy) as refused:
        committer.submit(10)
    assert refused.value.retry_after == 1
    book.gate.set()
    assert [pending.result(60) is not None for pending in [first, *others]]
    committer.submit(11).result(60)


def test_large_items_fill_it_too(book):
    """Memory is bounded in bytes; one item may be larger than the bound, but not beside others."""
    committer = GroupCommitter(book.write, size=len, max_size=10)
    book.gate.clear()
    huge = committer.submit("x" * 11)
    with pytest.raises(StorageBusy):
        committer.submit("x")
    book.gate.set()
    assert huge.result(60) == "x" * 22
    committer.close()


def test_closing_writes_what_was_submitted_and_refuses_the_rest(book, committer):
    """Everything accepted is written; later items are refused; a second close is nothing."""
    first = book.shut_in(committer)
    second = committer.submit(1)
    threading.Timer(0.05, book.gate.set).start()
    committer.close()
    assert (first.done(), second.result(0)) == (True, 2)
    with pytest.raises(ForgeClosed):
        committer.submit(2)
    committer.close()


def test_a_cancelled_item_is_not_written(book, committer):
    """A caller that gives up before its turn wants nothing written."""
    book.shut_in(committer)
    dropped, kept = committer.submit(1), committer.submit(2)
    assert dropped.cancel()
    book.gate.set()
    assert kept.result(60) == 4
    assert book.batches == [[0], [2]]


def test_a_batch_of_cancelled_items_writes_nothing(book, committer):
    """Where everyone gave up, there is no transaction."""
    book.shut_in(committer)
    assert committer.submit(1).cancel()
    book.gate.set()
    committer.close()
    assert book.batches == [[0]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_after_a_fork_it_refuses(book, committer):
    """The writing thread stays in the parent, so the child is told instead of waiting for ever."""
    committer.submit(1).result(60)
    child = os.fork()
    if child == 0:
        try:
            committer.submit(2)
        except ForgeForked:
            os._exit(7)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


class TestAwaiting:
    def test_many_coroutines_share_a_wakeup(self, book, committer):
        """Coroutines that wait for one batch get their results, and the loop is woken once for all of them."""

        async def main():
            loop = asyncio.get_running_loop()
            book.shut_in(committer)
            waiting = [asyncio.ensure_future(_await(committer.submit(number))) for number in (1, 2, 3)]
            await asyncio.sleep(0)
            wakes, original = [], loop.call_soon_threadsafe
            loop.call_soon_threadsafe = lambda *args, **options: wakes.append(args) or original(*args, **options)
            book.gate.set()
            return await asyncio.gather(*waiting), len(wakes)

        assert asyncio.run(main()) == ([2, 4, 6], 1)

    def test_an_error_is_raised_where_it_is_awaited(self, committer):
        """The coroutine gets the error of its own item."""

        async def main():
            with pytest.raises(ValueError, match="bad"):
                await committer.submit(ValueError("bad"))

        asyncio.run(main())

    def test_a_cancelled_coroutine_leaves_the_work_alone(self, book, committer):
        """Whoever stops waiting does not stop the writing."""

        async def main():
            book.shut_in(committer)
            pending = committer.submit(1)
            task = asyncio.ensure_future(_await(pending))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            book.gate.set()
            return await pending

        assert asyncio.run(main()) == 2

    def test_a_result_that_is_there_needs_no_waiting(self, committer):
        """A finished one is returned at once."""
        pending = committer.submit(4)
        assert pending.result(60) == 8
        assert asyncio.run(_await(pending)) == 8

    def test_a_loop_that_ended_hurts_nobody(self, book, committer):
        """An event loop that is gone when the answer comes does not stop the committer."""

        async def leave():
            book.shut_in(committer)
            task = asyncio.ensure_future(_await(committer.submit(1)))
            await asyncio.sleep(0)
            task.cancel()

        asyncio.run(leave())
        book.gate.set()
        assert committer.submit(2).result(60) == 4

    def test_settled_by_another_thread_it_wakes_too(self, book, committer):
        """One that is cancelled elsewhere wakes its waiter, who hears of it."""

        async def main():
            book.shut_in(committer)
            pending = committer.submit(1)
            task = asyncio.ensure_future(_await(pending))
            await asyncio.sleep(0)
            await asyncio.to_thread(pending.cancel)
            with pytest.raises(CancelledError):
                await task

        asyncio.run(main())


def test_then_converts_results_and_passes_errors_on(committer):
    """A converted result has the error of the first, or of the conversion."""
    assert committer.submit(1).then(str).result(60) == "2"
    with pytest.raises(ValueError, match="bad"):
        committer.submit(ValueError("bad")).then(str).result(60)
    with pytest.raises(ZeroDivisionError):
        committer.submit(1).then(lambda value: value // 0).result(60)


async def _await(pending):
    return await pending
