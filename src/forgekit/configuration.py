"""The forge's own settings: where it keeps things, with which keys, and what hosts need to know."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from forgekit.accounts.rules import parse_given_keys
from forgekit.errors import ConfigurationError
from forgekit.kernel.secrets import Secret, development_key, parse_keys
from forgekit.kernel.settings import setting, settings
from forgekit.kernel.settings.values import BadValue


def without_password(url: str) -> str:
    """Return a database's URL as it may be shown: a password, and options that may hold one, masked."""
    place, mark, _options = url.partition("?")
    shown = re.sub(r"(?<=://)([^:/@]*):.*@", r"\1:****@", place)
    return repr(f"{shown}?****" if mark else shown)


def _readable_keys(_instance: object, _attribute: object, value: Secret) -> None:
    """Refuse keys that cannot be read; the sentence counts them and shows none."""
    try:
        parse_given_keys(value.reveal())
    except ConfigurationError as error:
        raise BadValue(error.message) from None


@settings("forgekit", env_prefix="FORGEKIT_")
class ForgeSettings:
    """Settings of the forge itself; given by the program or its environment, never stored."""

    database_url: str = setting(
        default="sqlite:///forge.db",
        stored=False,
        show=without_password,
        doc="Where the forge keeps what it knows: an `sqlite:` or `postgresql:` URL.",
    )
    secret_keys: Secret | None = setting(
        default=None,
        secret=True,
        stored=False,
        doc="Keys that secrets are sealed with, `id:base64` of 32 bytes each, separated by commas; the first one seals, all open.",
    )
    host_token: Secret | None = setting(
        default=None,
        secret=True,
        stored=False,
        doc="What callers of guarded operations and pages must show as `Authorization: Bearer …`; without it only this machine may call.",
    )
    api_keys: Secret | None = setting(
        default=None,
        secret=True,
        stored=False,
        validator=_readable_keys,
        doc="API keys of programs that call, separated by commas, each plain or as `sha256:` and the hash of the key in hex.",
    )
    projects_dir: str | None = setting(
        default=None, stored=False, doc="Directory whose sub-directories are the projects' git work trees, by project key."
    )
    redis_url: Secret | None = setting(
        default=None, secret=True, stored=False, doc="Where processes share the counts of incoming limits; without it each counts alone."
    )
    limits: Mapping[str, str] = setting(
        default=MappingProxyType({}), stored=False, doc='Other values for named limits, a JSON object: `{"plane.import": "600/minute"}`.'
    )
    public_url: str | None = setting(default=None, stored=False, doc="How outsiders reach this host; used in links that leave the system.")


def data_directory(url: str) -> Path | None:
    """Return where files beside the database go: the directory of an SQLite file, ``.forgekit`` in the current one for a server.

    None for a database in memory.
    """
    scheme, _, rest = url.partition("://")
    if not scheme.startswith("sqlite"):
        return Path(".forgekit")
    path = rest.removeprefix("/").partition("?")[0]
    return Path(path).parent if path and path != ":memory:" else None


def sealing_keys(own: ForgeSettings, directory: Path | None) -> Sequence[tuple[str, bytes]]:
    """Return the keys to seal with: those configured, else a development key kept in ``directory``.

    Raises:
        ConfigurationError: The configured text is not a list of keys.

    """
    if own.secret_keys is not None:
        return parse_keys(own.secret_keys.reveal())
    if directory is None:
        return [("memory", os.urandom(32))]
    return development_key(directory)
