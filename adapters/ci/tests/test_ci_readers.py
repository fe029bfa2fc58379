"""What holds for every reader."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit.builds import BuildRecord
from forgekit.errors import InvalidInput
from forgekit_ci.plugin import forgekit_build_readers

READERS = forgekit_build_readers()
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-03-02T10:00:00Z", "\ud800", "\0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
words = [
    "object_kind",
    "build",
    "phase",
    "type",
    "happened_at",
    "webhook",
    "event",
    "eventType",
    "resource",
    "repository",
    "context",
    "data",
]
shaped = st.dictionaries(
    st.sampled_from(words), anything | st.dictionaries(st.sampled_from([*words, "id"]), anything, max_size=4), max_size=6
)


def read(payload):
    """Return what each reader makes of a payload, by name; those that pass it by are left out."""
    found = {name: outcome(reader, payload) for name, reader in READERS.items()}
    return {name: told for name, told in found.items() if told is not None}


def outcome(reader, payload):
    """Return what one reader makes of a payload: records, what is wrong with it, or None."""
    try:
        told = reader.read("", payload)
    except InvalidInput as refused:
        told = refused
    if isinstance(told, InvalidInput):
        problems = told.data["problems"]
        assert problems
        assert all(problem.keys() == {"pointer", "message"} for problem in problems)
        return told
    assert told is None or all(isinstance(each, BuildRecord) for each in told)
    return told


def are_own(found):
    """Tell whether every record that readers tell is one of the reader's own system."""
    told = [(name, records) for name, records in found.items() if not isinstance(records, InvalidInput)]
    return all(record.provider == name for name, records in told for record in records)


def places(value, at=()):
    """Yield the way to every member of a payload."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in entries:
        yield (*at, key)
        yield from places(below, (*at, key))


def changed(payload, way, value):
    """Return a payload with another value at a place."""
    found = copy.deepcopy(payload)
    parent = found
    for key in way[:-1]:
        parent = parent[key]
    parent[way[-1]] = value
    return found


def test_a_webhook_has_one_reader(system, sample):
    """A webhook that tells of a build is claimed by its system's reader alone, and tells one sighting of that system."""
    (told,) = (found := read(sample)).values()
    assert list(found) == [system]
    assert [record.provider for record in told] == [system]


def test_other_webhooks_of_a_system_tell_nothing(system, other):
    """What is the system's and tells of no build is claimed by it alone, and comes to no sighting."""
    assert read(other) == {system: []}


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"builds": [{"build_id": "1", "project": "p", "status": "passed"}]},
        {"build_id": "1", "project": "p", "status": "passed"},
        {"action": "completed", "workflow_run": {"id": 1}, "repository": {"full_name": "acme/shop", "id": 1}, "sender": {"type": "User"}},
        {"specversion": "1.0", "type": "com.example.thing", "data": {"context": {"type": "dev.cdevents.x"}}},
        {"event": "issue", "action": "updated", "data": {}},
    ],
)
def test_what_others_send_is_nobodys(payload):
    """The flat form, GitHub's webhooks, other CloudEvents and a tracker's are passed by."""
    assert read(payload) == {}


@given(payload=st.dictionaries(st.text(max_size=12), anything, max_size=4) | shaped)
def test_no_payload_breaks_a_reader(payload):
    """Whatever arrives, a reader tells records of its own system, passes it by, or says what is wrong and where."""
    assert are_own(read(payload))


@given(data=st.data())
def test_no_change_of_a_webhook_breaks_a_reader(data, samples):
    """A real webhook with anything at any place is read by its own system's reader, or refused with pointers."""
    sample = data.draw(st.sampled_from([each for own in samples.SAMPLES.values() for each in own]))
    assert are_own(read(changed(sample, data.draw(st.sampled_from(list(places(sample)))), data.draw(anything))))


def test_what_is_null_is_absent(system, sample):
    """With null at any one place a webhook is still its system's: it is read, or names what it cannot do without."""
    members = [way for way in places(sample) if isinstance(way[-1], str)]
    for way in members:
        told = outcome(READERS[system], changed(sample, way, None))
        if isinstance(told, InvalidInput):
            assert {problem["message"] for problem in told.data["problems"]} == {"is required"}


def test_a_deep_payload_is_refused(system, sample):
    """Members nested as deep as a decoder allows are refused, unless nobody reads them or they say whose webhook it is.

    Custom data of CDEvents may be anything, and is nothing to us unless it is an object.
    """
    deep = json.loads("[" * 900 + "]" * 900)
    as_it_is, refused = outcome(READERS[system], sample), 0
    for way in places(sample):
        told = outcome(READERS[system], changed(sample, way, deep))
        if isinstance(told, InvalidInput):
            refused += 1
        elif way[-1] == "customData":
            assert told == outcome(READERS[system], changed(sample, way, None))
        else:
            assert told in (None, as_it_is)
    assert refused


def test_all_that_is_wrong_is_told_at_once(samples):
    """Each wrong member is named by its place."""
    wrong = changed(changed(samples.GITLAB_PIPELINE, ("object_attributes", "id"), {}), ("builds", 0, "started_at"), "yesterday")
    wrong = changed(wrong, ("object_attributes", "status"), "perplexed")
    problems = outcome(READERS["gitlab"], wrong).data["problems"]
    assert {each["pointer"] for each in problems} == {"/object_attributes/id", "/object_attributes/status", "/builds/0/started_at"}


@pytest.mark.parametrize("value", ["x" * 2001, "a\0b", "\udc00", True, 1.5])
def test_a_text_that_cannot_be_stored_is_refused(samples, value):
    """Texts that are too long, hold NUL or half a character, or are no texts are named."""
    problems = outcome(READERS["gitlab"], changed(samples.GITLAB_PIPELINE, ("object_attributes", "ref"), value)).data["problems"]
    assert [each["pointer"] for each in problems] == ["/object_attributes/ref"]


@pytest.mark.parametrize("value", [5, "2300-01-01T00:00:00Z", "soon"])
def test_a_time_that_is_none_is_refused(samples, value):
    """A job's time that is no text, is none, or is beyond the years that a record takes is named."""
    problems = outcome(READERS["gitlab"], changed(samples.GITLAB_PIPELINE, ("builds", 0, "started_at"), value)).data["problems"]
    assert problems[0]["pointer"].startswith("/builds/0")


def test_more_jobs_than_any_build_has_are_refused(samples):
    """A list of jobs is bounded, and is a list of objects."""
    for jobs in ([{}] * 2001, [1], {}):
        problems = outcome(READERS["gitlab"], {**samples.GITLAB_PIPELINE, "builds": jobs}).data["problems"]
        assert [each["pointer"] for each in problems] == ["/builds"]
