from __future__ import annotations

import attrs
import pytest

from forgekit.errors import UsageError
from forgekit.kernel.secrets import Secret
from forgekit.kernel.settings import declaration, declared, setting, settings, unset


@settings("tracker", env_prefix="TRACKER_")
class Tracker:
    """Settings of a made-up tracker."""

    url: str = setting(env="TRACKER_API_URL", doc="Where it is.")
    key: Secret | None = setting(default=None, secret=True, needed=True)
    pages: int = setting(default=3, stored=False)


def test_a_declared_class_is_frozen_and_keyword_only():
    """The decorator alone makes a frozen attrs class whose arguments are named."""
    made = Tracker(url="http://x")
    assert made == Tracker(url="http://x", key=None, pages=3)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.pages = 4
    with pytest.raises(TypeError):
        Tracker("http://x")


def test_a_class_that_is_attrs_already_is_taken_as_it_is():
    """An attrs class may be declared, with plain attrs fields too."""

    @settings("other", env_prefix="OTHER_")
    @attrs.frozen
    class Other:
        size: int
        name: str = "x"

    found = declaration(Other)
    assert found.cls is Other
    assert [(one.name, one.env, one.needed) for one in found.settings.values()] == [
        ("size", "OTHER_SIZE", True),
        ("name", "OTHER_NAME", False),
    ]


def test_a_declaration_says_everything_the_reference_needs():
    """Name, variable, kind, default, storage and sentence of each setting can be listed."""
    url, key, pages = declaration(Tracker).settings.values()
    assert (url.env, url.kind.name, url.default, url.needed, url.doc) == ("TRACKER_API_URL", "text", attrs.NOTHING, True, "Where it is.")
    assert (key.env, key.secret, key.kind.optional, key.needed) == ("TRACKER_KEY", True, True, True)
    assert (pages.stored, pages.default, pages.needed) == (False, 3, False)


def test_declared_classes_are_listed_once():
    """Declaring a class again, as a reload does, does not list it twice."""
    settings("tracker", env_prefix="TRACKER_")(Tracker)
    assert [found.cls for found in declared()].count(Tracker) == 1


def test_a_secret_must_be_of_the_type_that_masks_it():
    """A secret declared as plain text is refused when the class is made."""
    with pytest.raises(UsageError, match="Secret"):

        @settings("bad", env_prefix="BAD_")
        class Bad:
            key: str = setting(default="", secret=True)


def test_an_unreadable_type_is_refused():
    """A type that settings cannot have is refused when the class is made."""
    with pytest.raises(UsageError, match="size"):

        @settings("bad", env_prefix="BAD_")
        class Bad:
            size: bytes = setting(default=b"")


def test_a_class_that_was_not_declared_is_refused():
    """A plain class, and a subclass of a declared one, are no settings."""
    for cls in (object, type("Sub", (Tracker,), {})):
        with pytest.raises(UsageError):
            declaration(cls)


def test_what_settings_lack_can_be_asked():
    """Needed settings that are None are named, others are not."""
    assert unset(Tracker(url="http://x")) == ["key"]
    assert unset(Tracker(url="http://x", key=Secret("hunter2"))) == []
