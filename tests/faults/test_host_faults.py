"""kill -9 of a host at any moment, and two hosts on one database, seen from outside: through the API and at the Plane."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest

from forgekit.kernel.clock import SystemClock
from forgekit.testing import FakePlane
from forgekit.testing.fake_plane import hooks, send

pytestmark = [pytest.mark.faults, pytest.mark.host, pytest.mark.slow]

ITEMS = 60


class Later(SystemClock):
    """The machine's clock, some minutes ahead: the leases of the dead have run out."""

    def now(self):
        return super().now() + timedelta(minutes=5)


@pytest.fixture(params=["fastapi-sqlite", "django-postgresql"])
def mortal(request, spawn, unlimited):
    """A host that will be killed, and its Plane with a cycle of sixty items."""
    name, _, database = request.param.partition("-")
    url = request.getfixturevalue("postgresql_url") if database == "postgresql" else None
    with FakePlane(rate_limit=None) as plane:
        host = spawn(name, url, environment=unlimited)
        host.configure(plane)
        cycle = plane.add_cycle("Sprint 1")
        for number in range(ITEMS):
            plane.add_item(f"Item {number}", cycle=cycle, state="Done")
        yield host, plane, cycle
        host.end()


def _try(call, *arguments):
    """Make a call that may be cut off by the host's death, also before it has begun."""
    try:
        return call(*arguments)
    except (httpx.TransportError, AssertionError, RuntimeError):
        return None


def test_a_killed_import_is_whole_or_absent(mortal):
    """Wherever kill -9 meets an import, afterwards there is all of it or nothing; the next import makes it whole, nothing twice."""
    host, _plane, cycle = mortal
    moments = random.Random(4)
    for attempt in range(4):
        project = f"shop-{attempt}"
        thread = threading.Thread(target=_try, args=(host.bring, cycle, project))
        thread.start()
        time.sleep(moments.uniform(0.02, 0.35))
        host.kill()
        thread.join()
        host.start()
        report = host.get("/test-report", params={"project_name": project})
        assert (report.status_code, report.json().get("total_features")) in ((404, None), (200, ITEMS))
        again = host.bring(cycle, project)
        assert (again["imported"] in (0, ITEMS), again["updated"]) == (True, 0)
        assert host.get("/test-report", params={"project_name": project}).json()["total_features"] == ITEMS
    with host.forge() as forge:
        assert sorted(item.number for item in forge.work.items("shop-0")) == list(range(1, ITEMS + 1))


def test_a_killed_burst_of_webhooks_loses_and_doubles_nothing(mortal, monkeypatch):
    """Killed twice in a burst, the host has stored each delivery that it answered, each once, and imports the last edit."""
    host, plane, cycle = mortal
    host.bring(cycle, "shop")
    items = [item for item, bridge in plane.world.bridges.items() if bridge["cycle"] == cycle]
    monkeypatch.setattr(hooks, "_RETRIES", 500)  # however long the host takes to come back
    plane.deliver_webhooks(f"{host.address}/api/plane/webhooks", plane.webhook_secret, retry_delay=0.25)
    first = len(plane.deliveries)
    moments = random.Random(5)
    for attempt in range(2):
        for item in items:
            plane.edit_item(item, name=f"Edit {attempt}")
        time.sleep(moments.uniform(0.05, 0.3))
        host.kill()
        host.start()
    assert plane.settle()[-1] == 200
    assert plane.webhooks_active
    sent = len({delivery.body for delivery in plane.deliveries[first:]})
    assert host.get("/sync-status").json()["webhook_count"] == sent == 2 * ITEMS
    host.stop()
    with host.forge(clock=Later()) as forge:
        forge.worker().drain()
        assert (forge.webhooks.statistics("plane").waiting, forge.webhooks.statistics("plane").failed) == (0, 0)
    assert _names(host) == {"Edit 1"}


def _names(host):
    with host.forge() as forge:
        return {item.name for item in forge.work.items("shop")}


@pytest.fixture
def condemned(spawn, unlimited, postgresql_url):
    """Both hosts, each with a Plane of its own and a sprint that is done, in a git repository."""
    with FakePlane(rate_limit=None) as one, FakePlane(rate_limit=None) as two:
        scenes = []
        for name, url, plane in (("fastapi", None, one), ("django", postgresql_url, two)):
            host = spawn(name, url, environment=unlimited)
            host.configure(plane)
            cycle = plane.add_cycle("Sprint 1")
            items = [plane.add_item(f"Item {number}", cycle=cycle, state="Done") for number in range(5)]
            host.repository("shop")
            host.bring(cycle, "shop")
            scenes.append((host, plane, cycle, items))
        yield scenes
        for host, *_ in scenes:
            host.end()


