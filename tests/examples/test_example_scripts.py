"""The scripts do what their first lines say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "scripts" / "analyse_builds.py"


def run(*arguments, cwd):
    """Run the script and return what it did."""
    return subprocess.run([sys.executable, SCRIPT, *arguments], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path):
    """A directory with a file of three builds, and one row that is none."""
    head = "tr_build_id,gh_project_name,tr_status,tr_duration,gh_build_started_at\n"
    rows = "1,a,passed,60,2026-01-01 10:00:00\n2,a,failed,90,2026-01-02 10:00:00\n3,b,passed,30,2026-01-03 10:00:00\n4,b,splendid,1,\n"
    (tmp_path / "builds.csv").write_text(head + rows)
    return tmp_path


def test_tables(folder):
    """Tables are printed, and a row that cannot be read is told."""
    done = run("builds.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Builds: 3" in done.stdout
    assert done.stderr.startswith("row 4 was passed over: ")


def test_a_page(folder):
    """A page of its own is written, with charts."""
    done = run("builds.csv", "--html", "page.html", cwd=folder)
    assert done.stdout == "page.html: 3 builds of 2 projects\n"
    assert "<svg" in (folder / "page.html").read_text()


def test_some_builds_in_other_forms(folder):
    """Projects and days can be chosen, and JSON or Markdown printed."""
    done = run("builds.csv", "--json", "--project", "a", "--since", "2026-01-02", cwd=folder)
    assert json.loads(done.stdout)["n_builds"] == 1
    assert run("builds.csv", "--markdown", cwd=folder).stdout.startswith("# CI/CD Build Analysis Results")


def test_what_cannot_be_read(folder):
    """A file that is not there, or of no known kind, is an error in words."""
    (folder / "many.csv").write_text("build_id,project,status\n" + "1,p,splendid\n" * 12)
    for name, words in (("none.csv", "none.csv"), ("builds.xlsx", "does not end in")):
        done = run(name, cwd=folder)
        assert (done.returncode, done.stdout) == (1, "")
        assert words in done.stderr
    assert run("many.csv", cwd=folder).stderr.endswith("and 2 more\n")
