from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import PayloadMalformed
from forgekit.webhooks import PROVIDERS, SCHEMES, Provider, Replies, VerifiedWebhook

NOW = datetime(2026, 3, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "event", "data", "id", "action", "meta", "x"]), inner)
    ),
    max_leaves=8,
)


def _parse(provider, body, event=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    webhook = VerifiedWebhook(provider=provider, secret_id="s", received_at=NOW, body=content, event=event)
    return PROVIDERS[provider].parse(webhook)


READINGS = [
    ("github", "pull_request", {"action": "opened", "pull_request": {"id": 7}, "repository": {"full_name": "o/r"}},
     ("pull_request", "opened", "7", "o/r")),
    ("github", "issues", {"action": "closed", "issue": {"id": 8}}, ("issues", "closed", "8", "")),
    ("github", "push", {"ref": "refs/heads/main", "after": "abc", "repository": {"full_name": "o/r"}}, ("push", "", "abc", "o/r")),
    ("github", "ping", {"zen": "Speak like a human."}, ("ping", "", "", "")),
    ("gitlab-token", "Issue Hook", {"object_kind": "issue", "object_attributes": {"id": 3, "action": "open"},
                                    "project": {"path_with_namespace": "g/p"}}, ("issue", "open", "3", "g/p")),
    ("gitlab-signing", "Push Hook", {"object_kind": "push", "checkout_sha": "abc"}, ("push", "", "abc", "")),
    ("gitlab-token", "System Hook", {"event_name": "project_create"}, ("project_create", "", "", "")),
    ("bitbucket", "pullrequest:created", {"pullrequest": {"id": 5}, "repository": {"full_name": "w/r"}},
     ("pullrequest", "created", "5", "w/r")),
    ("bitbucket", "repo:push", {"repository": {"full_name": "w/r"}}, ("repo", "push", "", "w/r")),
    ("bitbucket", None, {"eventKey": "pr:opened", "pullRequest": {"id": 6}}, ("pr", "opened", "6", "")),
    ("circleci", "job-completed", {"type": "job-completed", "workflow": {"id": "w"}, "job": {"id": "j"}, "project": {"slug": "gh/o/r"}},
     ("job-completed", "", "j", "gh/o/r")),
    ("circleci", None, {"type": "workflow-completed", "workflow": {"id": "w"}}, ("workflow-completed", "", "w", "")),
    ("buildkite", "build.finished", {"event": "build.finished", "build": {"id": "b"}, "pipeline": {"slug": "p"}},
     ("build", "finished", "b", "p")),
    ("buildkite-token", None, {"event": "ping"}, ("ping", "", "", "")),
    ("stripe", None, {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}, "account": "acct_1"},
     ("invoice.paid", "", "in_1", "acct_1")),
    ("slack", None, {"type": "event_callback", "team_id": "T1", "event": {"type": "message", "subtype": "bot_message"}},
     ("message", "bot_message", "", "T1")),
    ("slack", None, {"type": "url_verification", "challenge": "c"}, ("url_verification", "", "", "")),
    ("standard-webhooks", None, {"type": "user.created", "data": {"id": "u1"}}, ("user.created", "", "u1", "")),
    ("standard-webhooks-v1a", None, {"type": "user.created"}, ("user.created", "", "", "")),
    ("lemonsqueezy", "order_created", {"meta": {"event_name": "order_created"}, "data": {"id": "1", "attributes": {"store_id": 2}}},
     ("order_created", "", "1", "2")),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "header", "body", "expected"), READINGS)
def test_each_sender_is_read_into_one_form(provider, header, body, expected):
    """Kind, action, subject and scope come from where the sender documents them."""
    event = _parse(provider, body, header)
    assert (event.kind, event.action, event.subject, event.scope) == expected
    assert (event.provider, event.payload) == (provider, body)


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
def test_every_built_in_sender_is_a_provider(provider):
    """Its name is its key, and its scheme the one that its name says."""
    found: Provider = PROVIDERS[provider]
    assert found.name == provider
    assert found.scheme is SCHEMES[provider]


@pytest.mark.parametrize("provider", sorted(PROVIDERS))
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"payload=%7B%7D", b'{"type": true, "meta": [], "event": 1}'])
def test_another_shape_is_malformed(provider, body):
    """What does not say what happened is refused, with the one error."""
    with pytest.raises(PayloadMalformed):
        _parse(provider, body)


@given(provider=st.sampled_from(sorted(PROVIDERS)), body=JSON, event=st.none() | st.text())
def test_any_json_is_read_or_malformed(provider, body, event):
    """No authentic JSON makes a reader fail in another way, and what it reads is text."""
    try:
        found = _parse(provider, body, event)
    except PayloadMalformed:
        return
    assert found.kind
    assert {type(part) for part in (found.kind, found.action, found.subject, found.scope)} == {str}


def test_slack_reads_its_challenge_back():
    """Only the verification of the address is answered with its challenge."""
    slack = PROVIDERS["slack"]
    assert isinstance(slack, Replies)
    assert slack.reply(_parse("slack", {"type": "url_verification", "challenge": "abc"})) == "abc"
    assert slack.reply(_parse("slack", {"type": "url_verification"})) is None
    assert slack.reply(_parse("slack", {"type": "event_callback", "event": {"type": "message"}, "challenge": "abc"})) is None


def test_recorded_github_payloads_are_read(recordings):
    """Every recorded event is read, and those that have an object name it."""
    for path in (recordings / "github").glob("*.json"):
        header = path.name.partition(".")[0]
        event = _parse("github", path.read_bytes(), header)
        assert event.kind == header
        assert header == "ping" or event.subject


def test_recorded_lemonsqueezy_payloads_are_read(recordings):
    """Every recorded event says what happened to which object."""
    for path in (recordings / "lemonsqueezy").glob("*.json"):
        event = _parse("lemonsqueezy", path.read_bytes())
        assert event.kind == path.stem
        assert event.subject
