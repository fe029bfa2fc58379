"""Import forgekit in fresh processes, beside importing only the four packages that its import needs.

The times are read inside each process, around the import alone: starting Python is the same for all. Compiled modules are kept in a
directory of the benchmark's own, which the round that does not count fills.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial

from rounds import Taken, interleaved, ratio, times

ROUNDS = 11
BASE = "import attrs, cattrs, pluggy, blinker"
GOALS = {"import forgekit": ", goal at most 1.6"}
OTHERS = [
    "import forgekit",
    "from forgekit import Forge",
    "from forgekit import Forge; Forge.open('sqlite:///:memory:', discover=True).close()",
]

CODE = """
import sys, time
before = len(sys.modules)
wall, cpu = time.perf_counter(), time.process_time()
{statement}
print(time.perf_counter() - wall, time.process_time() - cpu, len(sys.modules) - before)
"""


class Starter:
    """Starts Pythons that find all modules compiled."""

    def __init__(self, cache: str) -> None:
        """Keep compiled modules in the directory ``cache``."""
        self._environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._environment["PYTHONPYCACHEPREFIX"] = cache
        self.modules: dict[str, int] = {}

    def run(self, statement: str) -> Taken:
        """Run a statement in a process of its own, and note how many modules it imported."""
        command = [sys.executable, "-c", CODE.format(statement=statement)]
        found = subprocess.run(command, env=self._environment, capture_output=True, check=True, text=True)
        wall, cpu, count = found.stdout.split()
        self.modules[statement] = int(count)
        return Taken(float(wall), float(cpu))


def main() -> None:
    """Measure and print a table."""
    with tempfile.TemporaryDirectory() as cache:
        starter = Starter(cache)
        taken = interleaved({statement: partial(starter.run, statement) for statement in [BASE, *OTHERS]}, ROUNDS)
    print(f"{ROUNDS} rounds; ratio to the first line, median (lowest to highest)")
    for statement, found in taken.items():
        goal = GOALS.get(statement, "")
        print(f"{statement}\n    {times(found)}, {starter.modules[statement]} modules\n    {ratio(found, taken[BASE])}{goal}")


if __name__ == "__main__":
    main()
