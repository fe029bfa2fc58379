"""After-commit signals: in process, best effort, receivers isolated from each other and held strongly."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from blinker import Signal

from forgekit.kernel.events.models import Event

_log = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)


class Signals:
    """One blinker signal a class of event; one such set a forge, none global."""

    def __init__(self) -> None:
        """Start with no receivers."""
        self._signals: dict[type[Event], Signal] = {}

    def on(self, kind: type[E], receiver: Callable[[E], object]) -> Callable[[], None]:
        """Call ``receiver`` with every event of this class, after the commit that recorded it.

        Returns a function that ends the subscription. An error in a receiver is logged and reaches nobody else.
        """
        signal = self._signals.setdefault(kind, Signal(kind.name))

        def deliver(_sender: object, *, event: E) -> None:
            receiver(event)

        signal.connect(deliver, weak=False)
        return lambda: signal.disconnect(deliver)

    def send(self, event: Event) -> None:
        """Tell every receiver, in no promised order."""
        signal = self._signals.get(type(event))
        if signal is None:
            return
        for receiver in signal.receivers_for(None):
            try:
                receiver(None, event=event)
            except Exception:  # noqa: BLE001 - receivers are isolated from each other
                _log.exception("a receiver of %s failed", event.name)
