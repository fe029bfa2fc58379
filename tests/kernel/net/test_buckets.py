from __future__ import annotations

import logging
import secrets
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import ConfigurationError, RateLimited, SettingsInvalid, UsageError
from forgekit.kernel.net.buckets import Buckets, Standing, declared_limits, limit
from forgekit.kernel.net.windows import Count, MemoryWindows, RedisWindows
from forgekit.kernel.secrets import Secret

TESTED = limit("tested.calls", "3/minute", doc="Calls of a made-up operation, by caller.")
BURST = limit("tested.burst", "2/second;3/minute", doc="The same with two windows.")


class Seconds:
    """A clock of plain seconds that a test moves."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    """A clock that stands still."""
    return Seconds()


@pytest.fixture
def buckets(seconds):
    """Buckets of this process, on that clock."""
    return Buckets(windows=MemoryWindows(monotonic=seconds))


@pytest.fixture
def shared(require_redis):
    """Windows in a real Redis, whose fallback lets everything through."""
    windows = RedisWindows(Secret(require_redis), fallback=Everything())
    yield windows
    windows.close()


class Everything:
    """Windows that refuse nothing, to tell them from others."""

    def hit(self, key, amount, seconds):
        return Count(wait=0.0, remaining=-1)


@given(st.lists(st.integers(0, 120).map(lambda quarters: quarters / 4), max_size=60), st.integers(1, 5), st.integers(1, 20))
def test_no_window_counts_more_than_its_rate(steps, amount, length):
    """Whenever hits come, no window of time holds more counted ones than allowed, and the wait is exact."""
    clock, counted = Seconds(), []
    windows = MemoryWindows(monotonic=clock)
    for step in steps:
        clock.now += step
        count = windows.hit("k", amount, length)
        if count.wait == 0.0:
            counted.append(clock.now)
        else:
            assert 0.0 < count.wait <= length
    assert all(sum(start <= moment < start + length for moment in counted) <= amount for start in counted)


def test_an_empty_bucket_says_when_to_come_back(buckets, seconds):
    """The error tells the exact wait, and refused calls do not prolong it."""
    for left in (2, 1, 0):
        assert buckets.hit("tested.calls", "a") == Standing(limit=3, remaining=left, reset_after=60.0)
    seconds.now += 10
    for _ in range(5):
        with pytest.raises(RateLimited) as caught:
            buckets.hit("tested.calls", "a")
        assert caught.value.retry_after == 50.0
    seconds.now += 50
    buckets.hit("tested.calls", "a")


def test_callers_and_limits_do_not_share(buckets):
    """Each caller has a bucket of its own for each limit."""
    untouched = {name: buckets.hit(name, "c").remaining for name in ("tested.calls", "tested.burst")}
    for _ in range(3):
        buckets.hit("tested.calls", "a")
    assert buckets.hit("tested.calls", "b").remaining == untouched["tested.calls"]
    assert buckets.hit("tested.burst", "a").remaining == untouched["tested.burst"]


def test_the_tightest_of_several_windows_counts(buckets, seconds):
    """A rate of two windows refuses when either is full."""
    assert [buckets.hit("tested.burst", "a").remaining for _ in range(2)] == [1, 0]
    with pytest.raises(RateLimited) as caught:
        buckets.hit("tested.burst", "a")
    assert caught.value.retry_after == 1.0
    seconds.now += 1
    assert buckets.hit("tested.burst", "a").limit == 3
    with pytest.raises(RateLimited) as caught:
        buckets.hit("tested.burst", "a")
    assert caught.value.retry_after > 50.0


def test_rates_can_be_configured(seconds):
    """A configured rate replaces the declared one; ``unlimited`` switches a limit off."""
    buckets = Buckets({"tested.calls": "1/minute", "tested.burst": "unlimited"}, windows=MemoryWindows(monotonic=seconds))
    buckets.hit("tested.calls", "a")
    with pytest.raises(RateLimited):
        buckets.hit("tested.calls", "a")
    assert [buckets.hit("tested.burst", "a") for _ in range(100)] == [None] * 100


def test_unreadable_rates_are_told_all_at_once():
    """Every rate that cannot be read is listed with its name."""
    rates = {"a": "many", "b": "0/minute", "c": "", "d": "5/fortnight", "tested.calls": "5/minute"}
    with pytest.raises(SettingsInvalid) as caught:
        Buckets(rates)
    assert [problem["path"] for problem in caught.value.data["problems"]] == [f"FORGEKIT_LIMITS.{name}" for name in "abcd"]


def test_a_rate_for_an_unknown_limit_is_a_warning(caplog):
    """Another host may mount the surface that has it, so it is told and not refused."""
    Buckets({"tested.cals": "5/minute", "zzz": "5/minute", "tested.calls": "5/minute"}).check()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "tested.cals" in caplog.messages[0]
    assert "did you mean tested.calls?" in caplog.messages[0]


def test_hitting_an_undeclared_limit_is_a_mistake(buckets):
    """A limit that nobody declared would not be in the reference."""
    with pytest.raises(UsageError, match="nobody"):
        buckets.hit("nobody", "a")


def test_declared_limits_are_listed():
    """The reference finds every limit with its rate and sentence."""
    assert [TESTED in declared_limits(), BURST in declared_limits()] == [True, True]


def test_memory_is_bounded(seconds):
    """However many callers come, only the latest are remembered."""
    windows = MemoryWindows(monotonic=seconds, most_keys=10)
    for number in range(1000):
        windows.hit(str(number), 1, 60)
    assert len(windows._hits) == 10
    assert windows.hit("999", 1, 60).wait == 60.0
    assert windows.hit("0", 1, 60).wait == 0.0


def test_threads_share_a_window():
    """However many threads hit at once, exactly the rate is counted."""
    windows = MemoryWindows()
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: windows.hit("k", 50, 3600), range(400)))
    assert sum(count.wait == 0.0 for count in counts) == 50


def test_counting_in_memory_starts_no_thread():
    """Limits of one process need no housekeeping in the background."""
    before = set(threading.enumerate())
    Buckets().hit("tested.calls", "a")
    assert set(threading.enumerate()) <= before


def test_processes_share_the_counts_in_redis(shared, require_redis):
    """Two connections to one Redis count together, and both learn when to come back."""
    key, other = secrets.token_hex(8), RedisWindows(Secret(require_redis), fallback=Everything())
    assert [windows.hit(key, 3, 60).remaining for windows in (shared, other, shared)] == [2, 1, 0]
    refused = other.hit(key, 3, 60)
    other.close()
    assert refused.remaining == 0
    assert 50.0 < refused.wait <= 60.0


def test_buckets_use_a_configured_redis(require_redis):
    """With a Redis URL, two forges refuse together."""
    key, (one, two) = secrets.token_hex(8), (Buckets(redis_url=Secret(require_redis)) for _ in range(2))
    try:
        for buckets in (one, two, one):
            buckets.hit("tested.calls", key)
        with pytest.raises(RateLimited):
            two.hit("tested.calls", key)
    finally:
        one.close()
        two.close()


def test_without_redis_each_process_counts_alone(seconds, caplog):
    """A Redis that does not answer stops nobody, and is asked again only after a rest."""
    away = RedisWindows(Secret("redis://:hunter2@127.0.0.1:1/0"), fallback=Everything(), monotonic=seconds)
    assert [away.hit("k", 3, 60).remaining for _ in range(3)] == [-1, -1, -1]
    assert len(caplog.records) == 1
    seconds.now += 10.0
    away.hit("k", 3, 60)
    assert len(caplog.records) == 2
    assert "hunter2" not in caplog.text


def test_a_wrong_redis_address_is_told_without_it():
    """An address that is none is a configuration error; its password is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        Buckets(redis_url=Secret("hunter2"))
    assert "hunter2" not in str(caught.value)


def test_a_missing_redis_package_is_told(monkeypatch):
    """Without the package the error says what to install."""
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(ConfigurationError, match=r"forgekit-core\[redis\]"):
        Buckets(redis_url=Secret("redis://127.0.0.1:6379/0"))


def test_closing_buckets_of_one_process_does_nothing(buckets):
    """Closing is allowed whatever counts, and what was counted stays."""
    before = buckets.hit("tested.calls", "a").remaining
    buckets.close()
    assert buckets.hit("tested.calls", "a").remaining == before - 1
