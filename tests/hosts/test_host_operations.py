"""Configuration, connection test, cycles and the loop's switch, as a client of either host sees them."""

from __future__ import annotations

from datetime import date

import pytest

from forgekit.testing import FakePlane

pytestmark = pytest.mark.host

CONFIGURATION = [
    "plane_api_url", "plane_api_key_set", "plane_api_key_masked", "plane_workspace_slug", "plane_project_id",
    "plane_sync_enabled", "plane_poll_interval", "plane_active_cycle_id", "plane_webhook_secret_set",
]  # fmt: skip
STATUS = [
    "enabled", "running", "last_sync_at", "last_error", "items_synced", "active_cycle_name", "sprint_complete", "sprint_stats",
    "last_webhook_at", "webhook_count",
]  # fmt: skip
CYCLE = {"id", "name", "start_date", "end_date", "status", "total_issues", "completed_issues"}


@pytest.fixture(autouse=True)
def settled(host, plane):
    """Each test finds the host configured for its Plane, and the Plane well."""
    yield
    plane.heal()
    host.configure(plane)


def test_the_configuration_has_every_documented_key_and_no_secret(host, plane):
    """GET /config shows each documented key, the API key masked, the webhook secret not at all."""
    answer = host.get("/config")
    assert list(answer.json()) == CONFIGURATION
    assert answer.json()["plane_api_key_masked"] == f"plane_api_****{plane.api_key[-4:]}"
    assert answer.json()["plane_webhook_secret_set"] is True
    assert plane.api_key not in answer.text
    assert plane.webhook_secret not in answer.text


@pytest.mark.parametrize(
    ("key", "masked"),
    [
        ("plane_api_0123456789ab", "plane_api_****89ab"),
        ("plane_api_0123456789a", "****"),
        ("0123456789ab", "****89ab"),
        ("0123456789a", "****"),
        ("plane_api_", "****"),
        (None, None),
    ],
)
def test_masking(host, key, masked):
    """A key shows its prefix and its last four characters where twelve are left, else nothing."""
    assert host.post("/config", {"plane_api_key": key}).json()["plane_api_key_masked"] == masked


def test_a_partial_update_leaves_the_rest(host, plane):
    """What a body does not name keeps its value; the answer is the whole configuration."""
    before = host.get("/config").json()
    changed = host.post("/config", {"plane_poll_interval": 7, "plane_active_cycle_id": "cycle-1"}).json()
    assert changed == {**before, "plane_poll_interval": 7, "plane_active_cycle_id": "cycle-1"}
    assert host.get("/config").json() == changed
    assert host.post("/config", {}).json() == changed


def test_the_synchronisation_can_be_enabled_by_configuration(host):
    """plane_sync_enabled is the toggle's other handle."""
    assert host.post("/config", {"plane_sync_enabled": True}).json()["plane_sync_enabled"] is True
    assert host.get("/sync-status").json()["enabled"] is True
    assert host.post("/config", {"plane_sync_enabled": False}).json()["plane_sync_enabled"] is False


def test_a_new_address_drops_the_stored_key(host, plane):
    """A key is not sent to a server that it was not given for; the same address, however written, keeps it."""
    assert host.post("/config", {"plane_api_url": f"{plane.url}/"}).json()["plane_api_key_set"] is True
    with FakePlane(rate_limit=None) as other:
        changed = host.post("/config", {"plane_api_url": other.url}).json()
        assert (changed["plane_api_key_set"], changed["plane_api_key_masked"]) == (False, None)
        assert host.get("/cycles").status_code == 401
        assert other.calls == []


