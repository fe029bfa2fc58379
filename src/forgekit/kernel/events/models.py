"""Events, and the claims by which durable work is taken up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, ClassVar

import attrs


@attrs.frozen
class Event:
    """Base of every event: a frozen attrs class whose fields are JSON-able values, dates and ids.

    Attributes:
        name: Stable dotted name, stored with the event's rows.

    """

    name: ClassVar[str]


class Queue(Enum):
    """Where durable work waits: one table each, one way of claiming for all."""

    INBOX = "inbox"
    OUTBOX = "outbox"
    SCHEDULES = "schedules"


@attrs.frozen(kw_only=True)
class Claim:
    """A row that this process holds for a while.

    Attributes:
        queue: The queue it came from.
        key: The row's key, as text; stable over attempts.
        handler: Name of what shall handle it.
        payload: The row's content.
        fence: Grows with each claim of the row: a holder whose lease ran out cannot finish it any more.
        attempt: 1 for the first claim.
        generation: How often the work was asked for when it was claimed (schedules).

    """

    queue: Queue
    key: str
    handler: str
    payload: Mapping[str, Any] = attrs.field(repr=False)
    fence: int
    attempt: int
    generation: int = 0


@attrs.frozen(kw_only=True)
class Outcome:
    """How a claim ended.

    Attributes:
        state: ``done``, ``failed`` (no more attempts), or ``ready`` (again, at ``due_at``).
        due_at: When it shall be taken up again; None with ``ready`` means: when somebody asks.
        error: What went wrong, for people, without secrets.

    """

    state: str
    due_at: datetime | None = None
    error: str | None = None

    @classmethod
    def done(cls) -> Outcome:
        """Return the outcome of work that is finished for good."""
        return cls(state="done")

    @classmethod
    def again(cls, due_at: datetime | None, error: str | None = None) -> Outcome:
        """Return the outcome of work that shall run again at ``due_at``."""
        return cls(state="ready", due_at=due_at, error=error)

    @classmethod
    def failed(cls, error: str) -> Outcome:
        """Return the outcome of work that is given up."""
        return cls(state="failed", error=error)


@attrs.frozen(kw_only=True)
class Handler:
    """What a durable row calls.

    A *transactional* handler (``external=False``) is called as ``run(event, tx)``: its effect and the row's end commit together.
    An *external* handler is called as ``run(event, delivery_id)`` with no transaction open; its effect must be idempotent by
    ``delivery_id``, which stays the same over attempts.

    Attributes:
        name: Stable name, unique in a forge, stored with the rows.
        event: The class of event it wants.
        run: The function.
        external: Whether it talks to the outside.

    """

    name: str
    event: type[Event]
    run: Callable[..., None]
    external: bool = False


@attrs.frozen(kw_only=True)
class Schedule:
    """A loop, or work on demand.

    ``run()`` is called with no transaction open and may return when it wants to be called next; else ``every`` counts from its end.

    Attributes:
        name: Stable name; one row of this name drives it in all processes together.
        run: The function; it may return the seconds to wait until the next call.
        every: Time between two calls; None for work on demand (``Schedules.request``).
        enabled: Whether the loop runs from the start (a stored choice goes before).

    """

    name: str
    run: Callable[[], float | None]
    every: timedelta | None = None
    enabled: bool = True


@attrs.frozen(kw_only=True)
class ScheduleState:
    """The stored state of a schedule.

    Attributes:
        name: Its name.
        enabled: Whether the loop runs.
        due_at: Next call; None when nothing is planned.
        running: Whether some process holds it now.

    """

    name: str
    enabled: bool
    due_at: datetime | None
    running: bool
