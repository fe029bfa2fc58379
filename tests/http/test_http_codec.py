from __future__ import annotations

import enum
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import attrs
import pytest
from attrs import validators as v
from hypothesis import given as hgiven
from hypothesis import strategies as st

from forgekit import errors
from forgekit.http import UNSET, Unset, given, named
from forgekit.http.codec import LENIENT, STRICT, decode_body, encode, to_plain
from forgekit.http.scalars import MOST_PROBLEMS, Invalid

Key = NewType("Key", str)


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


@attrs.frozen
class Left:
    side: Literal["left"]
    n: int


@attrs.frozen
class Worded:
    words: list[str] = attrs.field(validator=v.deep_iterable(v.min_len(2)))


@attrs.frozen
class Right:
    side: Literal["right"]
    more: list[Left] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Every:
    text: str
    whole: int = attrs.field(validator=v.ge(0))
    number: float
    yes: bool
    moment: datetime
    day: date
    uid: UUID
    size: Size
    word: Literal["a", "b"]
    maybe: str | None
    items: list[Left]
    frozen: tuple[int, ...] = ()
    unique: frozenset[str] = frozenset()
    table: Mapping[str, int] = attrs.field(factory=dict)
    free: Any = None
    either: Left | Right | None = None
    key: Annotated[Key, "noted"] = Key("k")
    absent: int | Unset = UNSET
    other_name: int = attrs.field(default=0, metadata=named("otherName"))
    me: Every | None = None


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
WHOLE = st.integers(0, 2**63 - 1)
LEFT = st.builds(Left, st.just("left"), st.integers(-(2**63), 2**63 - 1))
MOMENT = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them naive
EVERY = st.builds(
    Every,
    text=TEXT,
    whole=WHOLE,
    number=st.floats(allow_nan=False, allow_infinity=False),
    yes=st.booleans(),
    moment=MOMENT,
    day=st.dates(),
    uid=st.uuids(),
    size=st.sampled_from(Size),
    word=st.sampled_from(["a", "b"]),
    maybe=st.none() | TEXT,
    items=st.lists(LEFT, max_size=3),
    frozen=st.lists(st.integers(-5, 5), max_size=3).map(tuple),
    unique=st.frozensets(TEXT, max_size=3),
    table=st.dictionaries(TEXT, st.integers(0, 9), max_size=3),
    free=st.none() | st.integers(0, 9) | st.lists(TEXT, max_size=2),
    either=st.none() | LEFT | st.builds(Right, st.just("right"), st.lists(LEFT, max_size=2)),
    key=TEXT.map(Key),
    absent=st.just(UNSET) | st.integers(0, 9),
    other_name=st.integers(0, 9),
    me=st.none(),
)


def problems_of(value, kind, converter=STRICT):
    """List the pointers and messages of what is wrong."""
    with pytest.raises(Invalid) as caught:
        converter.structure(value, kind)
    return {problem.pointer: problem.message for problem in caught.value.problems}


@hgiven(EVERY, EVERY)
def test_what_is_rendered_is_read_again(value, inner):
    """Rendering and reading a class of every supported type gives an equal object."""
    value = attrs.evolve(value, me=inner)
    assert decode_body(encode(value), Every) == value


@hgiven(EVERY)
def test_fields_stand_in_their_order(value):
    """The rendered keys are the fields, in order, without the absent one and under their own names."""
    names = ["otherName" if field.name == "other_name" else field.name for field in attrs.fields(Every)]
    rendered = list(json.loads(encode(value)))
    assert rendered == [name for name in names if name != "absent" or value.absent is not UNSET]


