from __future__ import annotations

import json
import logging
import os
import threading

import attrs
import pytest

from forgekit.errors import NotConfigured, SealBroken, SettingPinned, SettingsInvalid, TransactionOver, UsageError
from forgekit.kernel.secrets import Sealer, Secret
from forgekit.kernel.settings import Settings, setting, settings
from forgekit.kernel.storage.ports import StoredSetting

KEY = "plane_api_0123456789abcdef"


@settings("shop", env_prefix="SHOP_")
class Shop:
    """Settings of a made-up adapter."""

    url: str | None = setting(default=None, needed=True)
    key: Secret | None = setting(default=None, secret=True, needed=True)
    interval: float = setting(default=30.0, validator=attrs.validators.ge(5))
    limit: int | None = setting(default=None, validator=(attrs.validators.ge(1), attrs.validators.le(9)))
    tags: tuple[str, ...] = setting(default=())
    room: int = setting(default=1, stored=False)
    token: Secret | None = setting(default=None, validator=attrs.validators.instance_of(str))

    def __attrs_post_init__(self):
        if self.key is not None and self.url is None:
            raise ValueError("a key needs a url")


@settings("strict", env_prefix="STRICT_")
class Strict:
    """Settings without which nothing goes."""

    url: str
    keys: list[str] = setting(default=attrs.Factory(list))


def _problems(caught):
    return {problem["path"]: problem["message"] for problem in caught.value.data["problems"]}


def test_the_first_source_wins(rig):
    """The program goes before the storage, the storage before the environment, the environment before the default."""
    assert rig.service().load(Shop).interval == 30.0
    rig.environ["SHOP_INTERVAL"] = "20"
    assert rig.service().load(Shop).interval == 20.0
    rig.service().store(Shop, {"interval": 15.0})
    assert rig.service().load(Shop).interval == 15.0
    assert rig.service(explicit={"shop": {"interval": 10.0}}).load(Shop).interval == 10.0


def test_a_setting_that_is_not_stored_skips_the_storage(rig):
    """A row left over for a setting that is no longer stored does not hide the environment."""
    rig.rows.write([StoredSetting(namespace="shop", name="room", value="7", sealed=False)])
    rig.environ["SHOP_ROOM"] = "5"
    assert rig.service().load(Shop).room == 5


def test_all_problems_are_told_at_once(rig):
    """Whatever is wrong, in whichever source, stands in one error with its path."""
    rig.environ |= {"SHOP_ROOM": "many", "SHOP_TAGS": "[1]"}
    rig.rows.write([StoredSetting(namespace="shop", name="limit", value='"3"', sealed=False)])
    with pytest.raises(SettingsInvalid) as caught:
        rig.service(explicit={"shop": {"interval": 1.0, "keey": KEY, "url": 5}}).load(Shop)
    in_storage_and_environment = {"shop.limit (stored)", "SHOP_ROOM (environment)", "SHOP_TAGS (environment)"}
    assert set(_problems(caught)) == {"shop.keey", "shop.interval", "shop.url"} | in_storage_and_environment
    assert _problems(caught)["shop.keey"] == "is unknown; did you mean key?"
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("source", ["explicit", "stored", "environment"])
def test_an_empty_secret_is_an_error_in_every_source(rig, source):
    """An empty secret is told as a mistake where it stands, once the class that has it is loaded."""
    if source == "environment":
        rig.environ["SHOP_KEY"] = ""
    if source == "stored":
        rig.rows.write([StoredSetting(namespace="shop", name="key", value='""', sealed=False)])
    service = rig.service(explicit={"shop": {"key": ""}} if source == "explicit" else None)
    with pytest.raises(SettingsInvalid, match="empty secret"):
        service.load(Shop)
    assert service.missing(Strict) == ["url"]


