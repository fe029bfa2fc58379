"""Example hosts in processes of their own, for the tests that look from outside."""

from __future__ import annotations

import base64
import contextlib
import itertools
import os
import random
import socket
import subprocess
import sys
import time
from pathlib import Path

import attrs
import httpx
import pytest

from forgekit import Forge
from forgekit.testing import FakePlane
from forgekit.testing.fake_plane import send

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
HOSTS = ("fastapi", "django")
PAIRS = ("fastapi-sqlite", "django-postgresql")
"""Each host and each database once: what differs by host and what differs by database shows in one of them."""

UNLIMITED = {
    "PLANE_PAGE_SIZE": "100",
    "PLANE_RATE_LIMIT": "100000",
    "FORGEKIT_LIMITS": '{"plane.import": "unlimited", "plane.test": "unlimited"}',
}

SEALING_KEY = f"test:{base64.b64encode(bytes(32)).decode()}"

_numbers = itertools.count(1)


OURS = ("FORGEKIT_", "PLANE_", "GITHUB_", "GITLAB_", "LZ_", "CRON_")
"""How the names of the variables begin that a host reads; a machine, CI's above all, may have some of its own."""

_LOWEST_PORT, _PORTS = 12_000, 20_000
"""Below those that a system hands out by itself: a connection, or a fake, could be given such a port before the host has taken it."""

_turns = itertools.count(random.SystemRandom().randrange(_PORTS))


def free_port():
    """Return a port where nothing listens, and that no other process of this test run is told."""
    workers, own = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")), os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    while True:
        port = _LOWEST_PORT + (next(_turns) * workers + int(own.removeprefix("gw"))) % (_PORTS - _PORTS % workers)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: what was closed a moment ago is free
            probe.bind(("127.0.0.1", port))
            return port


def wait(condition, seconds=60.0, every=0.02):
    """Return the first true value of a condition; fail after so many seconds without one."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
    return found


def git(path, *arguments):
    """Run git in a work tree and return what it prints."""
    command = ["git", "-C", str(path), "-c", "user.name=Test", "-c", "user.email=test@localhost", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@attrs.define(kw_only=True)
class Host:
    """An example host: a process, its database, its log, and a client that speaks to it."""

    name: str
    url: str
    directory: Path
    environment: dict[str, str] = attrs.field(factory=dict)
    arguments: tuple[str, ...] = ("--surface", "plane")
    port: int = attrs.field(factory=free_port)
    process: subprocess.Popen | None = None
    api: httpx.Client | None = None

    @property
    def log(self):
        return self.directory.joinpath("host.log").read_text(encoding="utf-8", errors="replace")

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def git(self):
        return git

    @property
    def examples(self):
        return EXAMPLES

    @property
    def projects(self):
        return self.directory / "projects"

    def environ(self):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        ours = {
            "FORGEKIT_DATABASE_URL": self.url,
            "FORGEKIT_PROJECTS_DIR": str(self.projects),
            "FORGEKIT_SECRET_KEYS": SEALING_KEY,
            "PYTHONUNBUFFERED": "1",
        }
        return {**inherited, **ours, **self.environment}

    def start(self):
        command = [sys.executable, str(EXAMPLES / f"{self.name}_host"), "--port", str(self.port), *self.arguments]
        with self.directory.joinpath("host.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.directory, env=self.environ(), stdout=log, stderr=log)
        self.api = httpx.Client(base_url=self.address, timeout=60)
        wait(self._answers, 120)
        return self

    def _answers(self):
        assert self.process.poll() is None, self.log
        try:
            return self.api.get("/api/plane/nothing").status_code
        except httpx.TransportError:
            return None

    def stop(self):
        """End it as an init system does."""
        self.api.close()
        self.process.terminate()
        self.process.wait(60)

    def kill(self):
        self.process.kill()
        self.process.wait(60)
        self.api.close()

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def restart(self, **environment):
        if self.process.poll() is None:
            self.stop()
        changed = {**self.environment, **environment}
        self.environment = {name: value for name, value in changed.items() if value is not None}
        return self.start()

    # What a client of the surface does

    def post(self, path, body=None, **options):
        return self.api.post(f"/api/plane{path}", json=body, **options)

    def get(self, path, **options):
        return self.api.get(f"/api/plane{path}", **options)

    def configure(self, plane, **changes):
        values = {f"plane_{name}": value for name, value in plane.settings.items()}
        answer = self.post("/config", {**values, **changes})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def bring(self, cycle, project):
        answer = self.post("/import-cycle", {"cycle_id": cycle, "project_name": project})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def deliver(self, delivery):
        return send(delivery, f"{self.address}/api/plane/webhooks")

    def repository(self, project, commits=2):
        """Make a git work tree where the host looks for a project's."""
        path = self.projects / project
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--initial-branch=main")
        for number in range(commits):
            git(path, "commit", "--quiet", "--allow-empty", "-m", f"feat: number {number}")
        return path

    def forge(self, clock=None):
        """Open the host's database beside it, as a script on the same machine would."""
        return Forge.open(self.url, discover=True, environ=self.environ(), clock=clock)


@pytest.fixture(scope="session")
def wait_until():
    """Wait for the first true value of a condition and return it."""
    return wait


@pytest.fixture
def clean_environ():
    """The variables of this machine without those that a forge reads."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}


@pytest.fixture(scope="session")
def unlimited():
    """The environment of a host that may call Plane as often as it likes."""
    return UNLIMITED


@pytest.fixture(scope="session")
def spawn(tmp_path_factory):
    """Start a host of this name on a database; it is killed at the end of the session at the latest."""
    hosts = []

    def start(name, url=None, *, upgrade=True, **options):
        directory = tmp_path_factory.mktemp(name)
        if url is None:
            url = f"sqlite:///{directory}/forge.db"
        elif upgrade and url.startswith("postgresql"):
            Forge.upgrade(url, discover=True)
        hosts.append(Host(name=name, url=url, directory=directory, **options))
        return hosts[-1].start()

    yield start
    for host in hosts:
        host.end()


@pytest.fixture(scope="module", params=PAIRS)
def host(request, spawn):
    """A host without limits on outgoing calls, for one module's tests, which must not mind each other's projects."""
    name, _, database = request.param.partition("-")
    url = request.getfixturevalue("shared_postgresql_url") if database == "postgresql" else None
    started = spawn(name, url, environment=UNLIMITED)
    yield started
    started.end()


@pytest.fixture(scope="module")
def plane(host):
    """A Plane that the host is configured for, with any number of calls."""
    with FakePlane(rate_limit=None) as running:
        host.configure(running)
        yield running


@pytest.fixture
def project():
    """The name of a project that no other test has."""
    return f"shop-{next(_numbers)}"
