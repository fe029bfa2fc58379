"""Builds out of rows, files and frames."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import (
    BuildRecord,
    Fold,
    Job,
    Status,
    analyse,
    parse_build,
    parse_status,
    read_csv,
    read_frame,
    read_json,
    read_json_lines,
    read_parquet,
    read_rows,
    records,
    to_flat,
    to_travistorrent,
)
from forgekit.errors import ConfigurationError, InvalidInput

FLAT = {"build_id": "12345", "project": "myorg/myrepo", "status": "passed", "duration_seconds": 245, "started_at": "2024-01-15T10:30:00Z"}
STARTED = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
FLATS = [FLAT, {**FLAT, "build_id": "2", "status": "failed", "branch": "main", "tests_run": 7}]


def test_the_flat_form():
    """A flat build has the fields that it names, and the defaults of the others."""
    record = parse_build(FLAT)
    assert record == BuildRecord(build_id="12345", project="myorg/myrepo", status=Status.PASSED, duration_seconds=245.0, started_at=STARTED)
    assert (record.provider, record.attempt) == ("api", 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "great"),
        ("status", 3),
        ("started_at", "yesterday"),
        ("started_at", 1700000000),
        ("started_at", "0001-01-01T00:00:00+14:00"),
        ("duration_seconds", 10**400),
        ("duration_seconds", 1e30),
        ("duration_seconds", -1),
        ("duration_seconds", "long"),
        ("duration_seconds", True),
        ("duration_seconds", [1]),
        ("attempt", 1.5),
        ("attempt", 0),
        ("tests_run", "1e400"),
        ("build_id", True),
        ("build_id", {"id": 1}),
        ("end_estimated", "perhaps"),
        ("jobs", "lint"),
        ("jobs", ["lint"]),
    ],
)
def test_what_is_wrong_is_told(field, value):
    """A value that breaks a rule is refused, with its place where it has one."""
    with pytest.raises(InvalidInput) as caught:
        parse_build({**FLAT, field: value})
    assert caught.value.data["problems"][0]["pointer"] in {f"/{field}", ""}


def test_all_problems_are_told_at_once():
    """Every missing and every wrong field is named."""
    with pytest.raises(InvalidInput) as caught:
        parse_build({"project": "", "status": "great", "duration_seconds": -1})
    pointers = {problem["pointer"] for problem in caught.value.data["problems"]}
    assert pointers == {"/build_id", "/project", "/status", "/duration_seconds"}


def test_what_is_wrong_with_a_job_is_told():
    """A job's problem has its place within the build."""
    with pytest.raises(InvalidInput) as caught:
        parse_build({**FLAT, "jobs": [{"name": "lint", "status": "passed"}, {"name": "test", "status": "great"}]})
    assert caught.value.data["problems"][0]["pointer"] == "/jobs/1/status"


def test_only_a_queued_build_may_not_have_started():
    """A start is required unless the build is queued."""
    assert parse_build({"build_id": 1, "project": "p", "status": "queued"}).started_at is None
    with pytest.raises(InvalidInput, match="started_at is required"):
        parse_build({"build_id": 1, "project": "p", "status": "running"})


def test_something_else_is_no_build():
    """A list is not a build."""
    with pytest.raises(InvalidInput, match="must be an object"):
        parse_build([1])


@pytest.mark.parametrize(
    ("word", "status"),
    [("Cancelled", Status.CANCELED), ("SUCCESS", Status.PASSED), ("timed out", Status.TIMED_OUT), ("in-progress", Status.RUNNING)],
)
def test_words_of_other_systems(word, status):
    """Systems have their own words for the same."""
    assert parse_status(word) is status


def test_the_flat_form_goes_both_ways():
    """What is written in the flat form is read as the same build, jobs included."""
    job = Job(name="lint", status="passed", started_at=STARTED, finished_at=STARTED, rate=2)
    record = BuildRecord(build_id="1", project="p", status="failed", attempt=2, started_at=STARTED, jobs=[job], end_estimated=True)
    assert parse_build(json.loads(json.dumps(to_flat(record)))) == record


