"""Incoming webhooks: stored once, recognised for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from forgekit.hookspecs import StorageEngine
from forgekit.kernel.events.models import Outcome, Queue
from forgekit.testing.storage.base import NOW, SECOND, Contract, arrival, present
from forgekit.testing.storage.queues import claim, settle
from forgekit.webhooks.models import Arrival, Stored

BURST = 5 * SECOND
NEVER = NOW + timedelta(days=1)


def store(storage: StorageEngine, *arrivals: Arrival) -> list[Stored]:
    """Store arrivals in a transaction of their own."""
    with storage.transaction() as tx:
        return list(storage.inbox(tx).store(arrivals, burst=BURST))


def finish(storage: StorageEngine, outcome: Outcome, now: datetime = NOW) -> None:
    """Settle whatever is due."""
    for claimed in claim(storage, now, queue=Queue.INBOX):
        assert settle(storage, claimed, outcome)


class InboxContract(Contract):
    """What the inbox promises."""

    def test_an_arrival_comes_back_whole(self, storage: StorageEngine) -> None:
        """Every field of a webhook is kept, its bytes exactly."""
        body = bytes(range(256))
        (stored,) = store(storage, arrival("k", body=body, event="push", delivery_id="d-1"))
        with storage.transaction(write=False) as tx:
            entry = present(storage.inbox(tx).entry(present(stored.id)))
            assert storage.inbox(tx).entry(present(stored.id) + 1) is None
        assert (entry.provider, entry.dedup_key, entry.kind, entry.event, entry.delivery_id) == ("plane", "k", "issue", "push", "d-1")
        assert (entry.body, entry.received_at, entry.state, entry.attempts, entry.error) == (body, NOW, "ready", 0, None)

    def test_no_arrivals_are_no_error(self, storage: StorageEngine) -> None:
        """An empty batch is accepted."""
        assert store(storage) == []

    def test_the_same_thing_is_stored_once(self, storage: StorageEngine) -> None:
        """A duplicate is told with the older row's id, however much later it comes."""
        (first,) = store(storage, arrival("k"))
        again = store(storage, arrival("k", received_at=NEVER, body=b"[]"))
        assert again == [Stored(id=first.id, duplicate=True, burst=False)]
        assert not first.duplicate

    def test_duplicates_within_a_batch_are_recognised(self, storage: StorageEngine) -> None:
        """Of equal arrivals in one batch the first is stored, and answers come in the order of the arrivals."""
        a, b, again, c = store(storage, arrival("a"), arrival("b"), arrival("a"), arrival("c"))
        assert again == Stored(id=a.id, duplicate=True, burst=False)
        assert [stored.duplicate for stored in (a, b, c)] == [False, False, False]
        assert len({a.id, b.id, c.id}) == 3

    def test_providers_do_not_share_keys(self, storage: StorageEngine) -> None:
        """The same key from another provider is another thing, and no burst either."""
        one, other = store(storage, arrival("k"), arrival("k", provider="github"))
        assert not other.duplicate
        assert not other.burst
        assert one.id != other.id

    def test_a_burst_is_told_and_stored(self, storage: StorageEngine) -> None:
        """A second event of one key within the window is a burst; after the window it is not."""
        keys = {"event_key": "issue|updated|1"}
        within, after = NOW + BURST, NOW + 2 * BURST + timedelta(microseconds=1)
        first = store(storage, arrival("a", **keys))
        second = store(storage, arrival("b", received_at=within, **keys))
        third = store(storage, arrival("c", received_at=after, **keys))
        assert [stored.burst for stored in first + second + third] == [False, True, False]
        assert not any(stored.duplicate for stored in first + second + third)

    def test_a_burst_within_a_batch_is_told(self, storage: StorageEngine) -> None:
        """Arrivals of one batch are a burst for each other."""
        keys = {"event_key": "issue|updated|1"}
        stored = store(storage, arrival("a", **keys), arrival("b", **keys), arrival("c", event_key="issue|updated|2"))
        assert [one.burst for one in stored] == [False, True, False]

    def test_an_empty_event_key_is_never_a_burst(self, storage: StorageEngine) -> None:
        """Events about nothing in particular are not taken for each other."""
        stored = store(storage, arrival("a", event_key=""), arrival("b", event_key="")) + store(storage, arrival("c", event_key=""))
        assert not any(one.burst for one in stored)

    def test_what_nobody_wants_is_stored_as_done(self, storage: StorageEngine) -> None:
        """An event without a handler is kept and never claimed."""
        store(storage, arrival("k", wanted=False))
        assert not claim(storage, NEVER, queue=Queue.INBOX)
        with storage.transaction(write=False) as tx:
            assert storage.inbox(tx).states("plane") == {"done": 1}

    def test_a_duplicate_of_a_failed_row_makes_it_due(self, storage: StorageEngine) -> None:
        """A sender that tries again gets another try, from attempt 1; one of a done row changes nothing."""
        store(storage, arrival("k"))
        finish(storage, Outcome.failed("no"))
        store(storage, arrival("k", received_at=NOW + SECOND))
        (claimed,) = claim(storage, NOW + SECOND, queue=Queue.INBOX)
        assert claimed.attempt == 1
        settle(storage, claimed, Outcome.done())
        store(storage, arrival("k", received_at=NOW + 2 * SECOND))
        assert not claim(storage, NEVER, queue=Queue.INBOX)

    def test_entries_are_told_newest_first(self, storage: StorageEngine) -> None:
        """A provider's entries come newest first, so many, of one state if asked for."""
        store(storage, arrival("a"), arrival("b", wanted=False), arrival("c"), arrival("d", provider="github"))
        with storage.transaction(write=False) as tx:
            inbox = storage.inbox(tx)
            assert [entry.dedup_key for entry in inbox.entries("plane", limit=2)] == ["c", "b"]
            assert [entry.dedup_key for entry in inbox.entries("plane", limit=9, state="ready")] == ["c", "a"]

    def test_a_finished_row_is_replayed(self, storage: StorageEngine) -> None:
        """Done and failed rows can be made due again, from attempt 1; what waits or is not there cannot."""
        (stored,) = store(storage, arrival("k"))
        for outcome in (Outcome.done(), Outcome.failed("no")):
            with storage.transaction() as tx:
                assert not storage.inbox(tx).rearm(present(stored.id), NOW)
            finish(storage, outcome)
            with storage.transaction() as tx:
                assert storage.inbox(tx).rearm(present(stored.id), NOW)
                assert not storage.inbox(tx).rearm(present(stored.id) + 1, NOW)
        assert claim(storage, queue=Queue.INBOX)[0].attempt == 1

    def test_a_range_is_replayed(self, storage: StorageEngine) -> None:
        """Rows from a moment (inclusive) to another (exclusive) in the named states become due."""
        store(storage, *(arrival(str(seconds), received_at=NOW + seconds * SECOND, wanted=False) for seconds in range(5)))
        store(storage, arrival("x", provider="github", received_at=NOW + SECOND, wanted=False))
        since, until = NOW + SECOND, NOW + 3 * SECOND
        with storage.transaction() as tx:
            inbox = storage.inbox(tx)
            assert inbox.rearm_range("plane", since=since, until=until, states=["failed"], now=NOW) == 0
            assert inbox.rearm_range("plane", since=since, until=until, states=["done", "failed"], now=NOW) == 2
            assert inbox.rearm_range("plane", since=since, until=until, states=["ready", "leased"], now=NOW) == 0
        assert len(claim(storage, queue=Queue.INBOX)) == 2

    def test_totals_are_counted(self, storage: StorageEngine) -> None:
        """How many came, and when the newest did; nothing for who never sent."""
        store(storage, arrival("a", received_at=NOW + SECOND), arrival("b"), arrival("c", provider="github"))
        with storage.transaction(write=False) as tx:
            assert storage.inbox(tx).totals("plane") == (2, NOW + SECOND)
            assert storage.inbox(tx).totals("slack") == (0, None)

    def test_retention_empties_old_done_rows(self, storage: StorageEngine) -> None:
        """Old bodies go, so many at a time; the rows stay, are recognised and counted, and cannot be replayed."""
        stored = store(storage, *(arrival(key, wanted=False) for key in "abc"), arrival("d"), arrival("e", wanted=False, received_at=NEVER))
        with storage.transaction() as tx:
            inbox = storage.inbox(tx)
            assert [inbox.purge(before=NOW + SECOND, limit=2) for _ in range(3)] == [2, 1, 0]
            assert inbox.totals("plane") == (5, NEVER)
            assert [entry.body for entry in reversed(inbox.entries("plane", limit=9))] == [b"", b"", b"", b"{}", b"{}"]
            assert not inbox.rearm(present(stored[0].id), NOW)
        assert store(storage, arrival("a"))[0].duplicate

    def test_the_bodies_of_some_rows_are_dropped(self, storage: StorageEngine) -> None:
        """Rows named lose their bodies and nothing else; rows that are not there are no error."""
        stored = store(storage, *(arrival(key) for key in "abc"))
        with storage.transaction() as tx:
            inbox = storage.inbox(tx)
            inbox.drop_bodies([present(stored[0].id), present(stored[2].id), 10**6])
            inbox.drop_bodies([])
            assert [entry.body for entry in reversed(inbox.entries("plane", limit=9))] == [b"", b"{}", b""]
            assert inbox.states("plane") == {"ready": 3}

    def test_one_providers_bodies_are_purged_alone(self, storage: StorageEngine) -> None:
        """A purge that names a provider leaves the others' bodies."""
        store(storage, arrival("a", wanted=False), arrival("a", provider="github", wanted=False))
        with storage.transaction() as tx:
            inbox = storage.inbox(tx)
            assert inbox.purge(before=NOW + SECOND, limit=9, provider="github") == 1
            assert [inbox.entries(name, limit=1)[0].body for name in ("plane", "github")] == [b"{}", b""]

    def test_a_purged_rows_id_is_not_given_again(self, storage: StorageEngine) -> None:
        """Ids grow."""
        ids = [present(store(storage, arrival(key))[0].id) for key in "abc"]
        assert ids == sorted(set(ids))

    def test_many_writers_store_the_same_thing_once(self, storage: StorageEngine) -> None:
        """Equal batches from many threads at once give one row for each arrival."""
        batch = [arrival(str(number)) for number in range(40)]
        with ThreadPoolExecutor(6) as pool:
            answers = [stored for batch_ in pool.map(lambda _: store(storage, *batch), range(6)) for stored in batch_]
        assert sum(not stored.duplicate for stored in answers) == 40
        with storage.transaction(write=False) as tx:
            assert storage.inbox(tx).totals("plane")[0] == 40

    def test_large_batches_are_stored(self, storage: StorageEngine) -> None:
        """A batch may be larger than what a database takes in one statement."""
        stored = store(storage, *(arrival(str(number)) for number in range(2_500)))
        assert len({one.id for one in stored}) == 2_500
