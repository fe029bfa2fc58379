"""The suite that every storage engine passes.

::

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def storage(self, clock):
            storage = open_mine("mine://…", clock)
            storage.upgrade()
            yield storage
            storage.close()

``storage`` is the one fixture to write: an engine on an empty database of the test's own, with its schema in place, that takes the
time from the fixture ``clock``. The suite does not cover joined transactions, which only the engine's own tests can drive.
"""

from __future__ import annotations

from forgekit.testing.storage.accounts import AccountContract
from forgekit.testing.storage.build_imports import BuildImportContract
from forgekit.testing.storage.inbox import InboxContract
from forgekit.testing.storage.kernel import KernelContract
from forgekit.testing.storage.queues import QueueContract
from forgekit.testing.storage.schedules import ScheduleContract
from forgekit.testing.storage.sprints import SprintContract
from forgekit.testing.storage.transactions import TransactionContract
from forgekit.testing.storage.work import WorkContract

__all__ = ["StorageContract"]


class StorageContract(
    TransactionContract,
    KernelContract,
    QueueContract,
    ScheduleContract,
    AccountContract,
    WorkContract,
    SprintContract,
    InboxContract,
    BuildImportContract,
):
    """Everything that a storage engine promises, one test a promise."""
