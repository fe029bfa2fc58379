"""What crosses the driver comes back as it was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.errors import UsageError
from forgekit.kernel.storage.ports import OutboxRow
from forgekit_sql.tables import types

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=20,
)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_exact(moment):
    """Every moment that Python knows is kept to the microsecond."""
    assert types.from_micros(types.to_micros(moment)) == moment


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_moments_sort_as_numbers(one, other):
    """Order is kept."""
    assert (types.to_micros(one) < types.to_micros(other)) == (one < other)


def test_other_time_zones_are_the_same_moment():
    """Where a clock stands does not matter."""
    here = datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))
    assert types.to_micros(here) == types.to_micros(datetime(2026, 1, 1, 12, tzinfo=UTC))


def test_a_time_without_a_zone_is_refused(storage):
    """Nobody can know which moment a naive time is."""
    row = OutboxRow(id="a", event="e", handler="h", payload={}, due_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the point of it
    with pytest.raises(UsageError, match="time zone"), storage.transaction() as tx:
        storage.claims(tx).add_outbox([row])


@given(JSON)
def test_json_comes_back(value):
    """Every JSON value is kept, beyond what the accelerator can do too."""
    assert types.load_json(types.dump_json(value)) == value


@given(JSON)
def test_json_is_the_same_without_the_accelerator(value):
    """What was written with orjson is read without it, and the other way round."""
    assert json.loads(types.dump_json(value)) == value
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(types, "orjson", None)
        plain = types.dump_json(value)
        assert types.load_json(plain) == value
    assert types.load_json(plain) == value
