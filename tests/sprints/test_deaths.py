"""kill -9 at any moment: nothing is lost, doubled or half done."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults


@pytest.fixture
def deaths(tmp_path):
    """Let processes die at every boundary of a verb, and return what was found after each death."""

    def run(kind):
        script = [sys.executable, Path(__file__).with_name("dying_process.py"), kind, tmp_path]
        ended = subprocess.run(script, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        found = [json.loads(line) for line in ended.stdout.splitlines()]
        assert all(death.pop("died") for death in found)
        return found

    return run


def test_an_import_is_there_as_a_whole_or_not_at_all(deaths):
    """Killed anywhere, an import has stored nothing or everything; the next one ends with every item once."""
    found = deaths("import")
    assert len(found) > 40
    assert {(tuple(death["before"]), death["known"]) for death in found} == {((), None), ((3,), "cycle-1")}
    assert all((death["after"], death["needs"]) == (["A", "B", "C"], {"A": "parent"}) for death in found)


def test_a_completion_is_finished_with_every_effect_once(deaths):
    """Killed anywhere, also while its comments are posted, a completion is finished by the next call."""
    found = deaths("complete")
    assert len(found) > 40
    for death in found:
        del death["last"]
        assert death == {
            "answer": [True, "sprint/sprint-5", None],
            "tags": ["sprint/sprint-5"],
            "files": ["sprint-sprint-5.md"],
            "comments": ["a", "b", "c"],
            "retrospectives": 1,
            "states": ["COMPLETED"],
        }