@given(
    st.dictionaries(
        st.sampled_from([*FLAT, "attempt", "jobs", "url"]), st.none() | st.text(max_size=8) | st.integers() | st.floats() | st.booleans()
    )
)
def test_a_row_is_a_build_or_refused(row):
    """Whatever a row holds, it is read or refused, never another error."""
    try:
        problems = [parse_build({**FLAT, **row}).key]
    except InvalidInput as error:
        problems = error.data["problems"]
    assert problems


# Sources


def test_rows_and_records_may_be_mixed():
    """An iterable may hold records, rows, or both."""
    record = parse_build(FLATS[0])
    assert [each.build_id for each in records([record, FLATS[1], record])] == ["12345", "2", "12345"]
    assert list(records([])) == list(read_rows([])) == []


def test_a_bad_row_is_told_by_its_number():
    """Reading ends at the first row that cannot be read, unless somebody takes the problems."""
    rows = [FLATS[0], {**FLAT, "status": "great"}, FLATS[1]]
    with pytest.raises(InvalidInput, match="Row 2") as caught:
        analyse(rows)
    assert caught.value.data["row"] == 2
    problems = []
    assert analyse(rows, on_error=problems.append).n_builds == 2
    assert [problem.data["row"] for problem in problems] == [2]


@pytest.mark.parametrize("first", [None, 3, {}])
def test_what_is_no_build_at_the_beginning_is_told_too(first):
    """The first row is read like any other: none that is nothing ends the rows."""
    problems = []
    assert len(list(read_rows([first, FLATS[0]], on_error=problems.append))) == 1
    assert [problem.data["row"] for problem in problems] == [1]


def test_something_else_is_no_source():
    """A number holds no builds, nor does something with columns that is no frame."""
    with pytest.raises(InvalidInput, match="int"):
        analyse(3)
    with pytest.raises(InvalidInput, match="Frame"):
        analyse(type("Frame", (), {"columns": ["build_id"]})())


def test_json_files(tmp_path):
    """JSON holds a list, or a list under "builds"; lines hold a build each."""
    (tmp_path / "list.json").write_text(json.dumps(FLATS))
    (tmp_path / "object.json").write_text(json.dumps({"builds": FLATS}))
    (tmp_path / "lines.jsonl").write_text("\n".join(map(json.dumps, FLATS)) + "\n\n")
    expected = list(read_rows(FLATS))
    assert list(read_json(tmp_path / "list.json")) == list(read_json(tmp_path / "object.json")) == expected
    assert list(read_json_lines(tmp_path / "lines.jsonl")) == list(records(str(tmp_path / "lines.jsonl"))) == expected


