"""What a refused webhook leaves behind: a counter and, not too often, a line for the audit."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import datetime, timedelta

import attrs

_log = logging.getLogger("forgekit.audit")

_PAUSE = timedelta(seconds=1)
"""Between two lines of one kind: a flood of forged webhooks must not fill the disk."""


@attrs.define
class _Line:
    due_at: datetime
    suppressed: int = 0


class Audit:
    """Counts what was refused and what had come before, since this process started; thread-safe."""

    def __init__(self) -> None:
        """Start with nothing counted."""
        self._lock = threading.Lock()
        self._rejected: Counter[str] = Counter()
        self._deduplicated: Counter[str] = Counter()
        self._lines: dict[tuple[str, str], _Line] = {}

    def rejected(self, provider: str, code: str, now: datetime) -> None:
        """Count a refusal and log it, without anything that the sender wrote; at most one line a second for each code."""
        with self._lock:
            self._rejected[provider] += 1
            suppressed = self._next_line(provider, code, now)
        if suppressed is not None:
            _log.warning("a webhook of %s was refused: %s (%d more since the last such line)", provider, code, suppressed)

    def deduplicated(self, provider: str) -> None:
        """Count a duplicate."""
        with self._lock:
            self._deduplicated[provider] += 1

    def counts(self, provider: str) -> tuple[int, int]:
        """Return how many were refused, and how many were duplicates."""
        with self._lock:
            return self._rejected[provider], self._deduplicated[provider]

    def _next_line(self, provider: str, code: str, now: datetime) -> int | None:
        """Return how many lines were left out before this one; None where this one is left out too."""
        line = self._lines.setdefault((provider, code), _Line(now))
        if now < line.due_at:
            line.suppressed += 1
            return None
        self._lines[provider, code] = _Line(now + _PAUSE)
        return line.suppressed