@hgiven(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c))
)
def test_any_json_is_read_or_refused_with_places(value):
    """A value of the wrong form is refused with problems, never with another error."""
    for kind in (Every, Left | Right, list[Left], dict[str, Size], int | str, Literal[1, "b"]):
        try:
            STRICT.structure(value, kind)
        except Invalid as wrong:
            places = [(problem.pointer, problem.message) for problem in wrong.problems]
        else:
            continue
        assert all(pointer.startswith("/") or pointer == "" for pointer, _ in places)
        assert all(message for _, message in places)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        (int, ["1", 1.0, True, None, 2**63, -(2**63) - 1]),
        (str, [1, None, "a\0", "\udc00"]),
        (float, ["1", True, math.inf, math.nan]),
        (bool, [0, 1, "true", None]),
        (datetime, ["2026-01-01T00:00:00", "2026-01-01", "0001-01-01T00:00:00+01:00", "2026-13-01T00:00:00Z", 5]),
        (date, ["2026-1-1", "2026-02-30", "20260101", "2026-01-01T00:00:00Z", 5]),
        (UUID, ["x", "00000000000000000000000000000000", "g" * 36, 1]),
        (Size, ["1", True, 3, [], {}]),
        (Literal[1, "b"], [True, "1", "c", []]),
        (type(None), [0, "", False]),
        (list[int], ["ab", {"a": 1}, 1]),
        (dict[str, int], [[], "a"]),
        (Left, [[], "left", None]),
        (Left | Right, [[], None, {}]),
        (int | str, [None, 1.5, []]),
    ],
)
def test_strictness(kind, wrong):
    """What is nearly right is refused: no number from text, no time without offset, no truth from one."""
    for value in wrong:
        assert problems_of(value, kind)


def test_moments_are_read_into_utc():
    """Any offset is taken, and the value is the same moment in UTC; small letters do as well (RFC 3339)."""
    moment = STRICT.structure("2026-02-10t15:30:00.5+01:00", datetime)
    assert moment == datetime(2026, 2, 10, 14, 30, 0, 500_000, tzinfo=UTC)
    assert moment.tzinfo is UTC


def test_moments_are_rendered_in_utc():
    """An aware moment ends in Z, a naive one is a bug and not rendered."""
    elsewhere = datetime(2026, 2, 10, 15, 30, tzinfo=timezone(timedelta(hours=1)))
    assert encode([elsewhere]) == b'["2026-02-10T14:30:00Z"]'
    with pytest.raises(ValueError, match="offset"):
        to_plain(elsewhere.replace(tzinfo=None))


def test_every_problem_is_told_at_once():
    """All wrong fields are reported together, each with its pointer."""
    value = {"side": "right", "more": [{"side": "left", "n": "1"}, 3, {"side": "left"}], "a/b~": 1}
    assert problems_of(value, Left | Right) == {
        "/more/0/n": "must be an integer",
        "/more/1": "must be an object",
        "/more/2/n": "is required",
        "/a~1b~0": "is not a known field",
    }


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"side": "left", "n": 1, **dict.fromkeys(map(str, range(5_000)), 0)}, Left),
        ([{}] * 5_000, list[Left]),
        ({"words": ["x"] * 5_000}, Worded),
    ],
)
def test_no_more_problems_are_looked_for_than_are_told(value, kind):
    """A body of wrong things alone costs no more than the problems of which the sender is told."""
    with pytest.raises(Invalid) as refused:
        STRICT.structure(value, kind)
    assert MOST_PROBLEMS <= len(refused.value.problems) <= MOST_PROBLEMS + 1


@pytest.mark.parametrize("tag", ["up", None, 1, [], {}])
def test_an_unknown_tag_names_its_place(tag):
    """A union's tag that is unknown is a problem of the tag's field."""
    assert problems_of({"side": tag}, Left | Right) == {"/side": "must be one of left, right"}


def test_a_missing_tag_names_its_place():
    """A union's tag that is missing is a problem of the tag's field."""
    assert problems_of({"n": 1}, Left | Right) == {"/side": "must be one of left, right"}


