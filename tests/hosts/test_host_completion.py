"""Completing a sprint, its status and its report, as a client of either host and the Plane behind it see them."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = pytest.mark.host

ANSWER = ["success", "features_completed", "features_failed", "git_tag", "change_log", "release_notes_path", "error"]


def _complete(host, project):
    answer = host.post("/complete-sprint", {"project_name": project})
    assert (answer.status_code, list(answer.json())) == (200, ANSWER), answer.text
    return answer.json()


def _record(host, project, results):
    """Record test runs: a number of passes and failures by the item's number."""
    with host.forge() as forge:
        for number, passed in results:
            forge.work.record_test_run(forge.work.item_by_number(project, number), passed)


def _done_sprint(host, plane, project, name="Sprint 5", count=3, **options):
    """Import a sprint whose items all pass, and return its cycle and items."""
    cycle = plane.add_cycle(name, **options)
    items = [plane.add_item(f"Item {number}", cycle=cycle, state="Done") for number in range(count)]
    host.bring(cycle, project)
    return cycle, items


def _tags(path):
    return subprocess.run(["git", "-C", path, "tag", "--list", "sprint/*"], check=True, capture_output=True, text=True).stdout.split()


def test_a_sprint_is_completed_once_however_often_it_is_asked_for(host, plane, project, wait_until):
    """Twice and six times at once: one answer, one tag, one retrospective, one comment an item."""
    path = host.repository(project)
    cycle, items = _done_sprint(host, plane, project)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _complete(host, project), range(6)))
    answers.append(_complete(host, project))
    assert answers == [answers[0]] * 7
    assert (answers[0]["success"], answers[0]["features_completed"], answers[0]["error"]) == (True, 3, None)
    wait_until(lambda: all(plane.comments(item) for item in items))
    host.restart()
    assert _complete(host, project) == answers[0]
    assert plane.cycle(cycle)["description"].count("Retrospective") == 1
    assert [len(plane.comments(item)) for item in items] == [1, 1, 1]
    assert _tags(path) == ["sprint/sprint-5"]


def test_tag_change_log_and_notes(host, plane, project):
    """The annotated tag, the log since the sprint before and the notes in the project's repository are as documented."""
    path = host.repository(project, commits=60)
    _done_sprint(host, plane, project)
    first = _complete(host, project)
    assert first["git_tag"] == "sprint/sprint-5"
    assert len(first["change_log"].splitlines()) == 50
    assert Path(first["release_notes_path"]) == path / "releases" / "sprint-sprint-5.md"
    assert "Item 0" in Path(first["release_notes_path"]).read_text()
    subprocess.run(
        ["git", "-C", path, "-c", "user.name=T", "-c", "user.email=t@t", "commit", "-qm", "fix: last", "--allow-empty"], check=True
    )
    _done_sprint(host, plane, project, name="Sprint 5")  # the same name again: the tag takes the cycle's id
    second = _complete(host, project)
    assert [line.partition(" ")[2] for line in second["change_log"].splitlines()] == ["fix: last"]
    assert second["git_tag"] != first["git_tag"]
    assert sorted(_tags(path)) == sorted([first["git_tag"], second["git_tag"]])


def test_a_sprint_that_is_not_done_is_refused_and_nothing_is_written(host, plane, project):
    """HTTP 200, success false, the reason; no tag, no notes, nothing in Plane; completed later all the same."""
    path = host.repository(project)
    cycle, _ = _done_sprint(host, plane, project)
    open_item = plane.add_item("Open", cycle=cycle)
    host.bring(cycle, project)
    plane.forget_calls()
    refused = _complete(host, project)
    assert (refused["success"], refused["features_completed"], refused["features_failed"], refused["git_tag"]) == (False, 3, 1, None)
    assert "1" in refused["error"]
    assert (_tags(path), (path / "releases").exists(), plane.count("PATCH"), plane.count("POST")) == ([], False, 0, 0)
    plane.edit_item(open_item, state="Done")
    host.bring(cycle, project)
    assert _complete(host, project)["success"] is True


def test_without_a_repository(host, plane, project):
    """No tag, an empty change log, no path; the notes are kept in storage."""
    _done_sprint(host, plane, project)
    answer = _complete(host, project)
    assert (answer["success"], answer["git_tag"], answer["change_log"], answer["release_notes_path"]) == (True, None, "", None)
    with host.forge() as forge:
        assert "Item 0" in forge.sprints.release_notes(forge.sprints.sprints(project)[0].id)


def test_a_git_failure_is_told_and_does_not_undo_the_rest(host, plane, project):
    """A repository without a commit cannot be tagged: success, no tag, the reason."""
    host.repository(project, commits=0)
    _done_sprint(host, plane, project)
    answer = _complete(host, project)
    assert (answer["success"], answer["git_tag"]) == (True, None)
    assert answer["error"]


def test_an_ended_cycle_takes_no_retrospective(host, plane, project):
    """Plane refuses to edit an ended cycle: the retrospective stands in the notes alone, success stays, error says so."""
    host.repository(project)
    cycle, _ = _done_sprint(host, plane, project)
    plane.end_cycle(cycle)
    answer = _complete(host, project)
    assert (answer["success"], "retrospective" in answer["error"].lower()) == (True, True)
    assert plane.cycle(cycle)["description"] == ""
    assert _complete(host, project) == answer


