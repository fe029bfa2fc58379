"""The page of builds, as people use it, on both hosts."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

_numbers = itertools.count(1)
# What the core says in words, and what the browser alone does, is looked at on one host.
DJANGO = pytest.mark.parametrize("host", ["django"], indirect=True)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
MONDAY = TODAY - timedelta(weeks=5, days=TODAY.weekday())
"""Some weeks ago: whatever the day and the hour, the same builds fall into the same weeks."""


@pytest.fixture
def repository(github):
    """A repository with 45 runs of five weeks that no other test has; a third of the first ones failed."""
    name = f"acme/shop-{next(_numbers)}"
    for number in range(45):
        conclusion = "failure" if number < 15 and number % 3 == 0 else "success"
        at = MONDAY + timedelta(hours=18 * number)
        github.add_run(name, conclusion=conclusion, created_at=at, duration=60.0 + number, jobs=("lint", "unit tests"))
    return name


def open_builds(show, host, window=None, **options):
    """Open the page."""
    return show(f"{host.address}/console/builds", window, **options)


def order(page, repository, *, jobs=False, **fields):
    """Fill in the form and send it."""
    page.fill("#repository", repository)
    for name, value in fields.items():
        page.fill(f"#{name}", value)
    page.set_checked("#jobs", jobs)
    page.click("#start")
    page.wait_for_load_state()


def told(page, repository, words):
    """Wait until the import of a repository is told with these words."""
    return page.wait_for_selector(f".imports li:has(h3 a:text-is('{repository}')):has-text('{words}')")


def test_an_import_shows_in_every_tab_and_survives_a_reload(host, github, repository, show):
    """How far an import is shows live where it was begun, in another tab, and in both after a reload; then the analysis is there."""
    page = open_builds(show, host)
    other = open_builds(show, host, page.context)
    github.slow_down(0.1)  # how far it is, is told each second
    github.hold(path="/jobs", after=40)
    order(page, repository, jobs=True)
    page.wait_for_url(f"{host.address}/console/builds?project={repository.replace('/', '%2F')}#imports")
    for each in (page, other):
        told(each, repository, "of 90")
    page.reload(wait_until="domcontentloaded")
    bar = page.locator(f"progress[aria-label='Import of {repository}']")
    assert (bar.get_attribute("max"), bar.get_attribute("value")) in {("90", "65"), ("90", "85")}
    github.heal()
    for each in (page, other):
        told(each, repository, "45 new")
        each.wait_for_selector(f"progress[aria-label='Import of {repository}']", state="detached")
    page.wait_for_selector("#numbers:has-text('40 of 45')")
    page.wait_for_selector("#chart-jobs svg")
    page.reload()
    told(page, repository, "45 new")


def test_what_github_refuses_is_said(host, github, repository, show):
    """An unknown repository and a refused token are told in words, with what to do; again works once it is in order."""
    page = open_builds(show, host)
    order(page, f"{repository}-gone")
    told(page, f"{repository}-gone", f"GitHub does not know the repository {repository}-gone, or not for this token. Is the name right?")
    github.fail_next(401, body=b'{"message": "Bad credentials"}', path=repository)
    order(page, repository)
    told(page, repository, "GitHub refuses the token: it is wrong, expired or revoked. Set another one as GITHUB_TOKEN")
    assert page.locator(".imports li progress").count() == 0
    page.click(f"button[aria-label='Import {repository} again']")
    assert "GITHUB_TOKEN" not in told(page, repository, "45 new").inner_text()


@DJANGO
def test_a_limit_is_told_in_the_readers_time(host, github, repository, show, wait_until):
    """Until when a limit lasts is told as hours and minutes where the reader is; the import goes on by itself after it."""
    page = open_builds(show, host, timezone_id="Asia/Kolkata")
    github.limit_next(retry_after=10, path=repository)  # long enough to be seen
    order(page, repository)
    until = wait_until(lambda: _ends(told(page, repository, "Limit reached until").inner_text()))
    now = datetime.now(ZoneInfo("Asia/Kolkata"))
    assert until in {f"{now + timedelta(seconds=late):%H:%M}" for late in range(-30, 31)}
    told(page, repository, "45 new")


def _ends(words):
    found = re.search(r"until (\d\d:\d\d)\.", words)
    return found and found[1]


@DJANGO
def test_a_name_that_is_none_is_told_at_its_field(host, show, watch):
    """What was typed stands there still, the field says what is wrong, and has the focus."""
    watch.refused.add(400)
    page = open_builds(show, host)
    order(page, "just-a-name", branch="main", workflow="ci.yml", since="2026-01-31", jobs=True)
    assert page.inner_text("#repository-problem") == "A repository is named owner/repository, as in its address on GitHub."
    page.wait_for_selector("#repository:focus")
    typed = {name: page.input_value(f"#{name}") for name in ("repository", "branch", "workflow", "since")}
    assert typed == {"repository": "just-a-name", "branch": "main", "workflow": "ci.yml", "since": "2026-01-31"}
    assert page.is_checked("#jobs")


@DJANGO
def test_the_analysis_is_drawn_and_filtered(host, repository, show):
    """Charts are pictures with a name, each has its table, and the form below the imports chooses what counts."""
    page = open_builds(show, host)
    order(page, repository, jobs=True)
    told(page, repository, "45 new")
    page.wait_for_selector("#chart-jobs")
    titles = ("Success rate and builds by week", "Duration of passed builds by week", "How long builds take")
    for title in (*titles, "Builds by weekday and hour", "Slowest jobs, p95"):
        box = page.get_by_role("img", name=title, exact=True).bounding_box()
        assert box["width"] > 300
        assert box["height"] > 40
    page.click("#rows-jobs-summary")
    assert page.locator("#rows-jobs tbody tr").all_inner_texts()[0].startswith(("lint", "unit tests"))
    assert "no week is unusual" in page.inner_text("[data-part=result]")
    page.fill("#by-until", f"{MONDAY + timedelta(days=6):%Y-%m-%d}")
    page.click("#show")
    page.wait_for_selector("#numbers:has-text('of 10')")
    assert page.input_value("#by-project") == repository
    page.click("#clear")
    page.wait_for_url("**/console/builds#analysis")


@DJANGO
def test_builds_that_are_sent_show_without_a_reload(host, show):
    """What comes in by other ways is there at once; what was typed into the filters stays."""
    page = open_builds(show, host)
    with host.forge() as forge:
        forge.builds.submit([{"build_id": "1", "project": "sent/before", "status": "running", "started_at": "2026-03-01T12:00:00Z"}])
    page.reload()
    page.wait_for_selector("body[data-live=yes]")
    page.fill("#by-branch", "half typ")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    with host.forge() as forge:
        forge.builds.submit([{"build_id": "1", "project": "sent/later", "status": "running", "started_at": "2026-03-01T12:00:00Z"}])
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("#by-project option:text-is('sent/later')", state="attached")
    assert page.input_value("#by-branch") == "half typ"


@DJANGO
def test_names_of_builds_are_text(host, show):
    """Markup in names of projects, branches, workflows and jobs is shown and not run."""
    evil = "<img src=x onerror=alert(1)>"
    row = {"build_id": "1", "project": evil, "branch": evil, "workflow": evil, "status": "failed", "duration_seconds": 5}
    job = {"name": evil, "status": "failed", "started_at": "2026-03-01T12:00:00Z", "finished_at": "2026-03-01T12:01:00Z"}
    with host.forge() as forge:
        forge.builds.submit([{**row, "started_at": "2026-03-01T12:00:00Z", "jobs": [job]}])
    page = open_builds(show, host)
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    page.select_option("#by-project", evil)
    page.click("#show")
    page.wait_for_selector("#red-now")
    assert page.locator("main img").count() == 0
    assert evil in page.text_content("#chart-jobs svg")


@DJANGO
def test_without_a_script_the_page_works(host, repository, context, wait_until):
    """The form is sent by the browser itself, and a reload tells how far it is."""
    page = context(java_script_enabled=False).new_page()
    page.goto(f"{host.address}/console/builds")
    order(page, repository)
    wait_until(lambda: page.reload() and "45 new" in page.inner_text(f".imports li:has-text('{repository}')"))
    assert re.search(r"\d\d:\d\d:\d\d UTC", page.inner_text(f".imports li:has-text('{repository}')"))
    page.select_option("#by-project", repository)
    page.click("#show")
    assert "40 of 45" in page.inner_text("#numbers")


@DJANGO
def test_the_form_is_sent_by_keyboard(host, repository, show):
    """Tab goes through the form in its order, Space ticks the box, Enter imports."""
    page = open_builds(show, host)
    page.focus("#repository")
    page.keyboard.type(repository)
    for name in ("branch", "workflow", "since"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == name
    while page.evaluate("document.activeElement.id") == "since":  # the day has several stops
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.is_checked("#jobs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "start"
    page.keyboard.press("Enter")
    told(page, repository, "45 new")


@DJANGO
def test_an_open_table_and_the_focus_outlive_what_comes_in(host, repository, show):
    """A table that is read stays open and focused while the analysis is renewed."""
    page = open_builds(show, host)
    order(page, repository)
    page.wait_for_selector("#numbers:has-text('40 of 45')")
    page.focus("#rows-trend-summary")
    page.keyboard.press("Enter")
    with host.forge() as forge:
        forge.builds.submit([{"build_id": "x", "project": repository, "status": "passed", "started_at": "2026-03-01T12:00:00Z"}])
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_selector("#numbers:has-text('41 of 46')")
    assert page.get_attribute("#rows-trend", "open") is not None
    assert page.evaluate("document.activeElement.id") == "rows-trend-summary"