@pytest.mark.parametrize("written", ["{url}/api/v1", "{url}/api/v1/", "HTTP://{place}"])
def test_another_spelling_of_the_address_is_no_new_server(host, plane, written):
    """The path of the API and the case of the scheme name no other server: the key stays and works."""
    host.post("/config", {"plane_api_url": written.format(url=plane.url, place=plane.url.removeprefix("http://"))})
    assert host.get("/config").json()["plane_api_key_set"] is True
    assert host.get("/cycles").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"plane_poll_interval": 4},
        {"plane_poll_interval": "9"},
        {"plane_poll_interval": 5.5},
        {"plane_poll_interval": True},
        {"plane_poll_interval": None},
        {"plane_sync_enabled": "yes"},
        {"plane_sync_enabled": None},
        {"plane_api_url": "not an address"},
        {"plane_api_url": "ftp://plane"},
        {"plane_api_url": "http://user:hunter2hunter2@plane"},
        {"plane_api_url": ""},
        {"plane_api_url": 5},
        {"plane_api_key": "with\nline"},
        {"plane_api_key": ""},
        {"plane_api_key": "snow☃man"},
        {"plane_webhook_secret": ""},
        {"plane_workspace_slug": "../other"},
        {"plane_workspace_slug": ""},
        {"plane_project_id": "a/b"},
        {"plane_active_cycle_id": ""},
        {"plane_active_cycle_id": "x" * 101},
        {"plane_active_cycle_id": "a\x00b"},
        {"plane_api_key_masked": "x"},
        {"unknown": 1},
        [],
        "text",
        None,
    ],
)
def test_a_wrong_configuration_is_400_and_changes_nothing(host, body):
    """Every mistake in a configuration is answered 400 with a detail, and nothing is stored."""
    before = host.get("/config").json()
    answer = host.api.post("/api/plane/config", json=body)
    assert answer.status_code == 400, answer.text
    assert isinstance(answer.json()["detail"], str)
    assert "hunter2" not in answer.text
    assert host.get("/config").json() == before


def test_one_mistake_stores_nothing_of_the_rest(host):
    """A body with one wrong value stores none of its right ones."""
    before = host.get("/config").json()
    body = {"plane_workspace_slug": "other", "plane_sync_enabled": True, "plane_active_cycle_id": "c", "plane_api_url": "ftp://x"}
    assert host.post("/config", body).status_code == 400
    assert host.get("/config").json() == before


# /test-connection


def test_the_connection_test_names_workspace_project_and_version(host, plane):
    """A good connection answers with what it found."""
    answer = host.post("/test-connection")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "workspace": "acme", "project_name": "Shop", "plane_version": "1.3.1"}


def test_a_version_that_is_not_told_is_null(host):
    """A server that hides its version is fine all the same."""
    with FakePlane(tells_version=False, rate_limit=None) as shy:
        host.configure(shy)
        assert host.post("/test-connection").json() == {"status": "ok", "workspace": "acme", "project_name": "Shop", "plane_version": None}


def test_a_bad_key_fails_the_connection_test_in_words(host):
    """A bad key is HTTP 200 with status error and the documented words."""
    host.post("/config", {"plane_api_key": "plane_api_ffffffffffffffffffff"})
    answer = host.post("/test-connection")
    assert answer.status_code == 200
    assert answer.json() == {"status": "error", "message": "Invalid API key", "details": "HTTP 403 from Plane API"}


def test_every_other_failure_of_the_connection_test_is_200_too(host, plane):
    """No member of the project, no such workspace, a server in trouble, nothing configured: each is an answer, not an error."""
    answers = []
    host.post("/config", {"plane_api_key": plane.add_key("bob")})
    answers.append(host.post("/test-connection"))
    host.configure(plane, plane_workspace_slug="nowhere")
    answers.append(host.post("/test-connection"))
    host.configure(plane)
    plane.fail_next(503, times=9)
    answers.append(host.post("/test-connection"))
    host.post("/config", {"plane_api_key": None})
    answers.append(host.post("/test-connection"))
    assert [(answer.status_code, answer.json()["status"], set(answer.json())) for answer in answers] == [
        (200, "error", {"status", "message", "details"})
    ] * 4
    assert answers[2].json()["details"] == "HTTP 503 from Plane API"


# /cycles


def test_the_cycles_are_listed_in_an_object_or_bare(host, plane):
    """/cycles wraps the list, ?format=list gives the same list bare; each cycle has its documented keys."""
    cycle = plane.add_cycle("Now")
    plane.add_item("Login", cycle=cycle, state="Done")
    wrapped = host.get("/cycles").json()
    assert host.get("/cycles?format=list").json() == wrapped["cycles"]
    assert list(wrapped) == ["cycles"]
    found = next(each for each in wrapped["cycles"] if each["id"] == cycle)
    assert set(found) >= CYCLE
    assert (found["name"], found["status"], found["total_issues"], found["completed_issues"]) == ("Now", "current", 1, 1)


