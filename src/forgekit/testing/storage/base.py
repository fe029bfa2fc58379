"""What every part of the suite stands on: the fixtures, and rows to store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from forgekit.hookspecs import StorageEngine
from forgekit.kernel.storage.ports import OutboxRow
from forgekit.sprints.models import Link, Sprint, StateGroup
from forgekit.testing.clock import FakeClock
from forgekit.webhooks.models import Arrival
from forgekit.work.models import Project, WorkItem

_T = TypeVar("_T")

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=60)
PROJECT = Project(id="p-1", key="shop", name="Shop", repository=None, created_at=NOW)


class Contract:
    """The fixtures."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """A clock that stands at ``NOW``."""
        return FakeClock(NOW)

    @pytest.fixture
    def storage(self, clock: FakeClock) -> StorageEngine:
        """The engine under test; to be overridden."""
        raise NotImplementedError("Override the fixture `storage`.")


def present(value: _T | None) -> _T:
    """Return what must be there."""
    assert value is not None
    return value


def work_item(number: int, **changes: Any) -> WorkItem:
    """Return an item of ``PROJECT``."""
    values: dict[str, Any] = {"id": f"i-{number}", "project_id": PROJECT.id, "number": number, "name": f"Item {number}", "position": number}
    return WorkItem(**{**values, "created_at": NOW, "updated_at": NOW, **changes})


def sprint(name: str = "s-1", **changes: Any) -> Sprint:
    """Return a sprint of ``PROJECT``."""
    return Sprint(**{"id": name, "project_id": PROJECT.id, "name": name, "created_at": NOW, **changes})


def link(number: int, **changes: Any) -> Link:
    """Return the tie between the item of this number and one in a tracker."""
    values: dict[str, Any] = {"tracker": "plane", "project_id": PROJECT.id, "external_id": f"e-{number}", "item_id": f"i-{number}"}
    seen = {"sprint_id": None, "content_hash": "hash", "group": StateGroup.STARTED, "remote_updated_at": NOW, "synced_at": NOW}
    return Link(**{**values, **seen, **changes})


def arrival(key: str, **changes: Any) -> Arrival:
    """Return an arrival from ``plane``."""
    values: dict[str, Any] = {"provider": "plane", "dedup_key": key, "event_key": f"issue|updated|{key}", "kind": "issue", "wanted": True}
    return Arrival(**{**values, "body": b"{}", "received_at": NOW, **changes})


def outbox_row(key: str, **changes: Any) -> OutboxRow:
    """Return a row for the handler ``mail``."""
    return OutboxRow(**{"id": key, "event": "work.done", "handler": "mail", "payload": {"key": key}, "due_at": NOW, **changes})