def test_an_empty_variable_of_another_kind_is_unset(rig):
    """An empty environment variable leaves the default, unless it is a secret's."""
    rig.environ |= {"SHOP_URL": "", "SHOP_INTERVAL": "", "SHOP_TAGS": ""}
    assert rig.service().load(Shop) == Shop()


def test_the_process_environment_is_read_at_each_load(rig, monkeypatch):
    """Without an environment given, the process's own counts, as it is at that moment."""
    service = Settings(None, sealer=lambda: Sealer([("k1", b"k" * 32)]))
    monkeypatch.setitem(os.environ, "SHOP_ROOM", "8")
    assert service.load(Shop).room == 8


def test_a_rule_across_settings_is_told_at_the_namespace(rig):
    """What the class itself refuses is a problem of the whole."""
    rig.environ["SHOP_KEY"] = KEY
    with pytest.raises(SettingsInvalid) as caught:
        rig.service().load(Shop)
    assert _problems(caught) == {"shop": "a key needs a url"}


def test_a_validator_cannot_give_a_secret_away(rig):
    """A validator's own words are not repeated for a secret."""
    rig.environ["SHOP_TOKEN"] = KEY
    with pytest.raises(SettingsInvalid) as caught:
        rig.service().load(Shop)
    assert _problems(caught) == {"SHOP_TOKEN (environment)": "is not allowed"}


def test_a_setting_without_default_must_be_given(rig):
    """Loading without it is an error that names its variable; ``missing`` lists it without raising."""
    with pytest.raises(SettingsInvalid) as caught:
        rig.service().load(Strict)
    assert _problems(caught) == {"strict.url": "is not set (environment: STRICT_URL)"}
    assert rig.service().missing(Strict) == ["url"]
    rig.environ["STRICT_URL"] = "http://x"
    assert rig.service().load(Strict) == Strict(url="http://x", keys=[])
    assert rig.service().missing(Strict) == []


def test_missing_lists_what_is_needed_and_absent(rig):
    """A class may load while it is not enough to work with."""
    assert rig.service().missing(Shop) == ["url", "key"]
    rig.environ["SHOP_URL"] = "http://x"
    assert rig.service().missing(Shop) == ["key"]


def test_stored_settings_come_back(rig):
    """What is stored is what later services load, secrets included; None forgets."""
    stored = rig.service().store(Shop, {"url": "http://x", "key": KEY, "tags": ["a", "b"], "limit": 3})
    assert stored == rig.service().load(Shop) == Shop(url="http://x", key=Secret(KEY), tags=("a", "b"), limit=3)
    assert rig.service().store(Shop, {"limit": None, "key": None}) == Shop(url="http://x", tags=("a", "b"))
    assert sorted(name for _, name in rig.rows.rows) == ["tags", "url"]


def test_a_secret_is_sealed_at_rest(rig):
    """Its row is an envelope bound to its place: moved to another name it does not open."""
    rig.service().store(Shop, {"url": "http://x", "key": Secret(KEY)})
    row = rig.rows.rows["shop", "key"]
    assert row.sealed
    assert KEY not in repr(row) + row.value
    assert json.loads(Sealer([("k1", b"k1".ljust(32))]).open(row.value, "settings|shop|key")) == KEY
    rig.rows.write([attrs.evolve(row, name="token")])
    with pytest.raises(SettingsInvalid, match="token \\(stored\\): cannot be opened"):
        rig.service().load(Shop)


@pytest.mark.parametrize(
    "changes",
    [{"interval": 1.0}, {"interval": "20"}, {"room": 2}, {"nope": 1}, {"key": ""}, {"key": KEY}, {"url": "http://y", "limit": 10}],
    ids=str,
)
def test_nothing_is_stored_unless_all_is_valid(rig, changes):
    """One wrong value, or a whole that does not hold together, leaves the storage as it was."""
    with pytest.raises(SettingsInvalid):
        rig.service().store(Shop, changes)
    assert rig.rows.rows == {}


