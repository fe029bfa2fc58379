"""``forgekit builds``, from files and from a GitHub on the loopback."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from forgekit import Forge
from forgekit.builds import analyse, read_json
from forgekit.testing import FakeClock, FakeGitHub

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
FLAT = "build_id,project,status,started_at,duration_seconds,branch\n"
TRAVIS = "tr_build_id,gh_project_name,tr_status,tr_duration,gh_build_started_at\n"


def _row(number, status="passed", **more):
    values = {"build_id": str(number), "project": "org/shop", "branch": "main", "status": status, "duration_seconds": 60}
    return {**values, "started_at": (START + timedelta(hours=number)).isoformat(), **more}


ROWS = [_row(1), _row(2, "failed"), _row(3, "canceled"), _row(4, project="org/stall", branch="next")]


@pytest.fixture
def file(tmp_path):
    """A file with four builds of two projects."""
    path = tmp_path / "builds.json"
    path.write_text(json.dumps({"builds": ROWS}))
    return path


@pytest.fixture
def stored(command, file):
    """The same builds, stored."""
    assert command("builds", "submit", file) == 0
    return command


@pytest.fixture
def github(monkeypatch):
    """A GitHub that the environment points at."""
    with FakeGitHub() as fake:
        for name, value in fake.settings.items():
            monkeypatch.setenv(f"GITHUB_{name.upper()}", value)
        yield fake


# submit


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("builds.json", json.dumps(ROWS)),
        ("builds.json", json.dumps({"builds": ROWS}, indent=1)),
        ("builds.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("builds.csv", FLAT + "".join(f"{n},org/shop,passed,2026-03-02T09:00:00Z,60,main\n" for n in range(4))),
        ("builds.csv", TRAVIS + "".join(f"{n},org/shop,failed,60,2026-03-02 09:00:00\n" for n in range(4))),
    ],
)
@pytest.mark.parametrize("way", ["by its name", "by its content", "from standard input"])
def test_every_kind_of_file_is_stored(command, tmp_path, monkeypatch, name, content, way):
    """JSON, JSON lines and both forms of CSV are taken: by the end of the name, by what is in it, and from standard input."""
    path = tmp_path / (name if way == "by its name" else "builds.txt")
    path.write_text(content)
    if way == "from standard input":
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
        path = "-"
    assert command("builds", "submit", path) == 0
    assert command.out == "4 accepted, 0 updated, 0 duplicates\n"


def test_parquet_is_stored(command, tmp_path):
    """Parquet is taken, also where the name does not tell."""
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pandas.DataFrame(ROWS).to_parquet(tmp_path / "builds")
    assert command("builds", "submit", tmp_path / "builds", "--json") == 0
    assert command.json == {"accepted": 4, "updated": 0, "duplicates": 0, "refused": []}


def test_the_same_again_is_known(stored, file, tmp_path):
    """What was stored is a duplicate, and what changed an update."""
    (tmp_path / "more.json").write_text(json.dumps([_row(1, "failed", updated_at="2026-03-05T00:00:00Z"), _row(2, "failed"), _row(9)]))
    assert stored("builds", "submit", tmp_path / "more.json") == 0
    assert stored.out == "1 accepted, 1 updated, 1 duplicates\n"


def test_a_bad_row_stores_nothing(command, tmp_path):
    """The row and what is wrong with it are told in one line; nothing is stored."""
    (tmp_path / "bad.json").write_text(json.dumps([*ROWS, _row(5, "splendid")]))
    assert command("builds", "submit", tmp_path / "bad.json") == 1
    assert command.err.startswith("error: Row 5: ")
    assert "'splendid'" in command.err
    assert "--partial" in command.err
    assert command.err.count("\n") == 1
    command("builds", "projects", "--json")
    assert command.json == []


def test_bad_rows_may_be_passed_over(command, tmp_path):
    """With --partial the others are stored, and what was refused is listed."""
    bad = [_row(100 + number, "splendid") for number in range(25)]
    (tmp_path / "bad.json").write_text(json.dumps([*ROWS, *bad]))
    assert command("builds", "submit", tmp_path / "bad.json", "--partial") == 0
    assert "4 accepted, 0 updated, 0 duplicates, 25 refused" in command.out
    assert "and 5 more" in command.out
    command("builds", "submit", tmp_path / "bad.json", "--partial", "--json")
    assert [each["row"] for each in command.json["refused"]] == list(range(5, 30))


def test_a_terminal_sees_how_far_it_is(command, tmp_path, monkeypatch):
    """On a terminal a bar on standard error tells of reading and of storing; standard output has the result alone."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    (tmp_path / "many.json").write_text(json.dumps([_row(number) for number in range(1_500)]))
    assert command("builds", "submit", tmp_path / "many.json") == 0
    assert command.out == "1500 accepted, 0 updated, 0 duplicates\n"
    assert "reading" in command.err
    assert "storing" in command.err
    assert command("builds", "submit", tmp_path / "many.json", "--json") == 0
    assert command.err == ""