def test_a_line_that_is_no_json_may_be_passed_over(tmp_path):
    """It is a row that cannot be read, like any other; a mark of the byte order before the first line is none of it."""
    lines = [json.dumps(FLATS[0]), "{", json.dumps(FLATS[0])]
    (tmp_path / "lines.jsonl").write_text("\n".join(lines), encoding="utf-8-sig")
    problems = []
    assert len(list(read_json_lines(tmp_path / "lines.jsonl", on_error=problems.append))) == 2
    assert [(each.data["row"], each.message[:20]) for each in problems] == [(2, "The line is not JSON")]
    with pytest.raises(InvalidInput, match="Row 2: The line is not JSON"):
        list(read_json_lines(tmp_path / "lines.jsonl"))


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("b.json", "3"), ("c.json", '{"builds": 3}'), ("d.jsonl", "\n{")])
def test_json_that_is_none(tmp_path, name, text):
    """What is not JSON, or JSON of another shape, is refused."""
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInput):
        analyse(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"tr_build_id,gh_project_name,tr_status\n1,caf\xe9,passed\n", "a.csv is not text in UTF-8"),
        ("b.csv", b"build_id,project,status\n1," + b"x" * 200_000 + b",passed\n", "b.csv cannot be read"),
        ("c.json", b"[" * 100_000, "c.json nests too deep"),
        ("d.json", b'[{"build_id": "\xe9"}]', "d.json is not text in UTF-8"),
        ("e.jsonl", b"[" * 100_000, "nests too deep"),
        ("f.jsonl", b'{"build_id": "\xe9"}', "f.jsonl is not text in UTF-8"),
        ("g.parquet", b"no", "g.parquet cannot be read"),
    ],
)
def test_whatever_a_file_holds_the_error_is_one_and_names_it(tmp_path, name, content, told):
    """What is not of the file's kind is ``InvalidInput``, whichever library found it, in one sentence with one full stop."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=told) as caught:
        analyse(tmp_path / name)
    assert (caught.value.message.endswith("."), caught.value.message.endswith("..")) == (True, False)


@pytest.mark.parametrize(
    ("names", "missing"),
    [
        ("tr_build_id,gh_project_name", ["/tr_status"]),
        ("build_id;project;status", ["/build_id", "/project", "/status"]),
        ("x", ["/build_id", "/project", "/status"]),
    ],
)
def test_a_csv_without_a_column_that_every_build_needs_is_refused_whole(names, missing):
    """That is no matter of a row: it is told where there is none, and where rows may be passed over."""
    with pytest.raises(InvalidInput) as caught:
        list(read_csv(io.StringIO(names + "\n"), on_error=pytest.fail))
    assert [problem["pointer"] for problem in caught.value.data["problems"]] == missing


@pytest.mark.parametrize(("field", "value"), [("started_at", "never"), ("duration_seconds", "long"), ("tests_run", [1])])
def test_what_a_value_must_be_is_told_beside_what_it_is(field, value):
    """The message is for whoever wrote the value, not Python's own for whoever wrote the reader."""
    with pytest.raises(InvalidInput) as caught:
        parse_build({**FLAT, field: value})
    (problem,) = caught.value.data["problems"]
    assert problem["message"].startswith("must be a")
    assert str(value) in problem["message"]


def test_csv_is_read_a_row_at_a_time():
    """The first build is there before the second line is read."""

    def lines():
        yield "build_id,project,status,started_at\n"
        yield "1,p,passed,2024-01-01T00:00:00Z\n"
        pytest.fail("read too far")

    assert next(read_rows(iter([FLAT]))).project == "myorg/myrepo"
    first = next(iter(read_csv(lines())))
    assert first.build_id == "1"


def test_csv_from_an_open_file():
    """CSV may come from an open file, with a queued build that has no start."""
    text = "build_id,project,status,started_at,duration_seconds\n1,p,queued,,\n2,p,passed,2024-01-01T00:00:00Z,3.5\n"
    assert [each.duration_seconds for each in read_csv(io.StringIO(text))] == [None, 3.5]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames(library, history):
    """A frame holds the builds that its rows are, whatever its library writes for what is absent."""
    expected = [record for record in history(3, 60) if record.started_at is not None]
    rows = [{**dict.fromkeys(("branch", "commit", "queued_at", "finished_at", "tests_run")), **to_flat(each)} for each in expected]
    module = pytest.importorskip(library)
    if library == "pandas":
        frame = module.DataFrame(rows)
        frame["started_at"] = module.to_datetime(frame["started_at"], format="ISO8601")
    else:
        frame = module.DataFrame(rows, infer_schema_length=None) if library == "polars" else module.Table.from_pylist(_even(rows))
    assert list(read_frame(frame)) == expected
    assert analyse(frame) == analyse(expected)


def _even(rows):
    names = {name for row in rows for name in row}
    return [{name: row.get(name) for name in names} for row in rows]


@pytest.mark.parametrize("present", ["pyarrow", "polars", None])
def test_parquet(tmp_path, monkeypatch, present):
    """Parquet is read by whichever library is there, with its own times; without any, the error says what to install."""
    path = tmp_path / "builds.parquet"
    frame = pytest.importorskip("polars").DataFrame([{**FLAT, "started_at": STARTED}])
    frame.write_parquet(path)
    found = {"pyarrow", "polars"} if present == "pyarrow" else {present}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name if name in found else None)
    if present is None:
        with pytest.raises(ConfigurationError, match="pyarrow or polars"):
            list(read_parquet(path))
    else:
        pytest.importorskip(present)
        assert list(read_parquet(path)) == [parse_build(FLAT)]


