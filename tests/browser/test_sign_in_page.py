"""The pages of a host that asks for its token, and knows no Plane yet."""

from __future__ import annotations

import httpx
import pytest


@pytest.fixture
def token(guarded):
    """What the host asks for."""
    return guarded.environment["FORGEKIT_HOST_TOKEN"]


@pytest.fixture
def signed_in(guarded, token, context, watch):
    """A window that is signed in."""
    watch.refused.add(401)
    page = context().new_page()
    page.goto(guarded.address)
    page.wait_for_selector("#token:focus")
    page.keyboard.type(token)
    page.keyboard.press("Enter")
    page.wait_for_selector("body[data-live=yes]")
    return page


def press_if_there(page, name):
    """Press a button of a page whose session has ended; it may have looked by itself meanwhile, and ask for the token already."""
    page.evaluate("name => document.getElementById(name)?.click()", name)


def test_the_token_opens_the_pages(signed_in, token):
    """The field has the focus, Enter signs in, and the cookie is kept from scripts and from other sites."""
    assert signed_in.inner_text("h1") == "Sprint sync"
    cookie = signed_in.context.cookies()[0]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert token not in cookie["value"]


def test_the_token_opens_the_page_that_was_asked_for(guarded, token, context, watch):
    """Who came for the builds sees them after signing in, also where the sign-in answered a form that was sent."""
    watch.refused.add(401)
    page = context().new_page()
    page.goto(f"{guarded.address}/console/builds")
    page.fill("#token", token)
    page.click("#enter")
    page.wait_for_selector("body[data-live=yes]")
    assert page.inner_text("h1") == "Builds"
    page.fill("#repository", "acme/shop")
    page.context.clear_cookies()
    press_if_there(page, "start")
    page.fill("#token", token)
    page.click("#enter")
    page.wait_for_selector("#order")
    assert page.url == f"{guarded.address}/console/builds"


def test_a_wrong_token_is_said(guarded, context, watch):
    """A wrong token gets a sentence, not a page that looks the same."""
    watch.refused.add(401)
    page = context().new_page()
    page.goto(guarded.address)
    page.fill("#token", "wrong")
    page.click("#enter")
    page.wait_for_selector('[data-say=sign-in].bad:has-text("That is not this host\'s token.")')
    assert page.inner_text("h1") == "Sign in"
    page.wait_for_selector("#token:focus")


def test_signing_out_closes_every_tab(signed_in, guarded):
    """After signing out the pages ask for the token again, in another tab as soon as it looks."""
    other = signed_in.context.new_page()
    other.goto(guarded.address)
    other.wait_for_selector("body[data-live=yes]")
    signed_in.click("#sign-out")
    signed_in.wait_for_selector("#token")
    press_if_there(other, "toggle")
    other.wait_for_selector("#token")
    assert signed_in.context.cookies() == []


def test_an_absent_plane_is_explained_and_found_once_it_is_there(signed_in, guarded, token, plane):
    """Without settings the page names the variables; once they are stored the form is there without a reload."""
    notice = signed_in.inner_text(".notice")
    assert all(name in notice for name in ("PLANE_API_URL", "PLANE_API_KEY", "PLANE_WORKSPACE_SLUG", "PLANE_PROJECT_ID"))
    assert not signed_in.is_visible("#import-form")
    assert signed_in.is_visible("#unready")
    body = {f"plane_{name}": value for name, value in plane.settings.items()}
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.post(f"{guarded.address}/api/plane/config", json=body, headers=headers).status_code == 200
    signed_in.click("#toggle")
    signed_in.wait_for_selector("#load-cycles")
    assert signed_in.locator(".notice").count() == 0
