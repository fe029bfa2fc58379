"""A clock that stands still until it is told to go on."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Tells the time that a test wants it to be. Thread-safe."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)) -> None:
        """Begin at an aware moment."""
        self._now = start
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        with self._lock:
            return self._now

    def advance(self, by: timedelta | float) -> None:
        """Let time pass: a duration, or seconds."""
        with self._lock:
            self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)
