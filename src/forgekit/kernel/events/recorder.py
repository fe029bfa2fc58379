"""Recording what happened: one outbox row for each durable handler, and a signal after the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import cattrs
from cattrs.preconf.json import make_converter

from forgekit.errors import PluginConflict
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Event, Handler
from forgekit.kernel.events.signals import Signals
from forgekit.kernel.ids import uuid7
from forgekit.kernel.storage.ports import KernelRepositories, OutboxRow
from forgekit.kernel.storage.transaction import Transaction


class Recorder:
    """Takes events from services and makes sure that what hangs on them happens."""

    def __init__(self, storage: KernelRepositories, clock: Clock, signals: Signals, wake: Callable[[], None]) -> None:
        """Start with no durable handlers; ``wake`` is called after a commit that left work to do."""
        self._storage = storage
        self._clock = clock
        self._signals = signals
        self._wake = wake
        self._handlers: dict[str, Handler] = {}
        self._converter = make_converter()

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """The durable handlers by name."""
        return self._handlers

    def register(self, handlers: Iterable[Handler]) -> None:
        """Add durable handlers (when the forge opens, before any event).

        Raises:
            PluginConflict: A name is taken.

        """
        for handler in handlers:
            if handler.name in self._handlers:
                message = f"Two durable handlers are called {handler.name!r}."
                raise PluginConflict(message, name=handler.name)
            self._handlers[handler.name] = handler

    def record(self, tx: Transaction, event: Event) -> None:
        """Store a row for each durable handler of the event in ``tx``; send the signal once ``tx`` is committed."""
        handlers = [handler.name for handler in self._handlers.values() if isinstance(event, handler.event)]
        if handlers:
            now = self._clock.now()
            payload = self.dump(event)
            rows = [OutboxRow(id=uuid7(now), event=event.name, handler=name, payload=payload, due_at=now) for name in handlers]
            self._storage.claims(tx).add_outbox(rows)
            tx.after_commit(self._wake)
        tx.after_commit(lambda: self._signals.send(event))

    def emit(self, event: Event) -> None:
        """Send the signal alone, at once: for progress and the like, on which nothing durable hangs."""
        self._signals.send(event)

    def dump(self, event: Event) -> Mapping[str, Any]:
        """Return an event as JSON-able values."""
        dumped: Mapping[str, Any] = self._converter.unstructure(event)
        return dumped

    def load(self, handler: Handler, payload: Mapping[str, Any]) -> Event:
        """Return the event that a row of ``handler`` holds.

        Fields that an older version stored and this one does not know are left out.

        Raises:
            cattrs.BaseValidationError: The row is not of the event's shape.

        """
        known = attrs.fields_dict(handler.event)
        return self._converter.structure({key: value for key, value in payload.items() if key in known}, handler.event)


LoadError = cattrs.BaseValidationError
