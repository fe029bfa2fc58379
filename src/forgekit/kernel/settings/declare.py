"""How an adapter says which settings it has: a frozen attrs class, declared once."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast, dataclass_transform

import attrs

from forgekit.errors import UsageError
from forgekit.kernel.settings.values import Kind, kind_of

T = TypeVar("T")

_OPTIONS = "forgekit.setting"
_DECLARED: dict[str, Declaration] = {}


@attrs.frozen(kw_only=True)
class _Options:
    secret: bool
    env: str | None
    stored: bool
    needed: bool
    doc: str


def setting(
    *,
    default: Any = attrs.NOTHING,
    secret: bool = False,
    env: str | None = None,
    stored: bool = True,
    needed: bool = False,
    doc: str = "",
    validator: Callable[[Any, Any, Any], Any] | tuple[Callable[[Any, Any, Any], Any], ...] | None = None,
    show: Callable[[Any], str] = repr,
) -> Any:
    """Declare one setting; stands where ``attrs.field()`` would.

    Args:
        default: Its value where nobody gives one; without it the setting must be given.
        secret: Whether it is sealed at rest; its type is then ``Secret`` or ``Secret | None``.
        env: Its environment variable; by default the class's prefix and the name in capitals.
        stored: Whether it may be stored; else only the program and the environment can set it.
        needed: Whether ``Settings.missing`` lists it while it is None: the adapter loads without it but cannot work.
        doc: One sentence for people.
        validator: One or more attrs validators; they must not need the instance.
        show: How the class's ``repr`` shows it; for what may hold a password among other things.

    """
    options = _Options(secret=secret, env=env, stored=stored, needed=needed or default is attrs.NOTHING, doc=doc)
    # None is the type's own affair: a validator of numbers need not know of it.
    unless_none = None if validator is None else attrs.validators.optional(validator)
    return attrs.field(default=default, validator=unless_none, repr=show, metadata={_OPTIONS: options})


@attrs.frozen(kw_only=True)
class Setting:
    """One declared setting.

    Attributes:
        name: The attribute's name.
        env: Its environment variable.
        kind: What values it takes.
        default: Its default; ``attrs.NOTHING`` where it must be given.
        stored: Whether it may be stored.
        needed: Whether the adapter cannot work without it.
        doc: One sentence for people.
        attribute: The attrs attribute, for its validators.

    """

    name: str
    env: str
    kind: Kind
    default: Any
    stored: bool
    needed: bool
    doc: str
    attribute: attrs.Attribute[Any] = attrs.field(repr=False)

    @property
    def secret(self) -> bool:
        """Whether it is sealed at rest and masked."""
        return self.kind.secret


@attrs.frozen(kw_only=True)
class Declaration:
    """One declared class.

    Attributes:
        namespace: The adapter's name, the first part of every path.
        cls: The class.
        settings: Its settings by name, in order.

    """

    namespace: str
    cls: type[Any]
    settings: Mapping[str, Setting]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(setting, attrs.field))
def settings(namespace: str, *, env_prefix: str) -> Callable[[type[T]], type[T]]:
    """Declare a class of settings. It is made a frozen, keyword-only attrs class unless it is an attrs class already.

    Args:
        namespace: The adapter's name.
        env_prefix: What its environment variables begin with, such as ``PLANE_``.

    Raises:
        UsageError: A setting's type is not among those that settings may have, or a secret is not of type ``Secret``.

    """

    def declare(cls: type[T]) -> type[T]:
        made: Any = cls if attrs.has(cls) else attrs.frozen(kw_only=True)(cls)
        found = _describe(namespace, env_prefix, made)
        _DECLARED[f"{made.__module__}.{made.__qualname__}"] = found
        made.__forgekit_settings__ = found
        return cast("type[T]", made)

    return declare


def declaration(cls: type[Any]) -> Declaration:
    """Return what a class declared.

    Raises:
        UsageError: It is no class of settings.

    """
    found = cls.__dict__.get("__forgekit_settings__")
    if not isinstance(found, Declaration):
        raise UsageError(f"{cls.__qualname__} is not decorated with @settings.")
    return found


def declared() -> tuple[Declaration, ...]:
    """Return every class declared so far, by namespace; for the settings reference and ``.env.example``."""
    return tuple(sorted(_DECLARED.values(), key=lambda found: (found.namespace, found.cls.__qualname__)))


def _describe(namespace: str, env_prefix: str, cls: type[Any]) -> Declaration:
    hints = typing.get_type_hints(cls)
    return Declaration(
        namespace=namespace,
        cls=cls,
        settings={attribute.name: _setting(env_prefix, attribute, hints[attribute.name]) for attribute in attrs.fields(cls)},
    )


def _setting(env_prefix: str, attribute: attrs.Attribute[Any], annotation: object) -> Setting:
    options = attribute.metadata.get(_OPTIONS)
    if not isinstance(options, _Options):
        options = _Options(secret=False, env=None, stored=True, needed=attribute.default is attrs.NOTHING, doc="")
    kind = kind_of(annotation)
    if kind is None:
        raise UsageError(f"The setting {attribute.name} has a type that settings cannot have.")
    if options.secret and not kind.secret:
        raise UsageError(f"The setting {attribute.name} is secret: its type must be Secret.")
    return Setting(
        name=attribute.name,
        env=options.env or env_prefix + attribute.name.upper(),
        kind=kind,
        default=attribute.default,
        stored=options.stored,
        needed=options.needed,
        doc=options.doc,
        attribute=attribute,
    )


def unset(settings: object) -> list[str]:
    """Return the names of the settings that an adapter needs and that are None in these."""
    return [name for name, setting in declaration(type(settings)).settings.items() if setting.needed and getattr(settings, name) is None]
