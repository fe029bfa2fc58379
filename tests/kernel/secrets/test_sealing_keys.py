from __future__ import annotations

import base64
import logging
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import ConfigurationError
from forgekit.kernel.secrets import Sealer, development_key, parse_keys

KEY = bytes(range(224, 256))
PRINTS_THE_KEY = """
import pathlib, sys
from forgekit.kernel.secrets import development_key
print(development_key(pathlib.Path(sys.argv[1]))[0].key.hex())
"""


@given(st.binary(min_size=32, max_size=32), st.booleans(), st.booleans())
def test_keys_are_read_in_every_spelling_of_base64(key, url_safe, padded):
    """Standard and URL-safe base64 are read, with and without padding."""
    text = (base64.urlsafe_b64encode if url_safe else base64.b64encode)(key).decode()
    assert parse_keys(f"k1:{text if padded else text.rstrip('=')}") == (("k1", key),)


def test_the_order_of_keys_is_kept():
    """The first key is the one that seals; spaces and a comma at the end do no harm."""
    text = base64.b64encode(KEY).decode()
    assert [kid for kid, _ in parse_keys(f" new:{text} , old:{text},")] == ["new", "old"]


@pytest.mark.parametrize(
    "text",
    ["", ",", "k1", "k1:", f"k1:{'A' * 20}", "k1:not base64!", "k1:ä", f":{'A' * 43}", f"k.1:{'A' * 43}", f"k1:{'A' * 43},k1:{'B' * 42}A"],
)
def test_unreadable_keys_are_refused_without_showing_them(text):
    """A mistake in the keys is told by its place, and no part of a key is repeated."""
    with pytest.raises(ConfigurationError) as caught:
        parse_keys(text)
    assert "AAAA" not in str(caught.value)
    assert "not base64!" not in str(caught.value)


def test_a_key_masks_its_bytes():
    """A key's representation shows its id alone."""
    (key,) = parse_keys(f"k1:{base64.b64encode(KEY).decode()}")
    assert repr(key) == "SealingKey(kid='k1', key=****)"


def test_a_development_key_is_made_once(tmp_path, caplog):
    """The first use makes the directory and the key and warns; later uses find it and are quiet."""
    first = development_key(tmp_path / "data")
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    caplog.clear()
    assert development_key(tmp_path / "data") == first
    assert not caplog.records
    assert Sealer(first).current.startswith("dev-")


@pytest.mark.skipif(os.name != "posix", reason="rights are POSIX's")
def test_a_development_key_is_for_its_owner_alone(tmp_path, caplog):
    """Nobody else may read the file; a warning says where somebody may."""
    development_key(tmp_path)
    path = tmp_path / "development.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    caplog.clear()
    development_key(tmp_path)
    assert "chmod 600" in caplog.text


def test_threads_that_start_together_agree_on_a_key(tmp_path):
    """However many threads make the key at once, one is made, and no draft is left behind."""
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: development_key(tmp_path), range(64)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["development.key"]


def test_processes_that_start_together_agree_on_a_key(tmp_path, begin):
    """Several processes that make the key at once all end up with the same one."""
    command = (sys.executable, "-c", PRINTS_THE_KEY, tmp_path)
    running = [begin(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(4)]
    printed = {process.communicate(timeout=300)[0] for process in running}
    assert len(printed) == 1
    assert printed != {""}


def test_a_loser_of_the_race_takes_the_winner_s_key(tmp_path, monkeypatch):
    """A process that finds the file made between its look and its own making uses that file."""
    from forgekit.kernel.secrets import keys

    winner = development_key(tmp_path)
    keys._make_key_file(tmp_path / "development.key")
    assert development_key(tmp_path) == winner


def test_a_directory_that_cannot_be_used_is_told(tmp_path):
    """Where no key can be kept, the error names the variable to set."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="FORGEKIT_SECRET_KEYS"):
        development_key(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\xfe"])
def test_a_damaged_key_file_is_told(tmp_path, content):
    """A file that is no key is an error, not a new key: what the old one sealed would be lost silently."""
    (tmp_path / "development.key").write_bytes(content)
    with pytest.raises(ConfigurationError):
        development_key(tmp_path)
