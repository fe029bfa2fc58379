"""Builds by webhook: from GitHub, and from any CI system."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forgekit.builds import Status
from forgekit.errors import StorageError
from forgekit.testing.signing import PayloadSigner
from forgekit.webhooks.signatures import HmacScheme

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[4] / "shared" / "recordings" / "github"
GENERIC = HmacScheme(name="generic", signature_headers="X-Signature-256", prefix="sha256=")
UNPROVED = "No secret is configured for these webhooks, so nothing proves who sent this one."
RUN = {
    "action": "completed",
    "workflow_run": {
        "id": 42, "name": "CI", "status": "completed", "conclusion": "success", "run_attempt": 1, "event": "push", "head_branch": "main",
        "head_sha": "a" * 40, "run_started_at": "2026-02-10T14:30:00Z", "created_at": "2026-02-10T14:29:58Z",
        "updated_at": "2026-02-10T14:31:00Z", "html_url": "https://github.com/shop/web/actions/runs/42",
        "head_repository": {"full_name": "shop/web"}, "repository": {"full_name": "shop/web"},
    },
    "repository": {"full_name": "shop/web", "language": "Python"},
    "sender": {"login": "ann"},
}  # fmt: skip
CDEVENT = {
    "context": {
        "version": "0.4.1", "id": "e-1", "source": "/ci", "type": "dev.cdevents.pipelinerun.finished.0.2.0",
        "timestamp": "2026-02-10T14:31:00Z",
    },
    "subject": {"id": "run-7", "source": "/ci", "type": "pipelineRun", "content": {"pipelineName": "nightly", "outcome": "success"}},
    "customData": {"forgekit": {"project": "shop/web", "branch": "main", "commit": "abc", "attempt": 2}},
}  # fmt: skip


@pytest.fixture
def github(ask):
    """Sends a webhook as GitHub does."""

    def send(event, body, *, secret="made-up-hub", delivery="d-1", **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        signed = PayloadSigner("github", secret).sign(content, datetime.now(UTC), event=event, delivery_id=delivery)
        return ask("POST", "/webhook/github", key=None, content=content, headers={**signed, "Content-Type": "application/json", **headers})

    return send


def actions(*answers):
    """What senders were told."""
    return [(answer.status_code, answer.json().get("action")) for answer in answers]


def stored(ask):
    """The builds, once the worker has handled what came."""
    ask.forge.worker().drain()
    return list(ask.forge.builds.builds())


def test_a_workflow_run_becomes_a_build(ask, github):
    """A signed webhook is stored and answered 202; the worker makes a build of it, once, and its body is gone then."""
    assert actions(github("workflow_run", RUN), github("workflow_run", RUN)) == [(202, "processed"), (202, "deduped")]
    (build,) = stored(ask)
    assert (build.key, build.status, build.branch) == (("github", "shop/web", "42", 1), Status.PASSED, "main")
    assert [(entry.kind, entry.state, entry.body) for entry in ask.forge.webhooks.entries("github")] == [("workflow_run", "done", b"")]
    assert ask("GET", "/analysis").json()["n_builds"] == 1


def test_other_events_are_stored_without_effect(ask, github):
    """A ping and events that tell of no build are 202 and have no effect."""
    sent = [("ping", {"zen": "Keep it simple."}), ("star", {"action": "created", "sender": {"login": "ann"}})]
    assert actions(*(github(event, body, delivery=event) for event, body in sent)) == [(202, "processed")] * 2
    assert (stored(ask), ask.forge.webhooks.statistics("github").received) == ([], 2)


@pytest.mark.parametrize(
    ("event", "body", "options", "status"),
    [
        ("workflow_run", RUN, {"secret": "wrong"}, 401),
        ("workflow_run", RUN, {"X-Hub-Signature-256": "sha1=00"}, 401),
        ("workflow_run", {**RUN, "workflow_run": {"id": "x"}}, {}, 400),
        ("workflow_run", [], {}, 400),
        ("workflow_run", b"{", {}, 400),
        ("workflow_run", b"payload=%7B%7D", {}, 400),
        (None, RUN, {}, 400),
        ("workflow_run", b" " * 5_000_001, {}, 413),
    ],
)
def test_what_github_would_not_send_is_refused(ask, github, event, body, options, status):
    """A wrong signature is 401, a body of another shape 400, one too large 413; nothing of it is stored."""
    answer = github(event, body, **options)
    assert (answer.status_code, list(answer.json())[:1]) == (status, ["detail"])
    assert ask.forge.webhooks.statistics("github").received == 0


def test_without_a_secret_github_is_not_believed(make_client, open_forge):
    """No secret configured: 401 for everyone, from this machine too; a secret among the general ones will do."""
    body = json.dumps(RUN).encode()
    headers = PayloadSigner("github", "more").sign(body, datetime.now(UTC), event="workflow_run", delivery_id="1")
    without = {"GITHUB_WEBHOOK_SECRET": None}
    for environ, status in (({}, 401), ({"FORGEKIT_WEBHOOK_SECRETS": '{"github": "more"}'}, 202)):
        forge = open_forge()
        forge.settings._environ = {name: value for name, value in {**environ, **without}.items() if value}
        answer = make_client(forge, "asgi")("POST", "/webhook/github", key=None, content=body, headers=headers)
        assert answer.status_code == status
        assert status == 202 or answer.json() == {
            "detail": "No secret is configured for these webhooks, so nothing proves who sent this one."
        }


def test_a_form_is_refused_with_what_to_do(github):
    """GitHub's own default is told apart from what is broken: the sender must be told to send JSON."""
    answer = github("workflow_run", b"payload=%7B%7D")
    assert (answer.status_code, "choose the content type application/json" in answer.json()["detail"]) == (400, True)


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="no recordings beside this repository")
def test_every_public_example_is_answered(ask, github):
    """GitHub's own examples, signed, are all answered 202, and the worker fails at none."""
    files = sorted(EXAMPLES.glob("*.json"))
    answers = [github(file.name.partition(".")[0], file.read_bytes(), delivery=file.name) for file in files]
    assert [(file.name, answer.status_code) for file, answer in zip(files, answers, strict=True) if answer.status_code != 202] == []
    assert stored(ask)
    assert ask.forge.webhooks.statistics("github").failed == 0


