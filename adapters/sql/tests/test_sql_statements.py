"""How many statements a verb takes does not depend on how much it is given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from forgekit.kernel.storage.ports import OutboxRow
from forgekit.sprints.models import Link, StateGroup
from forgekit.webhooks.models import Arrival
from forgekit.work.models import Origin, WorkItem

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _items(count):
    return [WorkItem(id=f"i-{n}", project_id="p", number=n, name="x", created_at=NOW, updated_at=NOW) for n in range(count)]


def _links(count):
    seen = {"sprint_id": None, "content_hash": "h", "group": StateGroup.STARTED, "remote_updated_at": NOW, "synced_at": NOW}
    return [Link(tracker="plane", project_id="p", external_id=f"e-{n}", item_id=f"i-{n}", **seen) for n in range(count)]


def _arrivals(count, prefix=""):
    known = {"provider": "plane", "kind": "issue", "body": b"{}", "received_at": NOW, "wanted": True}
    return [Arrival(dedup_key=f"{prefix}{n}", event_key=f"{prefix}{n}", **known) for n in range(count)]


def _verbs(storage, tx, count):
    """Return every verb that takes many, given so many."""
    work, sprints, claims, inbox = storage.work(tx), storage.sprints(tx), storage.claims(tx), storage.inbox(tx)
    items, ids = _items(count), [item.id for item in _items(count)]
    rows = [OutboxRow(id=f"o-{n}", event="e", handler="h", payload={}, due_at=NOW) for n in range(count)]
    return {
        "add_items": lambda: work.add_items(items),
        "update_items": lambda: work.update_items([attrs.evolve(item, passing=True) for item in items]),
        "items_by_id": lambda: work.items_by_id(ids),
        "replace_dependencies": lambda: work.replace_dependencies(Origin.LOCAL, dict.fromkeys(ids, ids[:2])),
        "dependencies": lambda: work.dependencies(ids),
        "run_summaries": lambda: work.run_summaries(ids),
        "save_links": lambda: sprints.save_links(_links(count)),
        "links": lambda: sprints.links("plane", "p", external_ids=[link.external_id for link in _links(count)]),
        "add_outbox": lambda: claims.add_outbox(rows),
        "store": lambda: inbox.store(_arrivals(count), burst=timedelta(5)),
    }


def _counts(storage, counter, add_project, count):
    counted = {}
    with pytest.raises(KeyError), storage.transaction() as tx:
        add_project(storage, tx, "p")
        for name, verb in _verbs(storage, tx, count).items():
            with counter.counting():
                verb()
            counted[name] = counter.count
        raise KeyError
    return counted


def test_many_take_as_many_statements_as_few(storage, counter, add_project):
    """Every verb that takes many needs one or two statements for three of them and for five hundred."""
    few = _counts(storage, counter, add_project, 3)
    assert few == _counts(storage, counter, add_project, 500)
    assert max(few.values()) <= 2


def test_duplicates_write_nothing(storage, counter):
    """A batch of duplicates is one SELECT."""
    with storage.transaction() as tx:
        storage.inbox(tx).store(_arrivals(20), burst=timedelta(5))
    with storage.transaction() as tx, counter.counting():
        stored = storage.inbox(tx).store(_arrivals(20), burst=timedelta(5))
    assert all(one.duplicate for one in stored)
    assert counter.count == 1
    assert "INSERT" not in counter.executed[0][0]


def test_a_claim_is_one_statement(storage, counter):
    """Taking rows up is one UPDATE, whatever their number."""
    from forgekit.kernel.events.models import Queue

    with storage.transaction() as tx:
        storage.inbox(tx).store(_arrivals(30), burst=timedelta(5))
        with counter.counting():
            claims = storage.claims(tx).claim(Queue.INBOX, handlers=["plane"], now=NOW, lease=timedelta(60), limit=20)
    assert (len(claims), counter.count) == (20, 1)
