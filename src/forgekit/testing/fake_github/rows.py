"""How the fake's things look in JSON, in the REST API and in webhooks."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from forgekit.testing.fake_github.world import Attempt, Job, Repository, Run

Row = dict[str, Any]

SITE = "https://github.com"


def iso(moment: datetime | None) -> str | None:
    """Return a moment as GitHub writes it."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def user(login: str) -> Row:
    """Return a user or organisation."""
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {"login": login, "id": _id(login), "node_id": _node(login), "html_url": f"{SITE}/{login}", "type": kind, "site_admin": False}


def repository(made: Repository | str, api: str, *, whole: bool = False) -> Row:
    """Return a repository: short within other things, whole alone and in webhooks. A fork is told by its name."""
    name = made if isinstance(made, str) else made.name
    owner, short = name.split("/")
    row: Row = {
        "id": _id(name) if isinstance(made, str) else made.id,
        "node_id": _node(name),
        "name": short,
        "full_name": name,
        "private": False if isinstance(made, str) else made.private,
        "owner": user(owner),
        "html_url": f"{SITE}/{name}",
        "description": None,
        "fork": isinstance(made, str),
        "url": f"{api}/repos/{name}",
    }
    if whole and not isinstance(made, str):
        row |= {"default_branch": made.default_branch, "language": made.language, "archived": False, "disabled": False}
    return row


def run(made: Run, attempt: Attempt, api: str) -> Row:
    """Return a run as it stood, or stands, in one of its attempts."""
    base = f"{api}/repos/{made.repository.name}/actions/runs/{made.id}"
    before = f"{base}/attempts/{attempt.number - 1}" if attempt.number > 1 else None
    return {
        "id": made.id,
        "name": made.workflow,
        "node_id": _node(made.id),
        "head_branch": made.branch,
        "head_sha": made.sha,
        "path": f".github/workflows/{made.file}",
        "display_title": f"Change {made.number}",
        "run_number": made.number,
        "event": made.event,
        "status": attempt.status,
        "conclusion": attempt.conclusion,
        "workflow_id": _id(made.file),
        "check_suite_id": made.id + 1,
        "check_suite_node_id": _node(made.id + 1),
        "url": base,
        "html_url": f"{SITE}/{made.repository.name}/actions/runs/{made.id}",
        "pull_requests": [],
        "created_at": iso(made.created_at),
        "updated_at": iso(attempt.updated_at),
        "actor": user(made.actor),
        "run_attempt": attempt.number,
        "run_started_at": iso(attempt.started_at),
        "triggering_actor": user(attempt.actor),
        "jobs_url": f"{base}/jobs",
        "previous_attempt_url": before,
        "head_commit": _commit(made),
        "repository": repository(made.repository, api),
        "head_repository": repository(made.fork or made.repository, api),
    }


def job(made: Job, of: Run, api: str) -> Row:
    """Return a job. One that waits has its making as its start, as on GitHub."""
    return {
        "id": made.id,
        "run_id": of.id,
        "run_url": f"{api}/repos/{of.repository.name}/actions/runs/{of.id}",
        "run_attempt": made.attempt,
        "node_id": _node(made.id),
        "head_sha": of.sha,
        "head_branch": of.branch,
        "url": f"{api}/repos/{of.repository.name}/actions/jobs/{made.id}",
        "html_url": f"{SITE}/{of.repository.name}/actions/runs/{of.id}/job/{made.id}",
        "status": made.status,
        "conclusion": made.conclusion,
        "created_at": iso(made.created_at),
        "started_at": iso(made.started_at or made.created_at),
        "completed_at": iso(made.completed_at),
        "name": made.name,
        "steps": [],
        "labels": list(made.labels),
        "runner_id": 1 if made.started_at else None,
        "runner_name": "GitHub Actions 1" if made.started_at else None,
        "workflow_name": of.workflow,
    }


def _commit(made: Run) -> Row:
    person = {"name": made.actor, "email": f"{made.actor}@users.noreply.github.com"}
    return {
        "id": made.sha,
        "tree_id": made.sha[::-1],
        "message": f"Change {made.number}",
        "timestamp": iso(made.created_at),
        "author": person,
        "committer": person,
    }


def _id(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def _node(value: object) -> str:
    return f"N_{_id(str(value)):08x}"