@pytest.mark.parametrize("name", ["../../etc", "--force", "a..b~1^:?*[\\", "<script>alert(1)</script>", "ünïcødé 🚀", ".lock", "@{0}", "-"])
def test_hostile_cycle_names_make_clean_refs_and_harmless_text(host, plane, project, name, wait_until):
    """Whatever a cycle is called, its tag is a valid ref, its notes stay inside, and neither they nor the comments hold markup of it."""
    path = host.repository(project)
    _, items = _done_sprint(host, plane, project, name=name, count=1)
    answer = _complete(host, project)
    assert answer["success"] is True
    subprocess.run(["git", "check-ref-format", f"refs/tags/{answer['git_tag']}"], check=True)
    assert Path(answer["release_notes_path"]).resolve().parent == path.resolve() / "releases"
    (comment,) = wait_until(lambda: plane.comments(items[0]))
    assert "<script" not in comment + Path(answer["release_notes_path"]).read_text()


def test_the_repository_is_never_outside_the_projects_directory(host, plane, project, tmp_path):
    """A link in the projects directory that leads out of it is no repository."""
    outside = tmp_path / "outside"
    outside.mkdir()
    subprocess.run(["git", "-C", outside, "init", "-q"], check=True)
    host.projects.mkdir(exist_ok=True)
    (host.projects / project).symlink_to(outside)
    _done_sprint(host, plane, project)
    assert _complete(host, project)["release_notes_path"] is None
    assert not (outside / "releases").exists()


def test_plane_in_trouble_is_502_and_the_rest_stays_done(host, plane, project):
    """A Plane that fails during completion is 502; called again, it goes on where it stopped."""
    path = host.repository(project)
    cycle, _ = _done_sprint(host, plane, project)
    plane.fail_next(503, method="PATCH", times=9)
    assert host.post("/complete-sprint", {"project_name": project}).status_code == 502
    plane.heal()
    answer = _complete(host, project)
    assert (answer["success"], _tags(path)) == (True, [answer["git_tag"]])
    assert plane.cycle(cycle)["description"].count("Retrospective") == 1


@pytest.mark.parametrize(("body", "status"), [({"project_name": "nowhere"}, 404), ({"project_name": "a/b"}, 404), ({}, 400), ([], 400)])
def test_who_is_not_there_cannot_be_completed(host, body, status):
    """An unknown project is 404, a bad body 400."""
    answer = host.post("/complete-sprint", body)
    assert (answer.status_code, isinstance(answer.json()["detail"], str)) == (status, True)


def test_the_statistics_of_the_status(host, plane, project):
    """total, passing, failed, runs and the rate of passed runs: 36 of 42 is 85.7."""
    cycle = plane.add_cycle("Counted")
    for number in range(8):
        plane.add_item(f"Item {number}", cycle=cycle)
    host.bring(cycle, project)
    empty = host.get("/sync-status").json()["sprint_stats"]
    assert empty == {"total": 8, "passing": 0, "failed": 8, "total_test_runs": 0, "overall_pass_rate": 0.0}
    _record(host, project, [(1 + run % 7, False) for run in range(6)] + [(1 + run % 7, True) for run in range(36)])
    found = host.get("/sync-status").json()
    assert found["sprint_stats"] == {"total": 8, "passing": 7, "failed": 1, "total_test_runs": 42, "overall_pass_rate": 85.7}
    assert found["sprint_complete"] is False
    _record(host, project, [(8, True)])
    assert host.get("/sync-status").json()["sprint_complete"] is True


def test_the_report(host, plane, project):
    """The report has the linked items, summaries for those with runs, and the newest run's result."""
    cycle = plane.add_cycle("Reported")
    for number in range(3):
        plane.add_item(f"Item {number}", cycle=cycle)
    host.bring(cycle, project)
    with host.forge() as forge:
        forge.work.create_item(project, name="Not linked to Plane")
    _record(host, project, [(1, True), (1, False), (2, False), (2, True)])
    report = host.get("/test-report", params={"project_name": project}).json()
    assert [report[key] for key in ("total_features", "features_tested", "features_never_tested", "total_test_runs")] == [3, 2, 1, 4]
    assert (report["overall_pass_rate"], report["generated_at"].endswith("Z")) == (50.0, True)
    assert [(each["feature_id"], each["feature_name"], each["total_runs"], each["pass_count"], each["fail_count"], each["last_result"])
            for each in report["feature_summaries"]] == [(1, "Item 0", 2, 1, 1, False), (2, "Item 1", 2, 1, 1, True)]  # fmt: skip


@pytest.mark.parametrize(("query", "status"), [("?project_name=nowhere", 404), ("", 400), ("?project_name=", 400)])
def test_a_report_of_nothing(host, query, status):
    """An unknown project is 404, none named 400."""
    answer = host.get(f"/test-report{query}")
    assert (answer.status_code, isinstance(answer.json()["detail"], str)) == (status, True)
