"""Pure rules of outgoing calls: budgets, retries, addresses. No I/O, no clock, no chance."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote, unquote, urlsplit

from forgekit.errors import ConfigurationError, InvalidInput, UsageError
from forgekit.kernel.net.models import BudgetPolicy, Granted, Ledger, Priority, Wait

MAX_BLOCK = 3600.0
"""Seconds; an outside system cannot silence us for longer with one answer."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND = 1_000_000
_EPOCH_DIGITS = 10
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", re.ASCII)
_PATH = re.compile(r"[!$&'()*+,;=:@%/A-Za-z0-9._~-]*", re.ASCII)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def reserve(ledger: Ledger, now: datetime, policy: BudgetPolicy, priority: Priority, blocked_until: datetime | None) -> Granted | Wait:
    """Decide about one call.

    In no half-open window of ``policy.window`` seconds are more than ``policy.calls`` granted. A priority is granted while
    it leaves ``policy.keep`` free. Calls that the ledger holds for the future (a clock was set back) count as made now,
    which errs on the outside system's side and forgets them after one window.

    Args:
        ledger: The calls before.
        now: The present, aware.
        policy: The credential's policy.
        priority: Who asks.
        blocked_until: Until when the outside system wants no call; None for no such wish.

    Returns:
        ``Granted``, or ``Wait`` with the exact time after which the same question is granted, if nobody asks in between.

    """
    moment, window = micros(now), math.ceil(policy.window * _SECOND)
    recent = tuple(min(call, moment) for call in ledger.calls if call > moment - window)
    limit = policy.limit(priority)
    ready = recent[-limit] + window if len(recent) >= limit else moment
    if blocked_until is not None:
        ready = max(ready, micros(blocked_until))
    if ready > moment:
        return Wait((ready - moment) / _SECOND, Ledger(recent, ledger.strikes))
    return Granted(Ledger((*recent, moment), ledger.strikes))


def write_ledger(ledger: Ledger) -> str:
    """Return a ledger as short text: strikes, the first moment, then the distances."""
    steps = [later - earlier for earlier, later in pairwise((0, *ledger.calls))]
    return f"{ledger.strikes}|{','.join(map(str, steps))}"


def read_ledger(text: str) -> Ledger:
    """Return the ledger that ``write_ledger`` wrote; an empty one for the empty text.

    Raises:
        ValueError: The text is something else.

    """
    if not text:
        return Ledger()
    strikes, steps = text.split("|")
    calls: list[int] = []
    for step in steps.split(",") if steps else ():
        calls.append(int(step) + (calls[-1] if calls else 0))
    if calls != sorted(calls):
        raise ValueError("the calls of a ledger are in order")
    return Ledger(tuple(calls), int(strikes))


def strike(ledger: Ledger, now: datetime, policy: BudgetPolicy, blocked_until: datetime | None) -> Ledger:
    """Count a refusal without a word about its length; one soon after the end of the last is the next in a row."""
    in_a_row = blocked_until is not None and micros(now) - micros(blocked_until) < policy.window * _SECOND
    return Ledger(ledger.calls, ledger.strikes + 1 if in_a_row else 1)


def backoff(attempt: int, *, base: float, cap: float, noise: float) -> float:
    """Return how long to wait after a failure: exponential, with half of it left to chance.

    Args:
        attempt: 1 after the first failure.
        base: Seconds; the longest wait after the first failure.
        cap: Seconds; the longest wait ever.
        noise: From 0 to 1.

    """
    longest = min(cap, base * 2.0 ** min(attempt - 1, 64))
    return longest * (0.5 + noise / 2)


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a ``Retry-After`` header (RFC 9110, 10.2.3): seconds or an HTTP date.

    Returns:
        Seconds from now, from 0 to ``MAX_BLOCK``; None where it is absent or makes no sense.

    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_BLOCK)
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), MAX_BLOCK)


def until(value: str | None, now: datetime) -> float | None:
    """Read a header that tells the moment at which a limit begins anew, in seconds since 1970.

    Returns:
        Seconds from now, from 1 to ``MAX_BLOCK``; None where it is absent or makes no sense.

    """
    text = (value or "").strip()
    if not (text.isascii() and text.isdigit()) or len(text) > _EPOCH_DIGITS:
        return None
    return min(max((datetime.fromtimestamp(int(text), UTC) - now).total_seconds(), 1.0), MAX_BLOCK)


def check_base_url(url: str) -> str:
    """Return a base address without its trailing slash.

    Raises:
        ConfigurationError: It is not http or https, names no host, or carries credentials, a query or a fragment. The
            message does not repeat it.

    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigurationError("The base address is not a URL.") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ConfigurationError("The base address must begin with http:// or https:// and name a host.")
    if "@" in parts.netloc:
        raise ConfigurationError("The base address must not carry a user or password.")
    if "?" in url or "#" in url or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ConfigurationError("The base address must be plain: no query, fragment, space or non-ASCII character.")
    return url.rstrip("/")


def check_header(name: str, value: str) -> None:
    """Refuse a header that HTTP cannot carry, before a library does so and prints it.

    Raises:
        ConfigurationError: The value is empty, or holds anything but printable ASCII. The message names the header only.

    """
    if not _HEADER_VALUE.fullmatch(value):
        raise ConfigurationError(f"The value for the header {name} is empty or holds characters that HTTP cannot carry.")


def join(base_url: str, path: str) -> str:
    """Return the address of ``path`` below ``base_url``.

    Raises:
        UsageError: The path could lead elsewhere: dot segments, a query, or characters that were not quoted.

    """
    if not _PATH.fullmatch(path) or any(unquote(part) in {".", ".."} for part in path.split("/")):
        raise UsageError("A path must be quoted, without dot segments and query; use segment() and params.")
    return f"{base_url}/{path.lstrip('/')}"


def segment(text: str) -> str:
    """Quote any text as one segment of a path.

    Raises:
        InvalidInput: The text is empty, ``.`` or ``..``, which no quoting can make a name, or no Unicode.

    """
    if text in {"", ".", ".."}:
        raise InvalidInput("An identifier for an outside system is empty or made of dots.")
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise InvalidInput("An identifier for an outside system is not valid Unicode.") from None