@attrs.frozen(kw_only=True)
class Ruled:
    name: str = attrs.field(default="abc", validator=v.and_(v.min_len(2), v.max_len(4), v.matches_re("[a-z]+")))
    count: int = attrs.field(default=1, validator=[v.ge(0), v.lt(10)])
    kind: str = attrs.field(default="x", validator=v.in_(["x", "y"]))
    words: list[str] | None = attrs.field(default=None, validator=v.optional(v.deep_iterable(v.max_len(2), v.instance_of(list))))
    note: str | Unset | None = attrs.field(default=UNSET, validator=given(v.optional(v.max_len(3))))
    even: int = attrs.field(default=0)
    ratio: float = attrs.field(default=0.5, validator=[v.gt(0), v.le(1)])

    @even.validator
    def _check_even(self, _attribute, value):
        if value % 2 or value > self.count * 100:
            raise ValueError("must be even")

    def __attrs_post_init__(self):
        """Check across fields."""
        if self.name == self.kind + self.kind:
            raise errors.InvalidInput(problems=[{"pointer": "/name", "message": "must not double the kind"}])
        if self.count == 9:
            raise ValueError("nine is out")


def test_validators_speak_by_field():
    """Each field's validators are reported at its place, together, and never repeat the value."""
    wrong = {"name": "ABCDE", "count": 10, "kind": "q", "words": ["ok", "long"], "note": "long", "even": 3, "ratio": 0}
    assert problems_of(wrong, Ruled) == {
        "/name": "must match [a-z]+",
        "/count": "must be < 10",
        "/kind": "must be one of x, y",
        "/words/1": "must not be longer than 2",
        "/note": "must not be longer than 3",
        "/even": "must be even",
        "/ratio": "must be > 0",
    }


def test_a_validator_that_looks_at_a_wrong_field_is_left_out():
    """A check that needs a field which is wrong itself says nothing."""
    assert problems_of({"even": 4, "count": "x"}, Ruled) == {"/count": "must be an integer"}


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ({"even": 5}, {"/even": "must be even"}),
        ({"name": "xx"}, {"/name": "must not double the kind"}),
        ({"count": 9}, {"": "nine is out"}),
    ],
)
def test_checks_of_the_class_itself_are_problems(value, problems):
    """Validators of the class's own, and its checks across fields, become problems too."""
    assert problems_of(value, Ruled) == problems


@pytest.mark.parametrize(("value", "note"), [({}, UNSET), ({"note": None}, None), ({"note": "abc"}, "abc")])
def test_absent_is_not_null(value, note):
    """A missing key, a null and a value are three things."""
    read = STRICT.structure(value, Ruled)
    assert read.note is note or read.note == note
    assert to_plain(read).get("note", UNSET) == note


def test_unset_reads_as_false():
    """UNSET is false and names itself."""
    assert (bool(UNSET), repr(UNSET)) == (False, "UNSET")


def test_types_without_json_are_refused():
    """A type that no JSON value becomes is an error of the declaration."""
    with pytest.raises(errors.UsageError, match="timezone"):
        STRICT.structure(1, timezone)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("12", int, 12),
        ("-1.5e1", float, -15.0),
        ("TRUE", bool, True),
        ("off", bool, False),
        ("2", Size, Size.LARGE),
        ("1", Literal[1, "b"], 1),
        ("x", str | None, "x"),
        (["1", "2"], list[int], [1, 2]),
    ],
)
def test_parameters_are_read_from_text(text, kind, value):
    """The lenient decoder reads numbers, truth and choices from text."""
    assert LENIENT.structure(text, kind) == value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1.0", int),
        ("\uff19", int),
        ("9" * 20, int),
        ("9" * 5000, int),
        ("nan", float),
        ("1e999", float),
        ("maybe", bool),
        ("3", Size),
        (["1"], int),
    ],
)
def test_parameters_have_limits(text, kind):
    """What is no number in plain digits, or too large, is refused."""
    assert problems_of(text, kind, LENIENT)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Sequence[int], [1], [1]),
        (tuple[int, ...], [1, 2], (1, 2)),
        (frozenset[str], ["a", "a"], frozenset("a")),
        (list, [1, "a"], [1, "a"]),
    ],
)
def test_lists_become_what_is_asked_for(kind, value, expected):
    """A JSON array is read into the container that the annotation names."""
    assert STRICT.structure(value, kind) == expected
