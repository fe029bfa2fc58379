"""Builds in Parquet files, and questions of one's own about them."""

from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

import forgekit_duckdb
from forgekit.builds import BuildRecord, Job, analyse, read_parquet, to_flat
from forgekit.errors import InvalidInput
from forgekit_duckdb import analyse_parquet, connect, export_parquet

STARTED = datetime(2026, 1, 5, 12, 0, 0, 1, tzinfo=UTC)


def build(number=1, **more):
    """Return a build."""
    return BuildRecord(**{"build_id": str(number), "project": "org/shop", "status": "passed", "started_at": STARTED, **more})


FULL = build(
    provider="github", attempt=2, duration_seconds=1.25, queued_at=STARTED - timedelta(seconds=5), finished_at=STARTED + timedelta(hours=1),
    branch="main", commit="c1", workflow="ci", event="push", actor="ann", language="python", tests_run=3, tests_failed=1, url="https://x/1",
    jobs=(Job(name='a "b" é\n\x1f', status="failed", started_at=STARTED, finished_at=None, rate=2.5), Job(name="d", status="queued")),
    updated_at=STARTED, end_estimated=True, environment="production", committed_at=STARTED,
)  # fmt: skip


def write(path, select):
    """Write what a statement selects, as somebody else's tool would."""
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {select}) TO '{path}' (FORMAT parquet)")
    return path


def test_builds_come_back(tmp_path):
    """Every field of a build is written, and read back as it was by the core's own reader."""
    pytest.importorskip("pyarrow")
    builds = [FULL, build(2), build(3, status="queued", started_at=None)]
    assert export_parquet(builds, tmp_path / "it's.parquet") == 3
    assert list(read_parquet(tmp_path / "it's.parquet"))[:2] == builds[:2]
    assert analyse_parquet(tmp_path / "it's.parquet") == analyse(builds)
    assert [path.name for path in tmp_path.iterdir()] == ["it's.parquet"]


def test_nothing_is_a_file_too(tmp_path):
    """A file of no builds comes to an analysis of nothing."""
    assert export_parquet([], tmp_path / "none.parquet") == 0
    assert analyse_parquet(str(tmp_path / "none.parquet"), since=date(2026, 1, 1)) == analyse([], since=date(2026, 1, 1))


def test_an_export_keeps_no_builds(tmp_path):
    """Builds are taken one by one: an endless source fails where it fails, and leaves the file that was there."""
    path = tmp_path / "builds.parquet"
    export_parquet([build()], path)

    def failing():
        yield from (build(number) for number in range(10))
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it is this test's own
        export_parquet(failing(), path)
    assert analyse_parquet(path).n_builds == 1
    assert [path.name for path in tmp_path.iterdir()] == ["builds.parquet"]


def test_a_text_that_is_none(tmp_path):
    """Half of a surrogate pair is no text that a file can hold: that is said, and nothing is written."""
    with pytest.raises(InvalidInput):
        export_parquet([build(branch="\ud800")], tmp_path / "builds.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_question_of_ones_own(tmp_path):
    """The view has a column a field, in UTC, and the jobs as a list."""
    export_parquet([FULL, build(2)], tmp_path / "builds.parquet")
    with connect(tmp_path / "builds.parquet") as connection:
        asked = "SELECT build_id, provider, attempt, started_at::VARCHAR, len(jobs), jobs[1].rate FROM builds ORDER BY 1"
        rows = connection.execute(asked).fetchall()
        days = connection.execute("SELECT date_trunc('day', started_at)::DATE, count(*) FROM builds GROUP BY 1").fetchall()
    assert rows == [("1", "github", 2, "2026-01-05 12:00:00.000001+00", 2, 2.5), ("2", "api", 1, "2026-01-05 12:00:00.000001+00", 0, None)]
    assert days == [(date(2026, 1, 5), 2)]


def test_the_version_that_holds(tmp_path):
    """Of several rows of one build one is seen: an ended before a running one, a known end before an estimate, the later one."""
    later = STARTED + timedelta(hours=2)
    versions = [
        build(status="queued", updated_at=later),
        build(status="running", updated_at=later),
        build(status="failed", end_estimated=True, finished_at=later, updated_at=later),
        build(status="failed", end_estimated=True, finished_at=STARTED, updated_at=later),
        build(status="errored", finished_at=later),
        build(status="passed", finished_at=later, updated_at=later),
    ]
    for count, order in itertools.product(range(1, 7), (1, -1)):
        export_parquet(versions[:count][::order], tmp_path / "builds.parquet")
        assert analyse_parquet(tmp_path / "builds.parquet") == analyse(versions[:count])


def test_another_tools_file(tmp_path):
    """A file of another tool may lack what a build may lack, have more, numbers for texts and times without an offset, which are UTC."""
    row = "7 AS build_id, 'p' AS project, 'passed' AS status, TIMESTAMP '2026-01-05 12:00:00' AS started_at, 60 AS duration_seconds, 1 AS x"
    path = write(tmp_path / "theirs.parquet", row)
    moment = datetime(2026, 1, 5, 12, tzinfo=UTC)
    expected = BuildRecord(build_id="7", project="p", status="passed", started_at=moment, duration_seconds=60)
    assert analyse_parquet(path) == analyse([expected])


def test_a_frames_file(tmp_path):
    """What polars writes of builds in their flat form is read."""
    polars = pytest.importorskip("polars")
    builds = [build(number, branch="main", duration_seconds=9.0) for number in range(3)]
    polars.DataFrame([to_flat(each) for each in builds]).write_parquet(tmp_path / "frame.parquet")
    assert analyse_parquet(tmp_path / "frame.parquet") == analyse(builds)


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("1 AS build_id", "project, status"),
        ("'1' AS build_id, 'p' AS project, 'splendid' AS status", "splendid"),
        ("'1' AS build_id, 'p' AS project, NULL AS status", "None"),
        ("NULL AS build_id, 'p' AS project, 'passed' AS status", "build_id"),
        ("'1' AS build_id, 'p' AS project, 'passed' AS status, 'soon' AS started_at", "soon"),
    ],
)
def test_a_file_that_holds_no_builds(tmp_path, select, words):
    """What is missing or wrong in a file is named."""
    path = write(tmp_path / "other.parquet", select)
    with pytest.raises(InvalidInput, match=words):
        analyse_parquet(path)


def test_what_is_no_file(tmp_path):
    """A file that is not there, or is of another kind, is an error that names it."""
    with pytest.raises(InvalidInput, match=r"none\.parquet"):
        connect(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no builds here")
    with pytest.raises(InvalidInput, match=r"text\.parquet"):
        connect(tmp_path / "text.parquet")


def test_days_the_wrong_way_round(tmp_path):
    """The first day may not be after the last."""
    export_parquet([build()], tmp_path / "builds.parquet")
    with pytest.raises(InvalidInput, match="after the last"):
        analyse_parquet(tmp_path / "builds.parquet", since=date(2026, 2, 2), until=date(2026, 2, 1))


def test_a_forge_does_not_pay_for_duckdb():
    """Finding the package imports no DuckDB; its names do when they are used, and other names are none."""
    told = "print('duckdb' in sys.modules)"
    code = f"import sys, forgekit_duckdb.plugin; {told}; forgekit_duckdb.connect; {told}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
    assert not hasattr(forgekit_duckdb, "reconnect")
