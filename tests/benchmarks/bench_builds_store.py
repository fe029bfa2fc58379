"""Builds in a database: storing many, and reading every metric again after a thousand more, beside the ways in use today.

*Ingest*: ``forge.builds.submit`` into an empty database, from records and from decoded JSON, beside ``executemany`` of ``sqlite3``, which
writes the very rows and roll-ups that forgekit wrote, made beforehand, in as many transactions.

*A thousand more*: storing 1,000 new builds and reading all metrics, beside the metrics of all builds by DuckDB over a Parquet file, by
pandas from that file, and by window functions of SQLite (five metrics only: success, percentiles, weeks, recoveries, flaky commits).

*Growth*: storing one build, and reading all metrics, beside the same with a third of the builds.

``python tests/benchmarks/bench_builds_store.py [builds] [rounds]``; a million builds take some minutes and 3 GB of memory.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import bench_builds_fold as fold
import pandas as pd
import rounds
from sqlalchemy import Engine, event

import forgekit_sql
from forgekit import Forge
from forgekit.builds import to_flat
from forgekit_duckdb import analyse_parquet, export_parquet

BATCH = 10_000
WINDOWS = {
    "success": "SELECT project, avg(status = 'passed') FROM {counted} GROUP BY 1",
    "percentiles": """
        WITH s AS (SELECT project, ended_at - started_at AS v, row_number() OVER (PARTITION BY project ORDER BY ended_at - started_at) AS i,
                   count(*) OVER (PARTITION BY project) AS n FROM {counted})
        SELECT project, min(CASE WHEN i >= 0.5 * n THEN v END), min(CASE WHEN i >= 0.95 * n THEN v END) FROM s GROUP BY 1""",
    "weeks": "SELECT project, started_at / 604800000000, count(*), sum(status = 'passed') FROM {counted} GROUP BY 1, 2",
    "recoveries": """
        WITH p AS (SELECT project, line, ended_at, status <> 'passed' AS red, lag(status <> 'passed') OVER l AS before FROM {counted}
                   WINDOW l AS (PARTITION BY project, line ORDER BY ended_at, started_at, provider, build_id, attempt)),
             t AS (SELECT *, lead(ended_at) OVER (PARTITION BY project, line ORDER BY ended_at) - ended_at AS lasted FROM p
                   WHERE before IS NULL OR before <> red)
        SELECT sum(lasted), count(lasted) FROM t WHERE red""",
    "flaky": """
        SELECT count(*), sum(k = 2) FROM (SELECT count(DISTINCT status) AS k FROM forgekit_builds
        WHERE status IN ('passed', 'failed') AND commit_id IS NOT NULL GROUP BY project, workflow, commit_id)""",
}
COUNTED = "(SELECT * FROM forgekit_builds WHERE status IN ('passed', 'failed', 'errored', 'timed_out'))"


def builds(count):
    """Return builds as they come in the course of time."""
    return sorted(fold.builds(count), key=lambda build: build.finished_at)


def opened(path):
    """Return a forge with a database of its own."""
    url = f"sqlite:///{path}"
    Forge.upgrade(url, plugins=[forgekit_sql])
    return Forge.open(url, plugins=[forgekit_sql])


def batches(items):
    """Return items ten thousand at a time."""
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]


# Ingest


class Written:
    """What was written to a database by statements that take many rows, transaction by transaction."""

    def __init__(self):
        """Start with nothing."""
        self.transactions = [[]]

    def take(self, connection, cursor, statement, parameters, context, executemany):
        """Keep what a statement writes."""
        del connection, cursor, context
        if executemany:
            self.transactions[-1].append((statement, list(parameters)))


def written(directory, records):
    """Return what forgekit writes for records."""
    kept = Written()
    event.listen(Engine, "before_cursor_execute", kept.take)
    with opened(directory / "written.db") as forge:
        kept.transactions.clear()
        for batch in batches(records):
            kept.transactions.append([])
            forge.builds.submit(batch)
    event.remove(Engine, "before_cursor_execute", kept.take)
    return [statements for statements in kept.transactions if statements]


def by_executemany(path, transactions):
    """Write prepared rows by the driver alone, and return what that took."""
    opened(path).close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")

    def write():
        for statements in transactions:
            connection.execute("BEGIN IMMEDIATE")
            for statement, values in statements:
                connection.executemany(statement, values)
            connection.execute("COMMIT")

    taken = rounds.timed(write)
    connection.close()
    return taken


def by_forgekit(path, submissions):
    """Submit builds to an empty forge, and return what that took."""
    with opened(path) as forge:

        def submit():
            for submission in submissions:
                forge.builds.submit(submission())

        return rounds.timed(submit)


def ingest(directory, records, number):
    """Measure storing."""
    transactions = written(directory, records)
    texts = [json.dumps({"builds": [to_flat(build) for build in batch]}) for batch in batches(records)]
    names = (directory / f"ingest{number}.db" for number in itertools.count())
    ways = {
        "executemany": lambda: by_executemany(next(names), transactions),
        "submit, records": lambda: by_forgekit(next(names), [partial(list, batch) for batch in batches(records)]),
        "submit, JSON": lambda: by_forgekit(next(names), [lambda text=text: json.loads(text)["builds"] for text in texts]),
    }
    taken = rounds.interleaved(ways, number)
    for name in ("submit, records", "submit, JSON"):
        print(f"{name:38} {rounds.times(taken[name])};  {rounds.ratio(taken[name], taken['executemany'])} of executemany")


# A thousand more


def windows(path):
    """Ask SQLite for five of the metrics."""
    connection = sqlite3.connect(path)
    for statement in WINDOWS.values():
        connection.execute(statement.format(counted=COUNTED)).fetchall()
    connection.close()


def by_pandas(theirs, path):
    """Load a Parquet file with pandas, and compute every metric."""
    return theirs.metrics(pd.read_parquet(path).fillna({"branch": "", "workflow": "", "commit": ""}))


def a_thousand_more(directory, forge, later, number):
    """Measure taking in a little and telling all."""
    parquet = directory / "builds.parquet"
    export_parquet(forge.builds.builds(), parquet)
    thousands = iter([later[start : start + 1000] for start in range(0, len(later), 1000)])

    def more():
        forge.builds.submit(next(thousands))
        return forge.builds.analysis()

    ways = {
        "submit 1,000 and read all": more,
        "DuckDB over Parquet": lambda: analyse_parquet(parquet),
        "pandas from Parquet": partial(by_pandas, fold.by_pandas(), parquet),
        "window functions of SQLite": partial(windows, directory / "all.db"),
    }
    taken = rounds.interleaved({name: partial(rounds.timed, act) for name, act in ways.items()}, number)
    own = taken["submit 1,000 and read all"]
    for name, base in taken.items():
        print(f"{name:38} {rounds.times(base)};  {rounds.ratio(base, own)} of forgekit")


# Growth


def growth(small, large, later, number):
    """Measure one build more, and reading all, at two sizes."""
    ones = {name: iter(later) for name in ("small", "large")}
    ways = {
        "one build more, a third": lambda: small.builds.submit([next(ones["small"])]),
        "one build more, all": lambda: large.builds.submit([next(ones["large"])]),
        "read all, a third": small.builds.analysis,
        "read all, all": large.builds.analysis,
    }
    taken = rounds.interleaved({name: partial(rounds.timed, act) for name, act in ways.items()}, 4 * number)
    for what in ("one build more", "read all"):
        base, own = taken[f"{what}, a third"], taken[f"{what}, all"]
        print(f"{what:38} {rounds.times(own)};  {rounds.ratio(own, base)} of a third of the builds")


def main(count=100_000, number=3):
    """Measure and print the ratios."""
    records = builds(count + 1_000 * (number + 2) + 10 * number)
    known, later = records[:count], records[count:]
    print(f"{count} builds, {number} rounds; medians (lowest to highest)")
    with tempfile.TemporaryDirectory(prefix="forgekit-bench-") as place:
        directory = Path(place)
        ingest(directory, known[:100_000], number)
        with opened(directory / "third.db") as small, opened(directory / "all.db") as large:
            start = time.perf_counter()
            for batch in batches(known):
                large.builds.submit(batch)
            print(f"{'to store them all':38} {time.perf_counter() - start:7.1f} s")
            for batch in batches(known[: count // 3]):
                small.builds.submit(batch)
            a_thousand_more(directory, large, later[: -10 * number], number)
            growth(small, large, later[-10 * number :], number)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
