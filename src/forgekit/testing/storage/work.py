"""Projects, work items, dependencies and test runs."""

from __future__ import annotations

import attrs
import pytest

from forgekit.errors import Conflict, InvalidInput, ProjectNotFound
from forgekit.hookspecs import StorageEngine
from forgekit.kernel.storage.transaction import Transaction
from forgekit.testing.storage.base import NOW, PROJECT, SECOND, Contract, present, work_item
from forgekit.work.models import Kind, Origin, RunSummary, State, TestRun, WorkItem
from forgekit.work.ports import WorkRepository


def filled(storage: StorageEngine, tx: Transaction, items: int = 3) -> WorkRepository:
    """Return a repository with a project and so many items."""
    work = storage.work(tx)
    work.add_project(PROJECT)
    work.add_items([work_item(number) for number in range(1, items + 1)])
    return work


def _run(name: str, item: int, *, passed: bool, after: int = 0) -> TestRun:
    return TestRun(id=name, item_id=f"i-{item}", passed=passed, at=NOW + after * SECOND)


class WorkContract(Contract):
    """What the repository of ``work`` promises."""

    def test_a_project_is_found_by_key_and_id(self, storage: StorageEngine) -> None:
        """A project comes back as it was stored."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            assert work.project("shop") == PROJECT == work.project_by_id("p-1")
            assert work.project("SHOP") is None
            assert work.project_by_id("p-2") is None

    def test_a_taken_key_is_a_conflict(self, storage: StorageEngine) -> None:
        """A second project of one key is refused, and the transaction goes on."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            with pytest.raises(Conflict):
                work.add_project(attrs.evolve(PROJECT, id="p-2"))
            assert work.projects() == [PROJECT]

    def test_projects_are_told_by_key(self, storage: StorageEngine) -> None:
        """Projects come in the order of their keys, by code point."""
        with storage.transaction() as tx:
            work = storage.work(tx)
            for key in ("b", "a", "Z", "_"):
                work.add_project(attrs.evolve(PROJECT, id=key, key=key))
            assert [project.key for project in work.projects()] == ["Z", "_", "a", "b"]

    def test_a_repository_is_set_and_taken_away(self, storage: StorageEngine) -> None:
        """A project's work tree can change."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            work.set_repository("p-1", "/srv/shop")
            assert present(work.project("shop")).repository == "/srv/shop"
            work.set_repository("p-1", None)
            assert present(work.project("shop")).repository is None

    def test_numbers_are_consecutive(self, storage: StorageEngine) -> None:
        """Reserved numbers begin at 1 and leave no gap."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            work.lock_project("p-1")
            assert [work.reserve_numbers("p-1", count) for count in (1, 5, 1)] == [1, 2, 7]

    def test_numbers_need_a_project(self, storage: StorageEngine) -> None:
        """Nobody reserves numbers in a project that is not there."""
        with storage.transaction() as tx, pytest.raises(ProjectNotFound):
            storage.work(tx).reserve_numbers("p-9", 1)

    def test_an_item_comes_back_whole(self, storage: StorageEngine) -> None:
        """Every field of an item is kept, to the microsecond and the last character."""
        item = work_item(9, parent_id="i-1", kind=Kind.TASK, description="käse 🧀\n'\"", steps=("a", "", "b"), category="x", priority=1)
        item = attrs.evolve(item, state=State.REVIEW, passing=True, passing_at=NOW + SECOND, sprint_id="s-1", position=-5)
        with storage.transaction() as tx:
            work = filled(storage, tx)
            work.add_items([item])
            assert work.item("i-9") == item == work.item_by_number("p-1", 9)

    def test_a_child_may_come_before_its_parent(self, storage: StorageEngine) -> None:
        """The order of new items does not matter."""
        with storage.transaction() as tx:
            work = filled(storage, tx, items=0)
            work.add_items([work_item(1, parent_id="i-2"), work_item(2)])
        with storage.transaction(write=False) as tx:
            assert present(storage.work(tx).item("i-1")).parent_id == "i-2"

    def test_items_are_told_by_position_and_number(self, storage: StorageEngine) -> None:
        """A project's items come in their order; one sprint's alone if asked for."""
        items = [work_item(1, position=2), work_item(2, position=1, sprint_id="s-1"), work_item(3, position=1, sprint_id="s-1")]
        with storage.transaction() as tx:
            work = filled(storage, tx, items=0)
            work.add_items(items)
            assert [item.number for item in work.items("p-1")] == [2, 3, 1]
            assert [item.number for item in work.items("p-1", sprint_id="s-1")] == [2, 3]
            assert not work.items("p-2")

    def test_items_are_changed(self, storage: StorageEngine) -> None:
        """Changed items replace what was stored, others stay."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            changed = [work_item(number, name="new", state=State.DONE, steps=("x",), updated_at=NOW + SECOND) for number in (1, 3)]
            work.update_items(changed)
            assert work.items("p-1") == [changed[0], work_item(2), changed[1]]

    def test_items_are_found_by_their_ids(self, storage: StorageEngine) -> None:
        """Ids that are not there are left out, however many are asked for."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            asked = [f"i-{number}" for number in range(1, 70_000)]
            assert list(work.items_by_id(asked)) == ["i-1", "i-2", "i-3"]
            assert not work.items_by_id([])
            assert work.item("i-9") is None
            assert work.item_by_number("p-1", 9) is None

    def test_many_items_are_stored_at_once(self, storage: StorageEngine) -> None:
        """An import of thousands of items is stored and changed."""
        items = [work_item(number) for number in range(1, 3_001)]
        with storage.transaction() as tx:
            work = filled(storage, tx, items=0)
            work.add_items(items)
            work.update_items([attrs.evolve(item, passing=True) for item in items])
            assert sum(item.passing for item in work.items("p-1")) == 3_000

    def test_nothing_to_store_is_no_error(self, storage: StorageEngine) -> None:
        """Empty collections are accepted."""
        with storage.transaction() as tx:
            work = storage.work(tx)
            work.add_items([])
            work.update_items([])
            work.replace_dependencies(Origin.LOCAL, {})
            assert not work.dependencies([])
            assert not work.run_summaries([])

    def test_an_item_needs_its_project(self, storage: StorageEngine) -> None:
        """An item of a project that is not there is refused."""
        with pytest.raises(Conflict), storage.transaction() as tx:
            storage.work(tx).add_items([work_item(1)])

    def test_a_value_that_cannot_be_held_is_refused(self, storage: StorageEngine) -> None:
        """A number beyond every database's is a wrong value, not a fault of the storage."""
        with pytest.raises(InvalidInput), storage.transaction() as tx:
            filled(storage, tx).add_items([work_item(2**80)])

    def test_each_origin_is_replaced_for_itself(self, storage: StorageEngine) -> None:
        """New parents leave relations alone, and items that are not named keep what they have."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            work.replace_dependencies(Origin.PARENT, {"i-1": ["i-2"], "i-2": ["i-3"]})
            work.replace_dependencies(Origin.RELATION, {"i-1": ["i-3"]})
            work.replace_dependencies(Origin.PARENT, {"i-1": []})
            expected = {"i-1": {"i-3": Origin.RELATION}, "i-2": {"i-3": Origin.PARENT}}
            assert work.dependencies(["i-1", "i-2", "i-3", "i-4"]) == expected

    def test_a_dependency_of_two_origins_is_told_once(self, storage: StorageEngine) -> None:
        """Two reasons make one dependency, which lasts as long as either."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            for origin in (Origin.LOCAL, Origin.RELATION):
                work.replace_dependencies(origin, {"i-1": ["i-2", "i-2"]})
            assert work.dependencies(["i-1"]) == {"i-1": {"i-2": Origin.RELATION}}
            work.replace_dependencies(Origin.RELATION, {"i-1": []})
            assert work.dependencies(["i-1"]) == {"i-1": {"i-2": Origin.LOCAL}}

    def test_runs_are_summed_up(self, storage: StorageEngine) -> None:
        """An item's runs are counted, and the newest one is told, whatever the order they were stored in."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            for run in (_run("r2", 1, passed=False, after=5), _run("r1", 1, passed=True), _run("r3", 2, passed=True, after=1)):
                work.add_test_run(run)
            assert work.run_summaries(["i-1", "i-2", "i-3"]) == {
                "i-1": RunSummary(total=2, passed=1, last_at=NOW + 5 * SECOND, last_passed=False),
                "i-2": RunSummary(total=1, passed=1, last_at=NOW + SECOND, last_passed=True),
            }

    def test_of_two_runs_at_one_moment_the_one_recorded_later_is_newer(self, storage: StorageEngine) -> None:
        """The order of recording decides between equal times; ids made within one millisecond have no order."""
        with storage.transaction() as tx:
            work = filled(storage, tx)
            for name, passed in (("r2", True), ("r1", False), ("r3", True), ("r0", False)):
                work.add_test_run(_run(name, 1, passed=passed))
                assert work.run_summaries(["i-1"])["i-1"].last_passed is passed

    def test_items_are_frozen_models(self, storage: StorageEngine) -> None:
        """What is read is a model with the model's own types."""
        with storage.transaction() as tx:
            item = present(filled(storage, tx).item("i-1"))
        assert isinstance(item, WorkItem)
        assert (type(item.steps), type(item.passing), item.created_at.tzinfo) == (tuple, bool, NOW.tzinfo)
