"""A forge with a Plane or a GitHub, its pages, and a client on the same machine."""

from __future__ import annotations

import httpx
import pytest

from forgekit import Forge
from forgekit.hosting import application
from forgekit.testing import FakeGitHub, FakePlane


@pytest.fixture
def plane():
    """A Plane with any number of calls."""
    with FakePlane(rate_limit=None) as running:
        yield running


@pytest.fixture
def github():
    """A GitHub without runs."""
    with FakeGitHub() as running:
        yield running


@pytest.fixture
def open_forge(tmp_path):
    """Opens a forge on a database of its own, closed at the end of the test."""
    opened = []

    def make(environ=None, **config):
        number = len(opened)
        opened.append(Forge.open(f"sqlite:///{tmp_path}/{number}.db", discover=True, config=config, environ=environ or {}))
        return opened[-1]

    yield make
    for forge in opened:
        forge.close()


@pytest.fixture
def forge(open_forge, plane):
    """A forge that is configured for the Plane."""
    return open_forge(plane={**plane.settings, "page_size": 2, "rate_limit": 10_000})


@pytest.fixture
def browse():
    """Gives a client of a forge's pages, on this machine; it follows no redirects and keeps cookies."""
    clients = []

    def make(forge, headers=None, address="http://127.0.0.1:8000"):
        transport = httpx.WSGITransport(application(forge, ["console"]).wsgi, remote_addr="127.0.0.1")
        clients.append(httpx.Client(transport=transport, base_url=address, headers=headers))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(forge, browse):
    """A client of the configured forge's pages."""
    return browse(forge)
