from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from forgekit.kernel.clock import SystemClock
from forgekit.kernel.secrets import Sealer, Secret
from forgekit.kernel.settings import Settings, setting, settings

sql = pytest.importorskip("forgekit_sql")

OLD, NEW = ("old", b"o" * 32), ("new", b"n" * 32)


@settings("depot", env_prefix="DEPOT_")
class Depot:
    """Settings of a made-up adapter."""

    url: str | None = setting(default=None)
    key: Secret | None = setting(default=None, secret=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request, tmp_path):
    """A storage on each database."""
    if request.param == "sqlite":
        opened = sql.open_sqlite(f"sqlite:///{tmp_path / 'forge.db'}", SystemClock())
    else:
        opened = sql.open_postgresql(request.getfixturevalue("postgresql_url"), SystemClock())
    opened.upgrade()
    yield opened
    opened.close()


def _service(storage, *keys):
    return Settings(storage, sealer=lambda: Sealer(keys), environ={})


def test_settings_live_in_a_database(storage):
    """Stored settings come back, can be forgotten, and follow their transaction."""
    service = _service(storage, NEW)
    service.store(Depot, {"url": "http://x", "key": "hunter2"})
    assert _service(storage, NEW).load(Depot) == Depot(url="http://x", key=Secret("hunter2"))
    with storage.transaction() as tx:
        service.store(Depot, {"key": None}, tx)
        assert service.load(Depot, tx).key is None
    assert service.snapshot(Depot) == Depot(url="http://x")


def test_a_database_s_secrets_are_rotated(storage):
    """After a rotation the old key opens nothing, and is needed by nothing."""
    _service(storage, OLD).store(Depot, {"key": "hunter2"})
    assert [_service(storage, NEW, OLD).rotate(), _service(storage, NEW, OLD).rotate()] == [1, 0]
    assert _service(storage, NEW).load(Depot).key == Secret("hunter2")


def test_a_secret_stored_during_a_rotation_is_kept(storage):
    """A rotation that has read the old value does not write it over one that somebody stores meanwhile."""
    _service(storage, OLD).store(Depot, {"key": "former"})
    sealer, storing, reading = Sealer([NEW, OLD]), threading.Event(), threading.Event()
    open_it = sealer.open

    def open_slowly(envelope, context):
        reading.set()
        assert storing.wait(60)
        return open_it(envelope, context)

    sealer.open = open_slowly
    with ThreadPoolExecutor(2) as pool:
        rotating = pool.submit(Settings(storage, sealer=lambda: sealer, environ={}).rotate)
        assert reading.wait(60)
        stored = pool.submit(_service(storage, NEW).store, Depot, {"key": "latest"})
        storing.set()
        assert (rotating.result(60), stored.result(60).key) == (1, Secret("latest"))
    assert _service(storage, NEW).load(Depot).key == Secret("latest")
