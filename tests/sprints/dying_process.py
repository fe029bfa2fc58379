"""Let processes die by SIGKILL at every boundary of an import or a completion, restart after each, and print what was found.

    python dying_process.py import|complete DIRECTORY

A boundary is before and after each effect: an SQL statement (imports only: to a completion those within one transaction are alike),
a commit, a call to the tracker, a git command, a step of writing a file. Each death is a fork of its own on a copy of one directory.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from conftest import START, Desk, DictTracker
from sqlalchemy import Engine, event

import forgekit.sprints.git
from forgekit.sprints.models import StateGroup
from forgekit.testing import FakeClock
from forgekit_sql import open_sqlite

ITEMS = ["a", "b", "c"]


class Boundaries:
    """Counts boundaries, and dies at one of them."""

    def __init__(self):
        self.seen, self.last = 0, None

    def cross(self, *_):
        if self.seen == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen += 1

    def around(self, function):
        """Return a function with a boundary before and after it."""

        def crossing(*arguments, **options):
            self.cross()
            result = function(*arguments, **options)
            self.cross()
            return result

        return crossing


class LastingTracker(DictTracker):
    """A tracker whose content outlives the process that writes to it."""

    KEPT = ("contents", "descriptions", "comments")

    def __init__(self, clock, path, boundaries):
        super().__init__(clock)
        self.path, self.boundaries = path, boundaries
        if path.exists():
            vars(self).update(pickle.loads(path.read_bytes()))  # noqa: S301 - our own file

    def save(self):
        self.path.write_bytes(pickle.dumps({name: getattr(self, name) for name in self.KEPT}))

    def _call(self, *call):
        self.boundaries.cross()
        super()._call(*call)

    def comment(self, item_id, text, *, marker):
        super().comment(item_id, text, marker=marker)
        self.save()
        self.boundaries.cross()

    def append_to_cycle(self, cycle_id, text, *, marker):
        super().append_to_cycle(cycle_id, text, marker=marker)
        self.save()
        self.boundaries.cross()


def at(folder, boundaries, minutes=0):
    """Return a desk in a folder, so many minutes after the start, to be closed."""
    clock = FakeClock(START + timedelta(minutes=minutes))
    tracker = LastingTracker(clock, folder / "tracker", boundaries)
    storage = open_sqlite(f"sqlite:///{folder / 'forge.db'}", clock)
    desk = Desk(storage, clock, tracker, projects_dir=folder / "projects")
    return closing(storage), desk


def watch(boundaries, storage, *, statements):
    """Put boundaries around everything that lasts."""
    transaction = storage.transaction

    @contextmanager
    def crossing(**options):
        with transaction(**options) as tx:
            yield tx
        boundaries.cross()

    storage.transaction = crossing
    kinds = ["before_cursor_execute", "after_cursor_execute"] if statements else []
    for kind in (*kinds, "commit"):
        event.listen(Engine, kind, boundaries.cross)
    forgekit.sprints.git.subprocess = type("Watched", (), {**vars(subprocess), "run": staticmethod(boundaries.around(subprocess.run))})
    os.fsync, os.replace = boundaries.around(os.fsync), boundaries.around(os.replace)


def do_import(desk):
    """Import the cycle."""
    desk.sprints.import_cycle("cycle-1", project="shop")


def do_complete(desk):
    """Complete the sprint and post its comments, the leases of a dead process being over."""
    report = desk.sprints.complete("shop")
    desk.drain(after=120)
    return report


def prepare(kind, folder):
    """Make what every death begins with."""
    tree = folder / "projects" / "shop"
    tree.mkdir(parents=True)
    git = ["git", "-C", str(tree), "-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "--allow-empty", "-q", "-m", "feat: one"], check=True)
    storage, desk = at(folder, Boundaries())
    with storage:
        for name in ITEMS:
            desk.tracker.put(name, StateGroup.COMPLETED, parent_id=None if name == "a" else "a")
        desk.tracker.save()
        if kind == "complete":
            do_import(desk)


def die(kind, folder, last):
    """Run in a process that dies at a boundary; return whether it died, or the number of boundaries where it is to die at none."""
    if (child := os.fork()) == 0:
        boundaries = Boundaries()
        storage, desk = at(folder, boundaries)
        with storage:
            watch(boundaries, desk.storage, statements=kind == "import")
            boundaries.last = last
            (do_import if kind == "import" else do_complete)(desk)
        folder.joinpath("crossed").write_text(str(boundaries.seen))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return int(folder.joinpath("crossed").read_text()) if last is None else os.WIFSIGNALED(status)


def left_by_import(folder):
    """Return how much is there after the death, then after an import by the next process."""
    storage, desk = at(folder, Boundaries(), minutes=5)
    with storage:
        before = [len(desk.work.items(project)) for project in desk.work.projects()]
        state = desk.sprints.status().state
        do_import(desk)
        again = [item.name for item in desk.work.items("shop")]
        return {"before": before, "known": state.active_cycle_id, "after": again, "needs": desk.needs("c")}


def left_by_completion(folder):
    """Return what there is once the next process has completed the sprint."""
    storage, desk = at(folder, Boundaries(), minutes=5)
    with storage:
        report = do_complete(desk)
        tree = folder / "projects" / "shop"
        tags = subprocess.run(["git", "-C", tree, "tag"], check=True, capture_output=True, text=True).stdout.split()
        return {
            "answer": [report.success, report.git_tag, report.error],
            "tags": tags,
            "files": [path.name for path in (tree / "releases").iterdir()],
            "comments": sorted(item_id for item_id, _ in desk.tracker.comments.values()),
            "retrospectives": desk.tracker.descriptions["cycle-1"].count("Retrospective of"),
            "states": [sprint.state.value for sprint in desk.sprints.sprints("shop")],
        }


def main(kind, folder):
    """Die everywhere."""
    prepare(kind, folder / "first")
    shutil.copytree(folder / "first", folder / "whole")
    for last in range(die(kind, folder / "whole", None)):
        shutil.copytree(folder / "first", folder / str(last))
        died = die(kind, folder / str(last), last)
        found = (left_by_import if kind == "import" else left_by_completion)(folder / str(last))
        print(json.dumps({"last": last, "died": died, **found}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