@pytest.mark.parametrize("shape", ["batch", "single", "cdevent", "wrapped"])
def test_the_generic_webhook_reads_any_shape(ask, row, shape):
    """A batch of flat builds, one build, and a CDEvent in binary and structured form become builds."""
    bodies = {
        "batch": {"builds": [row(1), row(2)]},
        "single": row(1),
        "cdevent": CDEVENT,
        "wrapped": {"specversion": "1.0", "id": "e-1", "source": "/ci", "type": CDEVENT["context"]["type"], "data": CDEVENT},
    }
    headers = {"Content-Type": "application/cloudevents+json"} if shape == "wrapped" else {"ce-type": CDEVENT["context"]["type"]}
    answer = ask("POST", "/webhook/generic", content=json.dumps(bodies[shape]).encode(), headers=headers)
    assert actions(answer) == [(202, "processed")], answer.text
    builds = stored(ask)
    assert [build.project for build in builds] == ["shop/web"] * (2 if shape == "batch" else 1)
    if "build_id" not in bodies[shape] and shape != "batch":
        assert (builds[0].build_id, builds[0].branch, builds[0].attempt) == ("run-7", "main", 2)
    assert ask.forge.webhooks.entries("generic")[0].body == b""


def test_a_signature_will_do_for_the_generic_webhook(ask, row):
    """Who signs with the configured secret needs no key; a wrong signature, or neither, is 401."""
    content = json.dumps(row()).encode()
    signed, forged = (PayloadSigner(GENERIC, secret).sign(content, datetime.now(UTC)) for secret in ("made-up-generic", "wrong"))
    answers = [ask("POST", "/webhook/generic", key=None, content=content, headers=headers) for headers in (forged, {}, signed)]
    assert [answer.status_code for answer in answers] == [401, 401, 202]
    assert len(stored(ask)) == 1


def sent_by(way, content, secret):
    """The headers of a sender that signs in a way of its own, by the clock of the forge."""
    return PayloadSigner(way, secret).sign(content, NOW)


WAYS = ["bitbucket", "buildkite", "buildkite-token", "circleci", "generic", "github", "gitlab-token"]


@pytest.mark.parametrize("way", WAYS)
def test_systems_sign_as_they_can(ask, row, way):
    """Each system's own way to prove that it knows the secret will do; another secret, or none, is 401 with the reason."""
    content = json.dumps(row()).encode()
    answers = [
        ask("POST", "/webhook/generic", key=None, content=content, headers=sent_by(way, content, secret))
        for secret in ("wrong", "made-up-generic")
    ]
    assert [answer.status_code for answer in answers] == [401, 202]
    assert len(stored(ask)) == 1


def test_gitlab_may_sign_with_a_token_that_it_made_itself(make_client, open_forge, row):
    """More secrets of generic webhooks stand beside the first, base64 ones too."""
    client = make_client(open_forge(FORGEKIT_WEBHOOK_SECRETS='{"generic/gitlab": "whsec_YSBrZXkgaW4gYmFzZTY0IQ=="}'), "asgi")
    content = json.dumps(row()).encode()
    headers = sent_by("gitlab-signing", content, "whsec_YSBrZXkgaW4gYmFzZTY0IQ==")
    assert client("POST", "/webhook/generic", key=None, content=content, headers=headers).status_code == 202
    headers = sent_by("circleci", content, "made-up-generic")
    assert client("POST", "/webhook/generic", key=None, content=content, headers=headers).status_code == 202


