"""The commands of the documents, as a reader would type them, against a host."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
FENCE = re.compile(r"^```(sh|json)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANY = "…"
MARK = "--- the next one ---"

pytestmark = [
    pytest.mark.host,
    pytest.mark.skipif(shutil.which("curl") is None or shutil.which("bash") is None, reason="no curl and bash to type the commands with"),
]


def commands(page):
    """The commands of a page in their order, each with the JSON that the page shows for it, or None."""
    found = []
    for kind, text in FENCE.findall(page.read_text()):
        if kind == "sh":
            found.append([text, None])
        else:
            found[-1][1] = json.loads(text)
    return found


def is_shown(shown, told):
    """Tell whether what a page shows is in what was told: members may be left out, and ``…`` stands for anything."""
    if shown == ANY and isinstance(told, str):
        return True
    if isinstance(shown, dict):
        return isinstance(told, dict) and all(name in told and is_shown(each, told[name]) for name, each in shown.items())
    if isinstance(shown, list):
        return isinstance(told, list) and len(shown) == len(told) and all(map(is_shown, shown, told))
    return shown == told


def type_in(host, scripts):
    """Run commands in one shell, as a reader does, and return what each printed."""
    tools = Path(sys.executable).parent
    environ = {**host.environ(), "FORGE": host.address, "PATH": f"{tools}:{host.environ()['PATH']}"}
    script = f"set -euo pipefail\n{'printf %s ' + repr(MARK)}\n".join(["", *(f"{text}\n" for text in scripts)])
    done = subprocess.run(["bash", "-c", script], cwd=host.directory, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, (done.stderr, done.stdout[-500:])
    return done.stdout.split(MARK)[1:]


@pytest.fixture
def reader_of(spawn):
    """Start a host as the pages describe it, with the secrets that they name."""
    environment = {"GITHUB_WEBHOOK_SECRET": "the-secret-of-github", "FORGEKIT_BUILDS_WEBHOOK_SECRET": "the-secret-of-builds"}
    hosts = []

    def start(name):
        hosts.append(spawn(name, environment=environment, arguments=("--surface", "builds", "--no-worker")))
        return hosts[-1]

    yield start
    for host in hosts:
        host.end()


@pytest.mark.parametrize(("name", "host"), [("api.md", "fastapi"), ("webhooks.md", "django")])
def test_what_a_page_types_answers_as_it_shows(reader_of, name, host):
    """Each command works, in the page's order, and prints what the page shows of it."""
    found = commands(DOCS / name)
    printed = type_in(reader_of(host), [script for script, _ in found])
    assert len(printed) == len(found) > 5
    for (script, shown), text in zip(found, printed, strict=True):
        assert shown is None or is_shown(shown, json.loads(text)), (script, text)


def test_the_table_of_fields_is_the_readers():
    """The page lists every field that a build may have, and no other."""
    from forgekit.builds.reading.strict import FIELDS

    table = (DOCS / "api.md").read_text().partition("| Field | What it is |")[2].partition("\n\n")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(cells))) == sorted(FIELDS)
