"""Completing a sprint: each step once, however often and wherever it stopped."""

from __future__ import annotations

import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest

from forgekit.errors import (
    Conflict,
    GitFailed,
    ProjectNotFound,
    RemoteForbidden,
    RemoteNotFound,
    RemoteRefused,
    RemoteUnavailable,
    SprintNotFound,
)
from forgekit.sprints.git import Git
from forgekit.sprints.models import SprintCompleted, SprintState, StateGroup


def _import_passing(desk, tracker, *names):
    for name in names or "ab":
        tracker.put(name, StateGroup.COMPLETED)
    return desk.sprints.import_cycle("cycle-1", project="shop").sprint


def _tags(tree):
    return subprocess.run(["git", "-C", tree, "tag"], check=True, capture_output=True, text=True).stdout.split()


@pytest.fixture
def desk(make_desk, tree):
    """A desk whose project has a work tree, with a sprint that passes."""
    return make_desk("sqlite://", projects_dir=tree.parent)


def test_a_sprint_is_completed(desk, tracker, tree):
    """Tag, change log, notes, comments and retrospective are made, and the answer tells of them."""
    sprint = _import_passing(desk, tracker)
    report = desk.sprints.complete("shop")
    assert (report.success, report.features_completed, report.features_failed, report.error) == (True, 2, 0, None)
    assert (report.git_tag, _tags(tree)) == ("sprint/sprint-5", ["sprint/sprint-5"])
    assert [line.split(" ", 1)[1] for line in report.change_log.splitlines()] == ["fix: two", "feat: one"]
    assert report.release_notes_path == str(tree / "releases" / "sprint-sprint-5.md")
    assert Path(report.release_notes_path).read_text() == desk.sprints.release_notes(sprint.id)
    assert "Retrospective of Sprint 5" in tracker.descriptions["cycle-1"]
    assert tracker.comments == {}
    desk.drain()
    assert sorted(item_id for item_id, _ in tracker.comments.values()) == ["a", "b"]
    assert desk.sprints.sprint(sprint.id).state is SprintState.COMPLETED
    assert [event.git_tag for event in desk.heard(SprintCompleted)] == ["sprint/sprint-5"]


def test_completing_again_gives_the_same_answer(desk, tracker, tree):
    """A second call does nothing and tells what the first one gave."""
    _import_passing(desk, tracker)
    first = desk.sprints.complete("shop")
    desk.drain()
    tracker.calls.clear()
    assert desk.sprints.complete("shop") == first
    desk.drain(after=120)
    assert tracker.calls == []
    assert len(tracker.comments) == 2
    assert len(_tags(tree)) == 1


def test_a_sprint_that_is_not_done_is_refused(desk, tracker, tree):
    """A refusal says why, and nothing was written anywhere."""
    sprint = _import_passing(desk, tracker)
    tracker.put("c")
    desk.sprints.import_cycle("cycle-1", project="shop")
    report = desk.sprints.complete("shop")
    assert (report.success, report.features_completed, report.features_failed) == (False, 2, 1)
    assert "#3 C" in report.error
    assert _tags(tree) == []
    with desk.storage.transaction(write=False) as tx:
        assert desk.storage.sprints(tx).completion(sprint.id) is None


def test_a_plugins_rule_may_refuse(make_desk, tracker):
    """The Definition of Done is what the plugins say, too."""
    desk = make_desk("sqlite://", rules={"docs": lambda facts: f"{facts.sprint.name} has no docs."})
    _import_passing(desk, tracker)
    assert desk.sprints.complete("shop").error == "Sprint 5 has no docs."


def test_an_unknown_project_is_not_found(desk):
    """There is nothing to complete in a project that nobody made."""
    with pytest.raises(ProjectNotFound):
        desk.sprints.complete("nowhere")


def test_a_project_without_a_sprint_is_refused(desk):
    """Without an active sprint the answer is a refusal, not an error."""
    desk.work.create_project("shop")
    report = desk.sprints.complete("shop")
    assert (report.success, report.error) == (False, "The project has no active sprint.")


