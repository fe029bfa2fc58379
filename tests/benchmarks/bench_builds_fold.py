"""The fold from scratch beside pandas: every metric of the same builds, once each way and round.

Two starts are compared: from the records, which pandas must first make a frame of, and from a frame that is there already, whose making is
not counted. Both ways count cancelled, repeated and re-run builds alike; the results are compared before anything is measured.

``python tests/benchmarks/bench_builds_fold.py [builds] [rounds]``
"""

from __future__ import annotations

import importlib.util
import random
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import rounds

from forgekit.builds import BuildRecord, Fold, analyse

BY_PANDAS = Path(__file__).resolve().parents[1] / "builds" / "by_pandas.py"
PROJECTS = 200
START = datetime(2024, 1, 1, tzinfo=UTC)


def by_pandas():
    """Return the module with the metrics in pandas, which the tests compare with too."""
    spec = importlib.util.spec_from_file_location("by_pandas", BY_PANDAS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def builds(count):
    """Return builds of two years: few projects have most, a third breaks, commits mostly differ, some are re-run."""
    chance = random.Random(1)
    return [build(chance, number, count) for number in range(count)]


def build(chance, number, count):
    """Return one made-up build."""
    rerun = number and chance.random() < 0.05
    started = START + timedelta(seconds=chance.randrange(2 * 365 * 86_400))
    return BuildRecord(
        provider="github",
        project=f"org/project-{min(int(chance.paretovariate(0.9)), PROJECTS)}",
        build_id=str(number),
        attempt=2 if rerun else 1,
        status=chance.choices(["passed", "failed", "errored", "canceled"], [70, 25, 2, 3])[0],
        queued_at=started - timedelta(seconds=chance.randrange(90)),
        started_at=started,
        finished_at=started + timedelta(seconds=int(chance.lognormvariate(5.5, 1))),
        branch=chance.choice(["main", "next", f"topic-{chance.randrange(2000)}"]),
        workflow=f"workflow-{chance.randrange(5)}",
        commit=f"{chance.randrange(2 * count):040x}",
        language="python",
        tests_run=chance.randrange(500),
        tests_failed=chance.randrange(5),
    )


def main(count=100_000, number=5):
    """Measure and print the ratios."""
    theirs = by_pandas()
    records = builds(count)
    frame = theirs.frame_of(records)
    found, expected = analyse(records), theirs.metrics(frame)
    assert (found.mttr.total, found.mttr.count) == expected["mttr"]
    assert (found.flaky.numerator, found.flaky.denominator) == expected["flaky"]
    fold = Fold(records)
    analyse(fold)

    def one_more():
        fold.replace(records[0])
        return analyse(fold)

    acts = {
        "forgekit, records to all metrics": lambda: analyse(records),
        "pandas, records to all metrics": lambda: theirs.metrics(theirs.frame_of(records)),
        "pandas, frame to all metrics": lambda: theirs.metrics(frame),
        "forgekit, one build more, all metrics": one_more,
    }
    taken = rounds.interleaved({name: partial(rounds.timed, act) for name, act in acts.items()}, number)
    own = taken["forgekit, records to all metrics"]
    print(f"{count} builds, {number} rounds; forgekit's time from records to all metrics as a multiple of each, median (lowest to highest)")
    for name, base in taken.items():
        print(f"{name:38} {rounds.times(base)};  {rounds.ratio(own, base)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
