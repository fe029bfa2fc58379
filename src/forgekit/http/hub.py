"""Handing events to everybody who listens, from any thread to any thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from forgekit.http.streams import ServerEvent

_log = logging.getLogger(__name__)

Listener = Callable[[ServerEvent], object]


class Hub:
    """Topics, and the listeners of each. Thread-safe.

    A listener is called on the publisher's thread, in the order of publication by that thread, and must return at once;
    a stream's ``Sink.send`` does. One that raises does not keep the event from the others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, dict[int, Listener]] = {}
        self._next = 0

    def subscribe(self, topics: Iterable[str], listener: Listener) -> Callable[[], None]:
        """Hear the events of some topics; the listener is held until the returned function is called."""
        wanted = tuple(topics)
        with self._lock:
            self._next += 1
            key = self._next
            for topic in wanted:
                self._listeners.setdefault(topic, {})[key] = listener
        return lambda: self._leave(wanted, key)

    def publish(self, topic: str, event: ServerEvent) -> int:
        """Hand an event to the topic's listeners, and say how many there were."""
        with self._lock:
            listeners = list(self._listeners.get(topic, {}).values())
        for listener in listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001 - whatever a listener does, the others hear
                _log.exception("a listener of %s failed", topic)
        return len(listeners)

    def _leave(self, topics: Iterable[str], key: int) -> None:
        with self._lock:
            for topic in topics:
                listeners = self._listeners.get(topic, {})
                listeners.pop(key, None)
                if not listeners:
                    self._listeners.pop(topic, None)
