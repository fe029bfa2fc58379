"""The command, called as the installed script calls it, in an empty directory."""

from __future__ import annotations

import json
import os

import pytest

from forgekit.cli.app import run
from forgekit.testing import FakePlane


class Command:
    """Runs the command and keeps what it printed."""

    def __init__(self, capsys):
        self._capsys = capsys
        self.out = self.err = ""

    def __call__(self, *arguments):
        code = run([str(argument) for argument in arguments])
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def command(capsys, tmp_path, monkeypatch, clean_environ):
    """The command in an empty directory and a clean environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name in set(os.environ).difference(clean_environ):
        monkeypatch.delenv(name)
    return Command(capsys)


@pytest.fixture
def plane(monkeypatch):
    """A Plane that the environment points at."""
    with FakePlane(rate_limit=None) as fake:
        for name, value in fake.settings.items():
            monkeypatch.setenv(f"PLANE_{name.upper()}", value)
        yield fake
