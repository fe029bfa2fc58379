"""What the demo plays on: a Plane with a sprint in it, a git repository, a host in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from forgekit.testing.fake_plane import FakePlane

PROJECT = "shop"
HOST = Path(__file__).resolve().parent.parent / "fastapi_host"

_AREAS = ("Sign-in", "Basket", "Checkout", "Search", "Invoices", "Shipping", "Returns", "Reports")

_PATIENCE = 120
"""Seconds for a host to start, on however busy a machine."""
_TASKS = ("let people start", "show what went wrong", "keep it fast", "say it in plain words")
_STATES = ("Backlog", "Todo", "In Progress", "Done")
_PRIORITIES = ("urgent", "high", "medium", "low", "none")
_DESCRIPTION = """<p>As a customer I want this to work.</p><h3>Acceptance Criteria</h3>
<ul><li>it works with a keyboard alone</li><li>it says what it did</li></ul>"""


def fill(plane: FakePlane) -> tuple[str, dict[str, str]]:
    """Make a sprint of 41 items in every priority and state, children before their parents, some waiting for others.

    Returns the cycle's id, and the items' ids by name.
    """
    cycle = plane.add_cycle("Sprint 5: the shop's new till", description="Everything a customer needs to pay.")
    items: dict[str, str] = {}
    for number, area in enumerate(_AREAS):
        for step, task in enumerate(_TASKS):
            name = f"{area}: {task}"
            count = len(items)
            items[name] = plane.add_item(
                name,
                cycle=cycle,
                state=_STATES[(number + step) % len(_STATES)],
                priority=_PRIORITIES[count % len(_PRIORITIES)],
                description=_DESCRIPTION,
                labels=[area.lower()],
            )
    for area in _AREAS:
        parent = plane.add_item(area, cycle=cycle, state="Todo", priority="high", labels=[area.lower()])
        for task in _TASKS:
            plane.edit_item(items[f"{area}: {task}"], parent=parent)
        items[area] = parent
    items["An idea nobody wants"] = plane.add_item("An idea nobody wants", cycle=cycle, state="cancelled")
    plane.relate(items["Checkout"], blocked_by=items["Basket"])
    plane.relate(items["Invoices"], blocked_by=items["Checkout"])
    return cycle, items


def make_repository(path: Path) -> None:
    """Make a git repository with a few commits."""
    path.mkdir(parents=True)
    _git(path, "init", "--quiet", "--initial-branch=main")
    for number, subject in enumerate(("feat: a till that opens", "fix: the till closes, too", "feat: receipts"), start=1):
        (path / "CHANGES").write_text(f"{number}\n", encoding="utf-8")
        _git(path, "add", "CHANGES")
        _git(path, "-c", "user.name=Demo", "-c", "user.email=demo@localhost", "commit", "--quiet", "-m", subject)


def _git(path: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(path), *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603, S607 - our own words


@contextmanager
def host(environment: Mapping[str, str]) -> Iterator[httpx.Client]:
    """Run the FastAPI host on loopback, and yield a client of it."""
    port = _free_port()
    process = subprocess.Popen([sys.executable, str(HOST), "--port", str(port)], env={**os.environ, **environment})  # noqa: S603 - our own host
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            _wait_for(client, process)
            yield client
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit("error: the host did not start")
        try:
            client.get("/openapi.json")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"error: the host did not answer within {_PATIENCE} seconds")
