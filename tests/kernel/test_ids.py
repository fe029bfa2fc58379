from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from forgekit.kernel.clock import SystemClock
from forgekit.kernel.ids import uuid7

moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it


@given(now=moments)
def test_an_id_is_a_uuid_of_version_7(now):
    """RFC 9562: version 7, its own variant, canonical text."""
    made = uuid.UUID(uuid7(now))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert str(made) == str(uuid.UUID(int=made.int))


@given(now=moments, later=st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=300)))
def test_ids_sort_by_the_time_of_their_making(now, later):
    """The text of a later id is greater, from one millisecond on."""
    assert uuid7(now) < uuid7(now + later)


def test_ids_of_one_moment_differ():
    """Ten thousand ids of one moment are ten thousand."""
    now = SystemClock().now()
    assert len({uuid7(now) for _ in range(10_000)}) == 10_000
