"""The pure half: dates, shapes, errors, and what is written."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from forgekit.errors import RemoteMalformed
from forgekit.kernel.net.http import Response
from forgekit.sprints.models import CycleStatus, StateGroup
from forgekit_plane import _wire
from forgekit_plane._judge import judge, problem_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ITEM = {"id": "i", "name": "Login", "updated_at": "2026-11-21T07:46:05.367190Z"}
ZONES = [
    *("UTC", "Europe/Amsterdam", "Europe/London", "America/New_York", "America/Los_Angeles", "America/St_Johns", "America/Sao_Paulo"),
    *("Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Sydney", "Australia/Eucla", "Pacific/Auckland", "Pacific/Honolulu"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)


def _cycle(**row):
    return _wire.parse_cycle({"id": "c", "name": "S", "start_date": None, "end_date": None, **row}, zone=None, now=NOW)


def _instants(zone, first, last):
    start, end = datetime.combine(first, time(0, 0, 1), ZoneInfo(zone)), datetime.combine(last, time(23, 59), ZoneInfo(zone))
    return {"start_date": start.astimezone(UTC).isoformat(), "end_date": end.astimezone(UTC).isoformat()}


@given(st.sampled_from(ZONES), st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 60))
def test_days_are_read_off_the_instants(zone, first, length):
    """Wherever people live, a cycle's days come out without asking for the time zone; daylight saving may begin in between."""
    last = first + timedelta(days=length)
    cycle = _cycle(**_instants(zone, first, last))
    assert (cycle.starts_on, cycle.ends_on) == (first, last)


def test_a_known_zone_goes_before():
    """The project's own word decides where the instants leave two answers: on the Line Islands it is a day later."""
    row = {"id": "c", **_instants("Pacific/Kiritimati", date(2026, 3, 1), date(2026, 3, 7))}
    cycle = _wire.parse_cycle(row, zone=ZoneInfo("Pacific/Kiritimati"), now=NOW)
    assert (cycle.starts_on, cycle.ends_on) == (date(2026, 3, 1), date(2026, 3, 7))
    assert cycle.name == "Cycle"


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2026-11-21T22:13:45.123Z", "2026-11-24T14:59:00Z", (22, 24)),
        ("2026-11-21T00:10:00.5Z", "2026-11-24T12:34:56Z", (21, 24)),
        ("2026-11-20T15:00:01Z", "2026-11-24T12:34:56Z", (21, 24)),
        ("2026-11-21", "2026-11-24", (21, 24)),
        ("2026-11-21T00:00:00", "2026-11-24T00:00:00", (21, 24)),
        ("2026-11-21T00:00:01Z", None, (21, None)),
    ],
)
def test_odd_dates_are_read(start, end, days):
    """One well-formed date tells the offset of both; days without a time, or without a zone, are UTC."""
    cycle = _cycle(start_date=start, end_date=end)
    assert (cycle.starts_on and cycle.starts_on.day, cycle.ends_on and cycle.ends_on.day) == days


@pytest.mark.parametrize("value", ["soon", 5, [], "2026-13-01", "0001-01-01T00:00:00+14:00"])
def test_a_date_that_is_none_is_malformed(value):
    """A date in another shape is the server's fault."""
    with pytest.raises(RemoteMalformed):
        _cycle(start_date=value)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_a_status_is_one_of_the_views(start, end, now):
    """Upcoming before, current from start to end inclusive, completed after; without both dates a draft."""
    status = _wire.cycle_status(start, end, now)
    assert (status is CycleStatus.UPCOMING) == (now < start)
    assert (status is CycleStatus.CURRENT) == (start <= now <= end)
    assert _wire.cycle_status(start, None, now) is _wire.cycle_status(None, end, now) is CycleStatus.DRAFT


def test_a_cycle_without_counters_is_a_cycle():
    """Counters are missing from some answers."""
    assert (_cycle().total, _cycle(total_issues=3, completed_issues=True).total, _cycle(completed_issues=True).completed) == (None, 3, None)


@pytest.mark.parametrize(
    ("row", "field", "value"),
    [
        ({"priority": "urgent"}, "priority", 1),
        ({"priority": "P0"}, "priority", 5),
        ({"priority": None}, "priority", 5),
        ({"state": {"group": "triage", "name": "Triage"}}, "group", StateGroup.BACKLOG),
        ({"state": "uuid"}, "group", StateGroup.BACKLOG),
        ({"state": {"group": "started", "name": "In Review"}}, "state", "In Review"),
        ({"labels": [{"name": "ui"}, {"name": "api"}]}, "category", "ui"),
        ({"labels": [], "module": {"name": "Shop"}}, "category", "Shop"),
        ({"labels": [{"name": "ui"}], "modules": [{"name": "Shop"}]}, "category", "Shop"),
        ({"labels": ["uuid"]}, "category", None),
        ({"labels": []}, "category", None),
        ({"parent": "p"}, "parent_id", "p"),
        ({"parent": {"id": "p"}}, "parent_id", "p"),
        ({"parent": {}}, "parent_id", None),
        ({"parent": None}, "parent_id", None),
        ({"project": {"identifier": "SHOP"}, "sequence_id": 7}, "key", "SHOP-7"),
        ({"project": "uuid", "sequence_id": 7}, "key", ""),
        ({"sort_order": 65535.4}, "position", 65535),
        ({"sort_order": 1e300}, "position", 2**31 - 1),
        ({"sort_order": None}, "position", 4),
        ({"name": " a\n b\x00 "}, "name", "a b"),
        ({"name": "x" * 300}, "name", "x" * 255),
        ({"name": ""}, "name", "Untitled"),
        ({"description_html": "<p>a</p>"}, "description", "a"),
        ({"description_html": None}, "description", ""),
        ({"updated_at": "2026-11-21T09:00:00+09:00"}, "updated_at", datetime(2026, 11, 21, tzinfo=UTC)),
        ({"updated_at": "2026-11-21T09:00:00"}, "updated_at", datetime(2026, 11, 21, 9, tzinfo=UTC)),
    ],
)
def test_each_field_of_an_item(row, field, value):
    """Each field is read as the specification maps it, also where the server is odd."""
    assert getattr(_wire.parse_item({**ITEM, **row}, 4), field) == value


