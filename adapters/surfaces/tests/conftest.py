"""The surface `builds` in a process of the test's own, over either face."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

import forgekit_ci
import forgekit_github
import forgekit_sql
from forgekit import Forge
from forgekit.hosting import application
from forgekit.testing import FakeClock
from forgekit_surfaces import plugin

KEY = "made-up-key"
ENVIRON = {"FORGEKIT_API_KEYS": KEY, "GITHUB_WEBHOOK_SECRET": "made-up-hub", "FORGEKIT_BUILDS_WEBHOOK_SECRET": "made-up-generic"}


class Client:
    """Asks an application over one of its faces, as somebody with an API key unless told otherwise."""

    def __init__(self, forge, face):
        self.forge = forge
        self.face = face
        self.application = application(forge, ["builds"])

    def __call__(self, method, path, *, key=KEY, headers=(), **options):
        given = {**({"Authorization": f"Bearer {key}"} if key else {}), **dict(headers)}
        ask = self._asgi if self.face == "asgi" else self._wsgi
        return ask(method, f"/api/v1{path}", headers=given, **options)

    def _wsgi(self, method, path, **options):
        with httpx.Client(transport=httpx.WSGITransport(self.application.wsgi), base_url="http://localhost") as client:
            return client.request(method, path, **options)

    def _asgi(self, method, path, **options):
        async def ask():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.application.asgi), base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())


@pytest.fixture
def clock():
    """A clock that stands still."""
    return FakeClock(datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def open_forge(clock):
    """Opens forges in memory with all that reads builds; closed afterwards."""
    opened = []

    def make(**environ):
        plugins = [forgekit_sql, forgekit_github, forgekit_ci, plugin]
        opened.append(Forge.open("sqlite://", plugins=plugins, environ={**ENVIRON, **environ}, clock=clock))
        return opened[-1]

    yield make
    for forge in opened:
        forge.close()


@pytest.fixture(params=["asgi", "wsgi"])
def ask(request, open_forge):
    """A client of a fresh forge, over each face."""
    return Client(open_forge(), request.param)


@pytest.fixture
def make_client():
    """The class, for tests that need a forge of their own."""
    return Client


@pytest.fixture(scope="session")
def row():
    """Makes a flat build."""

    def make(number=1, **changes):
        values = {"build_id": str(number), "project": "shop/web", "status": "passed", "started_at": "2026-02-10T14:30:00Z"}
        return {**values, "duration_seconds": 60, **changes}

    return make
