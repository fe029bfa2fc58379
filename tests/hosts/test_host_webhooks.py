"""Webhooks, as Plane sends them and as its enemies would."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

import pytest

from forgekit.testing import FakePlane

pytestmark = pytest.mark.host


@pytest.fixture
def cycle(host, plane, project):
    """The active cycle, imported, with one item."""
    cycle = plane.add_cycle("Sprint 1")
    plane.add_item("Login", cycle=cycle)
    host.bring(cycle, project)
    return cycle


@pytest.fixture
def item(plane, cycle):
    """The cycle's item."""
    return next(
        row["id"] for row in plane.world.items.values() if row["name"] == "Login" and plane.world.bridges[row["id"]]["cycle"] == cycle
    )


def _post(host, body, headers=(), **options):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **dict(headers)}
    return host.api.post("/api/plane/webhooks", content=content, headers=given, **options)


def _signed(host, plane, body, header="X-Plane-Signature"):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return _post(host, content, {header: hmac.new(plane.webhook_secret.encode(), content, hashlib.sha256).hexdigest()})


def _issue(item_id="11111111-1111-4111-8111-111111111111", **changes):
    return {"event": "issue", "action": "updated", "data": {"id": item_id, "nonce": datetime.now(UTC).isoformat()}, **changes}


def _actions(*answers):
    return [(answer.status_code, answer.json().get("action")) for answer in answers]


def _names(host, project):
    with host.forge() as forge:
        return {item.name for item in forge.work.items(project)}


def test_a_signed_webhook_is_processed_and_counted(host, plane, cycle):
    """A genuine webhook is answered processed, under either header, and the status counts it."""
    before = host.get("/sync-status").json()["webhook_count"]
    answers = [_signed(host, plane, _issue("a")), _signed(host, plane, _issue("b"), "X-Signature")]
    assert [answer.json() for answer in answers] == [{"status": "ok", "action": "processed"}] * 2
    after = host.get("/sync-status").json()
    assert after["webhook_count"] == before + 2
    assert (datetime.now(UTC) - datetime.fromisoformat(after["last_webhook_at"])).total_seconds() < 60


@pytest.mark.parametrize(
    "signature",
    [None, "", "00" * 32, "zz" * 32, "f" * 63, "sha256=" + "0" * 64, b"\xe9" * 64, "é".encode() * 32, "0" * 5000, b"\xff\xfe"],
)
def test_a_missing_or_wrong_signature_is_401_and_leaves_no_trace(host, plane, signature):
    """Whatever is wrong with a signature, it is 401 with a detail, nothing is counted and nothing stored."""
    before = host.get("/sync-status").json()["webhook_count"]
    answer = _post(host, _issue(), {} if signature is None else {"X-Plane-Signature": signature})
    assert (answer.status_code, list(answer.json())) == (401, ["detail"])
    assert host.get("/sync-status").json()["webhook_count"] == before


def test_another_bodys_signature_is_401(host, plane):
    """A signature fits one body only."""
    content = json.dumps(_issue("a")).encode()
    signature = hmac.new(plane.webhook_secret.encode(), content, hashlib.sha256).hexdigest()
    assert _post(host, content + b" ", {"X-Plane-Signature": signature}).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"not json", b"\xff\xfe", b"[]", b"null", b"5", b'"text"', b"{}", b"[" * 100_000, b'{"a":' * 50_000, b"NaN",
        {"event": "issue", "action": "updated", "data": None},
        {"event": "issue", "action": "updated", "data": []},
        {"event": "issue", "action": "updated", "data": {}},
        {"event": "issue", "action": "updated", "data": {"id": None}},
        {"event": "issue", "action": "updated", "data": {"id": ["x"]}},
        {"event": "issue", "action": "updated"},
        {"event": "issue", "action": None, "data": {"id": "x"}},
        {"event": "issue", "action": {"a": 1}, "data": {"id": "x"}},
        {"event": None, "action": "updated", "data": {"id": "x"}},
        {"event": ["issue"], "action": "updated", "data": {"id": "x"}},
        {"event": "issue", "action": "updated", "data": {"id": "x" * 5000}},
        {"action": "updated", "data": {"id": "x"}},
        {"event": "", "action": "", "data": {"id": "x"}},
    ],
)  # fmt: skip
def test_an_authentic_body_of_the_wrong_shape_is_400(host, plane, body):
    """Signed nonsense of every kind is 400 with a detail, never 500, and is not counted."""
    before = host.get("/sync-status").json()["webhook_count"]
    answer = _signed(host, plane, body)
    assert (answer.status_code, list(answer.json())) == (400, ["detail"])
    assert host.get("/sync-status").json()["webhook_count"] == before