def test_what_the_program_fixed_cannot_be_stored(rig):
    """Storing a pinned setting is refused, removing it too, and the rest of the change with it."""
    service = rig.service(explicit={"shop": {"interval": 10.0}})
    for value in (20.0, None):
        with pytest.raises(SettingPinned) as caught:
            service.store(Shop, {"url": "http://x", "interval": value})
        assert caught.value.data["paths"] == ["shop.interval"]
    assert rig.rows.rows == {}


def test_without_a_storage_nothing_can_be_stored(rig):
    """A program without a storage loads from the other sources, and is told when it tries to store."""
    service = rig.service(store=False, explicit={"shop": {"url": "http://x"}})
    assert service.load(Shop).url == "http://x"
    with pytest.raises(NotConfigured):
        service.store(Shop, {"limit": 3})


def test_a_store_joins_the_given_transaction(rig):
    """It is undone with the transaction, and read inside it before the commit."""
    service = rig.service()

    def store_and_fail():
        with rig.rows.transaction() as tx:
            service.store(Shop, {"url": "http://x"}, tx)
            assert service.load(Shop, tx).url == "http://x"
            raise TransactionOver

    with pytest.raises(TransactionOver):
        store_and_fail()
    assert service.load(Shop).url is None


def test_an_unknown_stored_setting_is_ignored_with_one_warning(rig, caplog):
    """A row of another version does no harm, and is told once."""
    rig.rows.write([StoredSetting(namespace="shop", name="former", value="1", sealed=False)])
    service = rig.service()
    assert service.load(Shop) == service.load(Shop) == Shop()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "shop.former" in caplog.text


def test_a_stored_value_that_is_no_json_is_told(rig):
    """A damaged row is a problem with a path, not a crash."""
    rig.rows.write([StoredSetting(namespace="shop", name="url", value="{", sealed=False)])
    with pytest.raises(SettingsInvalid, match=r"shop\.url \(stored\): is not JSON"):
        rig.service().load(Shop)


def test_a_secret_whose_key_is_lost_can_be_stored_anew(rig):
    """Losing the sealing key locks nobody out: the setting can be replaced or forgotten."""
    rig.service(keys=["lost"]).store(Shop, {"url": "http://x", "key": KEY})
    service = rig.service()
    with pytest.raises(SettingsInvalid, match="store it anew"):
        service.load(Shop)
    assert service.store(Shop, {"key": "another"}).key == Secret("another")


def test_a_pinned_setting_hides_a_stored_one_that_cannot_be_opened(rig):
    """A row that does not count is not looked at."""
    rig.service(keys=["lost"]).store(Shop, {"url": "http://x", "key": KEY})
    assert rig.service(explicit={"shop": {"key": KEY}}).load(Shop).key == Secret(KEY)


def test_a_fresh_snapshot_asks_nobody(rig):
    """Within a second no query is made; after it, one."""
    service = rig.service()
    first = service.snapshot(Shop)
    asked = rig.rows.transactions
    rig.seconds.now += 0.999
    assert all(service.snapshot(Shop) is first for _ in range(100))
    assert rig.rows.transactions == asked
    rig.seconds.now += 0.001
    service.snapshot(Shop)
    assert rig.rows.transactions == asked + 1


def test_another_process_s_change_is_seen_within_a_second(rig):
    """A snapshot is never older than one second."""
    here, there = rig.service(), rig.service()
    assert here.snapshot(Shop).url is None
    there.store(Shop, {"url": "http://x"})
    assert here.snapshot(Shop).url is None
    rig.seconds.now += 1.0
    assert here.snapshot(Shop).url == "http://x"


def test_an_own_change_is_seen_at_once_but_not_before_its_commit(rig):
    """The snapshot follows a local store when it commits, and stays when it is rolled back."""
    service = rig.service()
    service.snapshot(Shop)
    with rig.rows.transaction() as tx:
        service.store(Shop, {"limit": 3}, tx)
        assert service.snapshot(Shop).limit is None
    assert service.snapshot(Shop).limit == 3
    service.store(Shop, {"limit": 4})
    assert service.snapshot(Shop).limit == 4


