from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from forgekit.errors import ConfigurationError, InvalidInput, UsageError
from forgekit.kernel.net.models import BudgetPolicy, Granted, Ledger, Priority, Wait
from forgekit.kernel.net.rules import (
    MAX_BLOCK,
    backoff,
    check_base_url,
    check_header,
    join,
    micros,
    read_ledger,
    reserve,
    retry_after,
    segment,
    strike,
    until,
    write_ledger,
)

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = timedelta(seconds=10)

policies = st.builds(
    BudgetPolicy, calls=st.integers(1, 8), window=st.just(10.0), keep=st.dictionaries(st.sampled_from(Priority), st.integers(0, 8))
)
# Steps that like to hit the edges of the window exactly.
edges = st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(seconds=5), WINDOW])
steps = st.timedeltas(timedelta(0), timedelta(seconds=25)) | edges
jumps_back = st.lists(st.timedeltas(timedelta(0), timedelta(hours=5)), min_size=1, max_size=5).map(
    lambda jumps: sorted(jumps, reverse=True)
)
asks = st.lists(st.tuples(steps, st.sampled_from(Priority)), max_size=60)


def _run(policy, asked, *, skew=None):
    """Ask along a time line; return what was asked, when it truly was, and whether it was granted."""
    ledger, true, told = Ledger(), START, []
    for number, (step, priority) in enumerate(asked):
        true += step
        shown = true + (skew[number % len(skew)] if skew else timedelta(0))
        outcome = reserve(ledger, shown, policy, priority, None)
        ledger = read_ledger(write_ledger(outcome.ledger))
        told.append((true, priority, isinstance(outcome, Granted)))
    return told


def _most_in_a_window(moments):
    return max((sum(start <= moment < start + WINDOW for moment in moments) for start in moments), default=0)


@given(policies, asks)
def test_no_window_holds_more_calls_than_allowed(policy, asked):
    """Whoever asks whenever, in no window of time are more calls granted than the policy has."""
    granted = [moment for moment, _, yes in _run(policy, asked) if yes]
    assert _most_in_a_window(granted) <= policy.calls


@given(policies, asks, jumps_back)
def test_a_clock_that_was_set_back_grants_nothing_extra(policy, asked, jumps):
    """When the clock jumps back, no more calls are granted in any window of real time."""
    falling = [*jumps, *[jumps[-1]] * 60]
    granted = [moment for moment, _, yes in _run(policy, asked, skew=falling) if yes]
    assert _most_in_a_window(granted) <= policy.calls


@given(st.timedeltas(timedelta(0), timedelta(days=9000)))
def test_a_clock_that_was_set_back_blocks_for_one_window_at_most(jump):
    """Calls that seem to lie in the future are forgotten after one window."""
    policy = BudgetPolicy(calls=2, window=10.0)
    full = Ledger((micros(START + jump),) * 2)
    first = reserve(full, START, policy, Priority.PEOPLE, None)
    assert isinstance(first, Wait)
    assert first.seconds <= 10.0
    assert isinstance(reserve(first.ledger, START + timedelta(seconds=first.seconds), policy, Priority.PEOPLE, None), Granted)


@given(policies, asks)
def test_people_find_free_what_the_others_keep(policy, asked):
    """People who made fewer calls in the last window than everybody keeps for them are granted at once."""
    kept = min(policy.calls - policy.limit(other) for other in Priority if other is not Priority.PEOPLE)
    told = _run(policy, asked)
    for place, (moment, priority, granted) in enumerate(told):
        own = sum(yes for when, who, yes in told[:place] if who is Priority.PEOPLE and moment - when < WINDOW)
        assert granted or priority is not Priority.PEOPLE or own >= min(kept, policy.limit(Priority.PEOPLE))


@given(policies, asks, st.sampled_from(Priority), st.none() | st.timedeltas(timedelta(0), timedelta(seconds=30)))
def test_a_wait_is_exact(policy, asked, priority, block):
    """After the wait the call is granted, and a microsecond before it is not."""
    now, ledger = START, Ledger()
    for step, who in asked:
        now += step
        ledger = reserve(ledger, now, policy, who, None).ledger
    blocked_until = None if block is None else now + block
    outcome = reserve(ledger, now, policy, priority, blocked_until)
    if isinstance(outcome, Wait):
        then = now + timedelta(seconds=outcome.seconds)
        assert isinstance(reserve(outcome.ledger, then, policy, priority, blocked_until), Granted)
        assert isinstance(reserve(outcome.ledger, then - timedelta(microseconds=1), policy, priority, blocked_until), Wait)


