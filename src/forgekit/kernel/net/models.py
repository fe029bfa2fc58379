"""What the limits on outgoing calls are made of."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import Any

import attrs


class Priority(enum.IntEnum):
    """Who asks for an outgoing call; the smaller number goes first."""

    PEOPLE = 0
    WEBHOOKS = 1
    POLL = 2
    RELATIONS = 3


def _keep() -> Mapping[Priority, int]:
    return {Priority.PEOPLE: 0, Priority.WEBHOOKS: 10, Priority.POLL: 10, Priority.RELATIONS: 20}


def _patience() -> Mapping[Priority, float]:
    # In the background nobody waits for the answer: the work comes again when it is its turn, and its thread is free till then.
    return {Priority.PEOPLE: 5.0, Priority.WEBHOOKS: 2.0, Priority.POLL: 2.0, Priority.RELATIONS: 0.0}


def _positive(_instance: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{attribute.name} must be positive and finite")


@attrs.frozen(kw_only=True)
class BudgetPolicy:
    """How many calls one credential may make. One credential has one policy.

    Attributes:
        calls: At most so many in any window.
        window: Seconds; it slides.
        keep: How many calls each priority leaves free for the more important ones. Never more than half of ``calls``
            is kept free, so that a small budget still lets everybody through.
        patience: For how many seconds each priority waits for its turn.

    """

    calls: int = attrs.field(default=60, validator=_positive)
    window: float = attrs.field(default=60.0, validator=_positive)
    keep: Mapping[Priority, int] = attrs.field(factory=_keep)
    patience: Mapping[Priority, float] = attrs.field(factory=_patience)

    def limit(self, priority: Priority) -> int:
        """Return up to how many calls in the window this priority may go."""
        return self.calls - min(self.keep.get(priority, 0), self.calls // 2)


@attrs.frozen
class Ledger:
    """The calls that were granted, as far as they still matter.

    Attributes:
        calls: Their moments in microseconds since 1970, oldest first.
        strikes: How many times in a row the outside system refused us without saying for how long.

    """

    calls: tuple[int, ...] = ()
    strikes: int = 0


@attrs.frozen
class Granted:
    """The call may be made now; ``ledger`` counts it already."""

    ledger: Ledger


@attrs.frozen
class Wait:
    """The call may be made in ``seconds``, if nobody else takes the place; ``ledger`` is what to remember until then."""

    seconds: float
    ledger: Ledger
