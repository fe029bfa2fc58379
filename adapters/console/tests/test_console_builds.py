from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

import forgekit_console.plugin
import forgekit_sql.plugin
from forgekit import Forge
from forgekit.builds import BuildRecord, Job
from forgekit.hosting import application
from forgekit.testing import FakeClock
from forgekit_console.rendering import POLICY

EVIL = "<script>alert(1)</script>\"'&"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)
PATHS = ("/console/builds", "/console/builds/status", "/console/builds/imports")


@pytest.fixture
def forge(open_forge, github):
    """A forge that imports from the GitHub."""
    return open_forge(github=github.settings)


@pytest.fixture
def desk(client):
    """The page, for a test to fill in and to read."""
    return Desk(client)


class Desk:
    """Does what a browser without a script does."""

    def __init__(self, client):
        self.client = client

    def order(self, repository, **fields):
        return self.client.post("/console/builds", data={"repository": repository, **fields})

    def bring(self, forge, repository, **fields):
        assert self.order(repository, **fields).status_code == 303
        forge.worker().drain()
        return self.read(project=repository)

    def read(self, **query):
        """Return the page's text, as people read it."""
        answer = self.client.get("/console/builds", params=query)
        assert answer.status_code == 200
        return words_of(answer.text)


def words_of(page):
    """Return the words of a page, without its markup and scripts' attributes."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def build(number, status="passed", **changes):
    """Return a build that started so many hours after the first."""
    known = {"build_id": f"{number}", "project": "acme/shop", "status": status, "branch": "main", "workflow": "CI"}
    return BuildRecord(**{**known, "started_at": START + timedelta(hours=number), "duration_seconds": 120.0, **changes})


# The page


def test_an_empty_page_says_what_to_do_and_asks_nobody(desk, github):
    """Without builds the page tells the ways to get some; showing it costs no call."""
    words = desk.read()
    assert "There are no builds yet Import a repository above" in words
    assert "/api/v1/webhook/github" in words
    assert "None yet. An import goes on when this page is closed" in words
    assert github.calls == []


def test_the_builds_page_and_its_refresh_render_alike(client, forge, github):
    """Each part of the page is, byte for byte, what a refresh gives, with builds and without."""
    for _ in range(2):
        query = {"project": "acme/shop"}
        page, told = (client.get(path, params=query).text for path in PATHS[:2])
        for fresh in (told, client.get(PATHS[2]).text):
            parts = re.findall(r'<div data-part="(\w+)">(.*?)</div>\n(?=<div data-part|\Z)', fresh, flags=re.DOTALL)
            assert len(parts) == (5 if fresh is told else 3)
            assert [name for name, part in parts if part not in page] == []
        forge.builds.submit([build(number, "failed" if number % 3 else "passed") for number in range(30)])


@pytest.mark.parametrize("path", PATHS)
def test_the_builds_pages_have_the_strict_policy(path, client, forge):
    """Charts and forms need nothing that the policy does not allow."""
    forge.builds.submit([build(number) for number in range(3)])
    answer = client.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", answer.text)


def test_pages_lead_to_each_other(client):
    """From the sprint sync one comes to the builds and back, and styles are found from both."""
    for page, style, other in (("/", "console/static", "console/builds"), ("/console/builds", "../console/static", "../")):
        shown = client.get(page).text
        assert f'href="{style}/console.css"' in shown
        assert f'<li><a href="{other}">' in shown
        assert shown.count('aria-current="page"') == 1


# Imports


def test_an_import_is_asked_for_and_shown(desk, forge, github):
    """The form leads back to the page of the project; once the worker is done the page tells what came, and the analysis."""
    for conclusion in ("success", "failure"):
        github.add_run("acme/shop", conclusion=conclusion)
    answer = desk.order("acme/shop", jobs="on", branch=" main ")
    assert (answer.status_code, answer.headers["location"]) == (303, "builds?project=acme%2Fshop#imports")
    assert "acme/shop queued branch main, with jobs It begins in a moment." in desk.read()
    assert "<progress" in desk.client.get("/console/builds/imports").text
    assert "The builds are on the way" in desk.read()
    forge.worker().drain()
    words = desk.read(project="acme/shop")
    assert "The import of acme/shop has ended: 2 new" in words
    assert "Passed 50.0% 1 of 2" in words
    assert "Slowest jobs, p95" in words


def test_an_import_is_asked_for_again_with_what_it_was(desk, forge, github):
    """The button of an import that ended sends the same once more."""
    github.add_run("acme/shop")
    desk.bring(forge, "acme/shop", branch="main", workflow="ci.yml", since="2020-01-01", jobs="on")
    listed = desk.client.get("/console/builds/imports").text
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', listed))
    assert again == {"repository": "acme/shop", "branch": "main", "workflow": "ci.yml", "since": "2020-01-01", "jobs": "on"}
    assert "There was nothing new." in desk.bring(forge, **again)


def test_an_address_names_a_repository(desk, forge, github):
    """What people copy from the browser is understood."""
    github.add_run("acme/shop")
    for address in ("https://github.com/acme/shop", "https://github.com/acme/shop.git", "https://github.com/acme/shop/actions?query=x"):
        assert desk.order(address).headers["location"] == "builds?project=acme%2Fshop#imports"
    assert len(forge.builds.imports()) == 1


FAULTS = [
    (lambda github: None, "acme/nothing", "GitHub does not know the repository acme/nothing, or not for this token. Is the name right?"),
    (lambda github: github.revoke_token(), "acme/shop", "GitHub refuses the token: it is wrong, expired or revoked. Set another one"),
    (lambda github: github.fail_next(403, times=9), "acme/shop", "Server Error. May the token read Actions of this repository?"),
]


@pytest.mark.parametrize(("fault", "repository", "told"), FAULTS, ids=["not found", "refused", "forbidden"])
def test_what_github_refuses_is_said_in_words(fault, repository, told, desk, forge, github):
    """A failed import says what went wrong and what to do, and can be tried again."""
    github.add_run("acme/shop")
    fault(github)
    assert told in desk.bring(forge, repository)
    assert f'aria-label="Import {repository} again"' in desk.client.get("/console/builds/imports").text


def test_a_limit_is_told_with_its_end(desk, forge, github):
    """An import that waits for GitHub's limit says until when, as a time that the script tells in the reader's zone."""
    github.add_run("acme/shop")
    github.limit_next(retry_after=600)
    assert re.search(r"Limit reached until \d\d:\d\d UTC \. The import goes on by itself then\.", desk.bring(forge, "acme/shop"))
    assert re.search(r'<time datetime="[^"]+" data-clock>\d\d:\d\d UTC</time>', desk.client.get("/console/builds").text)
    assert "acme/shop is on the way" in desk.read(project="acme/shop")


def test_a_github_that_is_away_is_told(desk, forge, github):
    """An import that cannot reach GitHub says so, and when it tries again."""
    github.add_run("acme/shop")
    github.drop_connection(times=9)
    assert re.search(r"GitHub: it cannot be reached \(\w+\)\. The next try is at \d\d:\d\d UTC", desk.bring(forge, "acme/shop"))


BAD = [
    ({"repository": ""}, "repository", "Name a repository"),
    ({"repository": "shop"}, "repository", "A repository is named owner/repository"),
    ({"repository": "acme/.."}, "repository", "A repository is named owner/repository"),
    ({"repository": "https://github.com/acme"}, "repository", "A repository is named owner/repository"),
    ({"repository": "acme/shop", "branch": "b" * 300}, "branch", "That must be text on one line"),
    ({"repository": "acme/shop", "workflow": "a\nb"}, "workflow", "That must be text on one line"),
    ({"repository": "acme/shop", "since": "yesterday"}, "since", "That must be a day"),
]


@pytest.mark.parametrize(("fields", "name", "problem"), BAD, ids=[f"{name} {number}" for number, (_, name, _) in enumerate(BAD)])
def test_what_is_wrong_stands_at_its_field(fields, name, problem, client, forge):
    """Nothing is imported; what was typed is kept, and the field that is wrong says why."""
    answer = client.post("/console/builds", data={"jobs": "on", **fields})
    assert answer.status_code == 400
    assert f'<p class="problem" id="{name}-problem">{problem}' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    for field, value in fields.items():
        assert f'id="{field}" name="{field}" type="{"date" if field == "since" else "text"}" value="{value}"' in answer.text
    assert 'name="jobs" value="on" aria-describedby="jobs-hint" checked' in answer.text
    assert forge.builds.imports() == []


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"repository": "acme/shop"}},
        {"content": b"repository=\xff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"content": b"repository=%FF", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": {f"f{number}": "x" for number in range(30)}},
    ],
)  # fmt: skip
def test_what_is_no_form_is_refused(sent, client, forge):
    """What no page of ours sends is a page with words, and nothing is imported."""
    answer = client.post("/console/builds", **sent)
    assert answer.status_code == 400
    assert "The form is sent as the page sends it." in answer.text
    assert forge.builds.imports() == []


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_another_site_imports_nothing(headers, client, forge):
    """A form on a page of another site is refused, though the browser would send the cookie along."""
    answer = client.post("/console/builds", data={"repository": "acme/shop"}, headers=headers)
    assert answer.status_code == 403
    assert forge.builds.imports() == []


def test_the_builds_ask_for_the_token(open_forge, browse):
    """Where the host has a token the page is the sign-in, with styles that are found from there, and nothing is imported."""
    forge = open_forge({"FORGEKIT_HOST_TOKEN": "correct horse"})
    client = browse(forge)
    for answer in (client.get("/console/builds"), client.post("/console/builds", data={"repository": "acme/shop"})):
        assert answer.status_code == 401
        assert 'href="../console/static/console.css"' in answer.text
        assert 'id="sign-in"' in answer.text
    assert client.get("/console/builds/imports").status_code == 401
    assert forge.builds.imports() == []


def test_an_import_that_nobody_takes_up_is_told(tmp_path, github):
    """Where no worker runs the page wonders, too."""
    clock = FakeClock()
    with Forge.open(f"sqlite:///{tmp_path}/late.db", discover=True, config={"github": github.settings}, environ={}, clock=clock) as forge:
        forge.builds.request_import("github", "acme/shop")
        clock.advance(timedelta(minutes=1))
        transport = httpx.WSGITransport(application(forge, ["console"]).wsgi, remote_addr="127.0.0.1")
        with httpx.Client(transport=transport, base_url="http://127.0.0.1:8000") as client:
            assert "Nobody has taken it up yet. Does a worker run?" in client.get("/console/builds").text


def test_a_host_without_the_adapter_for_github_says_so(tmp_path, browse):
    """The page shows what builds there are, and instead of the form what to install; a form that is sent all the same is refused."""
    plugins = [forgekit_sql.plugin, forgekit_console.plugin]
    with Forge.open(f"sqlite:///{tmp_path}/forge.db", plugins=plugins, environ={}) as forge:
        forge.builds.submit([build(1)])
        client = browse(forge)
        page = client.get("/console/builds").text
        assert "This host has no adapter for GitHub. Install <code>forgekit-github</code>" in page
        assert 'id="order"' not in page
        assert 'id="numbers"' in page
        assert client.post("/console/builds", data={"repository": "acme/shop"}).status_code == 400


# The analysis


@pytest.fixture
def full(forge):
    """Builds of three projects: one in order, one at risk and red, one with a name that is none."""
    jobs = [Job(name=EVIL, status="passed", started_at=START, finished_at=START + timedelta(minutes=3))]
    evil = {"project": EVIL, "branch": EVIL, "workflow": EVIL, "jobs": jobs}
    forge.builds.submit([build(number) for number in range(12)])
    forge.builds.submit([build(number, "failed" if number > 5 else "passed", project="acme/risky") for number in range(12)])
    forge.builds.submit([build(number, "failed", **evil) for number in range(12)])
    return forge


def test_numbers_tell_what_they_come_from(desk, full):
    """Every rate stands with its numerator and denominator."""
    words = desk.read(project="acme/risky")
    assert "Builds 12 2026-01-05 to 2026-01-05" in words
    assert "Passed 50.0% 6 of 12" in words
    assert "Failed 50.0% 6 of 12" in words
    assert "Median duration 120 s" not in words
    assert "Median duration 2.0 min p95 2.0 min" in words


def test_charts_are_drawn_and_told_as_tables(client, full):
    """Every chart has a name, a sentence and a table; tables can be reached by keyboard."""
    page = client.get("/console/builds").text
    assert re.findall(r'id="chart-([\w-]+)"', page) == ["trend", "durations", "percentiles", "heat-map", "jobs"]
    assert page.count("<svg") == page.count("<desc>") == page.count("<table>") == 5
    assert page.count('tabindex="0" role="region" aria-label=') == 5


def test_what_is_at_risk_is_listed(desk, full):
    """Projects that break often, worst first, and branches that are red."""
    words = desk.read()
    risks = words[words.index("What to look after") :]
    assert risks.index("100.0% broke (12 of 12)") < risks.index("acme/risky 50.0% broke (6 of 12)")
    assert "Red now" in risks
    assert "acme/risky main, CI: for" in risks
    assert "What to look after Nothing: no branch is red" in desk.read(project="acme/shop")


def test_a_week_that_does_not_fit_is_listed(desk, forge):
    """What is unusual by the project's own past is told with what was usual."""
    forge.builds.submit(
        [build(24 * day + hour, "failed" if day > 83 else "passed", duration_seconds=60 + day) for day in range(91) for hour in range(8)]
    )
    assert re.search(r"Unusual weeks acme/shop week of 2026-03-30: success rate 0\.0%, usually 100\.0%", desk.read())


