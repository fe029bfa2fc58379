from __future__ import annotations

import html

import pytest


def bring(client, cycle, project="shop"):
    """Import a cycle as the button does."""
    return client.post("/console/import", json={"cycle_id": cycle, "project": project})


@pytest.fixture
def cycle(plane):
    """A cycle of three items, one of them cancelled."""
    made = plane.add_cycle("Sprint 1")
    for name, state in (("a", "Todo"), ("b", "Done"), ("c", "cancelled")):
        plane.add_item(name, cycle=made, state=state)
    return made


def test_an_import_tells_what_it_did(client, cycle):
    """The answer counts, and so does the page from then on."""
    assert bring(client, cycle).json() == {"message": "2 imported, 0 updated, 1 skipped.", "good": True}
    page = client.get("/").text
    assert '<dd id="imported">2</dd>' in page
    assert "c: skipped (cancelled)" in page


def test_an_unknown_cycle_is_a_bad_outcome(client, cycle):
    """A failed import is kept like a good one, with what to do."""
    answer = bring(client, "00000000-0000-4000-8000-000000000000").json()
    assert answer["good"] is False
    assert "Was the cycle deleted" in answer["message"]
    assert f"It failed. {answer['message']}" in html.unescape(client.get("/").text)


@pytest.mark.parametrize("project", ["..", "a b", "-x"])
def test_a_bad_project_is_a_bad_outcome(project, client, cycle):
    """The rule of a project's key is said in words."""
    assert "begins with a letter or digit" in bring(client, cycle, project).json()["message"]


def test_an_order_that_is_none_is_refused(client):
    """What the form never sends is a 400 that names the field."""
    answer = client.post("/console/import", json={"cycle_id": "", "project": "shop"})
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("The body is not valid. cycle_id: ")


def test_cycles_are_asked_for_once_and_kept(client, plane, cycle):
    """The list is fetched on demand and shown from memory after, the current cycle chosen."""
    plane.add_cycle("Later", status="upcoming")
    assert client.post("/console/cycles", json={}).json()["message"] == "2 cycles."
    plane.forget_calls()
    page = client.get("/").text
    assert f'value="{cycle}" checked' in page
    assert plane.calls == []


def test_the_active_cycle_is_chosen_before_the_current_one(client, plane, cycle):
    """Who imported a cycle goes on with it."""
    later = plane.add_cycle("Later", status="upcoming")
    bring(client, later)
    client.post("/console/cycles", json={})
    page = client.get("/").text
    assert f'value="{later}" checked' in page
    assert page.count("active here") == 1


def test_cycles_of_another_plane_are_not_shown(browse, open_forge, plane, cycle):
    """After a change of the settings the old list is forgotten."""
    forge = open_forge()
    cls = forge.trackers["plane"].settings
    forge.settings.store(cls, plane.settings)
    client = browse(forge)
    client.post("/console/cycles", json={})
    assert cycle in client.get("/").text
    forge.settings.store(cls, {"workspace_slug": "other"})
    assert cycle not in client.get("/").text


def test_a_project_without_cycles_says_so(client):
    """An empty list is not an unknown one."""
    assert client.post("/console/cycles", json={}).json()["message"] == "0 cycles."
    assert "has no cycles" in client.get("/").text


def test_one_cycle_is_told_as_one(client, cycle):
    """Numbers agree with their words."""
    assert client.post("/console/cycles", json={}).json()["message"] == "1 cycle."


def test_the_connection_is_tried(client):
    """Where it leads stands in the answer."""
    assert client.post("/console/check", json={}).json()["message"] == "The connection works: Shop in acme, Plane 1.3.1."


def test_a_connection_without_settings_is_a_conflict(browse, open_forge):
    """What is missing is named."""
    answer = browse(open_forge()).post("/console/check", json={})
    assert answer.status_code == 409
    assert "not configured" in answer.json()["detail"]


def test_the_loop_is_switched(client, forge):
    """The switch says how it stands, and it stands so."""
    assert client.post("/console/toggle", json={"enabled": True}).json()["message"] == "The background loop is on."
    assert forge.sprints.status("plane").state.enabled
    assert 'aria-checked="true"' in client.get("/").text
    assert client.post("/console/toggle", json={"enabled": False}).json()["message"] == "The background loop is off."


def test_a_failed_round_of_the_loop_is_shown(client, plane, forge, cycle):
    """Why the last synchronisation failed stands above everything."""
    bring(client, cycle)
    plane.revoke_key()
    with pytest.raises(Exception, match="API key"):
        forge.sprints.sync("plane")
    assert "The last synchronisation failed." in client.get("/").text


def test_other_machines_are_refused_with_a_page(client):
    """Without a token a name that is not this machine's gets a page with words."""
    answer = client.get("/", headers={"Host": "elsewhere.example"})
    assert answer.status_code == 403
    assert "only callers on this machine" in answer.text
