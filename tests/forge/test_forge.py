"""The composition root: opening, transactions, signals, closing, forks."""

from __future__ import annotations

import os
import pickle
import sys
import threading

import pytest

import forgekit
import forgekit_plane
import forgekit_sql
from forgekit import Forge, hookimpl, offload
from forgekit.errors import (
    ForgeClosed,
    ForgeForked,
    ForgekitError,
    NetworkInTransaction,
    NotConfigured,
    PluginConflict,
    SchemaStale,
    SettingsInvalid,
    TransactionOver,
    UnknownPlugin,
    WrongThread,
)
from forgekit.kernel.events.models import Handler
from forgekit.testing import FakePlane
from forgekit.work.models import ProjectCreated


@pytest.fixture
def forge():
    """A forge in memory, with every installed plugin."""
    with Forge.open("sqlite://", discover=True, environ={}) as opened:
        yield opened


def test_plugins_may_be_given_as_packages():
    """``plugins=[forgekit_sql, forgekit_plane]`` is enough for a forge with a database and a tracker."""
    with Forge.open("sqlite://", plugins=[forgekit_sql, forgekit_plane], environ={}) as forge:
        assert set(forge.trackers) == {"plane"}
        assert forge.surfaces() == {}


def test_without_a_storage_plugin_the_reason_is_told():
    """A scheme that no plugin opens is refused, with what to install."""
    with pytest.raises(UnknownPlugin, match="forgekit-sql"):
        Forge.open("sqlite://", environ={})


def test_the_environment_names_the_database(tmp_path):
    """``FORGEKIT_DATABASE_URL`` is the default."""
    url = f"sqlite:///{tmp_path / 'here.db'}"
    Forge.open(discover=True, environ={"FORGEKIT_DATABASE_URL": url}).close()
    assert (tmp_path / "here.db").exists()


def test_a_misspelt_setting_is_refused():
    """Configuration that nobody reads is a mistake, and is told with its path."""
    with pytest.raises(SettingsInvalid) as refused:
        Forge.open("sqlite://", discover=True, environ={}, config={"plane": {"api_ulr": "http://127.0.0.1"}})
    assert refused.value.data["problems"][0]["path"] == "plane.api_ulr"


def test_postgresql_refuses_a_stale_schema_until_it_is_upgraded(postgresql_url):
    """Opening never changes a server's schema; ``Forge.upgrade`` does, once."""
    with pytest.raises(SchemaStale):
        Forge.open(postgresql_url, discover=True, environ={})
    assert Forge.upgrade(postgresql_url, discover=True, environ={})
    assert not Forge.upgrade(postgresql_url, discover=True, environ={})
    Forge.open(postgresql_url, discover=True, environ={}).close()


def test_several_verbs_share_one_commit(forge):
    """What is written in a transaction is there after the block, all of it."""
    with forge.transaction() as tx:
        shop = forge.work.create_project("shop", tx=tx)
        forge.work.create_item(shop, name="one", tx=tx)
    assert len(forge.work.items("shop")) == 1


