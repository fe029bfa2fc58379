"""The surface in a process of the test's own: what no real socket on one machine can show."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

import forgekit_plane
import forgekit_sql
from forgekit import Forge
from forgekit.hosting import application
from forgekit_surfaces import plugin

BODY = json.dumps({"event": "issue", "action": "updated", "data": {"id": "x"}}).encode()


@pytest.fixture
def forge():
    """A forge in memory with the Plane adapter and the surfaces."""
    with Forge.open("sqlite://", plugins=[forgekit_sql, forgekit_plane, plugin], environ={}) as opened:
        yield opened


def _ask(forge, method, path, *, peer, base="http://localhost", **options):
    async def ask():
        transport = httpx.ASGITransport(application(forge, ["plane"]).asgi, client=(peer, 5000))
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, f"/api/plane{path}", **options)

    return asyncio.run(ask())


@pytest.mark.parametrize(("peer", "status"), [("127.0.0.1", 200), ("::1", 200), ("203.0.113.9", 403), ("10.0.0.1", 403), ("", 403)])
def test_without_a_token_the_peer_decides(forge, peer, status):
    """Only loopback peers are let in, whatever a header claims."""
    headers = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    assert _ask(forge, "GET", "/config", peer=peer, headers=headers).status_code == status


@pytest.mark.parametrize(("peer", "status"), [("127.0.0.1", 200), ("203.0.113.9", 401)])
def test_unsigned_webhooks_are_believed_of_this_machine_alone(forge, peer, status):
    """With no secret set, loopback peers are accepted and all others are 401."""
    assert _ask(forge, "POST", "/webhooks", peer=peer, content=BODY, base="http://public.example").status_code == status


def test_webhooks_need_no_host_token(forge):
    """The signature is the webhooks' guard: a peer without the host's token is refused for its signature alone."""
    forge.settings.store(forge.trackers["plane"].settings, {"webhook_secret": "secret"})
    found = _ask(forge, "POST", "/webhooks", peer="203.0.113.9", content=BODY)
    assert (found.status_code, forge.webhooks.statistics("plane").rejected) == (401, 1)


def test_a_forge_without_the_plane_adapter_says_so():
    """Where nothing speaks to Plane the surface answers 404 with the reason."""
    with Forge.open("sqlite://", plugins=[forgekit_sql, plugin], environ={}) as bare:
        found = _ask(bare, "GET", "/config", peer="127.0.0.1")
    assert (found.status_code, found.json()) == (404, {"detail": "This host has no adapter for Plane."})


def test_limits_are_counted_by_name(forge):
    """An operation with a limit tells how it stands; FORGEKIT_LIMITS changes it."""
    found = _ask(forge, "POST", "/test-connection", peer="127.0.0.1")
    assert (found.headers["RateLimit-Limit"], found.headers["RateLimit-Remaining"]) == ("60", "59")


def test_a_mistake_in_a_trackers_environment_is_told_before_serving():
    """What the environment gives for a tracker is checked when the application is made."""
    environment = {"PLANE_WEBHOOK_SECRET": "", "PLANE_POLL_INTERVAL": "1"}
    with Forge.open("sqlite://", plugins=[forgekit_sql, forgekit_plane, plugin], environ=environment) as opened:
        with pytest.raises(Exception, match="PLANE_WEBHOOK_SECRET") as caught:
            application(opened, ["plane"])
        assert "PLANE_POLL_INTERVAL" in str(caught.value)
