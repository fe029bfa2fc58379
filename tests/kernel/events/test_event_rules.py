from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from forgekit.kernel.events.rules import FEW_ATTEMPTS, MAX_ATTEMPTS, backoff, next_attempt

NOW = datetime(2026, 1, 1, tzinfo=UTC)
noise = st.floats(0, 1)


@given(attempt=st.integers(1, 10_000), noise=noise)
def test_backoff_stays_within_its_bounds(attempt, noise):
    """A pause is never shorter than 1.6 seconds nor longer than 4.8 hours, however many attempts failed."""
    assert timedelta(seconds=1.6) <= backoff(attempt, noise) <= timedelta(hours=4.8)


@given(attempt=st.integers(1, 100), noise=noise)
def test_backoff_grows_with_attempts(attempt, noise):
    """With equal noise a later attempt never waits less."""
    assert backoff(attempt + 1, noise) >= backoff(attempt, noise)


def test_backoff_doubles_from_two_seconds():
    """Without jitter the pauses are 2, 4, 8 … seconds."""
    assert [backoff(attempt, 0.5) for attempt in (1, 2, 3)] == [timedelta(seconds=seconds) for seconds in (2, 4, 8)]


def test_backoff_reaches_four_hours():
    """The pauses stop growing at four hours."""
    assert backoff(30, 0.5) == timedelta(hours=4)


def test_jitter_is_a_fifth_to_both_sides():
    """Noise 0 gives four fifths of the pause, noise 1 six fifths."""
    assert (backoff(1, 0.0), backoff(1, 1.0)) == (timedelta(seconds=1.6), timedelta(seconds=2.4))


@given(attempt=st.integers(1, MAX_ATTEMPTS - 1), noise=noise, retry_after=st.floats(0, 100_000))
def test_retry_after_never_shortens(attempt, noise, retry_after):
    """What the other side asks for can only delay the next attempt."""
    asked = next_attempt(NOW, attempt, noise, retry_after)
    assert asked == max(NOW + backoff(attempt, noise), NOW + timedelta(seconds=retry_after))


def test_gives_up_after_the_last_attempt():
    """The twentieth failed attempt is the last; the nineteenth is not."""
    assert next_attempt(NOW, MAX_ATTEMPTS, 0.5, None) is None
    assert next_attempt(NOW, MAX_ATTEMPTS - 1, 0.5, None) is not None


def test_gives_up_sooner_where_repeating_does_not_help():
    """An error that is not retryable gets five attempts."""
    assert next_attempt(NOW, FEW_ATTEMPTS, 0.5, None, retryable=False) is None
    assert next_attempt(NOW, FEW_ATTEMPTS - 1, 0.5, None, retryable=False) is not None