def test_size_comes_before_signature_and_signature_before_shape(host, plane):
    """Too large is 413 though unsigned; unsigned is 401 though shapeless; both whether the length is told or not."""
    large = b"x" * 6_000_000
    assert _post(host, large).status_code == 413
    assert host.api.post("/api/plane/webhooks", content=(large[i : i + 65_536] for i in range(0, len(large), 65_536))).status_code == 413
    assert _post(host, b"[]").status_code == 401


def test_a_chunked_webhook_is_as_good_as_any(host, plane, cycle):
    """A body sent in chunks is verified over its bytes like any other."""
    content = json.dumps(_issue("chunked")).encode()
    headers = {"X-Plane-Signature": hmac.new(plane.webhook_secret.encode(), content, hashlib.sha256).hexdigest()}
    answer = host.api.post("/api/plane/webhooks", content=iter([content[:10], content[10:]]), headers=headers)
    assert _actions(answer) == [(200, "processed")]


def test_the_same_bytes_are_never_taken_twice(host, plane, cycle):
    """A repetition is told so, also after a restart, and counts once."""
    body = _issue("again")
    assert _actions(_signed(host, plane, body), _signed(host, plane, body)) == [(200, "processed"), (200, "deduped")]
    before = host.get("/sync-status").json()
    host.restart()
    assert _actions(_signed(host, plane, body)) == [(200, "deduped")]
    after = host.get("/sync-status").json()
    assert (after["webhook_count"], after["last_webhook_at"]) == (before["webhook_count"], before["last_webhook_at"])


def test_a_second_different_edit_within_the_burst_is_imported(host, plane, cycle, item, project, wait_until):
    """Within five seconds the second event of a key is answered deduped, and its edit is imported all the same."""
    plane.edit_item(item, name="First edit")
    first = host.deliver(plane.deliveries[-1])
    plane.edit_item(item, name="Second edit")
    second = _signed(host, plane, plane.deliveries[-1].body)
    assert (first, _actions(second)) == (200, [(200, "deduped")])
    wait_until(lambda: _names(host, project) == {"Second edit"})


def test_a_webhook_is_a_hint_and_never_the_truth(host, plane, cycle, item, project, wait_until):
    """What a webhook says of an item is not written: the import fetches what Plane has now."""
    told = plane.sign({"event": "issue", "action": "updated", "data": {"id": item, "name": "A lie", "project": plane.project_id}})
    plane.edit_item(item, name="The truth")
    assert host.deliver(told) == 200
    wait_until(lambda: _names(host, project) == {"The truth"})


@pytest.mark.parametrize(
    "event",
    [
        {"event": "issue", "action": "updated"},
        {"event": "issue", "action": "created"},
        {"event": "issue", "action": "deleted"},
        {"event": "issue", "action": "update"},
        {"event": "work_item", "action": "update"},
        {"event": "workitem", "action": "updated"},
        {"event": "workitem.updated", "version": "v2"},
        {"event": "issue.update"},
        {"event": "work_item.update"},
    ],
)
def test_every_spelling_of_an_event_asks_for_an_import(host, plane, cycle, wait_until, event):
    """Old, new and dotted names all lead to an import of the active cycle."""
    plane.forget_calls()
    body = {**event, "data": _issue("x")["data"]}
    assert _signed(host, plane, body).json()["status"] == "ok"
    wait_until(lambda: plane.count("GET", f"/cycles/{cycle}/cycle-issues/"))


