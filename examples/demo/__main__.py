"""The main job from beginning to end: a sprint in Plane becomes work here, and its results go back.

``python examples/demo`` plays it against a Plane of its own. With ``PLANE_API_URL`` and ``PLANE_API_KEY`` set (and
``PLANE_WORKSPACE_SLUG`` and ``PLANE_PROJECT_ID``) it imports from that server instead, and writes nothing there.
"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from scene import PROJECT, fill, host, make_repository

from forgekit import Forge, ForgekitError
from forgekit.sprints.models import CycleStatus
from forgekit.sprints.reports import ImportReport
from forgekit.testing.fake_plane import FakePlane, send

console = Console(highlight=False)


def main() -> int:
    """Play the demo; the exit code tells whether it went as it should."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="forgekit-demo-") as directory:
        try:
            if os.environ.get("PLANE_API_URL") and os.environ.get("PLANE_API_KEY"):
                import_from_real_plane(Path(directory))
            else:
                play(Path(directory))
        except ForgekitError as error:
            Console(stderr=True).print(f"error: {error.message}", markup=False)
            return 1
    console.print(f"\nDone in {time.monotonic() - started:.1f} s.")
    return 0


def play(directory: Path) -> None:
    """Play every scene against a Plane that the demo brings along."""
    make_repository(directory / "projects" / PROJECT)
    environment = {
        "FORGEKIT_DATABASE_URL": f"sqlite:///{directory / 'forge.db'}",
        "FORGEKIT_PROJECTS_DIR": str(directory / "projects"),
        "FORGEKIT_SECRET_KEYS": f"demo:{base64.b64encode(os.urandom(32)).decode()}",
        "PLANE_PAGE_SIZE": "15",  # several pages, though the sprint is small
        "PLANE_RATE_LIMIT": "600",  # this Plane allows more than the usual 60 calls a minute
    }
    with FakePlane(rate_limit=600) as plane, Forge.open(discover=True, environ={**os.environ, **environment}) as forge:
        cycle, items = fill(plane)
        with host(environment) as api:
            scene("1  A host with a forge in it")
            configure(api, plane)
            scene("2  The sprint becomes work here")
            show_import("first import", import_with_bar(forge, cycle))
            show_import("again, nothing changed", import_with_bar(forge, cycle))
            scene("3  Webhooks: one real, the same again, one forged")
            webhooks(api, plane, items)
            scene("4  Test runs, and their way back to Plane")
            test_runs(forge, api, plane)
            scene("5  The sprint is completed")
            complete(api)
            scene("6  What it came to")
            summary(api, plane)


def scene(title: str) -> None:
    """Print a heading."""
    console.print(f"\n[bold]{title}[/bold]")


def ask(answer: httpx.Response) -> Any:
    """Return an answer's JSON; stop the demo where it is not one that was expected."""
    if answer.is_error:
        sys.exit(f"error: {answer.request.method} {answer.request.url} answered {answer.status_code}: {answer.text}")
    return answer.json()


def configure(api: httpx.Client, plane: FakePlane) -> None:
    """Tell the host where Plane is, and try the connection."""
    shown = ask(api.post("/api/plane/config", json={f"plane_{name}": value for name, value in plane.settings.items()}))
    found = ask(api.post("/api/plane/test-connection"))
    console.print(f"host    {api.base_url} (and its /docs, in a browser, while the demo runs)", soft_wrap=True)
    console.print(f"plane   {shown['plane_api_url']}, key {shown['plane_api_key_masked']}, version {found['plane_version']}")
    console.print(f"project {found['project_name']} in {found['workspace']}: {found['status']}")