def test_builds_older_than_the_retention_are_refused(command, file, monkeypatch):
    """The build is named; with --partial it is listed with its row in the file, behind rows that cannot be read too."""
    monkeypatch.setenv("FORGEKIT_BUILDS_RETENTION_DAYS", "60")
    rows = json.loads(file.read_text())["builds"]
    for row in rows:
        row["started_at"] = datetime.now(UTC).isoformat()
    rows[1]["started_at"] = "2001-01-01"
    file.write_text(json.dumps(rows))
    assert command("builds", "submit", file) == 1
    assert "'2' is older than the retention" in command.err
    assert command("builds", "submit", file, "--partial") == 0
    assert "3 accepted, 0 updated, 0 duplicates, 1 refused" in command.out
    file.write_text(json.dumps([{}, *rows]))
    assert command("builds", "submit", file, "--partial", "--json") == 0
    assert [each["row"] for each in command.json["refused"]] == [1, 3]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("builds.json", b"{", "is not JSON"),
        ("builds.json", b'{"build": 1}', "a list of"),
        ("builds.csv", b"build_id,project,status\n\xff\xfe", "UTF-8"),
        ("builds.txt", b"What is this?", "builds.txt has no column build_id"),
        ("builds.jsonl", b"{}\n{\n", "Row 1"),
        ("builds.jsonl", b"{\n", "is not JSON"),
        ("builds.json", b"[" * 100_000, "nests too deep"),
        ("builds.parquet", b"no", "cannot be read"),
        ("builds", b'{\n"builds": 5}', "a list of"),
    ],
)
@pytest.mark.parametrize("verb", ["submit", "analyse"])
def test_a_file_that_holds_no_builds_is_refused(command, tmp_path, verb, name, content, told):
    """What is wrong is told in one line, without a traceback, and ends with 1."""
    (tmp_path / name).write_bytes(content)
    assert command("builds", verb, tmp_path / name) == 1
    assert told in command.err
    assert command.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [("submit", "none.json"), ("analyse", "none.json"), ("submit",), ("analyse", "--zone", "Mars")])
def test_a_wrong_command_line_ends_with_2(command, arguments):
    """No such file, no file, no such zone: the command line is wrong."""
    assert command("builds", *arguments) == 2


# analyse


def test_stored_builds_are_analysed(stored, file):
    """The result is that of the library, as JSON."""
    assert stored("builds", "analyse", "--json") == 0
    assert stored.json == analyse(read_json(file)).to_dict()


@pytest.mark.parametrize(
    ("options", "n"),
    [
        (("--project", "org/shop"), 3),
        (("--branch", "next"), 1),
        (("--workflow", "ci"), 0),
        (("--since", "2026-03-03"), 0),
        (("--since", "2026-03-01", "--until", "2026-03-02"), 4),
        (("--project", "org/shop", "--zone", "Europe/Berlin"), 3),
    ],
)
def test_filters_choose_among_stored_builds_and_a_files(stored, file, options, n):
    """The same options choose the same builds, with a database and without."""
    assert stored("builds", "analyse", *options, "--json") == 0
    found = stored.json
    assert found["n_builds"] == n
    assert stored("builds", "analyse", file, *options, "--json") == 0
    assert stored.json == found


def test_a_file_needs_no_database(command, file, tmp_path):
    """A file is analysed where there is no forge, and none is made."""
    assert command("builds", "analyse", file) == 0
    assert "66.7% (2 of 3)" in command.out
    assert list(tmp_path.iterdir()) == [file]


