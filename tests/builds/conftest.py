"""Histories of builds to compare ways of counting with."""

from __future__ import annotations

import importlib.util
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forgekit.builds import BuildRecord, Job, Status

START = datetime(2026, 1, 5, tzinfo=UTC)
STATUSES = list(Status)
WEIGHTS = [60, 20, 4, 3, 4, 3, 3, 3]


def _jobs(chance, started):
    jobs = []
    for name in ("lint", "test", "deploy"):
        begins = started + timedelta(seconds=chance.randrange(300))
        ends = None if chance.random() < 0.1 else begins + timedelta(seconds=chance.randrange(1, 900))
        jobs.append(Job(name=name, status=chance.choice(STATUSES), started_at=begins, finished_at=ends))
    return jobs


def _build(chance, number, *, jobs):
    started = START + timedelta(seconds=chance.randrange(40 * 86_400))
    took = timedelta(seconds=chance.randrange(5_000))
    finished = None if chance.random() < 0.1 else started + took
    return BuildRecord(
        provider=chance.choice(["github", "gitlab"]),
        project=f"p{chance.randrange(4)}",
        build_id=str(number),
        status=chance.choices(STATUSES, WEIGHTS)[0],
        started_at=started,
        queued_at=chance.choice([None, started - timedelta(seconds=chance.randrange(300))]),
        finished_at=finished,
        duration_seconds=chance.choice([None, float(chance.randrange(5_000)), chance.randrange(4_000) / 4]),
        branch=chance.choice([None, "main", "next"]),
        workflow=chance.choice([None, "ci"]),
        commit=chance.choice([None, f"c{chance.randrange(60)}"]),
        language=chance.choice([None, "python", "java"]),
        tests_run=chance.choice([None, chance.randrange(100)]),
        tests_failed=chance.choice([None, chance.randrange(5)]),
        jobs=_jobs(chance, started) if jobs and chance.random() < 0.5 else (),
    )


def _attempts(chance, record):
    yield record
    attempt = 1
    while chance.random() < 0.25:
        attempt += 1
        later = timedelta(seconds=chance.randrange(1, 20_000) * attempt)
        yield BuildRecord(
            provider=record.provider,
            project=record.project,
            build_id=record.build_id,
            attempt=attempt,
            status=chance.choices(STATUSES, WEIGHTS)[0],
            started_at=record.started_at + later,
            finished_at=record.started_at + later + timedelta(seconds=chance.randrange(900)),
            branch=record.branch,
            workflow=record.workflow,
            commit=record.commit,
        )


@pytest.fixture(scope="session")
def history():
    """Makes histories: ``history(seed, builds, jobs=False)``, with attempts, gaps, ties and everything that may be absent."""

    def make(seed, builds, *, jobs=False):
        chance = random.Random(seed)
        return [each for number in range(builds) for each in _attempts(chance, _build(chance, number, jobs=jobs))]

    return make


@pytest.fixture(scope="session")
def by_pandas():
    """The metrics in pandas, which the benchmark uses too."""
    pytest.importorskip("pandas")
    spec = importlib.util.spec_from_file_location("by_pandas", Path(__file__).with_name("by_pandas.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
