"""What DuckDB computes over Parquet is what the fold comes to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgekit.builds import BuildRecord, Fold, Incident, Job, Scope, Status, analyse
from forgekit_duckdb import analyse_parquet, export_parquet

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 45 * 86_400_000_000).map(lambda microseconds: START + timedelta(microseconds=microseconds))
STATUSES = st.sampled_from(Status)
DURATIONS = st.one_of(st.none(), st.integers(0, 20_000_000).map(lambda milliseconds: milliseconds / 1000))
JOBS = st.builds(
    Job,
    name=st.sampled_from(["lint", "test", "déploy"]),
    status=STATUSES,
    started_at=st.none() | MOMENTS,
    finished_at=st.none() | MOMENTS,
    rate=st.sampled_from([0.0, 0.5, 1.0, 2.0]),
)
BUILDS = st.builds(
    BuildRecord,
    provider=st.sampled_from(["github", "gitlab"]),
    project=st.sampled_from(["a", "b"]),
    build_id=st.sampled_from("123456"),
    attempt=st.integers(1, 3),
    status=STATUSES,
    started_at=st.none() | MOMENTS,
    queued_at=st.none() | MOMENTS,
    finished_at=st.none() | MOMENTS,
    duration_seconds=DURATIONS,
    branch=st.sampled_from([None, "", "main", "next"]),
    workflow=st.sampled_from([None, "ci"]),
    commit=st.sampled_from([None, "", "c1", "c2"]),
    event=st.sampled_from([None, "push"]),
    language=st.sampled_from([None, "", "python"]),
    tests_run=st.none() | st.integers(0, 9),
    tests_failed=st.none() | st.integers(0, 9),
    jobs=st.lists(JOBS, max_size=4).map(tuple),
    updated_at=st.none() | MOMENTS,
    end_estimated=st.booleans(),
    environment=st.sampled_from([None, "production"]),
    committed_at=st.none() | MOMENTS,
)
HISTORIES = st.lists(BUILDS, max_size=25, unique_by=lambda build: build.key)
DAYS = st.none() | st.integers(0, 50).map(lambda days: START.date() + timedelta(days=days))
QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "scope": st.sampled_from([Scope(), Scope(project="a"), Scope(branch="main", workflow="ci", event="push")]),
        "zone": st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=5, minutes=45))]),
        "as_of": MOMENTS,
        "expected": st.integers(0, 100),
        "compat": st.just("travistorrent"),
        "incidents": st.just([Incident(id="1", project="a", resolved_at=START + timedelta(days=9))]),
    },
)


def assert_equal(found, expected):
    """Compare field by field, so that a difference is told by its name."""
    assert {field.name: getattr(found, field.name) for field in attrs.fields(type(found))} == {
        field.name: getattr(expected, field.name) for field in attrs.fields(type(expected))
    }


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file that every example writes anew."""
    return tmp_path_factory.mktemp("agrees") / "builds.parquet"


@given(HISTORIES, QUESTIONS, st.tuples(DAYS, DAYS))
@settings(max_examples=50)
def test_any_history_and_question(file, builds, question, days):
    """Every part of the analysis is the fold's, to the last digit, whatever is asked about whatever builds."""
    since, until = days if None in days else sorted(days)
    export_parquet(builds, file)
    assert_equal(analyse_parquet(file, since=since, until=until, **question), analyse(builds, since=since, until=until, **question))


@given(st.lists(BUILDS, max_size=25))
@settings(max_examples=15)
def test_files_that_tell_of_builds_again(file, builds):
    """A build that several rows tell of counts once, in the version that holds."""
    # Where nothing tells which version holds, the fold compares contents, and SQL others: both are arbitrary.
    dated = [attrs.evolve(build, updated_at=START + timedelta(seconds=number)) for number, build in enumerate(builds)]
    export_parquet([*dated, *dated], file)
    assert_equal(analyse_parquet(file), analyse(dated))


@pytest.mark.parametrize("window", [{}, {"since": date(2026, 2, 2)}, {"since": date(2026, 1, 12), "until": date(2026, 2, 20)}])
def test_a_long_history(long_history, file, window):
    """A history of a thousand builds with jobs, attempts and ties comes to the same, with and without a window."""
    assert export_parquet(iter(long_history), file) == len(long_history)
    assert_equal(analyse_parquet(file, **window), analyse(long_history, **window))


def test_several_files_are_one_history(long_history, tmp_path):
    """A pattern reads all files that fit it, and builds that two of them hold count once."""
    for number in range(3):
        export_parquet(long_history[number * 200 : number * 200 + 400], tmp_path / f"{number}.parquet")
    assert_equal(analyse_parquet(tmp_path / "*.parquet"), analyse(Fold(long_history[:800])))
