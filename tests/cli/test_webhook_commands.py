from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from forgekit import Forge


@pytest.fixture
def body(tmp_path):
    """A file with a webhook's body."""
    path = tmp_path / "body.json"
    path.write_text(json.dumps({"event": "issue", "action": "updated", "data": {"id": "1"}}))
    return path


@pytest.fixture
def secret(monkeypatch):
    """The secret, in the environment."""
    monkeypatch.setenv("FORGEKIT_WEBHOOK_SECRET", "s3cret")
    return "s3cret"


@pytest.fixture
def receiver():
    """A server that keeps what it gets."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.server.seen.append(
                ({name.lower(): value for name, value in self.headers.items()}, self.rfile.read(int(self.headers["Content-Length"])))
            )
            self.server.paths.append(self.path)
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.paths, server.status = [], [], 200
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_what_is_signed_verifies(command, body, secret):
    """The headers of ``sign`` satisfy ``verify``, for a scheme with a timestamp, too."""
    for scheme in ("plane", "github", "stripe", "slack"):
        assert command("webhook", "sign", scheme, body, "--json") == 0
        headers = [part for name, value in command.json.items() for part in ("-H", f"{name}: {value}")]
        assert command("webhook", "verify", scheme, body, *headers) == 0
        assert command.out.startswith("authentic")


def test_a_forged_delivery_is_refused(command, body, secret):
    """A wrong signature ends with 1 and a hint, and no secret is shown."""
    assert command("webhook", "verify", "plane", body, "-H", f"X-Plane-Signature: {'0' * 64}") == 1
    assert "same secret" in command.err
    assert secret not in command.err


def test_a_secret_may_stand_in_a_file(command, body, tmp_path):
    """A secret never needs to be on the command line."""
    (tmp_path / "secret").write_text("s3cret\n")
    assert command("webhook", "sign", "plane", body, "--secret-file", tmp_path / "secret") == 0
    assert "X-Plane-Signature" in command.out


def test_without_a_secret_the_variable_is_named(command, body):
    """A newcomer is told where to put the secret."""
    assert command("webhook", "sign", "plane", body) == 2
    assert "FORGEKIT_WEBHOOK_SECRET" in command.err


def test_a_delivery_is_sent_with_its_exact_bytes(command, body, secret, receiver):
    """The receiver gets the signed bytes, at the whole address that was given."""
    url = f"http://127.0.0.1:{receiver.server_port}/hooks?tenant=7&empty="
    assert command("webhook", "send", "github", body, url, "--event", "push") == 0
    headers, content = receiver.seen[0]
    assert content == body.read_bytes()
    assert headers["x-github-event"] == "push"
    assert receiver.paths == ["/hooks?tenant=7&empty="]


def test_a_refusing_receiver_ends_with_1(command, body, secret, receiver):
    """The receiver's status is shown and decides the exit code."""
    receiver.status = 401
    assert command("webhook", "send", "plane", body, f"http://127.0.0.1:{receiver.server_port}/", "--json") == 1
    assert command.json["status"] == 401


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "nonsense", "http://"])
def test_an_impossible_address_is_refused(command, body, secret, url):
    """Only http and https addresses are sent to."""
    assert command("webhook", "send", "plane", body, url) == 1


def test_stored_webhooks_are_listed_and_replayed(command, body, plane):
    """``list`` shows what was stored; ``replay`` makes a handled one due again."""
    with Forge.open(discover=True) as forge:
        delivery = plane.sign(json.loads(body.read_text()))
        forge.webhooks.receive("plane", delivery.headers, delivery.body)
        forge.worker().drain()
    assert command("webhook", "list", "plane", "--json") == 0
    (entry,) = command.json
    assert (entry["state"], entry["attempts"], entry["error"]) == ("done", 1, None)
    assert command("webhook", "replay", entry["id"]) == 0
    command("webhook", "list", "plane")
    assert "ready" in command.out


def test_replaying_nothing_is_told(command):
    """An unknown row is refused."""
    assert command("webhook", "replay", 7) == 1
    assert "no webhook 7" in command.err