def test_without_a_repository_the_notes_are_kept_here(make_desk, tracker):
    """No work tree: no tag, an empty change log, and the notes in storage."""
    desk = make_desk("sqlite://")
    sprint = _import_passing(desk, tracker)
    report = desk.sprints.complete("shop")
    assert (report.success, report.git_tag, report.change_log, report.release_notes_path, report.error) == (True, None, "", None, None)
    assert desk.sprints.release_notes(sprint.id).startswith("# Sprint 5\n")
    with pytest.raises(SprintNotFound):
        desk.sprints.release_notes("no-such-sprint")


def test_a_git_failure_does_not_stop_the_completion(make_desk, tracker, tmp_path):
    """When git cannot do it there is no tag, the sprint is completed, and the answer says why."""
    empty = tmp_path / "projects" / "shop"
    empty.mkdir(parents=True)
    subprocess.run(["git", "-C", empty, "init", "-q"], check=True)
    desk = make_desk("sqlite://", projects_dir=empty.parent)
    _import_passing(desk, tracker)
    report = desk.sprints.complete("shop")
    assert (report.success, report.git_tag) == (True, None)
    assert "there is no commit" in report.error


@pytest.mark.parametrize("error", [RemoteRefused("The cycle has ended."), RemoteNotFound("It is archived."), RemoteForbidden("Guest.")])
def test_an_ended_cycle_keeps_no_retrospective(desk, tracker, error):
    """Where the tracker refuses the retrospective it stands in the notes alone, and the answer says so."""
    sprint = _import_passing(desk, tracker)
    tracker.failures = [error]
    report = desk.sprints.complete("shop")
    assert report.success
    assert error.message in report.error
    assert "## Retrospective" in desk.sprints.release_notes(sprint.id)
    assert tracker.descriptions == {}


def test_a_tracker_that_is_away_can_be_asked_again(desk, tracker, tree):
    """A failed call leaves what is done as it is; the next call goes on from there, at once."""
    sprint = _import_passing(desk, tracker)
    tracker.failures = [RemoteUnavailable()]
    with pytest.raises(RemoteUnavailable):
        desk.sprints.complete("shop")
    assert desk.sprints.active("shop").id == sprint.id
    assert desk.sprints.complete("shop").success
    assert len(_tags(tree)) == 1
    assert tracker.descriptions["cycle-1"].count("Retrospective of") == 1


def test_a_worker_finishes_what_was_left(desk, tracker):
    """A completion that stopped is finished by the worker though nobody calls again."""
    sprint = _import_passing(desk, tracker)
    tracker.before = lambda call: tracker.failures.append(RemoteUnavailable()) if call[0] == "append" else None
    with pytest.raises(RemoteUnavailable):
        desk.sprints.complete("shop")
    desk.drain(after=60)
    assert desk.sprints.sprint(sprint.id).state is SprintState.ACTIVE
    tracker.before = lambda call: None
    desk.drain(after=60)
    assert desk.sprints.sprint(sprint.id).state is SprintState.COMPLETED


def test_many_callers_at_once_complete_once(database_url, make_desk, tracker, tree, in_threads):
    """Several processes that complete one sprint at the same moment make one tag, one retrospective, and give one answer."""
    desks = [make_desk(database_url, projects_dir=tree.parent, pause=time.sleep) for _ in range(4)]
    _import_passing(desks[0], tracker)
    reports = in_threads(*(lambda desk=desk: desk.sprints.complete("shop") for desk in desks))
    assert all(report == reports[0] for report in reports)
    assert reports[0].success
    assert len(_tags(tree)) == 1
    assert [call[0] for call in tracker.calls].count("append") == 1
    desks[0].drain()
    assert len(tracker.comments) == 2


def test_a_call_does_not_wait_for_ever(desk, tracker):
    """While another call holds the completion a second one gives up after a while, and says when to come back."""
    sprint = _import_passing(desk, tracker)
    tracker.before = lambda call: _complete_meanwhile(desk, sprint)
    assert desk.sprints.complete("shop").success


def _complete_meanwhile(desk, sprint):
    with pytest.raises(Conflict) as caught:
        desk.sprints.complete("shop")
    assert caught.value.retry_after