# TravisTorrent


def row(**columns):
    """Return a row in TravisTorrent's columns."""
    own = {"tr_build_id": 1, "gh_project_name": "p", "tr_status": "passed", "tr_duration": 60, "gh_build_started_at": "2024-01-15 10:30:00"}
    return {**own, **columns}


def test_jobs_of_a_build_are_joined():
    """A build has a row a job: they become one build, whose tests are those of its jobs; a job that is repeated counts once."""
    jobs = [row(tr_job_id=number, tr_log_num_tests_run=tests) for number, tests in ((1, 10), (2, 20), (2, 20), (3, None))]
    (found,) = read_rows([*jobs])
    assert (found.build_id, found.tests_run, found.provider) == ("1", 30, "travistorrent")
    (counted,) = read_rows([row(tr_job_id=1), row(tr_job_id=2, tr_log_num_tests_run=4)])
    assert counted.tests_run == 4


def test_rows_without_a_job_are_left_to_the_fold():
    """Without a job's id nothing is joined: rows of one build are its repetitions or its corrections."""
    assert len(list(read_rows([row(), row(), row(tr_build_id=2)]))) == 3
    assert len(Fold(read_rows([row(), row(), row(tr_build_id=2)]))) == 2


def test_what_is_not_available():
    """NA and empty cells are nothing; a build without a start is counted, on no day."""
    found = analyse([row(tr_duration="NA", gh_build_started_at="", gh_lang="NA")])
    assert (found.n_builds, found.health.undated, found.duration.count, found.language_counts) == (1, 1, 0, {})
    assert found.weekly == ()
    assert found.trend is None


def test_a_row_that_cannot_be_read():
    """What is missing or wrong in a row is told by its column."""
    with pytest.raises(InvalidInput) as caught:
        list(read_rows([row(tr_status="NA", tr_duration="long")]))
    assert {problem["pointer"] for problem in caught.value.data["problems"]} == {"/tr_status", "/tr_duration"}


def test_records_become_rows_and_come_back():
    """A build that is written in TravisTorrent's columns is read as the same build, but for what these cannot say."""
    record = BuildRecord(
        build_id="7",
        project="p",
        status="timed_out",
        started_at=STARTED,
        finished_at=STARTED,
        branch="main",
        commit="c",
        event="pull_request_target",
    )
    written = to_travistorrent(record)
    assert (written["tr_status"], written["gh_is_pr"], written["tr_duration"]) == ("errored", True, 0.0)
    (read,) = read_rows([written])
    assert (read.key[1:], read.status, read.branch, read.commit, read.started_at) == (record.key[1:], Status.ERRORED, "main", "c", STARTED)
    assert to_travistorrent(BuildRecord(build_id="7", project="p", status="queued"))["gh_build_started_at"] is None


def test_dates_of_a_frame_are_midnights():
    """A date without a time is the start of its UTC day."""
    assert parse_build({**FLAT, "started_at": date(2024, 1, 15)}).started_at == datetime(2024, 1, 15, tzinfo=UTC)


def test_attempts_in_travistorrents_columns_stay_apart():
    """Rows of one build's attempts come back as attempts, also through a file's text; a number that is none is told by its column."""
    attempts = [
        BuildRecord(build_id="7", project="p", status=status, attempt=number, started_at=STARTED, commit="c")
        for number, status in enumerate(["failed", "errored", "passed"], start=1)
    ]
    rows = [to_travistorrent(each) for each in attempts]
    texts = [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    for written in (rows, texts):
        read = list(read_rows(written))
        assert [(each.build_id, each.attempt, each.status) for each in read] == [
            ("7", n, each.status) for n, each in enumerate(attempts, 1)
        ]
    for odd in ("0", "x", -1):
        with pytest.raises(InvalidInput):
            list(read_rows([{**rows[0], "run_attempt": odd}]))
