from __future__ import annotations

import signal
import subprocess
import sys

import pytest


def test_a_fresh_installation_is_healthy(command):
    """``doctor`` ends with 0 where nothing is wrong, configured or not."""
    assert command("doctor") == 0
    assert "not configured" in command.out


def test_doctor_probes_the_tracker(command, plane):
    """The tracker answers: its project and version are shown."""
    assert command("doctor") == 0
    assert "Shop in acme, version 1.3.1" in command.out


def test_doctor_finds_a_refused_key(command, plane):
    """What is wrong is marked, and the exit code is 1."""
    plane.revoke_key()
    assert command("doctor", "--json") == 1
    assert [finding["what"] for finding in command.json if not finding["ok"]] == ["tracker plane"]


def test_doctor_may_stay_offline(command, plane):
    """With --offline nothing is called."""
    assert command("doctor", "--offline") == 0
    assert plane.calls == []


def test_doctor_tells_a_database_that_does_not_open(command):
    """A forge that cannot be opened is a finding, not a crash."""
    assert command("--database", "foo:bar", "doctor") == 1
    assert "BAD" in command.out


def test_a_database_that_does_not_open_is_told_with_what_to_do(command, tmp_path):
    """Whatever the engine says of it, the command tells where the address comes from; nothing is a traceback."""
    assert command("--database", f"sqlite:///{tmp_path}/none/forge.db", "builds", "projects") == 1
    assert "hint: check --database or FORGEKIT_DATABASE_URL" in command.err


def test_wrong_settings_are_told_in_one_sentence(command, monkeypatch):
    """A problem that is a sentence of its own ends the whole with one full stop."""
    monkeypatch.setenv("FORGEKIT_API_KEYS", "one,,three")
    assert command("key", "list") == 3
    assert (".." in command.err, command.err.splitlines()[0].endswith(".")) == (False, True)


def test_doctor_tells_of_the_sources_of_builds(command, monkeypatch):
    """Each source is there: without a token for public projects, and marked where its settings are wrong."""
    assert command("doctor", "--json") == 0
    found = {finding["what"]: finding["finding"] for finding in command.json}
    assert "no token" in found["builds of github"]
    monkeypatch.setenv("GITHUB_TOKEN", "made-up")
    command("doctor", "--json")
    assert {"what": "builds of github", "ok": True, "finding": "configured, not asked"} in command.json
    monkeypatch.setenv("GITHUB_RATE_LIMIT", "many")
    assert command("doctor", "--json") == 1
    assert [finding["what"] for finding in command.json if not finding["ok"]] == ["builds of github"]


def test_doctor_tells_whose_webhook_secrets_there_are(command, monkeypatch):
    """Senders are named, and a secret of one that nobody knows is marked: else a slip would go unnoticed until webhooks are refused."""
    monkeypatch.setenv("FORGEKIT_WEBHOOK_SECRETS", '{"stripe": "whsec_b25l", "github/blue": "s"}')
    assert command("doctor", "--json") == 0
    assert {"what": "webhook secrets", "ok": True, "finding": "github, stripe"} in command.json
    for secrets, finding in (('{"gihtub": "s"}', "nobody who sends is called 'gihtub' (known: "), ('{"github": ""}', "")):
        monkeypatch.setenv("FORGEKIT_WEBHOOK_SECRETS", secrets)
        assert command("doctor", "--json") == 1
        assert [each["finding"].startswith(finding) for each in command.json if not each["ok"]] == [True]


def test_plugins_are_listed(command):
    """The installed plugins are shown by name."""
    assert command("plugins", "--json") == 0
    assert {"plane", "sql", "surfaces"} <= set(command.json["plugins"])


def test_a_database_is_upgraded_once(command, postgresql_url):
    """``db upgrade`` applies what is missing, and then has nothing to do."""
    assert command("--database", postgresql_url, "plugins") == 1
    assert "db upgrade" in command.err
    assert command("--database", postgresql_url, "db", "upgrade") == 0
    assert command.out.startswith("applied: ")
    command("--database", postgresql_url, "db", "upgrade")
    assert command.out == "the schema is up to date\n"


def test_secrets_are_sealed_anew(command, plane, monkeypatch):
    """After ``secrets rotate`` the old key is no longer needed."""
    from forgekit import Forge
    from forgekit_plane.settings import PlaneSettings

    monkeypatch.delenv("PLANE_API_KEY")
    old, new = ("old:" + "QUFB" * 10 + "QUE=", "new:" + "QkJC" * 10 + "QkI=")
    with Forge.open(discover=True, environ={"FORGEKIT_SECRET_KEYS": old}) as forge:
        forge.settings.store(PlaneSettings, {"api_key": "plane_api_0123456789abcdef"})
    monkeypatch.setenv("FORGEKIT_SECRET_KEYS", f"{new},{old}")
    assert command("secrets", "rotate", "--json") == 0
    assert command.json == {"sealed": 1}
    with Forge.open(discover=True, environ={"FORGEKIT_SECRET_KEYS": new}) as forge:
        assert forge.settings.load(PlaneSettings).api_key.reveal() == "plane_api_0123456789abcdef"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_when_it_is_told(tmp_path, number, begin, clean_environ):
    """SIGTERM and Ctrl-C stop the worker in order, with exit code 0."""
    environment = {**clean_environ, "FORGEKIT_DATABASE_URL": f"sqlite:///{tmp_path / 'forge.db'}"}
    process = begin(sys.executable, "-m", "forgekit.cli", "worker", env=environment, stdout=subprocess.PIPE, cwd=tmp_path)
    assert "the worker runs" in process.stdout.readline()
    process.send_signal(number)
    assert process.wait(timeout=60) == 0
