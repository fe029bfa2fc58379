"""FakePlane answers as the recorded Plane 1.3.1 did: each recorded request is sent again to a fake that holds the same things."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import attrs
import pytest

from forgekit.testing import FakePlane

FOLDER = Path(__file__).parents[3] / "shared" / "recordings" / "plane" / "http"
PROJECT, WITHOUT_CYCLES = "8cb277d4-bf3d-476f-b5c0-0d0ce53eaac1", "f364cb5a-83cc-451d-a47d-d2dc9bb8d40a"
CURRENT, ENDED = "528bd838-f8d3-4e2c-87d0-3fc2fb9f38c5", "cf5be625-d560-413d-8a6e-7c1e17d1f23f"
SPARE, CREATED = "e7ae8c9b-1b00-494a-8244-27e2264ac90d", "cb8efe3c-8716-47b0-82ab-3e6b7c0ed170"
COUNTERS = {f"{name}_issues" for name in ("total", "cancelled", "completed", "started", "unstarted", "backlog")}
ESTIMATES = {f"{name}_estimates" for name in ("total", "completed", "started")}
LEFT_OUT = {
    "activities_list": "the fake keeps no activities: nothing here reads them",
    "instance": "the fake tells the version and little else; see test_the_instance_tells_its_version",
}
# What was done on the recorded server before, where the order matters.
BEFORE = {
    "archived_cycles": ["archive_done"],
    "comment_create_conflict": ["comment_create"],
    "cycle_create_conflict": ["cycle_create"],
    "cycle_done_archived_get": ["archive_done"],
    "cycle_issue_remove": ["cycle_issues_add"],
    "state_create_conflict": ["state_create_returns_200"],
    "unarchive": ["archive_done"],
    "work_item_create_conflict": ["work_item_create"],
}


@attrs.frozen
class HeldClock:
    """The time of the recordings."""

    def now(self):
        return datetime(2026, 11, 21, 7, 48, tzinfo=UTC)


def _load(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def _results(*names):
    return [row for name in names for row in _load(name)["response"]["json"]["results"]]


def _fill(plane):
    """Give the fake what the recorded server had."""
    world = plane.world
    for table, names in ((world.states, ["states_list"]), (world.labels, ["labels_list"]), (world.cycles, ["cycles_list"])):
        table.clear()
        table.update((row["id"], {key: row[key] for key in row.keys() - COUNTERS}) for row in reversed(_results(*names)))
    inside = {row["id"]: row for row in _results("cycle_issues_page1", "cycle_issues_page2", "cycle_issues_page3")}
    world.items.update((row["id"], row) for row in _results("gzip") if row["id"] != CREATED)
    world.items.update(inside)
    world.put_into_cycle(list(inside), CURRENT)
    world.put_into_cycle([item_id for item_id in world.items if item_id not in {*inside, SPARE}], ENDED)
    world.users["alice"] |= _load("users_me")["response"]["json"]


@pytest.fixture
def plane():
    """A fake of the recorded server."""
    with FakePlane(project_name="AutoForge", identifier="AF", project_id=PROJECT, clock=HeldClock()) as server:
        server.world.add_project(name="Other", identifier="OT", timezone="UTC", row_id=WITHOUT_CYCLES, cycles=False)
        _fill(server)
        users = {"a": "alice", "b": "alice", "c": "alice", "d": "bob", "f": "mallory"}
        server._gate.keys |= {f"plane_api_{letter * 32}": server.world.users[user] for letter, user in users.items()}
        yield server


def _send(plane, request):
    """Send a recorded request; return status, headers and decoded body."""
    url, body = urlsplit(request["url"]), request["body"]
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode() if body is not None else None
    if content == b"<6 MiB elided>":
        content = b"x" * (6 << 20)
    connection = http.client.HTTPConnection(urlsplit(plane.url).netloc)
    try:
        connection.request(request["method"], f"{url.path}?{url.query}", content, request["headers"])
        answer = connection.getresponse()
        text = answer.read().decode()
        return answer.status, dict(answer.getheaders()), json.loads(text) if text else None
    finally:
        connection.close()


def _same_shape(here, there):
    """Tell whether two answers have the same members, and where both have entries, those too."""
    if isinstance(there, list) and isinstance(here, list):
        return not (here and there) or _same_shape(here[0], there[0])
    if isinstance(there, dict) and isinstance(here, dict):
        return set(here) == set(there) and _same_shape(here.get("results"), there.get("results"))
    return type(here) is type(there)


def _comparable(body):
    """Return an error without the id that it may tell."""
    return {key: value for key, value in body.items() if key != "id"} if isinstance(body, dict) else body


RECORDED = sorted(path.stem for path in FOLDER.glob("*.json")) if FOLDER.is_dir() else []


@pytest.mark.parametrize(
    "name", [name for name in RECORDED if name not in LEFT_OUT] or [pytest.param("", marks=pytest.mark.skip("no recordings"))]
)
def test_the_fake_answers_as_the_recorded_server(plane, name):
    """Status, members and the words of errors are those of the recording."""
    if name in ("err_rate_limited", "ratelimit_last_ok_next"):
        for _ in range(60):
            plane._limit.take("plane_api_" + "c" * 32, plane.world.now().timestamp() - 3)
    for earlier in BEFORE.get(name, []):
        _send(plane, _load(earlier)["request"])
    recorded = _load(name)
    status, headers, body = _send(plane, recorded["request"])
    expected, told = recorded["response"], dict(recorded["response"]["headers"])
    assert status == expected["status"]
    assert _same_shape(body, expected.get("json"))
    if status >= 400:
        assert _comparable(body) == _comparable(expected["json"])
    assert [headers.get(header) for header in ("location", "retry-after")] == [told.get(header) for header in ("location", "retry-after")]
    assert set(headers.get("allow", "").split(", ")) <= set(told.get("allow", "").split(", "))


@pytest.mark.skipif(not RECORDED, reason="no recordings")
def test_pages_are_cut_as_recorded(plane):
    """Entries and cursors of each recorded page come in the same order."""
    for name in (
        "cycle_issues_page1",
        "cycle_issues_page2",
        "cycle_issues_page3",
        "cycle_issues_pastend",
        "cursor_no_per_page",
        "cursor_wrong_limit",
    ):
        recorded = _load(name)
        _, _, body = _send(plane, recorded["request"])
        expected = recorded["response"]["json"]
        assert [row["id"] for row in body.pop("results")] == [row["id"] for row in expected.pop("results")]
        assert body == expected


@pytest.mark.skipif(not RECORDED, reason="no recordings")
def test_counters_are_counted_as_recorded(plane):
    """A cycle's counters follow from its items."""
    recorded = _load("cycle_detail")
    _, _, body = _send(plane, recorded["request"])
    assert {key: body[key] for key in COUNTERS} == {key: recorded["response"]["json"][key] for key in COUNTERS}


@pytest.mark.skipif(not RECORDED, reason="no recordings")
def test_what_is_left_out_was_recorded():
    """Nothing is left out that is not there."""
    assert set(LEFT_OUT) <= set(RECORDED)