def _killed_while_it_writes(host, plane, cycle, items, wait):
    """Kill while Plane takes the retrospective: it will be written, and the host will not have heard of it."""
    plane.hold(method="PATCH")
    thread = threading.Thread(target=_try, args=(host.post, "/complete-sprint", {"project_name": "shop"}))
    thread.start()
    wait(lambda: plane.held, 120)
    assert "forgekit" in _tags(host)
    host.kill()
    thread.join()
    plane.heal()
    wait(lambda: "Retrospective" in plane.cycle(cycle)["description"])
    with host.forge(clock=Later()) as forge:
        assert forge.sprints.complete("shop").success
        forge.worker().drain()
    host.start()
    answers = [host.post("/complete-sprint", {"project_name": "shop"}) for _ in range(2)]
    wait(lambda: all(plane.comments(item) for item in items), 240)
    return answers, plane.cycle(cycle)["description"].count("Retrospective"), [len(plane.comments(item)) for item in items]


def _tags(host):
    tags = host.git(host.projects / "shop", "tag", "--list", "sprint/*", "--format=%(contents)")
    return tags.lower()


def test_a_killed_completion_is_finished_once(condemned, wait_until):
    """After kill -9 in the middle of a completion, the next call finishes it: one tag, one retrospective, one comment an item."""
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(lambda scene: _killed_while_it_writes(*scene, wait_until), condemned))
    for (host, *_), (answers, retrospectives, comments) in zip(condemned, ends, strict=True):
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        assert (answers[0].json()["success"], answers[0].json()["git_tag"]) == (True, "sprint/sprint-1")
        assert (retrospectives, comments) == (1, [1] * 5)
        assert host.git(host.projects / "shop", "tag", "--list").split() == ["sprint/sprint-1"]


@pytest.fixture
def twins(spawn, unlimited, postgresql_url):
    """Both hosts on one PostgreSQL, one Plane."""
    with FakePlane(rate_limit=None) as plane:
        hosts = [spawn(name, postgresql_url, environment=unlimited) for name in ("fastapi", "django")]
        hosts[0].configure(plane, plane_poll_interval=5)
        yield hosts, plane
        for host in hosts:
            host.end()


def test_two_hosts_on_one_database_do_everything_once(twins, wait_until):
    """Imports, webhooks and completions asked of both hosts at once have one effect, and one loop polls for both."""
    hosts, plane = twins
    cycle = plane.add_cycle("Sprint 1")
    items = [plane.add_item(f"Item {number}", cycle=cycle, state="Done") for number in range(20)]
    with ThreadPoolExecutor(4) as pool:
        imports = list(pool.map(lambda number: hosts[number % 2].bring(cycle, "shop"), range(4)))
        assert sum(answer["imported"] for answer in imports) == 20
        plane.edit_item(items[0], name="Renamed")
        delivery = plane.deliveries[-1]
        assert set(pool.map(lambda host: send(delivery, f"{host.address}/api/plane/webhooks"), hosts)) == {200}
        wait_until(lambda: "Renamed" in _names(hosts[0]))
        done = list(pool.map(lambda number: hosts[number % 2].post("/complete-sprint", {"project_name": "shop"}).json(), range(4)))
    assert done == [done[0]] * 4
    assert [host.get("/sync-status").json()["webhook_count"] for host in hosts] == [1, 1]
    wait_until(lambda: all(plane.comments(item) for item in items))
    assert plane.cycle(cycle)["description"].count("Retrospective") == 1
    assert {len(plane.comments(item)) for item in items} == {1}


def test_one_loop_polls_for_two_hosts(twins, wait_until):
    """Switched on at one host, the loop runs once for both, and a dead host's share is taken over."""
    hosts, plane = twins
    hosts[0].bring(plane.add_cycle("Sprint 1"), "shop")
    plane.forget_calls()
    began = time.monotonic()
    assert hosts[1].post("/sync/toggle").json()["enabled"] is True
    wait_until(lambda: plane.count("GET", "/cycle-issues/") >= 3, 120)
    assert time.monotonic() - began > 9  # two loops would have been there in half the time
    assert [host.get("/sync-status").json()["running"] for host in hosts] == [True, True]
    hosts[1].kill()
    plane.forget_calls()
    wait_until(lambda: plane.count("GET", "/cycle-issues/") >= 1, 240)