def test_names_are_text_wherever_they_stand(client, full):
    """Names of projects, branches, workflows and jobs, and what is typed, never become markup."""
    client.post("/console/builds", data={"repository": "acme/shop", "branch": EVIL, "workflow": EVIL})
    pages = [client.get("/console/builds", params=query) for query in ({}, {"project": EVIL}, {"project": EVIL, "branch": EVIL})]
    pages += [client.get("/console/builds", params={"project": f"no {EVIL}"}), client.post("/console/builds", data={"repository": EVIL})]
    for page in pages:
        assert "<script>" not in page.text
        assert "alert(1)" in page.text
        assert not re.search(r"alert\(1\)</script>\"", page.text)


def test_filters_choose_what_counts(desk, full):
    """Project, branch and days decide; the form shows them, and a way back."""
    words = desk.read(project="acme/shop", branch="main", since="2026-01-05", until="2026-01-05")
    assert "Builds 12" in words
    assert "Show everything" in words
    assert "No build fits Choose other days" in desk.read(project="acme/shop", branch="other")
    assert "Show everything" not in desk.read()


def test_a_project_is_found_in_any_case(desk, full):
    """GitHub takes names in any case; the builds are stored under the repository's own."""
    assert "Builds 12" in desk.read(project="Acme/SHOP")