@pytest.mark.parametrize("status", ["current", "upcoming", "completed", "draft"])
def test_the_status_comes_from_the_dates(host, plane, status):
    """Plane sends no status: it is computed from the cycle's dates; a draft has none."""
    cycle = plane.add_cycle(f"A {status} one", status=status)
    found = next(each for each in host.get("/cycles?format=list").json() if each["id"] == cycle)
    assert found["status"] == status
    assert (found["start_date"] is None) is (status == "draft")


def test_dates_are_days_in_the_projects_time_zone(host):
    """A cycle's first and last day in Tokyo are the days that Tokyo's calendar shows, though Plane sends instants in UTC."""
    with FakePlane(timezone="Asia/Tokyo", rate_limit=None) as tokyo:
        tokyo.add_cycle("Spring", starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 14))
        host.configure(tokyo)
        (found,) = host.get("/cycles?format=list").json()
    assert (found["start_date"], found["end_date"]) == ("2027-03-01", "2027-03-14")


def test_an_unknown_format_is_400(host):
    """A format that does not exist is a bad request."""
    assert host.get("/cycles?format=xml").status_code == 400


# What Plane's failures become


def test_a_bad_key_is_401(host, plane):
    """Plane's 403 for a bad key is a 401 here, with a detail."""
    host.post("/config", {"plane_api_key": "plane_api_ffffffffffffffffffff"})
    answers = [host.get("/cycles"), host.post("/import-cycle", {"cycle_id": plane.add_cycle("Shut"), "project_name": "p"})]
    assert [(answer.status_code, list(answer.json())) for answer in answers] == [(401, ["detail"])] * 2


def test_nothing_configured_is_401(host):
    """Without a key there is nothing to ask Plane with: 401, as the document says."""
    host.post("/config", {"plane_api_key": None})
    assert host.get("/cycles").status_code == 401


def test_no_permission_is_404(host, plane):
    """What Plane does not let us see is not there for our callers."""
    host.post("/config", {"plane_api_key": plane.add_key("mallory")})
    assert host.get("/cycles").status_code == 404
    assert host.post("/import-cycle", {"cycle_id": "c", "project_name": "p"}).status_code == 404


def test_planes_429_is_429_with_retry_after(host, plane):
    """Plane's request to wait is handed on with its number of seconds."""
    host.post("/config", {"plane_api_key": plane.add_key()})  # its budget is blocked afterwards
    plane.fail_next(429, headers={"Retry-After": "57"}, body=b'{"error_code":5900}')
    answer = host.get("/cycles")
    assert (answer.status_code, 50 <= int(answer.headers["Retry-After"]) <= 57, list(answer.json())) == (429, True, ["detail"])


@pytest.mark.parametrize("fault", ["500", "502", "html", "list", "dropped"])
def test_planes_troubles_are_502(host, plane, fault):
    """A failing, dumb or silent Plane is a bad gateway, with a detail."""
    if fault == "dropped":
        plane.drop_connection(times=9)
    elif fault.isdigit():
        plane.fail_next(int(fault), times=9)
    else:
        plane.fail_next(200, body=b"<html>" if fault == "html" else b"[1, 2]", times=9)
    answer = host.get("/cycles")
    assert (answer.status_code, list(answer.json())) == (502, ["detail"])


def test_an_address_where_nothing_listens_is_502(host):
    """A Plane that is not there is a bad gateway."""
    host.post("/config", {"plane_api_url": "http://127.0.0.1:9", "plane_api_key": "plane_api_0123456789abcdef"})
    assert host.get("/cycles").status_code == 502


# /sync-status, /sync/toggle


def test_the_status_has_every_documented_key(host):
    """/sync-status prints each documented key."""
    found = host.get("/sync-status").json()
    assert [key for key in STATUS if key not in found] == []
    assert set(found["sprint_stats"]) == {"total", "passing", "failed", "total_test_runs", "overall_pass_rate"}


def test_toggle_starts_and_stops_the_loop(host, plane, project, wait_until):
    """Toggled on, the loop polls Plane by itself and says so; toggled off, it does not."""
    host.bring(plane.add_cycle("Looped"), project)
    on = host.post("/sync/toggle").json()
    assert (on["enabled"], list(on)) == (True, list(host.get("/sync-status").json()))
    plane.forget_calls()
    wait_until(lambda: plane.count("GET", "/cycle-issues/"))
    assert wait_until(lambda: host.get("/sync-status").json()["running"]) is True
    off = host.post("/sync/toggle").json()
    assert (off["enabled"], off["running"]) == (False, False)
