"""Counting what comes in, in sliding windows: in this process, or together in Redis."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import attrs

from forgekit.errors import ConfigurationError
from forgekit.kernel.clock import Clock, SystemClock
from forgekit.kernel.secrets.secret import Secret

if TYPE_CHECKING:
    from limits.storage import RedisStorage

_log = logging.getLogger(__name__)

_MOST_KEYS = 50_000  # so many callers are remembered; beyond, those not seen for longest are forgotten
_TIMEOUT = 1.0
_REST = 10.0  # seconds without Redis after it failed, so that not every request waits for its timeout
_AT_ONCE = 0.001  # the clocks of two processes may differ by more than the wait is long


@attrs.frozen(kw_only=True)
class Count:
    """How a window stands after a hit.

    Attributes:
        wait: 0.0 where the hit was counted, else in how many seconds one will be.
        remaining: How many more will be counted now.

    """

    wait: float
    remaining: int


class Windows(Protocol):
    """Counts hits in sliding windows."""

    def hit(self, key: str, amount: int, seconds: int) -> Count:
        """Count a hit where ``amount`` in any ``seconds`` allows it; a refused one is not counted."""
        ...


class MemoryWindows:
    """Windows of this process. Thread-safe, and bounded however many callers there are.

    The storage that ``limits`` has for this never forgets a key and starts a thread for its housekeeping, hence our own.
    """

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, most_keys: int = _MOST_KEYS) -> None:
        """Start with no hits.

        Args:
            monotonic: Seconds of any origin.
            most_keys: How many keys to remember.

        """
        self._monotonic = monotonic
        self._most_keys = most_keys
        self._lock = threading.Lock()
        self._hits: OrderedDict[tuple[str, int], deque[float]] = OrderedDict()

    def hit(self, key: str, amount: int, seconds: int) -> Count:
        """Count a hit; see ``Windows``."""
        with self._lock:
            now = self._monotonic()
            hits = self._remembered((key, seconds))
            while hits and hits[0] <= now - seconds:
                hits.popleft()
            if len(hits) >= amount:
                return Count(wait=hits[len(hits) - amount] + seconds - now, remaining=0)
            hits.append(now)
            return Count(wait=0.0, remaining=amount - len(hits))

    def _remembered(self, key: tuple[str, int]) -> deque[float]:
        hits = self._hits.setdefault(key, deque())
        self._hits.move_to_end(key)
        while len(self._hits) > self._most_keys:
            self._hits.popitem(last=False)
        return hits


class RedisWindows:
    """Windows that several processes share. Where Redis fails, each process counts alone until it is back."""

    def __init__(
        self, url: Secret, *, fallback: Windows, clock: Clock | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepare; the connection is made on first use.

        Args:
            url: ``redis://…``, perhaps with a password.
            fallback: Counts while Redis is away.
            clock: Agrees with the other processes' clocks.
            monotonic: Seconds of any origin.

        Raises:
            ConfigurationError: The address is none, or the ``redis`` package is not installed.

        """
        self._storage = _redis(url)
        self._fallback = fallback
        self._clock = clock if clock is not None else SystemClock()
        self._monotonic = monotonic
        self._resting_until: float | None = None

    def hit(self, key: str, amount: int, seconds: int) -> Count:
        """Count a hit; see ``Windows``."""
        from limits.errors import StorageError

        if self._resting_until is not None and self._monotonic() < self._resting_until:
            return self._fallback.hit(key, amount, seconds)
        try:
            return self._shared_hit(f"{key}|{amount}|{seconds}", amount, seconds)
        except StorageError as error:
            _log.warning("Redis does not answer (%s): limits are counted by this process alone for now", type(error.storage_error).__name__)
            self._resting_until = self._monotonic() + _REST
            return self._fallback.hit(key, amount, seconds)

    def close(self) -> None:
        """Close the connections."""
        self._storage.storage.close()

    def _shared_hit(self, name: str, amount: int, seconds: int) -> Count:
        granted = self._storage.acquire_entry(name, amount, seconds)
        oldest, counted = self._storage.get_moving_window(name, amount, seconds)
        if granted:
            return Count(wait=0.0, remaining=max(amount - counted, 0))
        return Count(wait=max(oldest + seconds - self._clock.now().timestamp(), _AT_ONCE), remaining=0)


def _redis(url: Secret) -> RedisStorage:
    from limits.errors import ConfigurationError as PackageMissing
    from limits.storage import RedisStorage

    try:
        return RedisStorage(
            url.reveal(), key_prefix="forgekit", wrap_exceptions=True, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT
        )
    except PackageMissing:
        raise ConfigurationError("FORGEKIT_REDIS_URL needs the redis package: install forgekit-core[redis].") from None
    except ValueError:
        raise ConfigurationError("FORGEKIT_REDIS_URL is not the address of a Redis server.") from None