def test_rates_of_another_tool(stored, file):
    """--compat divides by all builds, those of a file too."""
    for source in ((), (file,)):
        assert stored("builds", "analyse", *source, "--compat", "travistorrent") == 0
        assert "50.0% (2 of 4)" in stored.out


@pytest.mark.parametrize(
    ("form", "suffix", "beginning"),
    [("markdown", ".md", "# CI/CD"), ("json", ".json", "{"), ("html", ".html", "<!doctype html>"), ("table", ".txt", "Builds: 4")],
)
def test_forms(stored, tmp_path, form, suffix, beginning):
    """Each form is printed, and written to a file whose name tells it."""
    assert stored("builds", "analyse", "--format", form) == 0
    assert stored.out.startswith(beginning)
    target = tmp_path / f"analysis{suffix}"
    assert stored("builds", "analyse", "--output", target) == 0
    assert (stored.out, target.read_text().startswith(beginning)) == ("", True)


def test_a_place_that_cannot_be_written_is_told(stored, tmp_path):
    """A folder that is not there is told in one line."""
    assert stored("builds", "analyse", "--output", tmp_path / "none" / "x.md") == 1
    assert "cannot be written" in stored.err


def test_rows_passed_over_are_told(command, tmp_path):
    """With --partial a file's other rows are analysed, and how many were not is told on standard error."""
    (tmp_path / "bad.csv").write_text(TRAVIS + "1,a,passed,60,2026-03-02 09:00:00\n2,a,splendid,60,2026-03-02 09:00:00\n")
    assert command("builds", "analyse", tmp_path / "bad.csv", "--partial", "--json") == 0
    assert command.json["n_builds"] == 1
    assert "1 rows were passed over; the first: row 2" in command.err


def test_of_nothing_the_way_on_is_told(command, tmp_path):
    """Where no build is stored, the commands that bring some are named; as JSON it is an analysis of none."""
    assert command("builds", "analyse") == 0
    assert "forgekit builds import" in command.out
    (tmp_path / "none.json").write_text("[]")
    command("builds", "analyse", tmp_path / "none.json")
    assert command.out == "there are no such builds\n"
    command("builds", "analyse", "--json")
    assert command.json["n_builds"] == 0


# Keeping


def test_projects_are_listed(stored):
    """Every project is there with how many builds it has."""
    assert stored("builds", "projects", "--json") == 0
    assert stored.json == [{"project": "org/shop", "builds": 3}, {"project": "org/stall", "builds": 1}]


