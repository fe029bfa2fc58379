"""A forge with a Plane or a GitHub, its pages, and a client on the same machine."""

from __future__ import annotations

import itertools
from contextlib import ExitStack

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
    numbers = itertools.count()
    with ExitStack() as opened:

        def make(environ=None, clock=None, **config):
            url = f"sqlite:///{tmp_path}/{next(numbers)}.db"
            return opened.enter_context(Forge.open(url, discover=True, config=config, environ=environ or {}, clock=clock))

        yield make


@pytest.fixture
def forge(open_forge, plane):
    """A forge that is configured for the Plane."""
    return open_forge(plane={**plane.settings, "page_size": 2, "rate_limit": 10_000})


@pytest.fixture
def browse():
    """Gives a client of a forge's pages, on this machine; it follows no redirects and keeps cookies."""
    with ExitStack() as clients:

        def make(forge, headers=None, address="http://127.0.0.1:8000"):
            transport = httpx.WSGITransport(application(forge, ["console"]).wsgi, remote_addr="127.0.0.1")
            return clients.enter_context(httpx.Client(transport=transport, base_url=address, headers=headers))

        yield make


@pytest.fixture
def client(forge, browse):
    """A client of the configured forge's pages."""
    return browse(forge)
