"""The contract's own check of the builds surface, where it stands beside this repository."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forgekit.testing.signing import PayloadSigner

CONTRACT = Path(__file__).resolve().parents[3] / "shared" / "contract"
pytestmark = [pytest.mark.host, pytest.mark.skipif(not CONTRACT.is_dir(), reason="no contract beside this repository")]

ROW = {"build_id": "1", "project": "shop/web", "status": "passed", "started_at": "2026-02-10T14:30:00Z"}
BODIES = {"builds": {"builds": [ROW]}, "analyze": {"project": "shop/web"}, "generic": ROW, "github": {"zen": "Keep it simple."}}


@pytest.fixture(scope="module", params=["fastapi", "django"])
def keyed(request, spawn):
    """A host that mounts all its surfaces, with an API key and a secret of GitHub's."""
    environment = {"FORGEKIT_API_KEYS": "made-up-key", "GITHUB_WEBHOOK_SECRET": "made-up-hub", "FORGEKIT_HOST_TOKEN": "t"}
    host = spawn(request.param, environment=environment, arguments=("--no-worker",))
    yield host
    host.end()


def test_the_check_finds_no_operation_of_builds_missing(keyed):
    """Every operation of the contract is served by a host that mounts everything, and none is open that must not be."""
    command = [sys.executable, CONTRACT / "check", keyed.address, "--surface", "builds"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["6 of 6 operations served, 0 badly guarded"]), done.stdout


def test_every_answer_of_builds_has_the_documented_keys(keyed):
    """Each operation's good answer has its documented status, and the keys that the contract's table names."""
    with (CONTRACT / "endpoints.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines, delimiter="\t") if row["surface"] == "builds"]
    for row in rows:
        last = row["path"].rpartition("/")[2]
        content = json.dumps(BODIES[last]).encode() if last in BODIES else None
        signed = PayloadSigner("github", "made-up-hub").sign(content or b"", datetime.now(UTC), event="ping", delivery_id="1")
        headers = {**signed, "Authorization": "Bearer made-up-key", "Content-Type": "application/json"}
        found = keyed.api.request(row["method"], row["path"], content=content, headers=headers)
        missing = [key for key in row["response_keys"].split() if key.removesuffix("[]") not in found.json()]
        assert (str(found.status_code), missing) == (row["success"].split("|")[0], []), row["path"]
