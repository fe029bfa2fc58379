from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest

from forgekit import Forge
from forgekit.errors import NotFound
from forgekit_console.rendering import POLICY, moment, period, static_file


def test_the_page_says_what_is_missing(open_forge, browse):
    """Without a Plane the page names the variables to set, and offers no form."""
    html = browse(open_forge()).get("/").text
    assert all(f"<code>{name}</code>" in html for name in ("PLANE_API_URL", "PLANE_API_KEY", "PLANE_WORKSPACE_SLUG", "PLANE_PROJECT_ID"))
    assert 'id="import-form" method="post" hidden' in html


def test_showing_the_page_asks_nothing_of_plane(client, plane):
    """The page comes from the database and memory alone."""
    assert client.get("/").status_code == 200
    assert client.get("/console/status").status_code == 200
    assert plane.calls == []


def test_the_page_and_its_refresh_render_alike(client, plane):
    """Each part of the page is, byte for byte, what a refresh gives: so nothing is replaced without need."""
    plane.add_cycle("Sprint 1")
    client.post("/console/cycles", json={})
    parts = re.findall(r'<div data-part="(\w+)">(.*?)</div>\n(?=<div data-part|\Z)', client.get("/console/status").text, flags=re.DOTALL)
    page = client.get("/").text
    assert len(parts) == 9
    assert [name for name, html in parts if html not in page] == []


@pytest.mark.parametrize("path", ["/", "/console/status", "/console/items"])
def test_every_page_has_the_strict_policy(path, client):
    """No page may run or load anything but the package's own files."""
    answer = client.get(path)
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", answer.text)


def test_what_the_tracker_says_is_escaped(client, plane):
    """A cycle, an item and a project's error are text, wherever they stand."""
    cycle = plane.add_cycle("<b>cycle</b>")
    plane.add_item("<b>item</b>", cycle=cycle)
    client.post("/console/cycles", json={})
    client.post("/console/import", json={"cycle_id": cycle, "project": "shop"})
    shown = client.get("/").text + client.get("/console/items").text
    assert "<b>" not in shown
    assert shown.count("&lt;b&gt;item") == 2


def test_open_items_come_first(client, plane, forge):
    """The list begins with what is left to do, and says how much it leaves out."""
    cycle = plane.add_cycle("Sprint 1")
    for name, state in (("done", "Done"), ("open", "Todo")):
        plane.add_item(name, cycle=cycle, state=state)
    assert "There are none." in client.get("/console/items").text
    forge.sprints.import_cycle(cycle, project="shop")
    html = client.get("/console/items").text
    assert html.index("<td>open</td>") < html.index("<td>done</td>")


def test_a_long_list_of_items_is_cut(client, plane, forge, monkeypatch):
    """More items than anybody reads are counted, not listed."""
    cycle = plane.add_cycle("Sprint 1")
    for number in range(3):
        plane.add_item(f"item {number}", cycle=cycle)
    forge.sprints.import_cycle(cycle, project="shop")
    monkeypatch.setattr("forgekit_console.surface.MOST_ITEMS", 1)
    assert "and 2 more" in client.get("/console/items").text


def test_settings_that_cannot_be_read_are_explained(tmp_path, browse, plane):
    """A key that was sealed with other keys is a sentence on the page, not a failure of it."""
    url, first, second = f"sqlite:///{tmp_path}/forge.db", f"a:{'A' * 43}=", f"b:{'B' * 42}A="
    with Forge.open(url, discover=True, environ={"FORGEKIT_SECRET_KEYS": first}) as forge:
        forge.settings.store(forge.trackers["plane"].settings, plane.settings)
    with Forge.open(url, discover=True, environ={"FORGEKIT_SECRET_KEYS": second}) as forge:
        assert "The settings of Plane are wrong." in browse(forge).get("/").text


def test_a_host_without_the_adapter_says_so(browse, tmp_path):
    """Pages of a forge that knows no Plane say what is missing."""
    import forgekit_console.plugin
    import forgekit_sql.plugin

    with Forge.open(f"sqlite:///{tmp_path}/forge.db", plugins=[forgekit_sql.plugin, forgekit_console.plugin], environ={}) as forge:
        answer = browse(forge).get("/")
    assert answer.status_code == 404
    assert "No plugin offers the tracker" in answer.text


def test_files_are_kept_until_they_change(client):
    """A file is sent once; after that its mark is enough."""
    first = client.get("/console/static/console.css")
    again = client.get("/console/static/console.css", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert first.headers["content-type"].startswith("text/css")


@pytest.mark.parametrize("name", ["page.html", "../surface.py", "console.css.map"])
def test_other_files_are_not_given(name):
    """Only the files by name are served."""
    with pytest.raises(NotFound):
        static_file(name)


def test_a_moment_is_told_in_utc():
    """The script has the exact time, people without it read UTC."""
    at = datetime(2026, 3, 1, 12, 30, 5, tzinfo=UTC)
    assert moment(at) == '<time datetime="2026-03-01T12:30:05+00:00">2026-03-01 12:30:05 UTC</time>'


@pytest.mark.parametrize(
    ("days", "words"), [((None, None), "no dates"), ((date(2026, 12, 28), date(2027, 1, 8)), "28 Dec to 8 Jan 2027")]
)  # fmt: skip
def test_a_period_is_told_in_words(days, words):
    """The days of a sprint, or that it has none."""
    assert period(*days) == words
