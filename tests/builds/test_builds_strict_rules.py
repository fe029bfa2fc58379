"""Builds as strangers send them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import BuildRecord, Status, parse_build
from forgekit.builds.models import GREATEST
from forgekit.builds.reading.making import record_of_checked
from forgekit.builds.reading.strict import FIELDS, MAX_NAME, MAX_URL, MOST_UNKNOWN, STATUSES, parse_strictly
from forgekit.builds.reading.texts import UNSTORABLE
from forgekit.errors import InvalidInput

ROW = {"build_id": "1", "project": "shop/web", "status": "passed", "started_at": "2026-02-10T14:30:00Z"}
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.timezones() | st.none())  # noqa: DTZ001 - the strategy's bounds
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=MAX_NAME)
COUNTS = st.integers(0, GREATEST)
VALUES = {
    **dict.fromkeys(FIELDS, TEXTS),
    **dict.fromkeys(("started_at", "queued_at", "finished_at"), TIMES.map(lambda moment: moment.replace(fold=0).isoformat())),
    **dict.fromkeys(("tests_run", "tests_failed"), COUNTS),
    "attempt": st.integers(1, GREATEST),
    "duration_seconds": COUNTS | st.floats(0, 1e6),
    "status": st.sampled_from(sorted(STATUSES)),
}
NEEDED = ("build_id", "project", "status", "started_at")
ROWS = st.fixed_dictionaries(
    {name: VALUES[name] for name in NEEDED}, optional={name: st.none() | values for name, values in VALUES.items() if name not in NEEDED}
)


def refusal(row):
    """What is wrong with a row: messages by pointer."""
    with pytest.raises(InvalidInput) as caught:
        parse_strictly(row)
    return {problem["pointer"]: problem["message"] for problem in caught.value.data["problems"]}


@given(ROWS)
def test_what_is_strictly_read_is_what_files_give(row):
    """A row that the strict reader takes is the build that the tolerant one makes of it."""
    try:
        expected = parse_build(row)
    except (InvalidInput, ValueError):  # an offset so large that the year is another
        assert refusal(row)
    else:
        assert parse_strictly(row) == expected == BuildRecord(**{name: getattr(expected, name) for name in FIELDS})


@given(st.fixed_dictionaries({"build_id": TEXTS, "project": TEXTS, "attempt": st.integers(1, GREATEST)}), st.sampled_from(Status))
def test_a_record_of_checked_values_is_the_same_record(values, status):
    """Leaving out the checks changes nothing about values that pass them."""
    whole = {**values, "status": status, "started_at": datetime(2026, 1, 1, tzinfo=UTC)}
    quick, slow = record_of_checked(whole), BuildRecord(**whole)
    assert (quick, hash(quick), repr(quick)) == (slow, hash(slow), repr(slow))


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"attempt": "1"}, ["/attempt"]),
        ({"attempt": True}, ["/attempt"]),
        ({"attempt": 0}, ["/attempt"]),
        ({"attempt": 1.0}, ["/attempt"]),
        ({"tests_run": -1, "tests_failed": GREATEST + 1}, ["/tests_failed", "/tests_run"]),
        ({"duration_seconds": "10"}, ["/duration_seconds"]),
        ({"duration_seconds": -0.1}, ["/duration_seconds"]),
        ({"build_id": 7}, ["/build_id"]),
        ({"build_id": ""}, ["/build_id"]),
        ({"project": "x" * (MAX_NAME + 1)}, ["/project"]),
        ({"url": "x" * (MAX_URL + 1)}, ["/url"]),
        ({"url": ["x"]}, ["/url"]),
        ({"status": "green"}, ["/status"]),
        ({"status": "timed_out"}, ["/status"]),
        ({"status": ["passed"]}, ["/status"]),
        ({"status": None}, ["/status"]),
        ({"status": None, "started_at": None}, ["/status"]),
        ({"started_at": None}, ["/started_at"]),
        ({"started_at": 1}, ["/started_at"]),
        ({"started_at": "2026-02-10"}, ["/started_at"]),
        ({"started_at": "2026-02-30T00:00:00Z"}, ["/started_at"]),
        ({"started_at": "1969-12-31T23:59:59Z"}, ["/started_at"]),
        ({"started_at": "2199-12-31T23:59:59-10:00"}, ["/started_at"]),
        ({"branhc": "main", "a/b~c": 1}, ["/a~1b~0c", "/branhc"]),
        ({"": 1}, ["/"]),
    ],
)
def test_what_is_wrong_is_told_by_its_place(changes, pointers):
    """Every wrong field is told at once, and no other."""
    assert sorted(refusal({**ROW, **changes})) == pointers


@pytest.mark.parametrize("number", [MOST_UNKNOWN, MOST_UNKNOWN + 1, 5_000])
def test_of_many_unknown_fields_some_are_named(number):
    """What is told of a build does not grow with what nobody knows: the first unknown fields are named, the others counted."""
    told = refusal({**ROW, **dict.fromkeys(map(str, range(number)), 0)})
    named = {f"/{name}": "is not a known field" for name in range(MOST_UNKNOWN)}
    rest = {"": f"has {number - MOST_UNKNOWN} more fields that are not known"} if number > MOST_UNKNOWN else {}
    assert told == named | rest


def test_nothing_tells_all_that_is_needed():
    """An empty object misses three fields; a status decides on the fourth."""
    assert sorted(refusal({})) == ["/build_id", "/project", "/status"]
    assert sorted(refusal({"status": "running"})) == ["/build_id", "/project", "/started_at"]


@pytest.mark.parametrize("row", [None, [], "text", 1])
def test_what_is_no_object_is_no_build(row):
    """A build is an object."""
    assert list(refusal(row)) == [""]


@given(st.sampled_from([name for name in FIELDS if VALUES[name] is TEXTS]), st.text(), st.sampled_from("\0\ud800\udbff\udfff"), st.text())
def test_text_that_cannot_be_kept_is_told_by_its_place(field, before, bad, after):
    """A NUL or half a surrogate pair, wherever it stands, is wrong with its field, in either reading; whole pairs are text."""
    text = f"{before[: MAX_NAME // 2]}{bad}{after[:50]}"
    assert refusal({**ROW, field: text}) == {f"/{field}": UNSTORABLE}
    for wrong, pointer in (({field: text}, f"/{field}"), ({"jobs": [{"name": text, "status": "passed"}]}, "/jobs/0/name")):
        with pytest.raises(InvalidInput) as caught:
            parse_build({**ROW, **wrong})
        assert caught.value.data["problems"] == [{"pointer": pointer, "message": UNSTORABLE}]
    assert parse_strictly({**ROW, field: "\U0001f600"})


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_each_word_of_the_contract_is_a_status(status):
    """The words of the contract are taken, ``cancelled`` among them; only a queued build needs no start."""
    assert parse_strictly({**ROW, "status": status}).status.value == status.replace("cancelled", "canceled")
    timeless = {**ROW, "status": status, "started_at": None}
    if status == "queued":
        assert parse_strictly(timeless).started_at is None
    else:
        assert list(refusal(timeless)) == ["/started_at"]


@pytest.mark.parametrize(
    "text", ["2026-02-10T14:30:00", "2026-02-10 14:30:00Z", "2026-02-10t14:30z", "2026-02-10T16:30:00.000000001+02:00"]
)
def test_a_time_without_an_offset_is_utc(text):
    """The forms of ISO 8601 that CI systems write come to one moment."""
    assert parse_strictly({**ROW, "started_at": text}).started_at == datetime(2026, 2, 10, 14, 30, tzinfo=UTC)