@pytest.mark.parametrize(
    "body",
    [
        {"event": "issue_comment", "action": "created", "data": {"id": "x"}},
        {"event": "project", "action": "updated", "data": {"id": "x"}},
        {"event": "cycle", "action": "updated", "data": {"id": "another-cycle"}},
        {"event": "issue", "action": "updated", "data": {"id": "of-another", "project": "another-project"}},
        {"event": "issue", "action": "archived", "data": {"id": "x"}},
    ],
)
def test_what_does_not_concern_the_cycle_is_stored_without_effect(host, plane, cycle, body):
    """Other events, other projects and other cycles are processed, counted, and ask Plane nothing."""
    before = host.get("/sync-status").json()["webhook_count"]
    body["data"]["nonce"] = datetime.now(UTC).isoformat()
    assert _signed(host, plane, body).json() == {"status": "ok", "action": "processed"}
    assert host.get("/sync-status").json()["webhook_count"] == before + 1
    with host.forge() as forge:
        assert forge.webhooks.entries("plane", limit=1)[0].state == "done"


def test_the_active_cycle_itself_asks_for_an_import(host, plane, cycle, wait_until):
    """A change of the active cycle is imported like one of its items."""
    plane.edit_cycle(cycle, name="Sprint 1, renamed")
    assert host.deliver(plane.deliveries[-1]) == 200
    plane.forget_calls()
    wait_until(lambda: host.get("/sync-status").json()["active_cycle_name"] is not None and plane.count("GET", "/cycle-issues/"))


def test_without_an_active_cycle_there_is_nothing_to_import_into(host, plane):
    """no_active_cycle: stored and counted, without effect."""
    host.post("/config", {"plane_active_cycle_id": None})
    assert _signed(host, plane, _issue("idle")).json() == {"status": "ok", "action": "no_active_cycle"}


def test_without_a_configuration_the_answer_is_error(host, plane):
    """error: stored, but there is no Plane to import from; still 200, since Plane never sends a refused webhook again."""
    host.post("/config", {"plane_api_key": None})
    answer = _signed(host, plane, _issue("unconfigured"))
    host.configure(plane)
    assert (answer.status_code, answer.json()["action"]) == (200, "error")


def test_without_a_secret_this_machine_is_believed(host, plane, cycle):
    """With no secret set, loopback peers are accepted unsigned; malformed bodies are refused all the same."""
    host.post("/config", {"plane_webhook_secret": None})
    answers = [_post(host, _issue("unsigned")), _post(host, b"[]")]
    host.configure(plane)
    assert [answer.status_code for answer in answers] == [200, 400]


def test_planes_own_deliveries_end_to_end(host, plane, cycle, item, project, wait_until):
    """A Plane that sends its own webhooks, one for each changed field, sees each answered 200 and its edits arrive here."""
    plane.deliver_webhooks(f"{host.address}/api/plane/webhooks", plane.webhook_secret)
    plane.edit_item(item, name="Renamed", priority="high", state="In Progress")
    assert set(plane.settle()) == {200}
    wait_until(lambda: _names(host, project) == {"Renamed"})


def test_an_empty_secret_in_the_environment_is_not_an_unset_one(spawn):
    """PLANE_WEBHOOK_SECRET= is a mistake in the configuration: the host says so instead of believing everybody."""
    with pytest.raises(AssertionError, match="PLANE_WEBHOOK_SECRET"):
        spawn("fastapi", environment={"PLANE_WEBHOOK_SECRET": ""})


def test_a_burst_is_answered_and_leads_to_few_imports(host, plane, cycle, item, project, wait_until):
    """A hundred webhooks in a burst are all stored, and lead to a handful of imports of which the last one sees the last edit."""
    plane.forget_calls()
    before, began = host.get("/sync-status").json()["webhook_count"], time.monotonic()
    for number in range(100):
        plane.edit_item(item, name=f"Edit {number}")
        assert host.deliver(plane.deliveries[-1]) == 200
    tens = (time.monotonic() - began) // 10  # the first of those that wait for an import waits ten seconds at most
    wait_until(lambda: _names(host, project) == {"Edit 99"})
    assert host.get("/sync-status").json()["webhook_count"] == before + 100
    assert plane.count("GET", "/cycle-issues/") <= 3 + tens


def test_the_fake_sender_of_another_plane_is_refused(host):
    """Another Plane's webhooks, signed with its own secret, are 401."""
    with FakePlane() as other:
        assert host.deliver(other.sign(_issue("other"))) == 401
