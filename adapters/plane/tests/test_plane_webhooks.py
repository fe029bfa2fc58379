"""Webhooks in all dialects come into one form, and nothing else does."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import PayloadMalformed
from forgekit.testing import FakePlane
from forgekit.webhooks import SigningSecret, VerifiedWebhook, verifier_for
from forgekit_plane import PLANE
from forgekit_plane.plugin import forgekit_webhook_providers

SECRET = "plane_wh_dfdf5f372282443face75317a4df2e41"
ACTIONS = {"created", "updated", "deleted"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["event", "action", "data", "id", "project", "x"]), inner),
    max_leaves=10,
)


def _parse(payload):
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return PLANE.parse(VerifiedWebhook(provider="plane", secret_id="a", received_at=datetime.now(UTC), body=body))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"event": "issue", "action": "updated", "data": {"id": "i", "project": "p"}}, ("issue", "updated", "i", "p")),
        ({"event": "issue", "action": "update", "data": {"id": "i", "project": {"id": "p"}}}, ("issue", "updated", "i", "p")),
        ({"event": "issue", "action": "create", "data": {"id": "i"}}, ("issue", "created", "i", "")),
        ({"event": "issue", "action": "delete", "data": {"id": "i"}}, ("issue", "deleted", "i", "")),
        ({"event": "work_item.update", "data": {"id": "i", "project_id": "p"}}, ("issue", "updated", "i", "p")),
        ({"event": "issue.update", "data": {"id": 7}}, ("issue", "updated", "7", "")),
        ({"event": "cycle", "action": "created", "data": {"id": "c", "project": "p"}}, ("cycle", "created", "c", "p")),
        ({"event": "cycle.update", "data": {"id": "c"}}, ("cycle", "updated", "c", "")),
        (
            {"version": "v2", "event": "workitem.updated", "entity_id": "i", "data": {"project_id": "p"}},
            ("issue", "updated", "i", "p"),
        ),
        ({"version": "v2", "event": "workitem.deleted", "entity_id": "i", "project_id": "p", "data": {}}, ("issue", "deleted", "i", "p")),
        (
            {"version": "v2", "event": "WebhookScope.ScopeChoices.WORK_ITEM_UPDATED", "entity_id": "i", "data": {"project_id": "None"}},
            ("issue", "updated", "i", ""),
        ),
        ({"event": "workitem.comment.created", "data": {"id": "c"}}, ("workitem.comment", "created", "c", "")),
        ({"event": "issue_comment", "action": "created", "data": {"id": "c", "project": "p"}}, ("issue_comment", "created", "c", "p")),
        ({"event": "project", "action": "deleted", "data": {"id": "p"}}, ("project", "deleted", "p", "")),
    ],
)
def test_every_dialect_reads_alike(payload, expected):
    """Event, action, subject and scope are found wherever a dialect keeps them."""
    event = _parse(payload)
    assert (event.kind, event.action, event.subject, event.scope) == expected
    assert event.payload == payload


@pytest.mark.parametrize(
    "payload",
    [
        {},
        [],
        None,
        "issue",
        {"event": "issue"},
        {"event": None, "action": "updated", "data": {"id": "i"}},
        {"event": "issue", "action": "updated"},
        {"event": "issue", "action": "updated", "data": None},
        {"event": "issue", "action": "updated", "data": []},
        {"event": "issue", "action": "updated", "data": {}},
        {"event": "issue", "action": "updated", "data": {"id": None}},
        {"event": "issue", "action": ["updated"], "data": {"id": "i"}},
        {"event": "issue", "data": {"id": "i"}},
        {"event": "issue", "action": "updated", "data": {"id": "i" * 201}},
        {"event": "x" * 201, "action": "updated", "data": {}},
        {"event": "cycle.", "data": {"id": "c"}},
        b"{",
        b"\xff",
    ],
)
def test_other_shapes_are_malformed(payload):
    """What is not of Plane's shape has one error."""
    with pytest.raises(PayloadMalformed):
        _parse(payload)


@given(JSON)
def test_nothing_else_is_raised(payload):
    """Whatever JSON comes, it is an event in short texts or malformed."""
    try:
        event = _parse(payload)
    except PayloadMalformed:
        return
    assert event.kind
    assert all(len(part) <= 200 for part in (event.kind, event.action, event.subject, event.scope))


def test_the_fake_and_the_provider_agree():
    """What FakePlane sends is verified and understood."""
    plane = FakePlane()
    cycle = plane.add_cycle("S")
    item = plane.add_item("Käse", cycle=cycle)
    verifier = verifier_for(PLANE.scheme, [SigningSecret(id="a", value=plane.webhook_secret)])
    events = [PLANE.parse(verifier.verify(dict(each.headers), each.body, datetime.now(UTC))) for each in plane.deliveries]
    expected = [("cycle", "created", cycle), ("issue", "created", item)]
    assert [(event.kind, event.action, event.subject) for event in events] == expected
    assert {event.scope for event in events} == {plane.project_id}
    plane.stop()


def test_recorded_webhooks_are_understood(recordings):
    """Each recorded delivery of a real server is verified over its exact bytes and understood."""
    verifier = verifier_for(PLANE.scheme, [SigningSecret(id="a", value=SECRET)])
    for path in sorted((recordings / "plane" / "webhooks").glob("*.json")):
        recorded = json.loads(path.read_text())
        verified = verifier.verify(dict(recorded["headers"]), base64.b64decode(recorded["body_b64"]), datetime.now(UTC))
        event = PLANE.parse(verified)
        assert path.stem.split("_", 1)[1].startswith(event.kind)
        assert event.action in ACTIONS
        assert event.subject
        assert event.scope or event.kind == "project"


def test_it_is_offered():
    """The provider comes through its hook."""
    assert forgekit_webhook_providers() == {"plane": PLANE}
