"""Where two domains meet: a tracker's webhooks ask for imports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs

from forgekit.kernel.storage.transaction import Transaction
from forgekit.sprints.ports import TrackerSettings
from forgekit.webhooks.models import IncomingEvent, Relevance
from forgekit.webhooks.ports import ProviderConfiguration
from forgekit.webhooks.signatures import SigningSecret

_KINDS = {"issue", "cycle"}
"""What an import may be due for. Plane sends nothing when items join or leave a cycle: polling sees that."""

_ACTIONS = {"created", "updated", "deleted"}


class ImportDesk(Protocol):
    """Takes orders for imports (the sprint service)."""

    def active_cycle(self, tracker: str) -> str | None:
        """Return the active cycle's id from a snapshot, without blocking."""
        ...

    def request_import(self, tracker: str, tx: Transaction) -> bool:
        """Ask for an import of the active cycle on the trailing edge; False where no cycle is active."""
        ...


@attrs.frozen(kw_only=True)
class TrackerReceiver:
    """Turns a tracker's webhooks into orders for an import.

    Attributes:
        tracker: The tracker's name, which is its webhook provider's too.
        settings: Returns the tracker's settings from a snapshot.
        configured: Tells from the same snapshot whether the tracker can be reached.
        desk: Who imports.

    """

    tracker: str
    settings: Callable[[], TrackerSettings]
    configured: Callable[[], bool]
    desk: ImportDesk

    def configuration(self) -> ProviderConfiguration:
        """Return the secret that is configured now."""
        secret = self.settings().webhook_secret
        secrets = () if secret is None else (SigningSecret(id=self.tracker, value=secret.reveal()),)
        return ProviderConfiguration(secrets=secrets, configured=self.configured())

    def relevance(self, event: IncomingEvent) -> Relevance:
        """Tell whether the event asks for an import."""
        if event.kind not in _KINDS or event.action not in _ACTIONS:
            return Relevance.OTHER
        project = self.settings().project_id
        if event.scope and project and event.scope != project:
            return Relevance.OTHER
        if not self.configured():
            return Relevance.UNCONFIGURED
        active = self.desk.active_cycle(self.tracker)
        if active is None:
            return Relevance.IDLE
        return Relevance.OTHER if event.kind == "cycle" and event.subject != active else Relevance.WANTED

    def handle(self, event: IncomingEvent, tx: Transaction) -> None:  # noqa: ARG002 - a hint is enough: the import fetches the truth
        """Ask for an import in the transaction that ends the webhook's row."""
        self.desk.request_import(self.tracker, tx)
