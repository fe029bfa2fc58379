"""The queues: claimed by lease, settled with a fence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import attrs

from forgekit.hookspecs import StorageEngine
from forgekit.kernel.events.models import Claim, Outcome, Queue
from forgekit.testing.clock import FakeClock
from forgekit.testing.storage.base import LEASE, NOW, SECOND, Contract, arrival, outbox_row


def add(storage: StorageEngine, *keys: str, due_at: datetime = NOW, handler: str = "mail") -> None:
    """Put rows into the outbox."""
    with storage.transaction() as tx:
        storage.claims(tx).add_outbox([outbox_row(key, due_at=due_at, handler=handler) for key in keys])


def claim(storage: StorageEngine, now: datetime = NOW, *, limit: int = 20, queue: Queue = Queue.OUTBOX) -> Sequence[Claim]:
    """Claim what is due for ``mail`` and ``plane``."""
    with storage.transaction() as tx:
        return storage.claims(tx).claim(queue, handlers=["mail", "plane"], now=now, lease=LEASE, limit=limit)


def settle(storage: StorageEngine, claimed: Claim, outcome: Outcome) -> bool:
    """Settle a claim in a transaction of its own."""
    with storage.transaction() as tx:
        return storage.claims(tx).settle(claimed, outcome)


class QueueContract(Contract):
    """What the outbox and the inbox promise as queues."""

    def test_a_claim_tells_what_was_stored(self, storage: StorageEngine) -> None:
        """A claim carries the row's key, handler and content, and counts attempts from 1."""
        add(storage, "a")
        (claimed,) = claim(storage)
        assert (claimed.queue, claimed.key, claimed.handler, claimed.attempt) == (Queue.OUTBOX, "a", "mail", 1)
        assert claimed.payload == {"key": "a"}

    def test_any_json_is_kept(self, storage: StorageEngine) -> None:
        """A payload comes back as it went in, at the edges of JSON too."""
        payload = {"text": "käse 🧀 \x00 \ud800", "big": 2**70, "small": -0.5, "list": [None, True, {}], "": ""}
        with storage.transaction() as tx:
            storage.claims(tx).add_outbox([attrs.evolve(outbox_row("a"), payload=payload)])
        assert claim(storage)[0].payload == payload

    def test_claims_come_in_order_of_due_time(self, storage: StorageEngine) -> None:
        """What has waited longest comes first, and no more than asked for."""
        for key, seconds in (("c", 1), ("a", 3), ("b", 2)):
            add(storage, key, due_at=NOW - seconds * SECOND)
        assert [claimed.key for claimed in claim(storage, limit=2)] == ["a", "b"]
        assert [claimed.key for claimed in claim(storage)] == ["c"]

    def test_what_is_not_due_waits(self, storage: StorageEngine) -> None:
        """A row is claimed at its due time and not a microsecond earlier."""
        add(storage, "a", due_at=NOW + SECOND)
        assert not claim(storage, NOW + SECOND - timedelta(microseconds=1))
        assert claim(storage, NOW + SECOND)

    def test_only_known_handlers_are_claimed(self, storage: StorageEngine) -> None:
        """A row for a handler that this process does not have waits for one that has it."""
        add(storage, "a", handler="unknown here")
        assert not claim(storage)
        with storage.transaction(write=False) as tx:
            assert storage.claims(tx).next_due(Queue.OUTBOX, handlers=["mail"]) is None

    def test_no_handlers_claim_nothing(self, storage: StorageEngine) -> None:
        """A process without handlers takes nothing up."""
        add(storage, "a")
        with storage.transaction() as tx:
            assert not storage.claims(tx).claim(Queue.OUTBOX, handlers=[], now=NOW, lease=LEASE, limit=20)

    def test_a_claimed_row_is_nobody_elses(self, storage: StorageEngine) -> None:
        """As long as the lease lasts nobody else gets the row."""
        add(storage, "a")
        assert claim(storage)
        assert not claim(storage, NOW + LEASE - SECOND)

    def test_a_dead_holders_row_comes_back(self, storage: StorageEngine) -> None:
        """After the lease the row is claimed again, with a higher fence and the next attempt."""
        add(storage, "a")
        (first,) = claim(storage)
        (second,) = claim(storage, NOW + LEASE)
        assert second.fence > first.fence
        assert second.attempt == 2

    def test_a_late_holder_cannot_settle(self, storage: StorageEngine) -> None:
        """Who lost the lease to somebody else changes nothing any more."""
        add(storage, "a")
        (first,) = claim(storage)
        (second,) = claim(storage, NOW + LEASE)
        assert not settle(storage, first, Outcome.done())
        assert settle(storage, second, Outcome.done())
        assert not settle(storage, second, Outcome.done())

    def test_a_late_holder_may_settle_what_nobody_took(self, storage: StorageEngine) -> None:
        """A lease that ran out unnoticed does no harm."""
        add(storage, "a")
        (first,) = claim(storage)
        with storage.transaction() as tx:
            assert storage.claims(tx).settle(first, Outcome.done())
        assert not claim(storage, NOW + 2 * LEASE)

    def test_a_lease_is_prolonged(self, storage: StorageEngine) -> None:
        """A heartbeat keeps claims that are ours, and none that are not."""
        add(storage, "a", "b")
        a, b = sorted(claim(storage), key=lambda claimed: claimed.key)
        (taken,) = claim(storage, NOW + LEASE, limit=1)
        lost, kept = (a, b) if taken.key == "a" else (b, a)
        with storage.transaction() as tx:
            storage.claims(tx).extend([lost, kept], NOW + 5 * LEASE)
        assert [claimed.key for claimed in claim(storage, NOW + 3 * LEASE)] == [lost.key]

    def test_a_retry_waits_for_its_time(self, storage: StorageEngine) -> None:
        """What failed for now is due again when the outcome says, as the next attempt."""
        add(storage, "a")
        (first,) = claim(storage)
        assert settle(storage, first, Outcome.again(NOW + SECOND, "no answer"))
        assert not claim(storage, NOW)
        (second,) = claim(storage, NOW + SECOND)
        assert second.attempt == 2

    def test_a_row_put_back_without_an_error_starts_anew(self, storage: StorageEngine) -> None:
        """Waiting is no failed attempt."""
        add(storage, "a")
        settle(storage, claim(storage)[0], Outcome.again(NOW))
        assert claim(storage)[0].attempt == 1

    def test_what_is_over_is_not_claimed(self, storage: StorageEngine) -> None:
        """Done and failed rows are never claimed again, and are counted."""
        add(storage, "a", "b", "c")
        a, b, _ = claim(storage)
        settle(storage, a, Outcome.done())
        settle(storage, b, Outcome.failed("gave up"))
        with storage.transaction() as tx:
            assert storage.claims(tx).counts(Queue.OUTBOX) == {"done": 1, "failed": 1, "leased": 1}
        assert len(claim(storage, NOW + LEASE)) == 1

    def test_the_next_due_time_counts_leases(self, storage: StorageEngine) -> None:
        """A sleeping worker learns when there will be something to do."""
        with storage.transaction(write=False) as tx:
            assert storage.claims(tx).next_due(Queue.OUTBOX, handlers=["mail"]) is None
        add(storage, "a")
        add(storage, "b", due_at=NOW + 2 * LEASE)
        claim(storage)
        with storage.transaction(write=False) as tx:
            assert storage.claims(tx).next_due(Queue.OUTBOX, handlers=["mail"]) == NOW + LEASE

    def test_old_finished_rows_are_deleted(self, storage: StorageEngine, clock: FakeClock) -> None:
        """Retention takes what is done since long ago, so many at a time, and leaves what failed."""
        add(storage, "a", "b", "c", "d")
        for claimed, outcome in zip(claim(storage, limit=3), (Outcome.done(), Outcome.done(), Outcome.failed("x")), strict=True):
            settle(storage, claimed, outcome)
        with storage.transaction() as tx:
            claims = storage.claims(tx)
            assert claims.purge(Queue.OUTBOX, before=clock.now(), limit=9) == 0
            assert [claims.purge(Queue.OUTBOX, before=clock.now() + SECOND, limit=1) for _ in range(3)] == [1, 1, 0]
            assert claims.counts(Queue.OUTBOX) == {"failed": 1, "ready": 1}

    def test_nothing_to_add_or_prolong_is_no_error(self, storage: StorageEngine) -> None:
        """Empty collections are accepted."""
        with storage.transaction() as tx:
            storage.claims(tx).add_outbox([])
            storage.claims(tx).extend([], NOW)

    def test_no_row_is_claimed_twice(self, storage: StorageEngine) -> None:
        """Many claimers at once share the rows out: each row goes to exactly one."""
        add(storage, *(f"{number:03}" for number in range(100)))
        with ThreadPoolExecutor(8) as pool:
            batches = list(pool.map(lambda _: claim(storage, limit=7), range(20)))
        taken = Counter(claimed.key for batch in batches for claimed in batch)
        assert len(taken) == 100
        assert set(taken.values()) == {1}

    def test_incoming_webhooks_are_claimed_alike(self, storage: StorageEngine) -> None:
        """A claim of the inbox names the provider as its handler and brings the exact bytes."""
        with storage.transaction() as tx:
            body = bytes(range(256))
            storage.inbox(tx).store([arrival("k", body=body, event="issue", delivery_id="d-1")], burst=SECOND)
        (claimed,) = claim(storage, queue=Queue.INBOX)
        assert (claimed.queue, claimed.handler, claimed.attempt) == (Queue.INBOX, "plane", 1)
        expected = {"provider": "plane", "kind": "issue", "event": "issue", "delivery_id": "d-1", "received_at": NOW, "body": body}
        assert {key: claimed.payload[key] for key in expected} == expected
        assert settle(storage, claimed, Outcome.done())
        with storage.transaction() as tx:
            assert storage.inbox(tx).entries("plane", limit=1)[0].state == "done"
