"""Calling the synchronous core from async code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


async def offload(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a verb in a worker thread and await its result.

    ``await forgekit.offload(forge.sprints.import_cycle, "cycle-1", project="shop")``

    Cancelling the awaiting task does not stop the verb: it runs to its end in its thread, and its result is dropped.
    """
    from anyio import to_thread

    return await to_thread.run_sync(functools.partial(function, *args, **kwargs), abandon_on_cancel=True)