def test_a_slow_reader_does_not_bring_back_an_old_snapshot(rig):
    """A load that began before a store's commit is not kept after it."""
    service, reading, go_on = rig.service(), threading.Event(), threading.Event()
    read = rig.rows.read

    def slow_read(namespace):
        found = read(namespace)
        reading.set()
        assert go_on.wait(60)
        return found

    rig.rows.read = slow_read
    thread = threading.Thread(target=service.snapshot, args=(Shop,))
    thread.start()
    assert reading.wait(60)
    rig.rows.read = read
    service.store(Shop, {"limit": 3})
    go_on.set()
    thread.join(60)
    assert service.snapshot(Shop).limit == 3


def test_check_refuses_namespaces_and_names_that_nobody_declared(rig):
    """A misspelt key given by the program is an error when the forge opens, with the nearest right one."""
    rig.service(explicit={"shop": {"url": "http://x"}}).check()
    with pytest.raises(SettingsInvalid) as caught:
        rig.service(explicit={"shap": {}, "shop": {"ulr": ""}, "zzzzzzzz": {}}).check()
    assert _problems(caught) == {
        "shap": "is unknown; did you mean shop?",
        "shop.ulr": "is unknown; did you mean url?",
        "zzzzzzzz": "is unknown",
    }


def test_an_undeclared_class_is_refused(rig):
    """Only declared classes can be loaded."""
    with pytest.raises(UsageError):
        rig.service().load(object)


def test_rotation_seals_with_the_first_key(rig):
    """After it, the old key is needed no more; a second run finds nothing to do."""
    rig.service(keys=["old"]).store(Shop, {"url": "http://x", "key": KEY})
    both = rig.service(keys=["new", "old"])
    assert both.rotate() == 1
    assert both.rotate() == 0
    assert rig.service(keys=["new"]).load(Shop).key == Secret(KEY)


def test_rotation_goes_past_what_cannot_be_opened(rig):
    """However many secrets are lost, all others are rotated, and the lost ones are named at the end."""
    sealers = {kid: Sealer([(kid, kid.encode().ljust(32))]) for kid in ("old", "lost")}
    for number in range(350):
        kid, name = "lost" if number < 250 else "old", f"name{number:03}"
        value = sealers[kid].seal('"x"', f"settings|many|{name}")
        rig.rows.write([StoredSetting(namespace="many", name=name, value=value, sealed=True)])
    with pytest.raises(SealBroken) as caught:
        rig.service(keys=["new", "old"]).rotate()
    assert caught.value.data["rotated"] == 100
    assert caught.value.data["paths"] == [f"many.name{number:03}" for number in range(250)]


def test_a_stopped_rotation_is_taken_up_again(rig):
    """Stopping in the middle leaves every secret readable, and a second run does the rest."""
    rig.service(keys=["old"]).store(Shop, {"url": "http://x", "key": KEY, "limit": 3})
    service, write = rig.service(keys=["new", "old"]), rig.rows.write

    def fail(rows):
        raise TransactionOver

    rig.rows.write = fail
    with pytest.raises(TransactionOver):
        service.rotate()
    rig.rows.write = write
    assert service.load(Shop).key == Secret(KEY)
    assert service.rotate() == 1


def test_whether_a_value_is_stored_can_be_asked(rig):
    """It is told for the storage alone, whatever the other sources say."""
    rig.environ["SHOP_URL"] = "http://x"
    assert not rig.service().is_stored(Shop, "url")
    rig.service().store(Shop, {"url": "http://y"})
    assert rig.service().is_stored(Shop, "url")
    assert not rig.service(store=False).is_stored(Shop, "url")