def test_a_project_without_builds_says_so(desk, full):
    """What is not here is not shown as nothing, and can be imported at once."""
    assert "There are no builds of acme/else : import it above" in desk.read(project="acme/else")
    assert 'name="repository" type="text" value="acme/else"' in desk.client.get("/console/builds?project=acme/else").text
    desk.order("Acme/Else")
    assert "acme/else is on the way" in desk.read(project="acme/else")


@pytest.mark.parametrize(
    ("query", "name", "problem"),
    [
        ({"since": "soon"}, "since", "That must be a day"),
        ({"until": "2300-01-01"}, "until", "Each end of a window must be a day from 1970 to 2199."),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until", "The first day, 2026-02-01, is after the last, 2026-01-01."),
        ({"branch": "a\tb"}, "branch", "That must be text on one line"),
    ],
)
def test_a_wrong_filter_says_so_at_its_field(query, name, problem, client, full):
    """A filter that cannot be is told where it stands, and no analysis is shown for it."""
    page = client.get("/console/builds", params=query).text
    assert f'<p class="problem" id="by-{name}-problem">{problem}' in page
    assert 'id="numbers"' not in page


def test_many_projects_are_typed(client, full, monkeypatch):
    """More projects than anybody looks through are not listed: one types the name."""
    assert '<select id="by-project"' in client.get("/console/builds").text
    monkeypatch.setattr("forgekit_console.builds.views.MOST_PROJECTS", 2)
    assert '<input id="by-project" name="project"' in client.get("/console/builds").text


def test_a_long_history_is_told_by_its_latest_weeks(desk, forge):
    """A table that nobody would read to its end says how much it leaves out."""
    forge.builds.submit([build(24 * 7 * week) for week in range(70)])
    assert "and 10 earlier" in desk.read()


def test_builds_that_have_not_ended_are_counted(desk, forge):
    """Whether the numbers are complete is said below them."""
    forge.builds.submit([build(1), build(2, "running", duration_seconds=None)])
    assert "1 build has not ended yet." in desk.read()
