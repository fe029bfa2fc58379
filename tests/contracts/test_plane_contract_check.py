"""The contract's own check, where it stands beside this repository."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from forgekit.testing import FakePlane

CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "contract"
pytestmark = [pytest.mark.host, pytest.mark.skipif(not CONTRACT.is_dir(), reason="no contract beside this repository")]


@pytest.fixture(scope="module", params=["fastapi", "django"])
def guarded(request, spawn):
    """A host that asks for a token, as the check expects of guarded operations."""
    host = spawn(request.param, environment={"FORGEKIT_HOST_TOKEN": "t"})
    yield host
    host.end()


def test_the_check_finds_nothing_missing(guarded):
    """Every operation of the contract is served, and none is open that must not be."""
    done = subprocess.run(
        [sys.executable, CONTRACT / "check", guarded.address, "--surface", "plane"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["10 of 10 operations served, 0 badly guarded"]), done.stdout


def _holds(value, path):
    """Tell whether a JSON value has what a dotted path names; ``[]`` is each element, and an empty list has everything."""
    if not path:
        return True
    name, _, rest = path.partition(".")
    if name.removesuffix("[]") not in value:
        return False
    found = value[name.removesuffix("[]")]
    return all(_holds(each, rest) for each in found) if name.endswith("[]") else _holds(found, rest)


def test_every_answer_has_the_documented_keys(guarded):
    """Each operation's good answer has the keys that the contract's table names."""
    with (CONTRACT / "endpoints.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["surface"] == "plane"]
    guarded.api.headers["Authorization"] = "Bearer t"
    with FakePlane() as plane:
        cycle = plane.add_cycle("Sprint 1")
        plane.add_item("Login", cycle=cycle, state="Done")
        guarded.configure(plane)
        bodies = {"import-cycle": {"cycle_id": cycle, "project_name": "shop"}, "complete-sprint": {"project_name": "shop"}, "config": {}}
        for row in rows:
            last = row["path"].rpartition("/")[2]
            if last == "webhooks":
                continue
            found = guarded.api.request(row["method"], row["path"], json=bodies.get(last), params={"project_name": "shop"})
            keys = row["response_keys"]
            assert (found.status_code, [key for key in keys.split() if not _holds(found.json(), key)]) == (200, []), row["path"]