def test_a_dead_holders_completion_is_taken_over(desk, tracker):
    """When a lease ran out the next call goes on; the first holder, should it live, stops."""
    sprint = _import_passing(desk, tracker)

    def overtake(call):
        tracker.before = lambda call: None
        desk.clock.advance(timedelta(minutes=5))
        assert desk.sprints.complete("shop").success

    tracker.before = overtake
    report = desk.sprints.complete("shop")
    assert report.success
    assert len(desk.heard(SprintCompleted)) == 1
    assert tracker.descriptions["cycle-1"].count("Retrospective of") == 1
    assert desk.sprints.sprint(sprint.id).state is SprintState.COMPLETED


class _BrokenGit(Git):
    """A git that fails at one of its verbs."""

    def __init__(self, verb):
        super().__init__()
        self.verb = verb

    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "verb"):
            raise GitFailed("broken")
        return object.__getattribute__(self, name)


@pytest.mark.parametrize("verb", ["head", "log", "previous_sprint_tag", "tag_message", "tag"])
def test_every_git_failure_is_told(make_desk, tracker, tree, verb):
    """Whichever command fails, there is no tag, and the sprint is completed."""
    desk = make_desk("sqlite://", projects_dir=tree.parent, git=_BrokenGit(verb))
    _import_passing(desk, tracker)
    report = desk.sprints.complete("shop")
    assert (report.success, report.git_tag, report.error) == (True, None, "broken")


def test_a_taken_tag_gets_the_cycles_id(desk, tracker, tree):
    """A tag of the same name that is not this sprint's is left, and so is its notes file."""
    Git().tag(tree, "sprint/sprint-5", "somebody's", commit=Git().head(tree))
    (tree / "releases").mkdir()
    (tree / "releases" / "sprint-sprint-5-cycle-1.md").write_text("mine")
    _import_passing(desk, tracker)
    report = desk.sprints.complete("shop")
    assert report.git_tag == "sprint/sprint-5-cycle-1"
    assert report.release_notes_path.endswith("sprint-sprint-5.md")
    assert (tree / "releases" / "sprint-sprint-5-cycle-1.md").read_text() == "mine"


def test_when_every_tag_is_taken_there_is_none(desk, tracker, tree):
    """Nothing of another's is overwritten, even when no name is left."""
    sprint = _import_passing(desk, tracker)
    for slug in ("sprint-5", "sprint-5-cycle-1", f"sprint-5-{sprint.id}"):
        Git().tag(tree, f"sprint/{slug}", "somebody's", commit=Git().head(tree))
        (tree / "releases").mkdir(exist_ok=True)
        (tree / "releases" / f"sprint-{slug}.md").write_text("mine")
    report = desk.sprints.complete("shop")
    assert (report.success, report.git_tag, report.release_notes_path) == (True, None, None)
    assert "taken" in report.error


def test_notes_do_not_leave_the_repository(desk, tracker, tree, tmp_path):
    """A folder of releases that leads elsewhere is not followed."""
    (tmp_path / "elsewhere").mkdir()
    (tree / "releases").symlink_to(tmp_path / "elsewhere")
    _import_passing(desk, tracker)
    report = desk.sprints.complete("shop")
    assert (report.success, report.release_notes_path) == (True, None)
    assert "leads out" in report.error
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_notes_do_not_follow_a_link(desk, tracker, tree, tmp_path):
    """A notes file that is a link is taken for somebody else's."""
    (tree / "releases").mkdir()
    (tree / "releases" / "sprint-sprint-5.md").symlink_to(tmp_path / "target")
    _import_passing(desk, tracker)
    assert desk.sprints.complete("shop").release_notes_path.endswith("sprint-sprint-5-cycle-1.md")
    assert not (tmp_path / "target").exists()


def test_a_completed_sprint_stays_completed(desk, tracker):
    """The loop and a person's import go on bringing changes, and do not start the sprint again."""
    sprint = _import_passing(desk, tracker)
    first = desk.sprints.complete("shop")
    tracker.put("a", StateGroup.STARTED)
    desk.sprints.sync()
    assert desk.sprints.import_cycle("cycle-1", project="shop").sprint.state is SprintState.COMPLETED
    assert not desk.item("a").passing
    assert desk.sprints.complete("shop") == first
    assert desk.sprints.sprint(sprint.id).state is SprintState.COMPLETED


def _commit(tree, subject):
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    subprocess.run(["git", "-C", tree, *identity, "commit", "--allow-empty", "-q", "-m", subject], check=True)


