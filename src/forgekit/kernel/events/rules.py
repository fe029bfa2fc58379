"""Pure rules of durable work."""

from __future__ import annotations

from datetime import datetime, timedelta

MAX_ATTEMPTS = 20
"""After so many attempts a row is given up; with the backoff below that is about two days."""

FEW_ATTEMPTS = 5
"""The same for an error that is not retryable: a person may still mend what it complains of."""

_BASE = timedelta(seconds=2)
_LONGEST = timedelta(hours=4)


def backoff(attempt: int, noise: float) -> timedelta:
    """Return how long to wait after the attempt of this number has failed.

    Doubles from two seconds to four hours, with jitter of a fifth to both sides so that what failed together does not come back
    together.

    Args:
        attempt: 1 for the first.
        noise: From 0 (shortest) to 1 (longest).

    """
    doublings = min(attempt - 1, MAX_ATTEMPTS)
    plain: timedelta = min(_BASE * 2**doublings, _LONGEST)
    return plain * (0.8 + 0.4 * noise)


def next_attempt(now: datetime, attempt: int, noise: float, retry_after: float | None, *, retryable: bool = True) -> datetime | None:
    """Return when to try again after a failed attempt; None when it is time to give up.

    Args:
        now: The end of the failed attempt.
        attempt: Its number, 1 for the first.
        noise: From 0 to 1.
        retry_after: Seconds that the other side asked to wait; never shortens the wait.
        retryable: Whether the error says that the same call may succeed later.

    """
    if attempt >= (MAX_ATTEMPTS if retryable else FEW_ATTEMPTS):
        return None
    wait = backoff(attempt, noise)
    if retry_after is not None:
        wait = max(wait, timedelta(seconds=retry_after))
    return now + wait
