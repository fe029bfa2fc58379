"""Who is let in, what is kept over a restart, and that no secret shows anywhere."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from forgekit.testing import FakePlane

pytestmark = pytest.mark.host

TOKEN = "the-token-of-this-host"
GUARDED = [
    ("GET", "/config"), ("POST", "/config"), ("POST", "/test-connection"), ("GET", "/cycles"), ("POST", "/import-cycle"),
    ("GET", "/sync-status"), ("POST", "/sync/toggle"), ("POST", "/complete-sprint"), ("GET", "/test-report?project_name=x"),
]  # fmt: skip


@pytest.fixture(scope="module", params=["fastapi", "django"])
def kept(request, spawn):
    """A host with a token, on SQLite, and the Plane that it is configured for."""
    with FakePlane(rate_limit=None) as plane:
        host = spawn(request.param, environment={"FORGEKIT_HOST_TOKEN": TOKEN, "PLANE_RATE_LIMIT": "100000"})
        yield host, plane
        host.end()


def _bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_with_a_token_everyone_needs_it(kept, method, path):
    """No token, a wrong one, an empty one, a forged address: 401 with a challenge; the body is not even looked at."""
    host, _ = kept
    forged = {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1"}
    for headers in (
        {},
        _bearer("wrong"),
        {"Authorization": "Bearer"},
        {"Authorization": "Basic Og=="},
        {"Authorization": b"Bearer \xe9"},
        forged,
    ):
        found = host.api.request(method, f"/api/plane{path}", headers=headers, content=b"{")
        assert (found.status_code, list(found.json())) == (401, ["detail"])
        assert found.headers["WWW-Authenticate"] == "Bearer"


def test_the_token_opens_and_webhooks_need_none(kept):
    """With the token a guarded operation answers; the webhook operation has the signature as its guard."""
    host, _ = kept
    assert host.get("/config", headers=_bearer(TOKEN)).status_code == 200
    assert host.api.post("/api/plane/webhooks", content=b"[]").status_code == 400


def test_without_a_token_only_this_machine_is_let_in(kept):
    """Loopback peers need nothing; a Host that is not this machine's name is refused, and no header makes another peer of one."""
    host, _ = kept
    host.restart(FORGEKIT_HOST_TOKEN=None)
    assert host.get("/config").status_code == 200
    assert host.get("/config", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 200
    found = host.get("/config", headers={"Host": "rebound.example"})
    assert (found.status_code, list(found.json())) == (403, ["detail"])
    assert host.get("/config", headers={"Origin": "http://evil.example"}).status_code == 403


def test_what_is_stored_survives_a_restart(kept, wait_until):
    """Configuration, the choice to synchronise, the last webhook and the counts are there again; the loop goes on by itself."""
    host, plane = kept
    host.restart(FORGEKIT_HOST_TOKEN=None)
    host.configure(plane, plane_poll_interval=5)
    cycle = plane.add_cycle("Sprint 1")
    plane.add_item("Login", cycle=cycle)
    host.bring(cycle, "kept")
    body = json.dumps({"event": "issue", "action": "updated", "data": {"id": "x"}}).encode()
    signature = hmac.new(plane.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    assert host.api.post("/api/plane/webhooks", content=body, headers={"X-Plane-Signature": signature}).status_code == 200
    wait_until(lambda: host.get("/sync-status").json()["relations_pending"] == 0)
    assert host.post("/sync/toggle").json()["enabled"] is True
    configuration, status = host.get("/config").json(), host.get("/sync-status").json()
    host.restart()
    plane.forget_calls()
    assert host.get("/config").json() == configuration
    found = host.get("/sync-status").json()
    assert [found[key] for key in ("enabled", "active_cycle_name", "last_webhook_at", "webhook_count")] == [
        status[key] for key in ("enabled", "active_cycle_name", "last_webhook_at", "webhook_count")
    ]
    wait_until(lambda: plane.count("GET", "/cycle-issues/"))
    assert host.post("/sync/toggle").json()["enabled"] is False
    host.restart()
    assert host.get("/sync-status").json()["enabled"] is False


def test_no_secret_shows_in_any_answer_log_or_file(kept):
    """After a day of good and bad requests, the key and the secrets stand in no answer, no log and not in the database's clear text."""
    host, plane = kept
    host.restart(FORGEKIT_HOST_TOKEN=TOKEN)
    headers, answers = _bearer(TOKEN), []
    secrets = [plane.api_key, plane.webhook_secret, TOKEN]
    values = {f"plane_{name}": value for name, value in plane.settings.items()}
    orders = [
        values,
        {**values, "plane_api_url": "ftp://x"},
        {**values, "plane_project_id": "/"},
        {"plane_api_url": f"http://u:{secrets[0]}@x"},
    ]
    answers += [host.post("/config", order, headers=headers) for order in orders]
    plane.fail_next(403, body=json.dumps({"detail": f"no {plane.api_key}"}).encode(), times=2)
    answers += [host.post(path, headers=headers) for path in ("/test-connection", "/sync/toggle", "/sync/toggle")]
    plane.fail_next(200, body=plane.api_key.encode(), times=4)
    answers += [host.get(path, headers=headers) for path in ("/cycles", "/config", "/sync-status")]
    answers.append(host.api.post("/api/plane/webhooks", content=b"{}", headers={"X-Plane-Signature": plane.webhook_secret}))
    answers.append(host.api.get("/openapi.json"))
    stored = b"".join(path.read_bytes() for path in host.directory.glob("forge.db*"))
    shown = "".join(found.text for found in answers) + host.log
    assert [secret for secret in secrets if secret in shown or secret.encode() in stored] == []
    plane.heal()


def test_no_password_of_the_database_shows(shared_postgresql_url, tmp_path):
    """A host that cannot open its database, or finds its schema stale, says so without the password."""
    url = urlsplit(shared_postgresql_url)
    command = [sys.executable, "-c", "from forgekit import Forge; Forge.open(discover=True)"]
    secret = "hunter2hunter2"
    for place in (f"postgres:{secret}@{url.netloc.rpartition('@')[2]}{url.path}", f"postgres:{secret}@127.0.0.1:9/nowhere"):
        environment = {"FORGEKIT_DATABASE_URL": f"postgresql://{place}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert found.returncode != 0
        assert secret not in found.stdout + found.stderr


def test_a_key_of_the_environment_is_not_sent_to_a_new_address(spawn):
    """With the key from the environment, a new address without a new key is refused; with one it is taken."""
    with FakePlane(rate_limit=None) as plane, FakePlane(rate_limit=None) as other:
        given = {f"PLANE_{name.upper()}": value for name, value in plane.settings.items()}
        host = spawn("fastapi", environment=given)
        assert host.get("/cycles").status_code == 200
        refused = host.post("/config", {"plane_api_url": other.url})
        stored = host.post("/config", {"plane_api_key": plane.add_key()}).status_code
        again = host.post("/config", {"plane_api_url": other.url})
        assert (refused.status_code, stored, again.status_code, other.calls) == (400, 200, 400, [])
        assert host.post("/config", {"plane_api_url": other.url, "plane_api_key": other.api_key}).json()["plane_api_url"] == other.url
        host.end()
