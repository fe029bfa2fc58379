"""The files of a deployment: they are what systemd and podman read, and name what is there."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from forgekit.cli import commands  # noqa: F401 - registers them
from forgekit.cli.app import cli

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "examples" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
PAGE = (ROOT / "docs" / "how-to" / "deploy.md").read_text()
DESCRIBED = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
INSTRUCTIONS = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "CMD"}


def unit(path):
    """A unit file's sections."""
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters="=", comment_prefixes="#")
    parser.optionxform = str
    parser.read(path)
    return parser


def container():
    """The container file's instructions in their order, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE)
    lines = [line.split(None, 1) for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(name, value.strip()) for name, value in lines]


def assert_is_ours(command):
    """A command is the host's or one of ``forgekit``'s, with options that it has."""
    program, *arguments = command
    if Path(program).name == "python":
        assert Path(arguments[0]).name == "host"
        source = (ROOT / "examples" / "fastapi_host" / "__main__.py").read_text()
        assert all(f'"{option}"' in source for option in arguments[1:] if option.startswith("--"))
        return
    assert Path(program).name == "forgekit"
    found = cli
    for name in arguments:
        found = found.commands[name]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_is_there(path):
    """Each command that a unit starts exists, and nothing in it is secret."""
    found = unit(path)
    assert found.sections() == ["Unit", "Service", "Install"]
    service = found["Service"]
    for name in ("ExecStartPre", "ExecStart"):
        if name in service:
            assert_is_ours(shlex.split(service[name]))
    assert (service["User"], service["EnvironmentFile"]) == ("forgekit", "/etc/forgekit/environment")
    assert "Environment" not in service


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_may_do_little(path):
    """Neither unit has rights that it does not need, and both end in their own time."""
    service = unit(path)["Service"]
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["CapabilityBoundingSet"]) == ("yes", "strict", "")
    assert (service["ProtectHome"], service["PrivateTmp"], service["RestrictAddressFamilies"]) == ("yes", "yes", "AF_INET AF_INET6 AF_UNIX")
    assert int(service["TimeoutStopSec"]) > 8


def test_the_container_file_copies_and_installs_what_is_there():
    """Each instruction is one, each source and each distribution is in the repository, with the extras that are named."""
    found = container()
    assert {name for name, _ in found} <= INSTRUCTIONS
    for name, value in found:
        if name == "COPY" and not value.startswith("--from="):
            assert all((ROOT / source).exists() for source in value.split()[:-1])
    (install,) = (value for name, value in found if name == "RUN" and "pip install" in value)
    for place, extras in re.findall(r" (\.[\w/]*)(?:\[([\w,]+)\])?", install):
        project = tomllib.loads((ROOT / place / "pyproject.toml").read_text())["project"]
        assert set(filter(None, extras.split(","))) <= set(project.get("optional-dependencies", {}))
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {"fastapi", "uvicorn", "httptools"} <= pinned


def test_the_container_runs_the_host_as_nobody_in_particular():
    """The process has no rights, its files one place, and its variables are described."""
    found = dict(container())  # of what is said twice, the last: the image that runs
    assert (found["USER"], found["VOLUME"], found["STOPSIGNAL"]) == ("forgekit", "/var/lib/forgekit", "SIGTERM")
    command = json.loads(found["CMD"])
    assert_is_ours(command)
    assert ("COPY", f"examples/fastapi_host {command[1]}") in container()
    assert set(re.findall(r"FORGEKIT_\w+", found["ENV"])) <= DESCRIBED


def test_the_page_names_files_and_variables_that_there_are():
    """What the page says to copy, to install and to set exists."""
    for path in re.findall(r"examples/deploy/([\w.@-]+)", PAGE):
        assert (DEPLOY / path.rstrip(".")).exists()
    assert set(re.findall(r"^((?:FORGEKIT|GITHUB|PLANE)_\w+)=", PAGE, re.MULTILINE)) <= DESCRIBED
    assert {path.name for path in DEPLOY.iterdir()} <= set(re.findall(r"examples/deploy/([\w.@-]+)\)", PAGE))
