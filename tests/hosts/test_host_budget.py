"""What leaves the host, counted at the Plane."""

from __future__ import annotations

import pytest

from forgekit.testing import FakePlane

pytestmark = pytest.mark.host


@pytest.fixture
def met(spawn, request):
    """A host with the limits that it has by itself, and a Plane that keeps its own: 60 calls a minute."""
    with FakePlane() as plane:
        host = spawn("fastapi", arguments=("--surface", "plane", "--no-worker"))
        host.configure(plane)
        yield host, plane
        host.end()


def test_what_an_import_costs(met):
    """An import of 250 items is two calls, an unchanged one at most two, an idle poll one."""
    host, plane = met
    cycle = plane.add_cycle("Large")
    for number in range(250):
        plane.add_item(f"Item {number}", cycle=cycle)
    costs = []
    for _ in range(2):
        plane.forget_calls()
        host.bring(cycle, "shop")
        costs.append(len(plane.calls))
    host.post("/config", {"plane_sync_enabled": True, "plane_poll_interval": 3600})
    plane.forget_calls()
    with host.forge() as forge:
        forge.worker().drain()
        polls = [call for call in plane.calls if "/relations/" not in call.path]
        assert (costs[0], costs[1] <= 2, len(polls)) == (2, True, 1)


def test_an_import_of_more_than_a_page_costs_one_more(met):
    """Each further thousand items is one call more."""
    host, plane = met
    cycle = plane.add_cycle("Huge")
    for number in range(1001):
        plane.add_item(f"Item {number}", cycle=cycle)
    plane.forget_calls()
    assert host.bring(cycle, "huge")["imported"] == 1001
    assert len(plane.calls) == 3


def test_people_get_429_in_seconds_and_plane_is_never_asked_too_much(met):
    """Sixty calls a minute are made and no more: the next caller is told when to come back, instead of waiting for it."""
    host, plane = met
    answers = [host.get("/cycles") for _ in range(61)]
    while answers[-1].status_code == 200:
        answers.append(host.get("/cycles"))
    refused = answers[-1]
    assert (refused.status_code, list(refused.json())) == (429, ["detail"])
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert (len(plane.calls) <= 60, [call for call in plane.calls if call.status == 429]) == (True, [])


def test_the_background_leaves_ten_calls_for_people(met):
    """The worker's relations stop before the budget is used up, and people's calls still go through at once."""
    host, plane = met
    cycle = plane.add_cycle("Related")
    for number in range(100):
        plane.add_item(f"Item {number}", cycle=cycle)
    assert host.bring(cycle, "related")["relations_pending"] == 100
    with host.forge() as forge:
        forge.worker().drain()
    assert len(plane.calls) <= 50
    assert [host.get("/cycles").status_code for _ in range(5)] == [200] * 5


def test_an_incoming_limit_is_429_with_its_headers(spawn):
    """A limit on imports counts callers' requests, tells how it stands, and says when to come back."""
    host = spawn("django", environment={"FORGEKIT_LIMITS": '{"plane.import": "2/minute"}'})
    answers = [host.post("/import-cycle", {"cycle_id": "c", "project_name": "p"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert [answer.headers.get("RateLimit-Remaining") for answer in answers[:2]] == ["1", "0"]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    assert host.get("/sync-status").status_code == 200
    host.end()


def test_two_hosts_share_limits_and_budget(spawn, require_redis, shared_postgresql_url, project):
    """On one PostgreSQL two processes share the budget of outgoing calls; with a Redis they share incoming limits too."""
    environment = {"FORGEKIT_REDIS_URL": require_redis, "FORGEKIT_LIMITS": '{"plane.test": "2/minute"}', "PLANE_RATE_LIMIT": "8"}
    with FakePlane(rate_limit=8) as plane:
        hosts = [spawn(name, shared_postgresql_url, environment=environment) for name in ("fastapi", "django")]
        hosts[0].configure(plane)
        answers = [hosts[number % 2].get("/cycles") for number in range(12)]
        assert answers[-1].status_code == 429
        assert [call for call in plane.calls if call.status == 429] == []
        statuses = [hosts[number % 2].post("/test-connection").status_code for number in range(4)]
        for host in hosts:
            host.end()
    assert statuses[2:] == [429, 429]