def test_a_change_log_has_at_most_fifty_lines(desk, tracker, tree):
    """The newest fifty commits are told."""
    for number in range(55):
        _commit(tree, f"feat: {number}")
    _import_passing(desk, tracker)
    lines = desk.sprints.complete("shop").change_log.splitlines()
    assert [line.split(" ", 1)[1] for line in (lines[0], lines[-1])] == ["feat: 54", "feat: 5"]
    assert len(lines) == 50


_HOSTILE = ["--help", "../../x", "a..b~^:?*[@{", "<img src=x onerror=alert(1)>", "x\n\nForgekit-Sprint: y", "\x1b[31m"]


@pytest.mark.parametrize("name", _HOSTILE)
def test_a_hostile_name_is_harmless_everywhere(desk, tracker, tree, name):
    """A cycle's name becomes a clean ref and a file in its folder; as a text it is one line without markup or control characters."""
    tracker.names["cycle-1"] = name
    tracker.put("a", StateGroup.COMPLETED, name=name)
    desk.sprints.import_cycle("cycle-1", project="shop")
    report = desk.sprints.complete("shop")
    desk.drain()
    notes = Path(report.release_notes_path)
    assert notes.parent == tree / "releases"
    assert [report.git_tag] == _tags(tree)
    assert "<img" not in notes.read_text()
    message = Git().tag_message(tree, report.git_tag)
    told = [tracker.descriptions["cycle-1"], notes.read_text(), message, *dict(tracker.comments.values()).values()]
    assert "\x1b" not in "".join(told)
    assert "Forgekit-Sprint: y" not in [line for text in told for line in text.splitlines()]


def test_a_refusal_writes_nothing_at_all(desk, tracker, tree):
    """No row of any kind, no file, no call: only reading tells that a sprint is not done."""
    _import_passing(desk, tracker)
    tracker.put("c")
    desk.sprints.sync()
    tracker.calls.clear()
    transaction = desk.storage.transaction
    desk.storage.transaction = lambda *, write=True: transaction(write=write and pytest.fail("wrote"))
    assert not desk.sprints.complete("shop").success
    assert (tracker.calls, sorted(path.name for path in tree.iterdir())) == ([], [".git"])


def test_the_next_sprint_has_its_own_change_log(desk, tracker, tree):
    """The change log begins after the tag of the sprint before."""
    _import_passing(desk, tracker)
    desk.sprints.complete("shop")
    _commit(tree, "feat: three")
    tracker.names["cycle-2"], tracker.contents["cycle-2"] = "Sprint 6", []
    tracker.put("c", StateGroup.COMPLETED, cycle="cycle-2")
    desk.sprints.import_cycle("cycle-2", project="shop")
    assert desk.sprints.complete("shop").change_log.endswith("feat: three")


def test_a_sprint_made_here_needs_no_tracker(desk):
    """A local sprint is completed without calls, comments or retrospective."""
    project = desk.work.create_project("shop")
    sprint = desk.sprints.create(project, name="Local")
    item = desk.work.create_item(project, name="Work", sprint_id=sprint.id)
    desk.work.record_test_run(item, passed=True)
    report = desk.sprints.complete(project)
    assert (report.success, report.git_tag) == (True, "sprint/local")
    assert desk.tracker.calls == []


@pytest.mark.parametrize("error", [RemoteNotFound(), RemoteRefused()])
def test_a_refused_comment_is_given_up(desk, tracker, error):
    """An item that takes no comment does not hold up the others, nor is it asked for ever."""
    _import_passing(desk, tracker)
    desk.sprints.complete("shop")
    tracker.failures = [error]
    desk.drain()
    desk.drain(after=3600)
    assert len(tracker.comments) == 1


def test_what_changed_before_the_lease_is_seen(desk, tracker):
    """An item that fails between the check and the first write stops the completion, and nothing is written."""
    sprint = _import_passing(desk, tracker)
    item = desk.item("a")
    rules = {"slow": lambda facts: desk.work.record_test_run(item, passed=False) and None}
    object.__setattr__(desk.sprints._completer, "_rules", rules)
    assert not desk.sprints.complete("shop").success
    with desk.storage.transaction(write=False) as tx:
        assert desk.storage.sprints(tx).completion(sprint.id) is None
