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
            self.send_response(self.server.status)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.status = [], 200
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
    """The receiver gets the signed bytes."""
    url = f"http://127.0.0.1:{receiver.server_port}/hooks"
    assert command("webhook", "send", "github", body, url, "--event", "push") == 0
    headers, content = receiver.seen[0]
    assert content == body.read_bytes()
    assert headers["x-github-event"] == "push"


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
    assert entry["state"] == "done"
    assert command("webhook", "replay", entry["id"]) == 0
    command("webhook", "list", "plane")
    assert "ready" in command.out


def test_replaying_nothing_is_told(command):
    """An unknown row is refused."""
    assert command("webhook", "replay", 7) == 1
    assert "no webhook 7" in command.err
