"""Transactions: all or nothing, bound to a thread, with what follows a commit."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from forgekit.errors import NetworkInTransaction, TransactionOver, UsageError, WrongThread
from forgekit.hookspecs import StorageEngine
from forgekit.kernel.storage.transaction import forbid_network
from forgekit.testing.storage.base import PROJECT, Contract


class TransactionContract(Contract):
    """What a transaction promises."""

    def test_a_commit_is_seen_by_later_transactions(self, storage: StorageEngine) -> None:
        """What a block wrote is there after it."""
        with storage.transaction() as tx:
            storage.work(tx).add_project(PROJECT)
        with storage.transaction(write=False) as tx:
            assert storage.work(tx).projects() == [PROJECT]

    def test_an_error_rolls_everything_back(self, storage: StorageEngine) -> None:
        """A block that raises leaves nothing, and its error comes out as it is."""
        with pytest.raises(KeyError), storage.transaction() as tx:
            storage.work(tx).add_project(PROJECT)
            raise KeyError
        with storage.transaction(write=False) as tx:
            assert not storage.work(tx).projects()

    def test_callbacks_run_after_the_commit_and_may_write(self, storage: StorageEngine) -> None:
        """A callback is called once the rows are there, outside the transaction."""
        seen = []

        def look() -> None:
            forbid_network()
            with storage.transaction() as own:
                seen.append(storage.work(own).project(PROJECT.key))

        with storage.transaction() as tx:
            tx.after_commit(look)
            storage.work(tx).add_project(PROJECT)
            assert not seen
        assert seen == [PROJECT]

    def test_callbacks_do_not_run_after_a_rollback(self, storage: StorageEngine) -> None:
        """What was not committed is announced to nobody."""
        called: list[int] = []
        with pytest.raises(KeyError), storage.transaction() as tx:
            tx.after_commit(lambda: called.append(1))
            raise KeyError
        assert not called

    def test_nobody_leaves_the_process_while_writing(self, storage: StorageEngine) -> None:
        """A write transaction forbids the network on its thread; a read transaction does not."""
        with storage.transaction(write=False):
            forbid_network()
        with storage.transaction(), pytest.raises(NetworkInTransaction):
            forbid_network()
        forbid_network()

    def test_a_reader_cannot_write(self, storage: StorageEngine) -> None:
        """A transaction opened for reading refuses to write."""
        with storage.transaction(write=False) as tx, pytest.raises(UsageError):
            storage.work(tx).add_project(PROJECT)

    def test_a_thread_writes_in_one_transaction_at_a_time(self, storage: StorageEngine) -> None:
        """A second write transaction on one thread is refused at once instead of waiting for the first for ever."""
        with storage.transaction() as tx:
            with pytest.raises(UsageError, match="tx="), storage.transaction():
                pass
            storage.work(tx).add_project(PROJECT)
        with storage.transaction(write=False) as tx:
            assert storage.work(tx).project(PROJECT.key) == PROJECT

    def test_reading_goes_on_while_writing(self, storage: StorageEngine) -> None:
        """A read transaction inside a write transaction sees what was committed before."""
        with storage.transaction() as tx:
            storage.work(tx).add_project(PROJECT)
            with storage.transaction(write=False) as reader:
                assert not storage.work(reader).projects()

    def test_a_reader_sees_one_moment(self, storage: StorageEngine) -> None:
        """What is committed meanwhile does not show in a read transaction that has begun to read."""
        with storage.transaction(write=False) as reader:
            assert not storage.work(reader).projects()
            with storage.transaction() as tx:
                storage.work(tx).add_project(PROJECT)
            assert not storage.work(reader).projects()

    def test_a_transaction_ends_with_its_block(self, storage: StorageEngine) -> None:
        """A repository kept beyond the block refuses."""
        with storage.transaction() as tx:
            work = storage.work(tx)
        with pytest.raises(TransactionOver):
            work.projects()

    def test_a_transaction_is_one_threads(self, storage: StorageEngine) -> None:
        """Another thread cannot use a transaction."""
        with storage.transaction() as tx, ThreadPoolExecutor(1) as pool, pytest.raises(WrongThread):
            pool.submit(storage.work(tx).projects).result()

    def test_writers_wait_for_each_other(self, storage: StorageEngine) -> None:
        """Many threads that change one row at once lose none of their changes."""
        with storage.transaction() as tx:
            storage.work(tx).add_project(PROJECT)
        together = threading.Barrier(8)

        def reserve(_number: int) -> list[int]:
            together.wait()
            with storage.transaction() as tx:
                first = storage.work(tx).reserve_numbers(PROJECT.id, 3)
            return [first, first + 1, first + 2]

        with ThreadPoolExecutor(8) as pool:
            reserved = [number for numbers in pool.map(reserve, range(8)) for number in numbers]
        assert sorted(reserved) == list(range(1, 25))

    def test_the_description_is_for_people(self, storage: StorageEngine) -> None:
        """An engine tells where it is."""
        assert storage.describe()

    def test_an_upgraded_schema_is_accepted(self, storage: StorageEngine) -> None:
        """A second upgrade has nothing to do."""
        assert not storage.upgrade()
        storage.check_schema()
