"""Git through its command line, on real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forgekit.errors import GitFailed
from forgekit.sprints.git import Git
from forgekit.sprints.models import Sprint
from forgekit.sprints.rules.completing import slugs

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="no git on the path")


def _git(path, *arguments):
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    return subprocess.run(["git", "-C", path, *identity, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def _commit(path, subject):
    _git(path, "commit", "--allow-empty", "-q", f"--message={subject}")


@pytest.fixture
def tree(tmp_path):
    """A work tree with two commits."""
    path = tmp_path / "tree"
    path.mkdir()
    _git(path, "init", "-q")
    _commit(path, "feat: one")
    _commit(path, "fix: two")
    return path


def test_the_log_is_one_line_a_commit(tree):
    """The change log has the newest commit first, and at most as many lines as asked for."""
    tool = Git()
    lines = tool.log(tree, since=None, until=tool.head(tree), limit=50).splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["fix: two", "feat: one"]
    assert lines == _git(tree, "log", "--oneline").splitlines()
    assert len(tool.log(tree, since=None, until=tool.head(tree), limit=1).splitlines()) == 1


def test_the_log_begins_after_the_previous_sprint(tree):
    """Only what came after the last sprint's tag is in the change log."""
    tool = Git()
    tool.tag(tree, "sprint/one", "Sprint one", commit=tool.head(tree))
    _commit(tree, "feat: three")
    since = tool.previous_sprint_tag(tree, tool.head(tree))
    assert since == "sprint/one"
    assert tool.log(tree, since=since, until=tool.head(tree), limit=50).endswith("feat: three")


def test_other_tags_are_no_sprints(tree):
    """Releases and lightweight tags do not start a sprint's change log."""
    _git(tree, "tag", "-a", "v1", "-m", "v1")
    _git(tree, "tag", "sprint/light")
    assert Git().previous_sprint_tag(tree, Git().head(tree)) is None


def test_a_tag_keeps_its_message(tree):
    """An annotated tag carries its message to the letter, lines that look like comments included."""
    tool = Git()
    tool.tag(tree, "sprint/one", "-m\n\n# not a comment\nForgekit-Sprint: x\n", commit=tool.head(tree))
    assert tool.tag_message(tree, "sprint/one") == "-m\n\n# not a comment\nForgekit-Sprint: x\n"
    assert _git(tree, "cat-file", "-t", "sprint/one") == "tag"
    assert tool.tag_message(tree, "sprint/other") is None


def test_a_tag_is_never_moved(tree):
    """A second tag of the same name is an error, and the first stays."""
    tool = Git()
    tool.tag(tree, "sprint/one", "first", commit=tool.head(tree))
    with pytest.raises(GitFailed, match="already exists"):
        tool.tag(tree, "sprint/one", "second", commit=tool.head(tree))
    assert tool.tag_message(tree, "sprint/one") == "first"


def test_a_tag_stands_on_the_named_commit(tree):
    """What is committed after the change log was read is not in the tag."""
    tool = Git()
    head = tool.head(tree)
    _commit(tree, "feat: late")
    tool.tag(tree, "sprint/one", "m", commit=head)
    assert _git(tree, "rev-parse", "sprint/one^{commit}") == head


def test_a_repository_without_commits_says_so(tmp_path):
    """An empty repository has no head, and the reason is a sentence."""
    _git(tmp_path, "init", "-q")
    with pytest.raises(GitFailed, match="no commit"):
        Git().head(tmp_path)


def test_a_folder_in_somebody_elses_tree_is_no_repository(tree):
    """Git is not led to a repository above the folder that was named."""
    inner = tree / "inner"
    inner.mkdir()
    with pytest.raises(GitFailed):
        Git().head(inner)


def test_hooks_do_not_run(tree):
    """No program of the repository runs because a sprint ends."""
    hook = tree / ".git" / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
    hook.chmod(0o755)
    Git().tag(tree, "sprint/one", "m", commit=Git().head(tree))
    assert not (tree / "ran").exists()


def test_the_callers_repository_is_not_ours(tree, tmp_path, monkeypatch):
    """A process started by a git hook carries GIT_DIR; that is not the repository meant here."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", "nonsense")
    assert len(Git().head(tree)) == 40


_TAG = """
import sys
from pathlib import Path
from forgekit.sprints.git import Git

tree = Path(sys.argv[1])
Git().tag(tree, "sprint/one", "m", commit=Git().head(tree))
"""


@pytest.mark.parametrize("home", [["HOME={}"], []])
def test_a_server_without_identity_can_tag(tree, tmp_path, home):
    """With an empty environment and an empty home, or none, git knows nobody: the annotated tag is made in our own name."""
    kept = [f"PATH={os.environ['PATH']}", *(line.format(tmp_path / "empty") for line in home)]
    subprocess.run(["env", "-i", *kept, sys.executable, "-c", _TAG, tree], check=True)
    assert "tagger forgekit <forgekit@localhost>" in _git(tree, "cat-file", "tag", "sprint/one")


def test_a_configured_identity_is_kept(tree):
    """Where the repository names somebody, the tag is theirs."""
    _git(tree, "config", "user.name", "Bob")
    _git(tree, "config", "user.email", "bob@example.org")
    Git().tag(tree, "sprint/one", "m", commit=Git().head(tree))
    assert "tagger Bob <bob@example.org>" in _git(tree, "cat-file", "tag", "sprint/one")


def test_long_subjects_and_control_characters_are_tamed(tree):
    """A change log stays small and printable, whatever was committed."""
    _commit(tree, "\x1b[31mred " + "x" * 100_000)
    log = Git().log(tree, since=None, until=Git().head(tree), limit=50)
    assert len(log) < 1000
    assert "\x1b" not in log


def test_an_absent_program_is_a_git_failure(tree):
    """Without git the error says so, and is one of ours."""
    with pytest.raises(GitFailed, match="cannot be run"):
        Git(program="no-such-git").head(tree)


def test_a_hanging_program_is_a_git_failure(tree, tmp_path):
    """A command that takes too long is ended."""
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    with pytest.raises(GitFailed, match="took more than"):
        Git(program=str(slow), timeout=0.2).head(tree)


def test_a_failure_of_describe_is_not_taken_for_no_tag(tree):
    """Only git's own "no tag" means that there is none."""
    Git().tag(tree, "sprint/one", "m", commit=Git().head(tree))
    with pytest.raises(GitFailed, match="describe"):
        Git().previous_sprint_tag(tree, "0" * 40)


def test_a_program_that_names_no_commit_is_refused(tree):
    """What does not look like a commit's id is not used as one."""
    with pytest.raises(GitFailed, match="named no commit"):
        Git(program="/bin/echo").head(tree)


@settings(max_examples=60)
@given(st.text(), st.one_of(st.none(), st.text(max_size=100)))
def test_every_tag_name_is_clean(name, cycle_id):
    """Git takes the tag of any sprint, whatever its name and cycle are called."""
    sprint = Sprint(id="0198c0de-id", project_id="p", name=name, external_id=cycle_id, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    for slug in slugs(sprint):
        subprocess.run(["git", "check-ref-format", f"refs/tags/sprint/{slug}"], check=True)
