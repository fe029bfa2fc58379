"""Import a cycle of 1,000 work items, beside only fetching it.

The tracker is a ``FakePlane`` in a process of its own, so its work is in the times on the clock, but not in the processor times.
The database is a SQLite file. A first import goes into a new file each round; that is opened before the clock runs.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rounds import Taken, Way, interleaved, ratio, timed, times

from forgekit import Forge
from forgekit.kernel.net.budgets import Priority
from forgekit.testing import FakePlane
from forgekit_plane._client import Client
from forgekit_plane.html import remembered
from forgekit_plane.tracker import PlaneTracker

ITEMS = 1_000
ROUNDS = 9
GOAL = ", goal at most 2"
RATIOS = [
    ("unchanged import", "fetch", GOAL),
    ("unchanged import", "fetch and parse", ""),
    ("unchanged import, new process", "fetch", ""),
    ("unchanged import, new process", "fetch and parse", ""),
    ("first import", "fetch and parse", GOAL),
]

DESCRIPTION = """
<h2 class="editor-heading-block">Item {number}: what the shop needs</h2>
<p class="editor-paragraph-block">Customers of shop {number} ask for <strong>prices with and without tax</strong>; see
<a target="_blank" rel="noopener noreferrer" href="https://shop.example/pricing/{number}">the pricing page</a> and the discussion of
Monday. The calculation lives in <code>pricing.py</code> &amp; is called once a line.</p>
<ul class="list-disc"><li class="list-item"><p>Rates come from the table of countries, not from code</p></li>
<li class="list-item"><p>Amounts are rounded half up, once, at the end</p><ul class="list-disc"><li class="list-item"><p>also for
refunds</p></li><li class="list-item"><p>and for vouchers above {number} €</p></li></ul></li></ul>
<h3 class="editor-heading-block">Acceptance criteria</h3>
<ul class="task-list" data-type="taskList"><li data-checked="false" data-type="taskItem"><label><input type="checkbox"></label><div><p>Given
a customer in Austria, when the basket is shown, then the tax is 20 %</p></div></li><li data-checked="true" data-type="taskItem"><label>
<input type="checkbox" checked></label><div><p>Given a company with a valid number, then no tax is added</p></div></li></ul>
<pre><code class="language-python">def total(lines):
    return sum(line.amount for line in lines)
</code></pre>
<p class="editor-paragraph-block">Ask <em>Ada</em> where something is unclear.</p>
"""


# The tracker's process


def serve() -> None:
    """Run a Plane with one cycle until the standard input closes."""
    with FakePlane(rate_limit=None) as plane:
        cycle = plane.add_cycle("Sprint 4")
        states, priorities = itertools.cycle(["Backlog", "Todo", "In Progress", "Done"]), itertools.cycle(["urgent", "high", "low", "none"])
        parent = None
        for number, state, priority in zip(range(ITEMS), states, priorities, strict=False):
            item = plane.add_item(
                f"Item {number}: prices with and without tax",
                cycle=cycle,
                state=state,
                priority=priority,
                description=DESCRIPTION.format(number=number),
                labels=["pricing", f"team {number % 5}"],
                parent=parent if number % 10 else None,
            )
            parent = parent if number % 10 else item
        print(json.dumps({"cycle": cycle, "settings": plane.settings}), flush=True)
        sys.stdin.read()


@contextmanager
def tracker_process() -> Iterator[dict[str, Any]]:
    """Start the tracker, and tell its settings and the cycle's id."""
    process = subprocess.Popen([sys.executable, __file__, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.communicate()


# The ways


class Bench:
    """The ways to be measured, and what they need."""

    def __init__(self, stack: ExitStack, told: dict[str, Any]) -> None:
        """Open a forge whose cycle is imported already."""
        self._stack = stack
        self._config = {"plane": told["settings"] | {"rate_limit": 100_000}}
        self._cycle: str = told["cycle"]
        self._directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self._forge = self._open("again")
        self._forge.sprints.import_cycle(self._cycle, project="shop")

    def ways(self) -> dict[str, Way]:
        """Return every way by name."""
        fresh = iter([self._open(f"first-{number}") for number in range(ROUNDS + 1)])
        acts: dict[str, Callable[[], object]] = {
            "fetch": self.fetch,
            "fetch and parse": self.fetch_and_parse,
            "unchanged import": self.import_again,
            "unchanged import, new process": self.import_in_new_process,
            "first import": partial(self.import_first, fresh),
        }
        return {name: partial(timed, act) for name, act in acts.items()}

    def fetch(self) -> None:
        """Fetch the cycle and its items and decode the JSON."""
        client: Client = self._tracker(self._forge)._client
        client.cycle(self._cycle)
        assert len(client.cycle_items(self._cycle, None)) == ITEMS

    def fetch_and_parse(self) -> None:
        """Fetch them through the adapter, which turns every description into text."""
        remembered.cache_clear()
        tracker = self._tracker(self._forge)
        tracker.cycle(self._cycle)
        assert len(tracker.items(self._cycle)) == ITEMS

    def import_again(self) -> None:
        """Import what is here already, as a running host does: the adapter still has the texts."""
        assert self._forge.sprints.import_cycle(self._cycle, project="shop").skipped == ITEMS

    def import_in_new_process(self) -> None:
        """Import what is here already, with nothing remembered."""
        remembered.cache_clear()
        self.import_again()

    def import_first(self, fresh: Iterator[Forge]) -> None:
        """Import into a database that has nothing yet."""
        remembered.cache_clear()
        assert next(fresh).sprints.import_cycle(self._cycle, project="shop").imported == ITEMS

    def _open(self, name: str) -> Forge:
        """Open a forge, and its connection to the tracker."""
        forge = self._stack.enter_context(Forge.open(f"sqlite:///{self._directory}/{name}.db", discover=True, config=self._config))
        self._tracker(forge).cycle(self._cycle)
        return forge

    def _tracker(self, forge: Forge) -> PlaneTracker:
        tracker = forge._open_tracker("plane", Priority.PEOPLE)
        assert isinstance(tracker, PlaneTracker)
        return tracker


def report(taken: dict[str, list[Taken]]) -> None:
    """Print a line for each way, then the ratios."""
    print(f"{ITEMS} items, descriptions of {len(DESCRIPTION)} characters, {ROUNDS} rounds")
    for name, found in taken.items():
        print(f"{name:29} {times(found)}")
    print("Ratios of times, median (lowest to highest)")
    for name, base, goal in RATIOS:
        print(f"{name:29} to {base:15} {ratio(taken[name], taken[base])}{goal}")


def main() -> None:
    """Measure and print a table."""
    if sys.argv[1:] == ["serve"]:
        serve()
        return
    with ExitStack() as stack:
        report(interleaved(Bench(stack, stack.enter_context(tracker_process())).ways(), ROUNDS))


if __name__ == "__main__":
    main()
