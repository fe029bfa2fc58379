"""Work on very many small objects."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Suspend the collector of reference cycles: for a stretch that makes many tuples and no cycles.

    Looking for cycles among a million new tuples was measured as a third of the fold's time. Objects without cycles are freed as ever. A
    caller who has switched the collector off finds it off afterwards.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
