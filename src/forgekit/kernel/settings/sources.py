"""Pure: one value a setting out of several sources, and every problem with them at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from forgekit.errors import SettingsInvalid
from forgekit.kernel.settings.declare import Declaration, Setting
from forgekit.kernel.settings.values import BadValue


@attrs.frozen
class Problem:
    """One thing that is wrong: where, and what."""

    path: str
    message: str


@attrs.frozen(kw_only=True)
class Sources:
    """Where values of one class come from, the first wins.

    Attributes:
        explicit: Given by the program when it opened the forge.
        changes: About to be stored.
        stored: Decoded from the storage.
        environ: The environment.

    """

    explicit: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    changes: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    stored: Mapping[str, object] = attrs.field(factory=dict, repr=False)
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)


def resolve(declared: Declaration, sources: Sources, problems: Collection[Problem] = ()) -> Any:
    """Return an instance of the declared class.

    Args:
        declared: The class.
        sources: Where its values come from.
        problems: What was found wrong before; reported with the rest.

    Raises:
        SettingsInvalid: Something is wrong; all of it is listed.

    """
    found = [*problems]
    for given in (sources.explicit, sources.changes):
        found += misspelt(declared.namespace, given, declared.settings)
    values: dict[str, Any] = {}
    for setting in declared.settings.values():
        try:
            value = _value(declared, setting, sources)
        except _AtPath as error:
            found.append(Problem(error.path, error.message))
        else:
            values[setting.name] = value
    if not found:
        try:
            return declared.cls(**values)
        except ValueError as error:
            found.append(Problem(declared.namespace, _sentence(error)))
    raise invalid(found)


def invalid(problems: Collection[Problem]) -> SettingsInvalid:
    """Return the error that lists problems."""
    listed = "; ".join(f"{problem.path}: {problem.message.removesuffix('.')}" for problem in problems)
    return SettingsInvalid(
        f"Settings are wrong: {listed}.", problems=[{"path": problem.path, "message": problem.message} for problem in problems]
    )


def misspelt(namespace: str, given: Collection[str], known: Collection[str]) -> list[Problem]:
    """Return a problem for each given name that is not known."""
    return [unknown(f"{namespace}.{name}", name, known) for name in given if name not in known]


def unknown(path: str, name: str, known: Collection[str]) -> Problem:
    """Return the problem of an unknown name, with the nearest known one."""
    near = difflib.get_close_matches(name, known, n=1)
    return Problem(path, f"is unknown; did you mean {near[0]}?" if near else "is unknown")


class _AtPath(Exception):
    """Carries a problem out of the reading of one setting; it never leaves this module."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def _value(declared: Declaration, setting: Setting, sources: Sources) -> Any:
    path = f"{declared.namespace}.{setting.name}"
    given: tuple[tuple[str, Mapping[str, object]], ...] = ((path, sources.explicit), (path, sources.changes))
    if setting.stored:
        given += ((f"{path} (stored)", sources.stored),)
    for where, values in given:
        if setting.name in values:
            return _checked(where, setting, setting.kind.check, values[setting.name])
    text = sources.environ.get(setting.env)
    # An empty variable is an unset one, except that a secret somebody took care to empty is a mistake.
    if text is not None and (text != "" or setting.secret):
        return _checked(f"{setting.env} (environment)", setting, setting.kind.parse, text)
    return _default(path, setting)


def _default(path: str, setting: Setting) -> Any:
    default: Any = setting.default
    if default is attrs.NOTHING:
        raise _AtPath(path, f"is not set (environment: {setting.env})")
    return default.factory() if isinstance(default, attrs.Factory) else default  # type: ignore[arg-type]


def _checked(path: str, setting: Setting, read: Callable[[Any], Any], raw: object) -> Any:
    try:
        value = read(raw)
        if setting.attribute.validator is not None:
            setting.attribute.validator(None, setting.attribute, value)
    except BadValue as error:
        raise _AtPath(path, str(error)) from None
    except (ValueError, TypeError) as error:
        raise _AtPath(path, "is not allowed" if setting.secret else _sentence(error)) from None
    return value


def _sentence(error: Exception) -> str:
    # attrs validators raise with (message, attribute, …, value): the first part is the sentence.
    return str(error.args[0]) if error.args else "is not allowed"
