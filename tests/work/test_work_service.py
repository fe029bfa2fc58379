"""Projects, items and test runs as verbs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from forgekit.errors import Conflict, InvalidInput, ItemNotFound, ProjectNotFound, TransactionOver
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.events.signals import Signals
from forgekit.testing import FakeClock
from forgekit.work import ItemChanged, Kind, ProjectCreated, State, TestRunRecorded, WorkService
from forgekit_sql import open_sqlite


class Bench:
    def __init__(self, projects_dir=None):
        self.clock, self.seen = FakeClock(), []
        self.storage = open_sqlite("sqlite://", self.clock)
        signals = Signals()
        for kind in (ItemChanged, ProjectCreated, TestRunRecorded):
            signals.on(kind, self.seen.append)
        recorder = Recorder(self.storage, self.clock, signals, lambda: None)
        self.work = WorkService(self.storage, recorder, self.clock, projects_dir=projects_dir)


@pytest.fixture
def bench(tmp_path):
    """The service on a database in memory, with a folder of projects."""
    made = Bench(tmp_path / "projects")
    yield made
    made.storage.close()


@pytest.fixture
def work(bench):
    """The service."""
    return bench.work


def _work_tree(path):
    (path / ".git").mkdir(parents=True)
    return path


def test_a_project_is_found_by_its_key(bench, work):
    """A project that was made is there, and making it is told."""
    shop = work.create_project("shop", name="The Shop")
    assert work.project("shop") == shop == work.project(shop)
    assert work.projects() == [shop]
    assert [event.key for event in bench.seen] == ["shop"]


def test_a_key_names_one_project(work):
    """A key that is taken, or breaks the rule, is refused."""
    assert work.create_project("shop").name == "shop"
    with pytest.raises(Conflict):
        work.create_project("shop")
    with pytest.raises(InvalidInput):
        work.create_project("../shop")
    with pytest.raises(ProjectNotFound):
        work.project("nowhere")


def test_ensuring_a_project_makes_it_once(bench, work):
    """An import makes the project that it names, unless it is there."""
    with bench.storage.transaction() as tx:
        assert work.ensure_project("shop", tx) == work.ensure_project("shop", tx)
    with pytest.raises(TransactionOver):
        work.create_project("other", tx=tx)


def test_a_projects_repository_can_be_set(work, tmp_path):
    """A work tree that was named belongs to the project until it is forgotten."""
    tree = _work_tree(tmp_path / "tree")
    shop = work.create_project("shop", repository=tree)
    assert work.repository(shop) == tree
    assert work.repository(work.set_repository("shop", None)) is None
    assert work.set_repository(shop, str(tree)) == work.project("shop")


def test_a_repository_must_be_one(work, tmp_path):
    """A folder that is no git work tree is refused at once, not when the sprint ends."""
    with pytest.raises(InvalidInput, match="not a git work tree"):
        work.create_project("shop", repository=tmp_path)


def test_a_projects_folder_is_found(work, tmp_path):
    """A work tree of the project's name in the folder of projects belongs to it, whenever it appears."""
    shop = work.create_project("shop")
    assert work.repository(shop) is None
    tree = _work_tree(tmp_path / "projects" / "shop")
    assert work.repository(shop) == tree


def test_a_link_does_not_lead_out_of_the_projects(work, tmp_path):
    """A link in the folder of projects that leads elsewhere is not followed."""
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "shop").symlink_to(_work_tree(tmp_path / "elsewhere"))
    assert work.repository(work.create_project("shop")) is None


def test_without_a_folder_of_projects_there_is_no_repository():
    """Nothing is looked for where nothing was configured."""
    bench = Bench()
    assert bench.work.repository(bench.work.create_project("shop")) is None
    bench.storage.close()


def test_items_are_numbered(work):
    """Items get small numbers, a parent of the same project, and stand in order."""
    work.create_project("shop")
    story = work.create_item("shop", name="Story")
    task = work.create_item("shop", name="Task", kind=Kind.TASK, parent=story)
    assert (story.number, task.number, task.parent_id) == (1, 2, story.id)
    assert work.items("shop") == [story, task]
    assert work.item_by_number("shop", 2) == task == work.item(task)


def test_what_is_not_there_is_not_found(work):
    """Unknown items, and parents of another project, are errors."""
    work.create_project("shop")
    other = work.create_item(work.create_project("other"), name="x")
    with pytest.raises(ItemNotFound):
        work.item("nowhere")
    with pytest.raises(ItemNotFound):
        work.item_by_number("shop", 9)
    with pytest.raises(ItemNotFound):
        work.create_item("shop", name="x", parent=other)


def test_an_item_is_changed(bench, work):
    """A change is stored and told; a change of nothing is neither."""
    work.create_project("shop")
    item = work.create_item("shop", name="Story")
    bench.seen.clear()
    bench.clock.advance(1)
    changed = work.change_item(item, state=State.IN_PROGRESS)
    assert changed == work.item(item)
    assert changed.updated_at == bench.clock.now()
    work.change_item(item.id, state=State.IN_PROGRESS)
    assert len(bench.seen) == 1
    with pytest.raises(InvalidInput):
        work.change_item(item, passing=True)


def test_a_test_run_decides_whether_the_item_passes(bench, work):
    """A run is stored, changes the item, and both are told."""
    work.create_project("shop")
    item = work.create_item("shop", name="Story")
    bench.seen.clear()
    run = work.record_test_run(item, True, note="green")
    assert (run.passed, run.note, run.at) == (True, "green", bench.clock.now())
    assert work.item(item).passing
    assert [type(event) for event in bench.seen] == [ItemChanged, TestRunRecorded]


def test_an_old_run_is_kept_and_decides_nothing(bench, work):
    """A run of yesterday that is recorded late counts, and does not overrule today's."""
    work.create_project("shop")
    item = work.create_item("shop", name="Story")
    work.record_test_run(item, True)
    work.record_test_run(item.id, passed=False, at=bench.clock.now() - timedelta(days=1))
    assert work.item(item).passing
    with bench.storage.transaction(write=False) as tx:
        assert bench.storage.work(tx).run_summaries([item.id])[item.id].total == 2


@pytest.mark.parametrize("results", [(True, False), (False, True), (True, False, True, False, False, True)])
def test_of_runs_at_one_moment_the_last_recorded_decides(bench, work, results):
    """A clock that stands still, or a runner that tells whole seconds, does not shuffle results."""
    work.create_project("shop")
    item = work.create_item("shop", name="Story")
    for passed in results:
        work.record_test_run(item, passed)
    with bench.storage.transaction(write=False) as tx:
        assert bench.storage.work(tx).run_summaries([item.id])[item.id].last_passed is results[-1]
    assert work.item(item).passing is results[-1]


def test_a_run_of_an_unknown_item_is_refused(work):
    """There is nothing to record for an item that is not there."""
    with pytest.raises(ItemNotFound):
        work.record_test_run("nowhere", True)
