"""The builds surface, as CI systems see either host."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forgekit.testing.signing import PayloadSigner

pytestmark = pytest.mark.host

KEY = {"Authorization": "Bearer made-up-key"}
ENVIRONMENT = {"FORGEKIT_API_KEYS": "made-up-key", "GITHUB_WEBHOOK_SECRET": "made-up-hub"}
PAIRS = ("fastapi-sqlite", "django-postgresql")
RUN = {
    "action": "completed",
    "workflow_run": {
        "id": 42, "name": "CI", "status": "completed", "conclusion": "success", "run_attempt": 1, "event": "push", "head_branch": "main",
        "head_sha": "a" * 40, "run_started_at": "2026-02-10T14:30:00Z", "created_at": "2026-02-10T14:29:58Z",
        "updated_at": "2026-02-10T14:31:00Z", "head_repository": {"full_name": "shop/hub"},
    },
    "repository": {"full_name": "shop/hub"},
    "sender": {"login": "ann"},
}  # fmt: skip


@pytest.fixture(scope="module", params=PAIRS)
def ci(request, spawn):
    """A host with the builds surface, each with another database."""
    name, _, database = request.param.partition("-")
    url = request.getfixturevalue("shared_postgresql_url") if database == "postgresql" else None
    host = spawn(name, url, environment=ENVIRONMENT, arguments=("--surface", "builds"))
    host.api.headers.update(KEY)
    yield host
    host.end()


def _row(number, project, **changes):
    values = {"build_id": str(number), "project": project, "status": "passed", "started_at": "2026-02-10T14:30:00Z"}
    return {**values, "duration_seconds": number, **changes}


def _batch(ci, rows, **options):
    answer = ci.api.post("/api/v1/builds", json={"builds": rows}, **options)
    return answer.status_code, answer.json()


def test_batches_come_to_an_analysis(ci, project):
    """A batch is accepted, the same again is known, one bad record stores nothing, and the analysis counts what is stored."""
    rows = [_row(number, project) for number in range(1, 1_001)]
    assert _batch(ci, rows) == (201, {"accepted": 1_000, "updated": 0, "duplicates": 0, "errors": []})
    assert _batch(ci, rows) == (201, {"accepted": 0, "updated": 0, "duplicates": 1_000, "errors": []})
    broken = [*(_row(number, project) for number in range(2_000, 2_009)), _row(1, project, status="green"), _row(2_010, project)]
    status, told = _batch(ci, broken)
    assert (status, [each["pointer"] for each in told["errors"]]) == (422, ["/builds/9/status"])
    found = ci.api.get("/api/v1/analysis", params={"project": project}).json()
    assert (found["n_builds"], found["overall_success_rate"], found["max_duration_seconds"]) == (1_000, 1.0, 1_000.0)


def test_a_workflow_run_of_github_is_counted(ci, wait_until):
    """A signed webhook is answered once it is stored, and the host's own worker makes a build of it."""
    content = json.dumps(RUN).encode()
    signed = PayloadSigner("github", "made-up-hub").sign(content, datetime.now(UTC), event="workflow_run", delivery_id="1")
    answer = ci.api.post("/api/v1/webhook/github", content=content, headers=signed)
    assert (answer.status_code, answer.json()) == (202, {"status": "ok", "action": "processed"})
    wait_until(lambda: ci.api.get("/api/v1/analysis", params={"project": "shop/hub"}).status_code == 200, every=2)
    forged = ci.api.post("/api/v1/webhook/github", content=content + b" ", headers=signed)
    assert forged.status_code == 401


def test_a_key_made_by_the_command_opens_until_it_is_revoked(ci, project):
    """A key issued beside the running host is good at once, and refused at once when it is revoked."""

    def forgekit(*arguments):
        command = [sys.executable, "-m", "forgekit.cli", "key", *arguments, "--json"]
        return json.loads(subprocess.run(command, env=ci.environ(), cwd=ci.directory, capture_output=True, check=True).stdout)

    issued = forgekit("issue", "CI", "--scope", "builds")
    headers = {"Authorization": f"Bearer {issued['secret']}"}
    assert _batch(ci, [_row(1, project)], headers=headers)[0] == 201
    forgekit("revoke", issued["id"])
    assert _batch(ci, [_row(1, project)], headers=headers)[0] == 401


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b" " * 16_000_001, KEY, 413), (b"{", KEY, 400), (b'{"builds": [' + b"{}," * 10_000 + b"{}]}", KEY, 422),
        (b"[" * 100_000, KEY, 400), (b"{}", {"Authorization": "Bearer wrong"}, 401), (b"{}", {"Authorization": b"Bearer \xe9"}, 401),
        (b'{"builds": [{"build_id": "\\ud800"}]}', KEY, 400), (b'{"builds": [1e999]}', KEY, 400),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/builds", "/analyze", "/webhook/generic"])
def test_hostile_bodies_are_refused(ci, path, content, headers, status):
    """Whatever comes, the answer is a refusal in words, never a fault of ours."""
    answer = ci.api.post(f"/api/v1{path}", content=content, headers={"Content-Type": "application/json", **headers})
    assert (400 <= answer.status_code < 500, next(iter(answer.json()))) == (True, "detail")
    assert answer.status_code == status or path != "/builds"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read the memory from")
def test_a_body_without_end_costs_no_memory(ci):
    """Whether its length is told or not, a body beyond the bound is refused while the host's memory stays as it is."""

    def peak():
        status = Path(f"/proc/{ci.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    def pieces():
        for _ in range(64):
            yield b" " * 1_000_000

    headers = {"Content-Type": "application/json"}
    first = [ci.api.post("/api/v1/builds", content=b"{", headers=headers).status_code, peak()]
    sent = [ci.api.post("/api/v1/builds", content=body, headers=headers).status_code for body in (pieces(), b" " * 64_000_000)]
    assert (first[0], sent) == (400, [413, 413])
    assert peak() - first[1] < 32_000  # kilobytes: one body of the largest size, and the server's own buffers


@pytest.mark.parametrize("asked", ["since=0001-01-01", "until=9999-12-31", "since=2026-02-30", "since=2026-02-02&until=2026-02-01"])
def test_a_window_that_cannot_be_is_refused(ci, asked):
    """Days on which no build can be, days that are none, and an end before the beginning are 422."""
    answer = ci.api.get(f"/api/v1/analysis?{asked}")
    assert (answer.status_code, next(iter(answer.json()))) == (422, "detail")


def test_no_key_shows_in_the_log(ci):
    """The host's log holds no key, and no traceback."""
    assert [text for text in ("made-up-key", "made-up-hub", "Traceback") if text in ci.log] == []
