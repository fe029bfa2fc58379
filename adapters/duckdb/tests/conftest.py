"""A history to compare ways of counting with."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from forgekit.builds import BuildRecord, Job, Status

START = datetime(2026, 1, 5, tzinfo=UTC)


def _jobs(chance, started):
    begins = [started + timedelta(seconds=chance.randrange(0, 600, 60)) for _ in range(chance.randrange(4))]
    return [
        Job(
            name=f"job-{number}",
            status=chance.choice(list(Status)),
            started_at=begin,
            finished_at=begin + timedelta(seconds=chance.randrange(0, 600, 60)),
            rate=chance.choice([1.0, 2.5]),
        )
        for number, begin in enumerate(begins)
    ]


def _build(chance, number, attempt):
    started = START + timedelta(seconds=chance.randrange(0, 60 * 86_400, 300))
    return BuildRecord(
        provider="github",
        project=f"p{chance.randrange(5) if attempt == 1 else number % 5}",
        build_id=str(number),
        attempt=attempt,
        status=chance.choices(list(Status), [60, 20, 4, 3, 4, 3, 3, 3])[0],
        started_at=started,
        queued_at=chance.choice([None, started - timedelta(seconds=chance.randrange(300))]),
        finished_at=chance.choice([None, started + timedelta(milliseconds=chance.randrange(30_000_000))]),
        duration_seconds=chance.choice([None, chance.randrange(30_000_000) / 1000]),
        branch=chance.choice([None, "main", "next"]),
        workflow=chance.choice([None, "ci"]),
        commit=chance.choice([None, f"c{chance.randrange(60)}"]),
        language=chance.choice([None, "python", "java"]),
        tests_run=chance.choice([None, chance.randrange(100)]),
        environment=chance.choice([None, "production"]),
        jobs=_jobs(chance, started),
    )


@pytest.fixture(scope="session")
def long_history():
    """A thousand builds of sixty days, each of its own key."""
    chance = random.Random(1)
    builds = [_build(chance, number % 700, 1 + number // 700) for number in range(1000)]
    return list({build.key: build for build in builds}.values())
