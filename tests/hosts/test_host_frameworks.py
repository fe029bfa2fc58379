"""What each host does in its framework's own way, and how both begin and end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from forgekit.testing import FakePlane

pytestmark = pytest.mark.host


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def django(request, spawn):
    """A Django host on each database, with a project."""
    url = request.getfixturevalue("shared_postgresql_url") if request.param == "postgresql" else None
    host = spawn("django", url, environment={"FORGEKIT_HOST_TOKEN": "t"})
    with host.forge() as forge:
        forge.work.create_project("shop")
    yield host
    host.end()


def _wish(host, body, project="shop", token="t", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {token}", **headers}
    return host.api.post(f"/example/projects/{project}/wishes", content=content, headers=given)


def _stored(host):
    """Return how many work items, events and rows of Django's there are."""
    table = "backoffice_request"
    with host.forge() as forge, forge.storage.transaction(write=False) as tx:
        items = len(forge.work.items("shop", tx=tx))
        rows, events = (tx.connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar() for name in (table, "forgekit_outbox"))
    return items, rows, events


def test_a_view_of_djangos_own_writes_both_or_neither(django):
    """A wish becomes a row and a work item; one that the model refuses after the forge has written leaves neither, nor an event."""
    before = _stored(django)
    good = _wish(django, {"customer": "Ada", "wish": "A till"})
    assert (good.status_code, good.json()) == (201, {"item": before[0] + 1})
    after = _stored(django)
    assert after[:2] == (before[0] + 1, before[1] + 1)
    refused = [_wish(django, {"customer": customer, "wish": "Nothing"}) for customer in ("", "x" * 101)]
    assert [answer.status_code for answer in refused] == [400, 400]
    assert _stored(django) == after


@pytest.mark.parametrize(
    ("body", "options", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"null", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"x" * 6_000_000, {}, 400),
        ({"customer": "Ada"}, {}, 400),
        ({"customer": 5, "wish": ["x"]}, {}, 400),
        ({"customer": "Ada", "wish": ""}, {}, 400),
        ({"customer": "Ada", "wish": "x" * 1000}, {}, 400),
        ({"customer": "A\x00da", "wish": "x"}, {}, 400),
        ({"customer": "Ada", "wish": "x"}, {"project": "nowhere"}, 404),
        ({"customer": "Ada", "wish": "x"}, {"token": "wrong"}, 401),
        ({"customer": "Ada", "wish": "x"}, {"Origin": "http://evil.example"}, 403),
    ],
)
def test_a_bad_wish_is_answered_as_the_surfaces_answer(django, body, options, status):
    """Whatever is wrong with a wish, it is a 4xx with a detail, and nothing is stored."""
    before = _stored(django)
    answer = _wish(django, body, **options)
    assert (answer.status_code, isinstance(answer.json()["detail"], str)) == (status, True)
    assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert _stored(django) == before


def test_many_wishes_at_once_get_numbers_of_their_own(django):
    """Views of Django's and the forge's own writers do not get in each other's way."""
    before = _stored(django)[0]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda number: _wish(django, {"customer": "Ada", "wish": f"Wish {number}"}), range(12)))
    assert sorted(answer.json()["item"] for answer in answers) == list(range(before + 1, before + 13))


@pytest.fixture
def manage(django, begin):
    """Start a management command of the Django host."""
    script = django.examples / "django_host" / "manage.py"
    options = {"cwd": django.directory, "env": django.environ(), "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return lambda *arguments: begin(sys.executable, script, *arguments, **options)


def test_the_management_commands(django, manage, wait_until):
    """Migrate and forgekit_upgrade find nothing left to do; forgekit_worker does the work that is due, and SIGTERM ends it."""
    upgraded, _ = manage("forgekit_upgrade").communicate(timeout=300)
    migrated, _ = manage("migrate").communicate(timeout=300)
    assert ("up to date" in upgraded, "No migrations to apply" in migrated) == (True, True)
    django.restart()
    django.stop()
    worker = manage("forgekit_worker")
    with django.forge() as forge:
        forge.work.create_item("shop", name="Something happened")
        wait_until(lambda: not _waiting(forge), 120)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    django.start()


def _waiting(forge):
    with forge.storage.transaction(write=False) as tx:
        return tx.connection.exec_driver_sql("SELECT count(*) FROM forgekit_outbox WHERE state IN ('ready', 'leased')").scalar()


@pytest.mark.parametrize("name", ["fastapi", "django"])
def test_a_fresh_database_of_postgresql_is_set_up(postgresql_url, spawn, name):
    """An example host makes the forge's tables, and Django its own, where there are none."""
    host = spawn(name, postgresql_url, upgrade=False)
    assert host.get("/sync-status").json()["webhook_count"] == 0
    host.end()


def test_a_route_of_fastapis_own(host_of):
    """The route's dependency gives it the forge behind the host's guard; errors look like the surfaces'."""
    host = host_of("fastapi", FORGEKIT_HOST_TOKEN="t")
    with host.forge() as forge:
        forge.work.create_project("shop")
        forge.work.create_item("shop", name="Login")
        done = forge.work.create_item("shop", name="Done")
        forge.work.record_test_run(done, passed=True)
    path, token = "/example/projects/{}/open-items", {"Authorization": "Bearer t"}
    good = host.api.get(path.format("shop"), headers=token)
    assert (good.status_code, good.json()) == (200, {"project": "shop", "open": [{"number": 1, "name": "Login"}]})
    unknown, stranger = host.api.get(path.format("nowhere"), headers=token), host.api.get(path.format("shop"))
    assert (unknown.status_code, list(unknown.json())) == (404, ["detail"])
    assert (stranger.status_code, stranger.headers["WWW-Authenticate"], list(stranger.json())) == (401, "Bearer", ["detail"])


@pytest.fixture
def host_of(spawn):
    """Start a host of a name with an environment of its own."""
    hosts = []

    def start(name, url=None, **environment):
        hosts.append(spawn(name, url, environment=environment))
        return hosts[-1]

    yield start
    for host in hosts:
        host.end()


@pytest.mark.parametrize("name", ["fastapi", "django"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_host_quickly_and_cleanly(host_of, wait_until, name, number):
    """While its loop waits for a slow Plane, a host told to stop ends soon, its database closed and its log clean."""
    with FakePlane(rate_limit=None) as plane:
        host = host_of(name)
        host.configure(plane)
        host.bring(plane.add_cycle("Looped"), "shop")
        plane.hold()
        host.post("/sync/toggle")
        wait_until(lambda: plane.held)
        host.process.send_signal(number)
        host.process.wait(60)
    assert [path.name for path in host.directory.glob("forge.db-*")] == []
    assert "Traceback" not in host.log.replace("KeyboardInterrupt", "")


@pytest.mark.parametrize("name", ["fastapi", "django"])
def test_a_port_in_use_is_told(spawn, name):
    """A host whose port is taken ends with a message, not with a hang."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(AssertionError, match="address already in use"):
            spawn(name, port=taken.getsockname()[1])


@pytest.mark.parametrize("name", ["fastapi", "django"])
def test_an_unknown_surface_is_told(spawn, name):
    """A surface that nobody offers stops the host with one line."""
    with pytest.raises(AssertionError, match="error: No plugin offers the surface 'nothing'"):
        spawn(name, arguments=("--surface", "nothing"))