def test_the_less_urgent_leave_calls_free():
    """A priority waits as soon as only the calls are left that the policy keeps for others."""
    policy = BudgetPolicy(calls=4, window=10.0, keep={Priority.POLL: 2})
    ledger = Ledger((micros(START),) * 2)
    assert isinstance(reserve(ledger, START, policy, Priority.PEOPLE, None), Granted)
    assert isinstance(reserve(ledger, START, policy, Priority.POLL, None), Wait)


@given(policies, asks)
def test_a_ledger_stays_small(policy, asked):
    """It never remembers more calls than the policy has."""
    now, ledger = START, Ledger()
    for step, who in asked:
        now += step
        ledger = reserve(ledger, now, policy, who, None).ledger
        assert len(ledger.calls) <= policy.calls
        assert list(ledger.calls) == sorted(ledger.calls)


@given(st.integers(1, 1000), st.sampled_from(Priority))
def test_every_priority_gets_through_a_small_budget(calls, priority):
    """However small a budget, nobody is shut out, and at most half of it is kept free."""
    assert calls / 2 <= BudgetPolicy(calls=calls).limit(priority) <= calls
    assert isinstance(reserve(Ledger(), START, BudgetPolicy(calls=calls), priority, None), Granted)


@pytest.mark.parametrize(
    "wrong", [{"calls": 0}, {"calls": -1}, *({"window": window} for window in (0.0, float("inf"), float("nan")))], ids=str
)
def test_a_policy_of_nothing_is_refused(wrong):
    """A budget has at least one call, and a window that ends."""
    with pytest.raises(ValueError, match="positive and finite"):
        BudgetPolicy(**wrong)


@given(st.lists(st.integers(0, 2**53), max_size=80).map(sorted), st.integers(0, 99))
def test_a_ledger_survives_its_text(calls, strikes):
    """A ledger is equal after writing and reading."""
    ledger = Ledger(tuple(calls), strikes)
    assert read_ledger(write_ledger(ledger)) == ledger


@pytest.mark.parametrize("text", ["x", "0|a", "|", "0|5,-3", "0|1,,2", "0|1.5"])
def test_any_other_text_is_no_ledger(text):
    """A ledger's text is read exactly, or not at all."""
    with pytest.raises(ValueError, match=r"."):
        read_ledger(text)


def test_calls_out_of_order_are_no_ledger():
    """A ledger whose calls are out of order was not written here, and the error says so."""
    with pytest.raises(ValueError, match=r"^the calls of a ledger are in order$"):
        read_ledger("0|5,-3")


@pytest.mark.parametrize("blocked_until", [None, START + WINDOW])
def test_asking_forgets_no_refusal(blocked_until):
    """Granted or not, a question leaves the count of refusals in a row alone."""
    assert reserve(Ledger((), 3), START, BudgetPolicy(), Priority.PEOPLE, blocked_until).ledger.strikes == 3


def test_strikes_count_refusals_in_a_row():
    """A refusal soon after the last block's end is the next in a row; after a quiet window it is the first."""
    policy = BudgetPolicy(window=10.0)
    assert strike(Ledger(), START, policy, None).strikes == 1
    assert strike(Ledger((), 3), START, policy, START - timedelta(seconds=9)).strikes == 4
    assert strike(Ledger((), 3), START, policy, START + timedelta(seconds=9)).strikes == 4
    assert strike(Ledger((), 3), START, policy, START - WINDOW).strikes == 1
    assert strike(Ledger((5, 6), 3), START, policy, None).calls == (5, 6)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_stays_between_half_and_whole(attempt, noise):
    """The wait is at least half of the exponential, at most all of it, and never above the cap."""
    whole = min(300.0, 2.0 * 2.0 ** min(attempt - 1, 100))
    assert whole / 2 <= backoff(attempt, base=2.0, cap=300.0, noise=noise) <= whole


def test_backoff_stops_doubling():
    """After 64 doublings the wait stays as it is, where no cap comes first, instead of leaving the range of numbers."""
    assert {backoff(attempt, base=1.0, cap=float("inf"), noise=1.0) for attempt in (65, 66, 10_000)} == {2.0**64}


@given(st.integers(0, 10**20))
def test_retry_after_in_seconds(seconds):
    """Whole seconds are taken as they are, up to an hour."""
    assert retry_after(f" {seconds} ", START) == min(float(seconds), MAX_BLOCK)


