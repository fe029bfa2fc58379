from __future__ import annotations

import subprocess


def test_a_project_is_made_and_listed(command):
    """``project add`` makes it, ``project list`` shows it."""
    assert command("project", "add", "shop", "--name", "The shop") == 0
    assert command("project", "list", "--json") == 0
    assert [(project["key"], project["name"]) for project in command.json] == [("shop", "The shop")]


def test_an_empty_list_says_what_to_do(command):
    """Without projects the list is a sentence."""
    assert command("project", "list") == 0
    assert "no projects yet" in command.out


def test_a_bad_key_is_refused_with_the_rule(command):
    """The rule of keys is told once, and the exit code is 1."""
    assert command("project", "add", "no spaces") == 1
    assert command.err.count("begins with a letter or digit") == 1


def test_a_known_project_gets_its_repository(command, tmp_path):
    """``project add`` with --repository sets it on a project that exists."""
    command("project", "add", "shop")
    subprocess.run(["git", "init", "--quiet", tmp_path / "code"], check=True)
    assert command("project", "add", "shop", "--repository", "code") == 0
    command("project", "list", "--json")
    assert command.json[0]["repository"] == str(tmp_path / "code")


def test_adding_a_project_twice_is_refused(command):
    """A key is taken once."""
    command("project", "add", "shop")
    assert command("project", "add", "shop") == 1
    assert command.err.startswith("error: ")