@pytest.mark.parametrize(
    "row", [{}, {"id": ""}, {"id": 5}, {"id": "i"}, {"id": "i", "updated_at": "soon"}, {"id": "i", "updated_at": None}]
)
def test_an_item_needs_an_id_and_a_time(row):
    """What has neither is no item."""
    with pytest.raises(RemoteMalformed):
        _wire.parse_item(row, 0)


@given(JSON)
def test_nothing_but_malformed_is_raised(body):
    """Whatever JSON a server sends, the readers either read it or call it malformed."""
    row = (
        body
        if isinstance(body, dict)
        else {"id": "x", "updated_at": ITEM["updated_at"], "state": body, "labels": body, "parent": body, "sort_order": body}
    )
    for read in (
        lambda: _wire.parse_page(body, "x"),
        lambda: _wire.parse_project(body),
        lambda: _wire.parse_version(body),
        lambda: _wire.parse_cycle(body, zone=None, now=NOW),
        lambda: _wire.parse_blockers(body),
        lambda: _wire.parse_item(row, 0),
        lambda: _wire.parse_states([{"id": "x", "sequence": body, "group": body}]),
        lambda: problem_of(body),
    ):
        try:
            read()
        except RemoteMalformed as wrong:
            assert wrong.message  # noqa: PT017 - either outcome is right, and this one says something


def test_states_come_in_the_order_of_the_board():
    """The first state of a group is the leftmost, whatever order the server lists them in."""
    rows = [
        {"id": "b", "group": "started", "sequence": 2.0},
        {"id": "a", "group": "started", "sequence": 1.0},
        {"id": "c", "group": "triage"},
    ]
    assert [state.id for state in _wire.parse_states(rows)] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"error": "no"}, "no"),
        ({"detail": "no"}, "no"),
        ({"code": "X", "message": "no"}, "no"),
        ({"error_code": 5900, "error_message": "RATE_LIMIT_EXCEEDED"}, "RATE_LIMIT_EXCEEDED"),
        ({"name": ["too long", "odd"], "priority": ["unknown"]}, "name: too long name: odd priority: unknown"),
        ({"non_field_errors": ["no"]}, "no"),
        ({"name": [5], "other": 5}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_errors_are_read_in_every_shape(body, problem):
    """Plane has five shapes of errors; what each says is found."""
    assert problem_of(body) == problem


def test_an_answer_without_body_is_a_success():
    """204 has nothing to decode."""
    assert judge(Response(status=204, headers={}, content=b"")) is None


@pytest.mark.parametrize(("timezone", "offset"), [("Asia/Tokyo", 9), ("Nowhere/Land", 0), ("", 0), ("../../etc/passwd", 0), (None, 0)])
def test_a_project_tells_its_zone(timezone, offset):
    """An unknown time zone counts as UTC."""
    project = _wire.parse_project({"name": "Shop", "timezone": timezone})
    assert NOW.astimezone(project.zone).utcoffset() == timedelta(hours=offset)
    assert (project.is_member, project.has_cycles) == (True, True)


def test_blockers_are_read_in_every_shape():
    """Ids come as objects or plain, each once."""
    entries = [{"project_id": "p", "issue_id": "a"}, {"id": "b"}, "c", "a", {}, 5]
    assert _wire.parse_blockers({"blocked_by": entries}) == ("a", "b", "c")


@given(st.text(max_size=100))
def test_written_text_reads_back(text):
    """No text becomes markup: the HTML has no elements but paragraphs and breaks, and its text is what was given."""
    tree = LexborHTMLParser(f"<body>{_wire.text_to_html(text)}</body>".encode("utf-8", "replace"))
    assert {node.tag for node in tree.css("body *")} <= {"p", "br"}
    visible = "".join(
        character for character in text.encode("utf-8", "replace").decode() if not character.isspace() and character.isprintable()
    )
    shown = tree.body.text() if tree.body else ""
    assert "".join(character for character in shown if not character.isspace() and character.isprintable()) == visible


@given(st.text(max_size=600))
def test_external_ids_are_bounded_and_stable(marker):
    """Any marker becomes an id that Plane's column takes, and different markers different ones."""
    assert len(_wire.external_id(marker)) <= 255
    assert _wire.external_id(marker) == _wire.external_id(marker)
    assert _wire.external_id("x" * 300) != _wire.external_id("x" * 301)


@given(st.text(max_size=50), st.text(max_size=50), st.text(st.characters(categories=["L"]), min_size=1, max_size=10))
def test_appending_happens_once(description, text, marker):
    """The first time the text stands behind, the second time nothing is to do."""
    first = _wire.appended(description, text, marker)
    if marker in description:
        assert first is None
        return
    assert marker in first
    assert first.startswith(description.strip() and description.rstrip().lstrip())
    assert _wire.appended(first, text, marker) is None