@given(st.timedeltas(timedelta(days=-2), timedelta(days=2)).map(lambda delta: timedelta(seconds=delta // timedelta(seconds=1))))
def test_retry_after_as_a_date(delta):
    """A date counts from now; one in the past means at once."""
    value = format_datetime(START + delta, usegmt=True)
    assert retry_after(value, START) == min(max(delta.total_seconds(), 0.0), MAX_BLOCK)


def test_retry_after_in_other_spellings():
    """A date without a zone is taken as UTC, one with a zone as it says; any number of digits is a long wait; the rest means nothing."""
    assert retry_after("Fri, 20 Nov 2026 12:00:07 -0000", START) == 7.0
    assert retry_after("Fri, 20 Nov 2026 14:00:07 +0200", START) == 7.0
    assert retry_after("9" * 400, START) == MAX_BLOCK
    for value in (None, "", "soon", "-5", "1.5", "٣", "Fri, 99 Nov 2026 12:00:07 GMT"):
        assert retry_after(value, START) is None


@given(st.text())
def test_any_retry_after_is_survived(value):
    """Whatever stands in the header, the answer is None or a bounded number."""
    seconds = retry_after(value, START)
    assert seconds is None or 0.0 <= seconds <= MAX_BLOCK


@pytest.mark.parametrize("seconds", [-5, 0, 1, 90, 10**6])
def test_until_a_moment_since_1970(seconds):
    """At least a second, for the system's clock may be ahead, and at most an hour."""
    assert until(f" {int(START.timestamp()) + seconds} ", START) == min(max(float(seconds), 1.0), MAX_BLOCK)


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "1.5", "٣", "9" * 11, "9" * 400])
def test_no_moment_is_made_of_anything_else(value):
    """What is no number of seconds, or one beyond all calendars, tells nothing."""
    assert until(value, START) is None


@pytest.mark.parametrize("url", ["https://plane.example.org", "http://127.0.0.1:8000/api/v1/", "http://[::1]:80/X"])
def test_a_plain_base_address_is_taken(url):
    """Http and https addresses are taken, without their trailing slash."""
    assert check_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.org", "ftp://example.org", "file:///etc/passwd", "https://", "https:///x", "http://host:x", "http://host:99999"),
        *(
            "http://host:0",
            "http://[::1",
            "https://example.org?x=hunter2",
            "https://example.org#hunter2",
            "http://ex ample.org",
            "http://a\\b",
        ),
        *("https://user:hunter2@example.org", "https://hunter2@example.org", "http://h\n", "http://hö.de", "https://@example.org"),
    ],
)
def test_any_other_base_address_is_refused_without_repeating_it(url):
    """Anything else is refused, credentials above all, and the message does not hold them."""
    with pytest.raises(ConfigurationError) as caught:
        check_base_url(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("path", ["X", "/X", "//X"])
def test_a_path_is_joined_by_one_slash(path):
    """With or without a leading slash, a path stands below the base address."""
    assert join("https://example.org/api", path) == "https://example.org/api/X"


@given(st.text().filter(lambda text: text not in {"", ".", ".."}))
@example("../a/b?c#d")
def test_a_segment_leads_to_one_place_only(text):
    """Any other text becomes one segment of a path, which no slash, dot or query can leave."""
    address = join("https://example.org/api", f"cycles/{segment(text)}/")
    assert address.startswith("https://example.org/api/cycles/")
    assert address.count("/") == 6
    assert not set(address) & set("?# \\")


@pytest.mark.parametrize("text", ["", ".", "..", "\ud800"])
def test_what_no_quoting_can_name_is_refused(text):
    """An identifier that would lead elsewhere in any spelling is refused."""
    with pytest.raises(InvalidInput):
        segment(text)


@pytest.mark.parametrize("path", ["../admin", "a/../b", "a/./b", "%2e%2E/x", "a/.%2e/", "a?b=c", "a#b", "a b", "a\\b", "ä", "a\nb"])
def test_an_unsafe_path_is_refused(path):
    """A path that was not quoted, or climbs out, is a mistake of the caller."""
    with pytest.raises(UsageError):
        join("https://example.org/api", path)


@pytest.mark.parametrize("value", ["", " ", "hunter2\n", "hunter2\r\nX-Other: b", "hunter2ä", "hunter2\x00", " hunter2", "hunter2 "])
def test_a_header_that_http_cannot_carry_is_refused(value):
    """Line ends and other characters are refused by the header's name alone."""
    with pytest.raises(ConfigurationError) as caught:
        check_header("X-Api-Key", value)
    assert "hunter2" not in str(caught.value)


def test_a_plain_header_is_taken():
    """Printable ASCII with spaces inside passes."""
    assert check_header("X-Api-Key", "hunter2 !~") is None