def import_with_bar(forge: Forge, cycle: str) -> ImportReport:
    """Import a cycle and show how far it is."""
    columns = (TextColumn("fetching"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("fetching", total=None)
        return forge.sprints.import_cycle(
            cycle, project=PROJECT, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )


def show_import(title: str, report: ImportReport) -> None:
    """Print an import's counts."""
    console.print(f"{title}: {report.imported} imported, {report.updated} updated, {report.skipped} skipped", markup=False)


def webhooks(api: httpx.Client, plane: FakePlane, items: dict[str, str]) -> None:
    """Change something in Plane, deliver its webhook, deliver it once more, then forge one."""
    target = f"{api.base_url}/api/plane/webhooks"
    before = len(plane.deliveries)
    plane.edit_item(items["Basket"], name="Basket, now with a total")
    delivery = plane.deliveries[before]
    plane.webhook_secret, secret = "not the secret", plane.webhook_secret
    forged = plane.sign({"event": "issue", "action": "updated", "data": {"id": items["Basket"]}})
    plane.webhook_secret = secret
    for title, sent in (("real", delivery), ("the same again", delivery.again()), ("forged", forged)):
        console.print(f"{title}: HTTP {send(sent, target)}")
    renamed = "Basket, now with a total"
    wait_until(lambda: renamed in names(api), "the edit to arrive")
    console.print("the edit arrived: the webhook had the sprint imported again")


def names(api: httpx.Client) -> set[str]:
    """Return the names of the open items, from the host's own route."""
    return {item["name"] for item in ask(api.get(f"/example/projects/{PROJECT}/open-items"))["open"]}


def test_runs(forge: Forge, api: httpx.Client, plane: FakePlane) -> None:
    """Record test runs until everything passes, and wait until Plane knows."""
    ask(api.post("/api/plane/sync/toggle"))
    items = forge.work.items(PROJECT)
    for number, item in enumerate(items):
        if number % 5 == 0:
            forge.work.record_test_run(item, passed=False, note="the first try")
        forge.work.record_test_run(item, passed=True)
    report = ask(api.get("/api/plane/test-report", params={"project_name": PROJECT}))
    console.print(f"{report['total_test_runs']} runs of {report['features_tested']} items, {report['overall_pass_rate']} % passed")
    wait_until(lambda: not open_in_plane(plane), "Plane to hear of the results")
    console.print("Plane heard of it: every item of the sprint is completed there")


def open_in_plane(plane: FakePlane) -> list[str]:
    """Return the names of the items that Plane takes for open."""
    ids = list(plane.world.items)
    return [item["name"] for item in map(plane.item, ids) if plane.state_of(item["id"]) not in {"Done", "Cancelled"}]


def complete(api: httpx.Client) -> None:
    """Complete the sprint twice: the second time changes nothing."""
    first = ask(api.post("/api/plane/complete-sprint", json={"project_name": PROJECT}))
    again = ask(api.post("/api/plane/complete-sprint", json={"project_name": PROJECT}))
    console.print(f"tag   {first['git_tag']}")
    console.print(f"notes {Path(first['release_notes_path']).name}" if first["release_notes_path"] else "no notes", markup=False)
    console.print(first["change_log"], markup=False)
    if first != again:
        sys.exit("error: a second call gave another answer")
    console.print("a second call gave the same answer and did nothing twice")


def summary(api: httpx.Client, plane: FakePlane) -> None:
    """Print where everything stands."""
    status = ask(api.get("/api/plane/sync-status"))
    numbers = status["sprint_stats"]
    table = Table("what", "how it stands", box=None, pad_edge=False)
    table.add_row("sprint", f"{status['active_cycle_name']}: {'complete' if status['sprint_complete'] else 'not complete'}")
    table.add_row("items", f"{numbers['passing']} of {numbers['total']} pass")
    table.add_row("test runs", f"{numbers['total_test_runs']}, {numbers['overall_pass_rate']} % passed")
    table.add_row("webhooks", f"{status['webhook_count']} stored, the last at {status['last_webhook_at']}")
    table.add_row("calls to Plane", str(len(plane.calls)))
    console.print(table)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait for the worker in the host to have done something."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"error: waited {seconds:.0f} s for {what}")
        time.sleep(0.2)


def import_from_real_plane(directory: Path) -> None:
    """Import the current cycle of a real Plane, twice; nothing is written there."""
    with Forge.open(f"sqlite:///{directory / 'forge.db'}", discover=True) as forge:
        found = forge.sprints.check()
        console.print(f"{found.project} in {found.workspace}, version {found.version or 'unknown'}", markup=False)
        cycles = sorted(forge.sprints.cycles(), key=lambda cycle: (cycle.status is not CycleStatus.CURRENT, -(cycle.total or 0)))
        if not cycles:
            sys.exit("error: that project has no cycles")
        show_import(f"first import of {cycles[0].name}", import_with_bar(forge, cycles[0].id))
        show_import("again, nothing changed", import_with_bar(forge, cycles[0].id))


if __name__ == "__main__":
    sys.exit(main())