def test_a_rebuild_changes_nothing(stored, monkeypatch):
    """All numbers come out as they were; a terminal sees how many are counted of all."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    stored("builds", "analyse", "--json")
    before = stored.json
    assert stored("builds", "rebuild") == 0
    assert stored.out == "4 builds were counted\n"
    assert "4/4" in stored.err
    stored("builds", "analyse", "--json")
    assert stored.json == before


def test_pruned_builds_are_forgotten_on_purpose_only(command, tmp_path, monkeypatch):
    """A rebuild that would lose the numbers of pruned builds is refused, and --forget-pruned is named."""
    rows = [_row(number, started_at=(START - timedelta(days=1000, hours=number)).isoformat(), branch=None) for number in range(5)]
    (tmp_path / "old.json").write_text(json.dumps(rows))
    command("builds", "submit", tmp_path / "old.json")
    assert command("builds", "prune", "--json") == 0
    assert command.json == {"pruned": 0}
    monkeypatch.setenv("FORGEKIT_BUILDS_RETENTION_DAYS", "60")
    command("builds", "prune", "--json")
    pruned = command.json["pruned"]
    assert pruned > 0
    assert command("builds", "rebuild") == 1
    assert "--forget-pruned" in command.err
    assert command("builds", "rebuild", "--forget-pruned", "--json") == 0
    assert command.json == {"builds": 5 - pruned}


# import


def test_builds_are_imported(command, github):
    """The first import brings all, the next what is new, and both say so."""
    for number in range(3):
        github.add_run("acme/shop", created_at=START + timedelta(hours=number), conclusion="failure" if number else "success")
    github.add_run("acme/shop", branch="next", status="in_progress")
    assert command("builds", "import", "acme/shop") == 0
    assert "acme/shop: 4 builds came, 4 new" in command.out
    assert "1 have not ended" in command.out
    github.add_run("acme/shop")
    assert command("builds", "import", "acme/shop", "--json") == 0
    assert command.json["accepted"] == 1
    command("builds", "analyse", "--json")
    assert (command.json["n_builds"], command.json["failure"]["numerator"]) == (5, 2)


def test_an_import_may_be_of_some(command, github):
    """Branch, workflow, first day and jobs are asked for as they are named."""
    github.add_run("acme/shop", workflow="CI", file="ci.yml", created_at=START, jobs=("lint", "test"))
    github.add_run("acme/shop", workflow="CI", file="ci.yml", created_at=START - timedelta(days=30))
    github.add_run("acme/shop", workflow="CD", file="cd.yml", created_at=START)
    github.add_run("acme/shop", workflow="CI", file="ci.yml", branch="next", created_at=START)
    options = ("--branch", "main", "--workflow", "ci.yml", "--since", "2026-02-20", "--jobs", "--json")
    assert command("builds", "import", "acme/shop", *options) == 0
    assert command.json["accepted"] == 1
    command("builds", "analyse", "--json")
    assert {job["name"] for job in command.json["jobs"]} == {"lint", "test"}


def test_a_worker_may_import(command, github):
    """An import in the background is asked for, done by the worker, and listed."""
    github.add_run("acme/shop")
    assert command("builds", "imports") == 0
    assert "--background" in command.out
    assert command("builds", "import", "acme/shop", "--since", "2020-01-01", "--background") == 0
    assert "is queued" in command.out
    command("worker", "--drain")
    assert command("builds", "imports", "--json") == 0
    assert [(each["project"], each["status"], each["accepted"]) for each in command.json] == [("acme/shop", "done", 1)]
    command("builds", "imports")
    assert "acme/shop  done" in command.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("acme/none",), 4, "owner/repository"),
        (("nonsense",), 1, "owner/repository"),
        (("acme/shop", "--source", "nope"), 3, "offered: github"),
        (("acme/shop", "--since", "soon"), 2, "no day or time"),
    ],
)
def test_what_cannot_be_imported_is_told(command, github, arguments, code, told):
    """An unknown repository, a name that is none, an unknown source and a wrong day each have their exit code and their words."""
    assert command("builds", "import", *arguments) == code
    assert told in command.err
    assert "Traceback" not in command.err


def test_a_refused_token_is_told_without_it(command, github):
    """A refused token ends with 4, names the variable, and is not shown."""
    token = github.token
    github.revoke_token()
    assert command("builds", "import", "acme/shop") == 4
    assert "GITHUB_TOKEN" in command.err
    assert token not in command.err


def test_a_long_limit_ends_the_import_with_its_time(command, github):
    """A limit of an hour is not waited for: until when it holds is told, and that the import goes on from there."""
    github.add_run("acme/shop")
    github.limit_next(retry_after=3_500)
    assert command("builds", "import", "acme/shop") == 4
    assert "is used up until" in command.err
    assert "hint: try again in" in command.err


def test_an_import_that_is_stopped_goes_on_later(command, monkeypatch, begin):
    """While a limit is waited for, its end is told; Ctrl-C ends with 130, and what came stays."""
    hour = FakeClock(datetime.now(UTC) - timedelta(minutes=50))  # GitHub's hour ends in ten minutes
    with FakeGitHub(rate_limit=2, clock=hour) as github:
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        monkeypatch.setenv("GITHUB_TOKEN", github.token)
        for number in range(250):
            github.add_run("acme/shop", created_at=START + timedelta(minutes=number))
        running = begin(sys.executable, "-m", "forgekit.cli", "builds", "import", "acme/shop", stderr=subprocess.PIPE)
        assert "going on at" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        rest = running.communicate(timeout=300)[1]
        assert (running.returncode, "the same command goes on" in rest) == (130, True)
        github.forget_calls()
        with Forge.open(discover=True, clock=FakeClock(datetime.now(UTC) + timedelta(minutes=11))) as forge:
            assert forge.builds.count() == 200
            assert forge.builds.import_github("acme/shop").accepted == 50
            assert forge.builds.count() == 250