@pytest.mark.parametrize("way", ["basic", "X-Gitlab-Token", "X-Buildkite-Token"])
def test_a_key_may_come_where_a_system_can_put_it(ask, row, way):
    """An issued key is good as a password, as Jenkins and Azure send one, and as a token; not when it is revoked or for something else."""

    def headers(key):
        return {"Authorization": f"Basic {base64.b64encode(f'ci:{key}'.encode()).decode()}"} if way == "basic" else {way: key}

    def send(key):
        return ask("POST", "/webhook/generic", key=None, json=row(), headers=headers(key)).status_code

    issued, other = ask.forge.accounts.issue_key("CI", scopes=["builds"]), ask.forge.accounts.issue_key("Other", scopes=["other"])
    assert [send(key) for key in (issued.secret.reveal(), other.secret.reveal(), "wrong", "")] == [202, 403, 401, 401]
    ask.forge.accounts.revoke_key(issued.key.id)
    assert send(issued.secret.reveal()) == 401


@pytest.mark.parametrize("value", ["Basic", "Basic !", "Basic Y2k=", "Basic Y2k6", "Basic gICA", "Digest x", "Bearer"])
def test_what_is_no_password_is_refused(ask, row, value):
    """Basic authentication without a readable password shows nothing."""
    assert ask("POST", "/webhook/generic", key=None, json=row(), headers={"Authorization": value}).status_code == 401


def test_a_password_opens_nothing_but_the_webhook(ask):
    """Calls of programs show their key as a bearer, so that no browser sends it by itself."""
    headers = {"Authorization": f"Basic {base64.b64encode(b'ci:made-up-key').decode()}"}
    assert ask("GET", "/analysis", key=None, headers=headers).status_code == 401


def test_without_a_secret_only_keys_are_believed(make_client, open_forge, row):
    """Where nothing is configured to sign with, no signature is believed, from this machine neither; the answer says why."""
    forge = open_forge()
    forge.settings._environ = {}
    client, content = make_client(forge, "wsgi"), json.dumps(row()).encode()
    for way in WAYS:
        answer = client("POST", "/webhook/generic", key=None, content=content, headers=sent_by(way, content, "made-up-generic"))
        assert (answer.status_code, answer.json()) == (
            401, {"detail": UNPROVED},
        )  # fmt: skip
    key = forge.accounts.issue_key("CI").secret.reveal()
    assert client("POST", "/webhook/generic", key=key, content=content).status_code == 202


def test_a_malformed_signature_header_is_refused_before_the_body(ask):
    """A header that no sender writes is 401 at once."""
    for headers in ({"X-Signature-256": "sha512=00"}, {"X-Buildkite-Signature": "timestamp=x,signature=00"}, {"X-Gitlab-Token": "\t"}):
        assert ask("POST", "/webhook/generic", key=None, content=b"{", headers=headers).status_code == 401


def test_a_wrong_key_is_not_saved_by_a_signature(ask, row):
    """Who shows a key is judged by the key."""
    content = json.dumps(row()).encode()
    signed = PayloadSigner(GENERIC, "made-up-generic").sign(content, datetime.now(UTC))
    assert ask("POST", "/webhook/generic", key="wrong", content=content, headers=signed).status_code == 401


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b"\xff", 400), (b"[" * 10_000, 400), (b'"text"', 400), (b"{}", 422),
        (b'{"builds": []}', 422), (b'{"builds": [{"status": "green"}]}', 422), (b'{"build_id": 1}', 422),
        (b'{"context": {"type": "dev.cdevents.pipelinerun.finished.0.2.0"}}', 422),
        (b'{"build_id": "\\u0000", "project": "p", "status": "queued"}', 422), (b" " * 5_000_001, 413),
    ],
)  # fmt: skip
def test_a_generic_webhook_that_nobody_reads_is_refused(ask, content, status):
    """What is no JSON object is 400, what nobody reads or what is wrong 422 with its places; nothing is stored."""
    answer = ask("POST", "/webhook/generic", content=content)
    assert (answer.status_code, "detail" in answer.json(), ask.forge.webhooks.statistics("generic").received) == (status, True, 0)
    assert (status == 422) == ("errors" in answer.json())


def test_bodies_are_kept_where_replay_is_wanted(make_client, open_forge, row):
    """With days to keep them, bodies stay after their handling and can be replayed."""
    client = make_client(open_forge(FORGEKIT_BUILDS_KEEP_WEBHOOKS_DAYS="7"), "wsgi")
    client("POST", "/webhook/generic", json=row())
    stored(client)
    (entry,) = client.forge.webhooks.entries("generic")
    assert json.loads(entry.body) == row()
    client.forge.webhooks.replay(entry.id)
    assert len(stored(client)) == 1


def test_what_could_not_be_stored_is_told(ask, row, monkeypatch):
    """A webhook that was not stored is 503, so that its sender tries again."""

    def broken(*_):
        raise ValueError

    monkeypatch.setattr(ask.forge.storage, "inbox", broken)
    answer = ask("POST", "/webhook/generic", json=row())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")

    def busy(*_):
        raise StorageError("The database is away.")

    monkeypatch.setattr(ask.forge.storage, "inbox", busy)
    assert ask("POST", "/webhook/generic", json=row()).status_code == 503
