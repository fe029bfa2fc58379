from __future__ import annotations

from pathlib import Path

import pytest

from forgekit.configuration import ForgeSettings, data_directory, sealing_keys
from forgekit.errors import ConfigurationError
from forgekit.kernel.secrets import Secret


@pytest.mark.parametrize(
    ("url", "directory"),
    [
        ("sqlite:///forge.db", Path()),
        ("sqlite:////var/lib/forge/forge.db", Path("/var/lib/forge")),
        ("sqlite:///data/forge.db?x=1", Path("data")),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql://user@host/db", Path(".forgekit")),
    ],
)
def test_files_go_beside_the_database(url, directory):
    """A development key lies beside an SQLite file, in ``.forgekit`` for a server, nowhere for a database in memory."""
    assert data_directory(url) == directory


def test_configured_keys_go_before_a_development_key(tmp_path):
    """With FORGEKIT_SECRET_KEYS set no file is made."""
    own = ForgeSettings(secret_keys=Secret("k1:" + "QUFB" * 10 + "QUE="))
    assert [key[0] if isinstance(key, tuple) else key.id for key in sealing_keys(own, tmp_path)] == ["k1"]
    assert list(tmp_path.iterdir()) == []


def test_unreadable_keys_are_refused(tmp_path):
    """A text that is no list of keys is a configuration error, and is not shown."""
    with pytest.raises(ConfigurationError) as refused:
        sealing_keys(ForgeSettings(secret_keys=Secret("hunter2")), tmp_path)
    assert "hunter2" not in str(refused.value)


def test_a_forge_in_memory_leaves_no_key_behind():
    """Without a place for files the key lives as long as the process."""
    (key,) = sealing_keys(ForgeSettings(), None)
    assert len(key[1] if isinstance(key, tuple) else key.key) == 32
