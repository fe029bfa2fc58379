"""The port for incoming rate limits: named buckets, a key a caller."""

from __future__ import annotations

import math
from typing import Protocol

import attrs

from forgekit import errors
from forgekit.http.guards import Caller
from forgekit.http.messages import Headers, RequestHead


@attrs.frozen(kw_only=True)
class LimitState:
    """How a bucket stands after a call: its size, what is left, and seconds until it is full again."""

    limit: int
    remaining: int
    reset_after: float


class Limiter(Protocol):
    """Counts calls in named buckets.

    For an operation whose guard never blocks the ASGI face calls the limiter on a worker thread all the same, but for an
    ``inline`` operation on the event loop, where it must not block.
    """

    def __call__(self, name: str, key: str, /) -> LimitState | None:
        """Take one from the bucket ``name`` of ``key``.

        Raises:
            errors.RateLimited: The bucket is empty; ``retry_after`` says for how long, in seconds, and ``data["amount"]``, where it is
                there, how large it is.

        """


def bucket_key(caller: Caller, head: RequestHead) -> str:
    """Name whose bucket a call takes from: the caller's, or the peer's where nobody in particular calls."""
    return f"{caller.kind}:{caller.id}" if caller.id is not None else f"peer:{head.peer}"


def state_of_refusal(refusal: errors.RateLimited) -> LimitState | None:
    """Tell how a bucket stands that refused a call; None where the refusal does not say how large it is."""
    amount = refusal.data.get("amount")
    return None if amount is None else LimitState(limit=amount, remaining=0, reset_after=refusal.retry_after or 0.0)


def limit_headers(state: LimitState) -> Headers:
    """Tell the caller how its bucket stands."""
    return [
        ("RateLimit-Limit", str(state.limit)),
        ("RateLimit-Remaining", str(max(0, state.remaining))),
        ("RateLimit-Reset", str(max(0, math.ceil(state.reset_after)))),
    ]
