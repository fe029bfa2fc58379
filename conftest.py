"""What every test may ask for, and the documents whose examples are run."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

POSTGRESQL_URL = os.environ.get("FORGEKIT_TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test")
# With more patience than the second that a forge has: here a slow answer must not look like none.
REDIS_URL = os.environ.get("FORGEKIT_TEST_REDIS_URL", "redis://127.0.0.1:6379/0?socket_timeout=60&socket_connect_timeout=60")

# CI must answer alike on every run; the fuzz session looks for what nobody thought of.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", max_examples=5_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


# A shell lets what it starts in the background ignore Ctrl-C, and programs that tests start would inherit that: they are sent one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _enter_empty_directory(namespace: dict[str, Any]) -> None:
    """Run a document's examples where they may leave files, and where no variable of the machine is a setting."""
    namespace["_monkeypatch"] = patch = pytest.MonkeyPatch()
    for name in [name for name in os.environ if name.startswith(("FORGEKIT_", "PLANE_", "GITHUB_", "GITLAB_"))]:
        patch.delenv(name)
    namespace["_directory"] = directory = tempfile.mkdtemp(prefix="forgekit-docs-")
    patch.chdir(directory)


def _leave_directory(namespace: dict[str, Any]) -> None:
    namespace["_monkeypatch"].undo()
    shutil.rmtree(namespace["_directory"], ignore_errors=True)


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/**/*.md", "docs/*.md", "adapters/*/README.md", "examples/*/README.md"],
    setup=_enter_empty_directory,
    teardown=_leave_directory,
).pytest()


def _unavailable(what: str) -> NoReturn:
    """Skip, or fail where the environment promised the service (``FORGEKIT_REQUIRE_SERVICES=1``)."""
    if os.environ.get("FORGEKIT_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what}, and FORGEKIT_REQUIRE_SERVICES=1", pytrace=False)
    pytest.skip(what)


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="session")
def require_postgresql() -> str:
    """The URL of a PostgreSQL server where databases may be created."""
    if not _listens(POSTGRESQL_URL):
        _unavailable(f"no PostgreSQL at {urlsplit(POSTGRESQL_URL).netloc}")
    return POSTGRESQL_URL


@pytest.fixture(scope="session")
def require_redis() -> str:
    """The URL of a Redis server."""
    if not _listens(REDIS_URL):
        _unavailable(f"no Redis at {urlsplit(REDIS_URL).netloc}")
    return REDIS_URL


@pytest.fixture(scope="session")
def require_chromium() -> str:
    """The path of a Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        _unavailable("no chromium on the path")
    return path


def _fresh_database(server: str) -> Iterator[str]:
    import psycopg

    name = f"forgekit_test_{secrets.token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def postgresql_url(require_postgresql: str) -> Iterator[str]:
    """A PostgreSQL database of this test's own, dropped afterwards."""
    yield from _fresh_database(require_postgresql)


@pytest.fixture(scope="module")
def shared_postgresql_url(require_postgresql: str) -> Iterator[str]:
    """A PostgreSQL database for the tests of one module, which must not mind each other's rows."""
    yield from _fresh_database(require_postgresql)


@pytest.fixture
def begin() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process as ``subprocess.Popen`` does; it does not outlive the test, whatever that comes to."""
    begun: list[subprocess.Popen[str]] = []

    def start(*command: object, **options: Any) -> subprocess.Popen[str]:
        begun.append(subprocess.Popen([str(word) for word in command], text=True, **options))  # noqa: S603 - our own programs
        return begun[-1]

    yield start
    for process in begun:
        with process:
            process.kill()


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Recorded answers of outside systems, kept beside the repository where they may be read."""
    folder = Path(__file__).parent.parent / "shared" / "recordings"
    if not folder.is_dir():
        pytest.skip("no recordings beside this repository")
    return folder