def test_a_failed_block_leaves_nothing(forge):
    """An error rolls every verb of the transaction back."""

    def fail():
        with forge.transaction() as tx:
            forge.work.create_project("shop", tx=tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not forge.work.projects()


def test_a_transaction_is_over_after_its_block(forge):
    """A transaction that was kept cannot be used later."""
    with forge.transaction() as tx:
        pass
    with pytest.raises(TransactionOver):
        forge.work.create_project("shop", tx=tx)


def test_a_transaction_belongs_to_its_thread(forge):
    """Another thread is refused, instead of mixing its writes in."""
    seen = []

    def use(tx):
        try:
            forge.work.create_project("shop", tx=tx)
        except WrongThread as refused:
            seen.append(refused.code)

    with forge.transaction() as tx:
        thread = threading.Thread(target=use, args=(tx,))
        thread.start()
        thread.join()
    assert seen == ["wrong_thread"]


def test_the_network_waits_for_the_transaction_to_end():
    """A call to the tracker inside a write transaction is refused: fetch, then write."""
    with FakePlane() as plane, Forge.open("sqlite://", discover=True, environ={}, config={"plane": plane.settings}) as forge:
        with forge.transaction(), pytest.raises(NetworkInTransaction):
            forge.sprints.check()
        assert plane.calls == []


def test_a_signal_comes_after_the_commit(forge):
    """A receiver sees what was committed, and only then."""
    seen = []
    forge.on(ProjectCreated, lambda event: seen.append((event.key, [project.key for project in forge.work.projects()])))
    with forge.transaction() as tx:
        forge.work.create_project("shop", tx=tx)
        assert seen == []
    assert seen == [("shop", ["shop"])]


def test_a_closed_forge_is_closed(forge):
    """After ``close`` every service refuses, and a second ``close`` does nothing."""
    forge.close()
    forge.close()
    for use in (lambda: forge.work, lambda: forge.sprints, lambda: forge.webhooks, forge.worker, lambda: forge.on(ProjectCreated, print)):
        with pytest.raises(ForgeClosed):
            use()
    assert "(closed)" in repr(forge)


def test_closing_releases_everything_where_one_part_fails(forge):
    """A part that cannot be released keeps no other from it, and its error is told."""
    seen = []
    forge.on_close(lambda: seen.append("first"))
    forge.on_close(lambda: 1 / 0)
    forge.on_close(lambda: seen.append("last"))
    storage = forge.storage
    with pytest.raises(ZeroDivisionError):
        forge.close()
    assert seen == ["first", "last"]
    with pytest.raises(ForgekitError):
        storage.transaction().__enter__()


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
def test_a_forge_refuses_use_after_a_fork(forge):
    """A child process must open a forge of its own; closing the inherited one there harms nobody."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            forge.work  # noqa: B018 - the access itself is refused
        except ForgeForked:
            forge.close()
            code = 0
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not forge.work.projects()


def test_an_unconfigured_tracker_says_what_is_missing(forge):
    """The names of the missing settings are in the message and in the data."""
    with pytest.raises(NotConfigured) as refused:
        forge.sprints.cycles()
    assert refused.value.data["missing"] == ["api_url", "api_key", "workspace_slug", "project_id"]


class Stranger:
    """A stranger's plugin: a durable handler."""

    def __init__(self):
        self.seen = []

    @hookimpl
    def forgekit_handlers(self):
        return {
            "stranger": lambda forge: Handler(name="stranger.saw", event=ProjectCreated, run=lambda event, tx: self.seen.append(event.key))
        }


def test_a_strangers_durable_handler_is_called():
    """A plugin's handler gets a row with the event, and the worker calls it."""
    stranger = Stranger()
    with Forge.open("sqlite://", plugins=[stranger], discover=True, environ={}) as forge:
        forge.work.create_project("shop")
        assert stranger.seen == []
        forge.worker().drain()
    assert stranger.seen == ["shop"]


def test_two_plugins_of_one_name_are_refused():
    """What two plugins call by one name would be one of them at random."""

    class Other:
        @hookimpl
        def forgekit_trackers(self):
            return {"plane": object()}

    with pytest.raises(PluginConflict, match="plane"):
        Forge.open("sqlite://", plugins=[Other()], discover=True, environ={})


def test_async_code_calls_a_verb():
    """``await offload(verb, …)`` runs it in a thread and returns its result."""
    import anyio

    async def main():
        return await offload(int, "12")

    assert anyio.run(main) == 12


@pytest.mark.parametrize("name", forgekit.__all__)
def test_every_public_name_is_there(name):
    """What ``__all__`` promises can be imported."""
    assert getattr(forgekit, name) is not None
    assert name in dir(forgekit)


def test_an_unknown_name_is_an_attribute_error():
    """A typing mistake is told as Python tells it."""
    with pytest.raises(AttributeError, match="Fforge"):
        _ = forgekit.Fforge


def test_errors_survive_a_pickle():
    """An error that crosses a process keeps its class, message, data and time to wait."""
    error = pickle.loads(pickle.dumps(NotConfigured("gone", retry_after=3.0, missing=["a"])))  # noqa: S301 - our own bytes
    assert (type(error), error.message, error.retry_after, error.data) == (NotConfigured, "gone", 3.0, {"missing": ["a"]})
    assert isinstance(error, ForgekitError)