@pytest.fixture(scope="module")
def host(spawn):
    """A host that takes builds, with secrets of its own."""
    environment = {"FORGEKIT_API_KEYS": "made-up-key", "GITHUB_WEBHOOK_SECRET": "made-up-hub", "FORGEKIT_BUILDS_WEBHOOK_SECRET": "made-up"}
    started = spawn("fastapi", environment=environment, arguments=("--surface", "builds"))
    started.api.headers["Authorization"] = "Bearer made-up-key"
    yield started
    started.end()


@pytest.fixture
def secrets(monkeypatch):
    """The host's secrets, where its own environment has them."""
    monkeypatch.setenv("GITHUB_WEBHOOK_SECRET", "made-up-hub")
    monkeypatch.setenv("FORGEKIT_BUILDS_WEBHOOK_SECRET", "made-up")


@pytest.mark.host
@pytest.mark.parametrize(
    ("scheme", "event", "status"),
    [
        ("github", "workflow_run", "failed"),
        ("github", "workflow_job", "running"),
        ("github", "check_suite", "failed"),
        ("github", "deployment_status", "failed"),
        ("generic", None, "failed"),
    ],
)
def test_a_made_up_build_reaches_a_running_host(command, host, secrets, wait_until, scheme, event, status):
    """What is sent is taken, and becomes a build as the options say, of a run that the host did not know."""
    repository = f"acme/{scheme}-{event}"
    told = () if event is None else ("--event", event)
    options = (*told, "--repository", repository, "--branch", "next", "--conclusion", "failure", "--run-id", "77", "--json")
    assert command("webhook", "send", scheme, f"{host.address}/api/v1/webhook/{scheme}", *options) == 0
    assert (command.json["status"], json.loads(command.json["body"])["action"]) == (202, "processed")
    wait_until(lambda: host.api.get("/api/v1/analysis", params={"project": repository}).status_code == 200, every=0.5)
    found = host.api.get("/api/v1/analysis", params={"project": repository}).json()
    assert (found["n_builds"], found["status_counts"]) == (1, {status: 1})


@pytest.mark.host
def test_a_ping_and_a_wrong_secret(command, host, secrets, monkeypatch):
    """A ping is taken without effect; with another secret the host refuses, and the command ends with 1."""
    url = f"{host.address}/api/v1/webhook/github"
    assert command("webhook", "send", "github", url, "--event", "ping") == 0
    monkeypatch.setenv("FORGEKIT_WEBHOOK_SECRET", "another")
    assert command("webhook", "send", "github", url, "--event", "ping") == 1
    assert command.out.startswith("401")


def test_each_made_up_build_is_another(command, secret, receiver):
    """Sent twice, two runs are told of, under two deliveries."""
    url = f"http://127.0.0.1:{receiver.server_port}/hooks"
    for _ in range(2):
        assert command("webhook", "send", "github", url) == 0
    (first, one), (second, other) = receiver.seen
    assert first["x-github-event"] == "workflow_run"
    assert first["x-github-delivery"] != second["x-github-delivery"]
    assert json.loads(one)["workflow_run"]["id"] != json.loads(other)["workflow_run"]["id"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("plane",), "not made up"),
        (("github", "--event", "push"), "workflow_run"),
        (("github", "none.json", "http://127.0.0.1/"), "No such file"),
        (("github", "--conclusion", "great"), "--conclusion"),
        (("github", "--repository", "shop"), "owner/name"),
        (("github", "--repository", "org/shop/web"), "owner/name"),
    ],
)
def test_what_cannot_be_made_up_is_told(command, secret, arguments, told):
    """Another sender or event, no such file and no such end of a run: the command line is wrong."""
    assert command("webhook", "send", *arguments) == 2
    assert told in command.err


def test_a_host_that_does_not_run_ends_with_4(command, secret):
    """Where nothing listens, that is told."""
    assert command("webhook", "send", "github", "http://127.0.0.1:9/") == 4
    assert command.err.startswith("error: ")
