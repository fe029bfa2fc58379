"""What a tracker's webhooks mean to the sprint sync."""

from __future__ import annotations

import attrs
import pytest

from forgekit.kernel.secrets import Secret
from forgekit.receivers import TrackerReceiver
from forgekit.webhooks.models import IncomingEvent, Relevance


@attrs.frozen
class Settings:
    """A tracker's settings, as far as a receiver looks."""

    webhook_secret: Secret | None = None
    project_id: str | None = "p1"
    poll_interval: float = 30


class Desk:
    """Takes orders."""

    def __init__(self, active="c1"):
        self.active, self.orders = active, []

    def active_cycle(self, tracker):
        return self.active

    def request_import(self, tracker, tx):
        self.orders.append(tracker)
        return True


def receiver(desk=None, settings=None, *, configured=True):
    """A receiver over stubs."""
    return TrackerReceiver(tracker="plane", settings=lambda: settings or Settings(), configured=lambda: configured, desk=desk or Desk())


def event(kind="issue", action="updated", subject="i1", scope="p1"):
    """An event, relevant unless a test says otherwise."""
    return IncomingEvent(provider="plane", kind=kind, action=action, subject=subject, scope=scope, payload={})


@pytest.mark.parametrize(
    ("given", "relevance"),
    [
        (event(), Relevance.WANTED),
        (event(action="created"), Relevance.WANTED),
        (event(action="deleted"), Relevance.WANTED),
        (event(scope=""), Relevance.WANTED),
        (event(kind="cycle", subject="c1"), Relevance.WANTED),
        (event(kind="cycle", subject="c2"), Relevance.OTHER),
        (event(kind="module"), Relevance.OTHER),
        (event(action="archived"), Relevance.OTHER),
        (event(scope="p2"), Relevance.OTHER),
    ],
)
def test_relevance(given, relevance):
    """Work items and the active cycle of the configured project ask for an import; nothing else does."""
    assert receiver().relevance(given) is relevance


def test_without_an_active_cycle_there_is_nothing_to_import_into():
    """The sender is told, and the worker looks again on fresh data."""
    assert receiver(Desk(active=None)).relevance(event()) is Relevance.IDLE


def test_without_configuration_nothing_can_be_fetched():
    """An event for a tracker that is not configured is stored, and the sender is told."""
    assert receiver(configured=False).relevance(event()) is Relevance.UNCONFIGURED


def test_a_secret_is_handed_on():
    """The configured secret is what signatures are checked with; none means none."""
    (secret,) = receiver(settings=Settings(webhook_secret=Secret("s"))).configuration().secrets
    assert secret.id == "plane"
    assert receiver().configuration().secrets == ()


def test_handling_orders_an_import():
    """An event is a hint: its effect is an order, not its content."""
    desk = Desk()
    receiver(desk).handle(event(), None)
    assert desk.orders == ["plane"]
