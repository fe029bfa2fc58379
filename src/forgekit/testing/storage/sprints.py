"""Sprints, links, the state of synchronisations, completions."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

from forgekit.errors import Conflict
from forgekit.hookspecs import StorageEngine
from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.models import Completion, SprintState, StateGroup, SyncState
from forgekit.sprints.ports import SprintRepository
from forgekit.testing.storage.base import NOW, PROJECT, SECOND, Contract, link, sprint
from forgekit.testing.storage.work import filled

ACTIVE = sprint(state=SprintState.ACTIVE, tracker="plane", external_id="c-1")


def _repository(storage: StorageEngine, tx: Transaction) -> SprintRepository:
    filled(storage, tx)
    return storage.sprints(tx)


class SprintContract(Contract):
    """What the repository of ``sprints`` promises."""

    def test_a_sprint_comes_back_whole(self, storage: StorageEngine) -> None:
        """Every field of a sprint is kept."""
        whole = attrs.evolve(ACTIVE, goal="käse", starts_on=date(2026, 1, 1), ends_on=date(2026, 1, 14), completed_at=NOW)
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.add(whole)
            assert sprints.sprint("s-1") == whole == sprints.by_external("p-1", "plane", "c-1") == sprints.active("p-1")
            assert sprints.sprint("s-2") is None
            assert sprints.by_external("p-1", "plane", "c-2") is None

    def test_a_sprint_is_changed(self, storage: StorageEngine) -> None:
        """A changed sprint replaces what was stored."""
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.add(ACTIVE)
            done = attrs.evolve(ACTIVE, state=SprintState.COMPLETED, completed_at=NOW + SECOND)
            sprints.update(done)
            assert sprints.sprints("p-1") == [done]
            assert sprints.active("p-1") is None

    def test_sprints_are_told_oldest_first(self, storage: StorageEngine) -> None:
        """A project's sprints come by the time of their making."""
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            for name, after in (("s-1", 2), ("s-2", 1), ("s-0", 2)):
                sprints.add(sprint(name, created_at=NOW + after * SECOND))
            assert [found.id for found in sprints.sprints("p-1")] == ["s-2", "s-0", "s-1"]

    def test_a_project_has_one_active_sprint(self, storage: StorageEngine) -> None:
        """A second active sprint is refused, and the transaction goes on; another project may have its own."""
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.add(ACTIVE)
            with pytest.raises(Conflict):
                sprints.add(sprint("s-2", state=SprintState.ACTIVE))
            storage.work(tx).add_project(attrs.evolve(PROJECT, id="p-2", key="other"))
            sprints.add(attrs.evolve(ACTIVE, id="s-3", project_id="p-2"))

    def test_a_cycle_is_mirrored_once_a_project(self, storage: StorageEngine) -> None:
        """A second sprint for one cycle is refused; sprints of no tracker are never taken for one another."""
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.add(ACTIVE)
            with pytest.raises(Conflict):
                sprints.add(attrs.evolve(ACTIVE, id="s-2", state=SprintState.PLANNED))
            sprints.add(sprint("s-3"))
            sprints.add(sprint("s-4"))

    def test_a_second_sprint_cannot_become_active(self, storage: StorageEngine) -> None:
        """A change is held to the same rule as a new sprint."""
        with pytest.raises(Conflict), storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.add(ACTIVE)
            sprints.add(sprint("s-2"))
            sprints.update(sprint("s-2", state=SprintState.ACTIVE))

    def test_links_are_told_by_sprint_and_by_name(self, storage: StorageEngine) -> None:
        """Links of a sprint and links that are named come by the tracker's id; nothing asked for is nothing told."""
        links = [link(1, sprint_id="s-1"), link(2), link(3, tracker="other")]
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.add(ACTIVE)
            sprints.save_links(links)
            assert sprints.links("plane", "p-1", sprint_id="s-1") == {"e-1": links[0]}
            assert sprints.links("plane", "p-1", external_ids=["e-2", "e-3", "e-9"]) == {"e-2": links[1]}
            assert sprints.links("plane", "p-1", sprint_id="s-1", external_ids=["e-1", "e-2"]).keys() == {"e-1", "e-2"}
            assert not sprints.links("plane", "p-1")
            assert not sprints.links("plane", "p-2", external_ids=["e-1"])

    def test_links_are_replaced(self, storage: StorageEngine) -> None:
        """A link is known by tracker, project and external id; saving it again replaces it."""
        changed = link(1, content_hash="new", group=StateGroup.COMPLETED, synced_at=NOW + SECOND, written_at=NOW, push_pending=True)
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.save_links([link(1), link(2)])
            sprints.save_links([changed])
            sprints.save_links([])
            assert sprints.link_of("i-1") == changed
            assert sprints.link_of("i-2") == link(2)
            assert sprints.link_of("i-3") is None
            assert sprints.linked_items("p-1") == ["i-1", "i-2"]

    def test_links_of_items_that_wait_for_others_are_found(self, storage: StorageEngine) -> None:
        """Those with blockers come with them, in the order of the tracker's ids, of one tracker and project alone."""
        waiting = [link(number, blockers=("e-9", "käse")) for number in (1, 2)]
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.save_links([*waiting[::-1], link(3)])
            assert list(sprints.blocked_links("plane", "p-1")) == waiting
            assert not sprints.blocked_links("other", "p-1")
            assert not sprints.blocked_links("plane", "p-2")

    def test_pending_links_are_told_in_order(self, storage: StorageEngine) -> None:
        """What waits for relations or for a push is found, either or both, so many at a time."""
        links = [link(1, push_pending=True), link(2, relations_pending=True), link(3, tracker="other", push_pending=True)]
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.save_links(links[::-1])
            assert sprints.links_pending("plane", push=True) == [links[0]]
            assert sprints.links_pending("plane", relations=True) == [links[1]]
            assert sprints.links_pending("plane", push=True, relations=True) == links[:2]
            assert sprints.links_pending("plane", push=True, relations=True, limit=1) == links[:1]
            assert not sprints.links_pending("plane")
            assert sprints.count_relations_pending("plane") == 1

    def test_a_synchronisation_begins_with_the_defaults(self, storage: StorageEngine) -> None:
        """What was never stored is disabled and knows nothing, asked with or without holding it."""
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            assert sprints.sync_state("plane") == SyncState(tracker="plane") == sprints.lock_sync_state("plane")

    def test_a_synchronisations_state_is_kept(self, storage: StorageEngine) -> None:
        """Every field of the state is kept, and replaced."""
        first = SyncState(tracker="plane", enabled=True, project_id="p-1", sprint_id="s-1", active_cycle_id="c", active_cycle_name="C")
        second = attrs.evolve(first, enabled=False, last_sync_at=NOW, last_error="no answer", items_synced=3, failures=2, relations=False)
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            for state in (first, second):
                sprints.save_sync_state(state)
                assert sprints.sync_state("plane") == state == sprints.lock_sync_state("plane")

    def test_a_completion_is_kept(self, storage: StorageEngine) -> None:
        """The record of a completion is there once it is held or saved, with every result."""
        record = Completion(sprint_id="s-1", steps={"verify": {"ok": True}}, owner="me", lease_until=NOW, finished_at=NOW + SECOND)
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            sprints.add(ACTIVE)
            assert sprints.completion("s-1") is None
            assert sprints.lock_completion("s-1") == Completion(sprint_id="s-1") == sprints.completion("s-1")
            sprints.save_completion(record)
            assert sprints.completion("s-1") == record == sprints.lock_completion("s-1")

    def test_unfinished_completions_are_found(self, storage: StorageEngine) -> None:
        """Those that began and did not finish are told by their sprint, so many at a time."""
        begun = {name: Completion(sprint_id=name, steps={"verify": 1}) for name in ("s-2", "s-1")}
        with storage.transaction() as tx:
            sprints = _repository(storage, tx)
            for name in ("s-1", "s-2", "s-3", "s-4"):
                sprints.add(sprint(name))
            for completion in (
                *begun.values(),
                Completion(sprint_id="s-3", steps={"verify": 1}, finished_at=NOW),
                Completion(sprint_id="s-4"),
            ):
                sprints.save_completion(completion)
            assert sprints.unfinished_completions(limit=9) == [begun["s-1"], begun["s-2"]]
            assert sprints.unfinished_completions(limit=1) == [begun["s-1"]]
