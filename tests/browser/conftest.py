"""Chromium, pages that are watched, and example hosts with a Plane and a GitHub to play with."""

from __future__ import annotations

import itertools
from urllib.parse import urlsplit

import attrs
import pytest

from forgekit.testing import FakeGitHub, FakePlane

HOSTS = ("fastapi", "django")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
TOKEN = "a token for the browser"

_CATCH_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
});
"""
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items):
    """Mark every test of this folder: it drives Chromium."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser(require_chromium):
    """A Chromium with a profile of its own. Not for the whole session: it occupies the thread's event loop while it runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=require_chromium, args=FLAGS, timeout=120_000)
        yield running
        running.close()


@attrs.define(slots=False)  # playwright keeps notes on whose method it calls
class Watch:
    """What went wrong in a browser's pages; answers that a test expects to be refused are told by their status."""

    refused: set[int] = attrs.field(factory=set)
    problems: list[str] = attrs.field(factory=list)

    def look_at(self, page):
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("request", self._leave)

    def _hear(self, message):
        expected = any(f"with a status of {status}" in message.text for status in self.refused)
        if message.type in {"error", "warning"} and not expected and "ERR_INTERNET_DISCONNECTED" not in message.text:
            self.problems.append(f"{message.type}: {message.text}")

    def _leave(self, request):
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1":
            self.problems.append(f"request to {request.url}")


@pytest.fixture
def watch():
    """Collects what goes wrong in the test's pages; the test fails when anything does."""
    watching = Watch()
    yield watching
    assert watching.problems == []


@pytest.fixture
def context(browser, watch):
    """Makes a browser's window of its own: its cookies, its size, its colours."""
    opened = []

    def make(**options):
        made = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        made.set_default_timeout(60_000)
        made.add_init_script(_CATCH_VIOLATIONS)
        made.on("page", watch.look_at)
        opened.append(made)
        return made

    yield make
    for each in opened:
        each.close()


@pytest.fixture
def show(context):
    """Opens an address in a window and waits until the page is up to date by itself."""

    def visit(address, window=None, **options):
        page = (window or context(**options)).new_page()
        page.goto(address)
        page.wait_for_selector("body[data-live=yes]")
        return page

    return visit


@pytest.fixture(scope="session")
def plane():
    """A Plane with any number of calls."""
    with FakePlane(rate_limit=None) as running:
        yield running


@pytest.fixture(scope="session")
def the_github():
    """A GitHub with any number of calls."""
    with FakeGitHub(rate_limit=1_000_000) as running:
        yield running


@pytest.fixture
def github(the_github):
    """The GitHub, in order and quick before each test and after it."""
    the_github.heal()
    yield the_github
    the_github.heal()


@pytest.fixture(scope="session")
def hosts(spawn, plane, the_github):
    """Starts each example host at most once, configured for the Plane and the GitHub, with small pages so that progress shows."""
    started = {}

    def get(name):
        if name not in started:
            environment = {f"PLANE_{key.upper()}": value for key, value in plane.settings.items()}
            environment |= {f"GITHUB_{key.upper()}": value for key, value in the_github.settings.items()}
            environment |= {"PLANE_PAGE_SIZE": "4", "PLANE_RATE_LIMIT": "10000", "GITHUB_RATE_LIMIT": "100000"}
            started[name] = spawn(name, environment=environment, arguments=())
        return started[name]

    return get


@pytest.fixture(params=HOSTS)
def host(request, hosts, plane):
    """An example host that is configured for the Plane."""
    plane.heal()
    return hosts(request.param)


@pytest.fixture
def sprint(plane):
    """A cycle of ten items in the Plane, and the key of a project that no other test has."""
    number = next(_numbers)
    cycle = plane.add_cycle(f"Sprint {number}")
    for step in range(10):
        plane.add_item(f"Story {number}.{step}", cycle=cycle, state="Done" if step < 3 else "Todo", priority="high")
    yield f"Sprint {number}", f"shop-{number}"
    plane.heal()
    plane.delete_cycle(cycle)


@pytest.fixture(scope="session")
def guarded_hosts(spawn):
    """Starts each example host at most once with a token of its own, and no Plane."""
    started = {}

    def get(name):
        if name not in started:
            environment = {"FORGEKIT_HOST_TOKEN": TOKEN, "FORGEKIT_LIMITS": '{"console.sign-in": "1000/minute"}'}
            started[name] = spawn(name, environment=environment, arguments=())
        return started[name]

    return get


@pytest.fixture(params=HOSTS)
def guarded(request, guarded_hosts):
    """An example host that asks for a token and knows no Plane."""
    return guarded_hosts(request.param)
