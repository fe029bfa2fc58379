"""Webhooks as GitHub sends them: the headers, the signature over the exact bytes, and no second try."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from uuid import uuid4

import attrs

from forgekit.testing.fake_github import rows
from forgekit.testing.fake_github.world import Change


@attrs.frozen(kw_only=True)
class Delivery:
    """A webhook, signed and ready to send.

    Attributes:
        event: Its event's name.
        action: What happened.
        headers: In GitHub's order, without ``Host`` and ``Content-Length``.
        body: The exact bytes that are signed and sent.

    """

    event: str
    action: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = attrs.field(repr=False)


def sign(payload: Any, secret: str | None, *, event: str, action: str = "") -> Delivery:
    """Return a payload as GitHub would send it; without a secret there is no signature."""
    body = json.dumps(payload, separators=(",", ":")).encode()
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() if secret else None
    signed = () if digest is None else (("X-Hub-Signature-256", f"sha256={digest}"),)
    headers = (
        ("Accept", "*/*"),
        ("Content-Type", "application/json"),
        ("User-Agent", "GitHub-Hookshot/0000000"),
        ("X-GitHub-Delivery", str(uuid4())),
        ("X-GitHub-Event", event),
        ("X-GitHub-Hook-ID", "1"),
        *signed,
    )
    return Delivery(event=event, action=action, headers=headers, body=body)


def payload(change: Change, api: str) -> tuple[str, rows.Row]:
    """Return the event's name and the body that tells of a change."""
    repository = rows.repository(change.run.repository, api, whole=True)
    common = {"action": change.action, "repository": repository, "sender": rows.user(change.attempt.actor)}
    if change.job is not None:
        return "workflow_job", {**common, "workflow_job": rows.job(change.job, change.run, api)}
    workflow = {"id": rows.run(change.run, change.attempt, api)["workflow_id"], "name": change.run.workflow, "state": "active"}
    return "workflow_run", {**common, "workflow_run": rows.run(change.run, change.attempt, api), "workflow": workflow}


def ping(repository: rows.Row) -> rows.Row:
    """Return the body that a new webhook begins with."""
    hook = {"type": "Repository", "id": 1, "name": "web", "active": True, "events": ["workflow_run", "workflow_job"]}
    return {"zen": "Keep it logically awesome.", "hook_id": 1, "hook": hook, "repository": repository, "sender": repository["owner"]}
