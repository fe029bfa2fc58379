"""The forgekit command, from the outside."""

from __future__ import annotations

import subprocess
import sys

import pytest

import forgekit.cli
from forgekit.cli import problems
from forgekit.errors import (
    BudgetExhausted,
    ConfigurationError,
    ForgekitError,
    InvalidInput,
    NotFound,
    RemoteRateLimited,
    RemoteUnauthorized,
    SettingsInvalid,
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound(), 1),
        (InvalidInput(), 1),
        (ConfigurationError(), 3),
        (RemoteUnauthorized(), 4),
        (BudgetExhausted(), 4),
        (ForgekitError(), 1),
    ],
)
def test_exit_codes_tell_whose_fault_it_was(error, code):
    """1 is a refusal, 3 the configuration, 4 an outside system."""
    assert problems.exit_code(error) == code


def test_an_error_says_what_where_and_what_to_do(capsys):
    """The message, each problem's place, when to come back, and a hint."""
    problems.tell(RemoteRateLimited("Plane asks to wait.", retry_after=12.1))
    assert capsys.readouterr().err == "error: Plane asks to wait.\nhint: try again in 13 s\n"


def test_all_problems_of_the_settings_are_told(capsys):
    """A person can mend every setting at once."""
    problems.tell(SettingsInvalid("Wrong.", problems=[{"path": "a.b", "message": "is no number"}, {"path": "c", "message": "is empty"}]))
    assert capsys.readouterr().err.splitlines() == ["error: Wrong.", "  a.b: is no number", "  c: is empty"]


def test_without_click_the_script_says_what_to_install(monkeypatch):
    """The command's packages are an extra; their absence is told in one sentence."""
    for name in [name for name in sys.modules if name == "click" or name.startswith("forgekit.cli.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as ended:
        forgekit.cli.main()
    assert "forgekit-core[cli]" in str(ended.value)


def test_the_installed_script_runs():
    """``python -m forgekit.cli --version`` prints the version."""
    done = subprocess.run([sys.executable, "-m", "forgekit.cli", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("forgekit, version ")


def test_a_wrong_command_line_ends_with_2(command):
    """Click tells what is wrong with the command line."""
    assert command("sprint", "import") == 2
    assert "Missing" in command.err


def test_help_needs_no_database(command, tmp_path):
    """Asking for help makes no file."""
    assert command("sprint", "--help") == 0
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_command_ends_with_130(command, monkeypatch):
    """Ctrl-C is told, without a traceback."""
    monkeypatch.setattr("forgekit.forge.Forge.open", lambda *_a, **_k: (_ for _ in ()).throw(KeyboardInterrupt))
    assert command("plugins") == 130
