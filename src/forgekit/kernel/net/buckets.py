"""Limits on what comes in: named buckets, each with a rate that can be configured."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from forgekit.errors import RateLimited, SettingsInvalid, UsageError
from forgekit.kernel.net.windows import MemoryWindows, RedisWindows, Windows
from forgekit.kernel.secrets.secret import Secret

if TYPE_CHECKING:
    from limits import RateLimitItem

_log = logging.getLogger(__name__)

UNLIMITED = "unlimited"
"""The rate of a limit that is switched off."""

_DECLARED: dict[str, Limit] = {}


@attrs.frozen(kw_only=True)
class Limit:
    """A named limit.

    Attributes:
        name: Dotted, such as ``plane.webhooks``.
        default: Its rate: ``600/minute``, ``10/second;100/hour``, or ``unlimited``.
        doc: What it counts, by what key; one sentence.

    """

    name: str
    default: str
    doc: str


@attrs.frozen(kw_only=True)
class Standing:
    """How a bucket stands after a hit.

    Attributes:
        limit: How many hits its tightest window allows.
        remaining: How many of them are left.
        reset_after: Seconds until all of them are, if no more come.

    """

    limit: int
    remaining: int
    reset_after: float


def limit(name: str, default: str, *, doc: str) -> Limit:
    """Declare a limit, once at import; the same name declared anew replaces it."""
    _DECLARED[name] = declared = Limit(name=name, default=default, doc=doc)
    return declared


def declared_limits() -> tuple[Limit, ...]:
    """Return every limit declared so far, by name; for the settings reference."""
    return tuple(_DECLARED[name] for name in sorted(_DECLARED))


class Buckets:
    """The incoming limits of one forge. Thread-safe."""

    def __init__(self, rates: Mapping[str, str] | None = None, *, redis_url: Secret | None = None, windows: Windows | None = None) -> None:
        """Read the rates.

        Args:
            rates: Other rates than the declared ones, by name (``FORGEKIT_LIMITS``).
            redis_url: Where several processes share the counts; without it each counts alone.
            windows: Counts instead of either.

        Raises:
            SettingsInvalid: Some rates cannot be read; all of them are listed.
            ConfigurationError: Redis is configured and cannot be used.

        """
        self._rates = _read_rates(rates or {})
        self._windows = windows if windows is not None else _windows(redis_url)

    def hit(self, name: str, key: str) -> Standing | None:
        """Count one request.

        Args:
            name: A declared limit.
            key: Who asks: an address or an id, never a credential.

        Returns:
            How the bucket stands; None where it is unlimited.

        Raises:
            RateLimited: The bucket is empty; ``retry_after`` says in how many seconds it is not.
            UsageError: No such limit is declared.

        """
        tightest: Standing | None = None
        for item in self._items(name):
            count = self._windows.hit(f"{name}|{key}", item.amount, item.get_expiry())
            if count.wait > 0:
                raise RateLimited(retry_after=count.wait, limit=name, amount=item.amount)
            if tightest is None or count.remaining < tightest.remaining:
                tightest = Standing(limit=item.amount, remaining=count.remaining, reset_after=float(item.get_expiry()))
        return tightest

    def check(self) -> None:
        """Warn of rates for limits that nobody declared; called once everything is loaded.

        No error: they may belong to surfaces that another host mounts.
        """
        for name in sorted(set(self._rates) - set(_DECLARED)):
            near = difflib.get_close_matches(name, _DECLARED, n=1)
            _log.warning("FORGEKIT_LIMITS names %s, which nothing here declares%s", name, f"; did you mean {near[0]}?" if near else "")

    def close(self) -> None:
        """Close connections, if there are any."""
        if isinstance(self._windows, RedisWindows):
            self._windows.close()

    def _items(self, name: str) -> Sequence[RateLimitItem]:
        if name not in self._rates:
            if name not in _DECLARED:
                raise UsageError(f"No limit is declared by the name {name}.")
            self._rates[name] = _parse(_DECLARED[name].default)
        return self._rates[name]


def _read_rates(rates: Mapping[str, str]) -> dict[str, Sequence[RateLimitItem]]:
    read: dict[str, Sequence[RateLimitItem]] = {}
    problems = []
    for name, rate in rates.items():
        try:
            read[name] = _parse(rate)
        except ValueError:
            problems.append({"path": f"FORGEKIT_LIMITS.{name}", "message": "must be a rate such as 600/minute, or unlimited"})
    if problems:
        listed = "; ".join(f"{problem['path']}: {problem['message']}" for problem in problems)
        raise SettingsInvalid(f"Settings are wrong: {listed}.", problems=problems)
    return read


def _parse(rate: str) -> Sequence[RateLimitItem]:
    if rate.strip() == UNLIMITED:
        return ()
    from limits import parse_many

    items = tuple(parse_many(rate))
    if any(item.amount < 1 for item in items):
        raise ValueError("a rate of nothing is no rate")
    return items


def _windows(redis_url: Secret | None) -> Windows:
    memory = MemoryWindows()
    return memory if redis_url is None else RedisWindows(redis_url, fallback=memory)
