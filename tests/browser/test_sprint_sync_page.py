"""The sprint sync page, as people use it, on both hosts."""

from __future__ import annotations

import pytest

from forgekit.testing.fake_plane import send


def choose(page, name, project):
    """Load the cycles, choose one, and name the project."""
    page.click("#load-cycles")
    page.locator(".choices label", has_text=name).first.click()
    page.fill("#project", project)


def bring(page, name, project):
    """Import a cycle and wait for the result."""
    choose(page, name, project)
    page.click("#import")
    page.wait_for_selector(f"#result:has-text('{name}')")


def test_a_cycle_becomes_a_sprint(host, sprint, show):
    """Load the cycles, choose, import: the counts, the sprint and its items show."""
    page = show(host.address)
    bring(page, *sprint)
    assert page.inner_text("#imported") == "10"
    assert page.inner_text("#sprint-title") == sprint[0]
    assert page.inner_text("#passing") == "3"
    page.click("#items-summary")
    page.wait_for_selector("#items-list table")
    assert page.locator("#items-list tbody tr").count() == 10


def test_progress_shows_in_every_tab_and_after_a_reload(host, plane, sprint, show):
    """An import that runs is shown live in the tab that began it, in another one, and in both after a reload."""
    page = show(host.address)
    other = show(host.address, page.context)
    choose(page, *sprint)
    plane.hold(path="/cycle-issues/", after=1)
    page.click("#import")
    page.wait_for_selector("#bar-label:has-text('Fetching 4 of 10')")
    assert other.wait_for_selector("#import[aria-disabled=true]").inner_text() == "Importing…"
    other.wait_for_selector("#bar")
    page.reload(wait_until="domcontentloaded")
    assert "of 10" in page.inner_text("#bar-label")
    plane.heal()
    for each in (page, other):
        each.wait_for_selector(f"#result:has-text('{sprint[0]}')")
        each.wait_for_selector("#bar", state="detached")


def test_the_last_result_survives_a_reload(host, sprint, show):
    """What the last import did stands there after a reload, rendered by the host."""
    page = show(host.address)
    bring(page, *sprint)
    page.reload()
    assert page.inner_text("#imported") == "10"
    assert page.input_value("#project") == sprint[1]


def test_a_double_click_imports_once(host, plane, sprint, show, wait_until):
    """Impatience costs no second import."""
    page = show(host.address)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/console/import") else None)
    choose(page, *sprint)
    plane.hold()
    page.dblclick("#import")
    page.dispatch_event("#import", "click")  # the driver itself would wait until the button is free
    wait_until(lambda: plane.held)
    plane.heal()
    page.wait_for_selector(f"#result:has-text('{sprint[0]}')")
    assert len(sent) == 1


def test_names_from_the_tracker_are_text(host, plane, show, watch):
    """Markup in names of cycles and items, and in what Plane says when it refuses, is shown and not run."""
    evil = "<img src=x onerror=alert(1)>"
    cycle = plane.add_cycle(f"{evil} cycle")
    plane.add_item(f"{evil} item", cycle=cycle)
    page = show(host.address)
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    bring(page, f"{evil} cycle", "evil")
    page.click("#items-summary")
    page.locator("#items-list td", has_text=f"{evil} item").wait_for()
    watch.refused.add(502)
    plane.fail_next(400, body=b'{"error": "<img src=x onerror=alert(2)> says Plane"}')
    page.click("#check")
    page.wait_for_selector("[data-say=connection]:has-text('says Plane')")
    assert page.locator("main img").count() == 0
    plane.delete_cycle(cycle)


REFUSALS = [
    (403, b'{"detail": "Given API token is not valid"}', {}, "Invalid API key. Set another key"),
    (404, b'{"error": "The requested resource does not exist."}', {}, "Plane does not know it. Was the cycle deleted"),
    (429, b'{"error_code": 5900}', {"Retry-After": "1"}, "Try again in 1 s."),
]


def test_what_plane_refuses_is_said_in_words(host, plane, sprint, show):
    """A failed import says what went wrong and what to do, here and after a reload; the button works again."""
    page = show(host.address)
    choose(page, *sprint)
    for status, body, headers, words in REFUSALS:
        plane.fail_next(status, body=body, headers=headers, path="/cycles/")
        page.click("#import")
        page.wait_for_selector(f"#result:has-text('{words}')")
        page.wait_for_selector("#import:not([aria-disabled])")
    page.reload()
    assert words in page.inner_text("#result")


def test_a_bad_key_is_said_by_the_test_button(host, plane, show, watch):
    """The Test button says whether the connection works."""
    page = show(host.address)
    page.click("#check")
    page.wait_for_selector("[data-say=connection]:has-text('The connection works: Shop in acme')")
    watch.refused.add(502)
    plane.fail_next(403, body=b'{"detail": "Given API token is not valid"}')
    page.click("#check")
    page.wait_for_selector("[data-say=connection].bad:has-text('Invalid API key.')")
    assert "The connection works" not in page.inner_text("[data-say=connection]")


def test_a_host_that_is_away_is_missed_and_found_again(host, show):
    """When the host does not answer the page says so, keeps what it shows, and goes on once it answers."""
    page = show(host.address)
    page.context.set_offline(True)
    page.click("#toggle")
    page.wait_for_selector("[data-say=loop].bad:has-text('The host does not answer.')")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("#line.bad:has-text('The host does not answer.')")
    page.context.set_offline(False)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("#line:not(.bad):has-text('Live')")
    assert page.inner_text("h1") == "Sprint sync"


def test_webhooks_are_counted_as_they_come(host, plane, sprint, show):
    """A webhook shows without a reload."""
    page = show(host.address)
    bring(page, *sprint)
    before = int(page.inner_text("#webhook-count"))
    item = next(row["id"] for row in plane.world.items.values() if row["name"].startswith("Story"))
    assert send(plane.sign({"event": "issue", "action": "updated", "data": {"id": item}}), f"{host.address}/api/plane/webhooks") == 200
    page.wait_for_selector(f"#webhook-count:text-is('{before + 1}')")


def test_the_loop_is_switched(host, show):
    """The switch turns the loop on and off, here and in another tab."""
    page = show(host.address)
    other = show(host.address, page.context)
    for state in ("true", "false"):
        page.click("#toggle")
        other.wait_for_selector(f"#toggle[aria-checked={state}]")
        page.wait_for_selector(f"#toggle[aria-checked={state}]")
        assert other.get_attribute("#toggle", "aria-checked") == state


def test_a_key_that_cannot_name_a_project_is_not_sent(host, sprint, show):
    """The browser itself knows the rule of a project's key."""
    page = show(host.address)
    choose(page, sprint[0], "no spaces here")
    page.click("#import")
    assert page.evaluate("document.getElementById('project').validity.patternMismatch")
    assert page.evaluate("document.activeElement.id") == "project"
    page.fill("#project", "a-b_c.d")
    assert page.evaluate("document.getElementById('project').validity.valid")
