"""How the page of builds learns how far an import is: from the stream, or by asking where there is none."""

from __future__ import annotations

from datetime import timedelta

import pytest

pytestmark = pytest.mark.parametrize("host", ["django"], indirect=True)
ADDRESS = "console/builds"


def shown(page, repository, words):
    """Wait until the import of a repository is told with these words."""
    page.wait_for_selector(f".imports li:has(h3 a:text-is('{repository}')):has-text('{words}')")


@pytest.fixture
def order(host):
    """Asks for an import as a browser does that is somewhere else."""

    def send(repository):
        answer = host.api.post(f"/{ADDRESS}", data={"repository": repository, "jobs": "on"}, headers={"Origin": host.address})
        assert answer.status_code == 303, answer.text

    return send


def test_what_the_stream_tells_is_shown_without_asking(host, github, context, order):
    """With its timers stopped a page that listens shows an import from its beginning to its end, with the analysis behind it."""
    github.add_repository("live/shop")
    for _ in range(25):
        github.add_run("live/shop")
    page = context().new_page()
    page.clock.install()
    page.goto(f"{host.address}/{ADDRESS}?project=live/shop")
    page.wait_for_selector("body[data-live=yes]")
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + timedelta(hours=1).total_seconds())
    github.hold(path="live/shop")
    order("live/shop")
    shown(page, "live/shop", "Asking GitHub")
    github.heal()
    shown(page, "live/shop", "25 new")
    page.wait_for_selector("#numbers:has-text('25 of 25')")
    assert page.get_attribute("body", "data-live") == "yes"


def test_a_page_without_a_stream_asks(host, github, context, order, watch):
    """Where the host cannot stream, the end of an import shows all the same."""
    watch.refused.add(501)
    github.add_run("still/shop")
    github.hold(path="still/shop")
    order("still/shop")
    page = context().new_page()
    page.route("**/console/builds/live", lambda route: route.fulfill(status=501))
    page.goto(f"{host.address}/{ADDRESS}")
    page.wait_for_selector("body[data-live=no]")
    shown(page, "still/shop", "Asking GitHub")
    github.heal()
    shown(page, "still/shop", "1 new")
    assert page.get_attribute("body", "data-live") == "no"
