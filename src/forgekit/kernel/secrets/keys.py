"""Where sealing keys come from: the environment, or a development key beside the data."""

from __future__ import annotations

import base64
import binascii
import logging
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from forgekit.errors import ConfigurationError

_log = logging.getLogger(__name__)

KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}", re.ASCII)
"""What a key may be called: it stands in every envelope."""

_KEY_BYTES = 32
_FILE = "development.key"
_OTHERS = 0o077


class SealingKey(NamedTuple):
    """A key and the name that envelopes call it by."""

    kid: str
    key: bytes

    def __repr__(self) -> str:
        """Name the key without showing it."""
        return f"SealingKey(kid={self.kid!r}, key=****)"


def check_keys(keys: Sequence[tuple[str, bytes]]) -> tuple[SealingKey, ...]:
    """Return the keys, once they are known to be usable.

    Raises:
        ConfigurationError: None at all, a bad or repeated name, or a key that is not 32 bytes long.

    """
    if not keys:
        raise ConfigurationError("There is no sealing key.")
    for place, (kid, key) in enumerate(keys, 1):
        if not KEY_ID.fullmatch(kid):
            raise ConfigurationError(f"Sealing key {place}: its id must be 1 to 32 letters, digits, - or _.")
        if len(key) != _KEY_BYTES:
            raise ConfigurationError(f"Sealing key {place}: it must be {_KEY_BYTES} bytes long, in base64.")
    if len({kid for kid, _ in keys}) < len(keys):
        raise ConfigurationError("Two sealing keys have the same id.")
    return tuple(SealingKey(kid, key) for kid, key in keys)


def parse_keys(text: str) -> tuple[SealingKey, ...]:
    """Read ``FORGEKIT_SECRET_KEYS``: ``kid:base64,kid:base64,…``; the first seals, all open.

    Args:
        text: Standard or URL-safe base64, with or without padding.

    Raises:
        ConfigurationError: It cannot be read; the message counts keys and shows none.

    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return check_keys([_parse_key(place, entry) for place, entry in enumerate(entries, 1)])


def _parse_key(place: int, entry: str) -> SealingKey:
    kid, colon, encoded = entry.partition(":")
    if not colon:
        raise ConfigurationError(f"Sealing key {place}: it must be written id:base64.")
    plain = encoded.strip().translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigurationError(f"Sealing key {place}: it is not base64.") from None
    return SealingKey(kid.strip(), key)


def development_key(directory: Path) -> tuple[SealingKey, ...]:
    """Return the key kept in a data directory, made there on first use.

    The file is linked into its place once it is complete, so that processes which start together agree on one key.

    Args:
        directory: The data directory; made where it is absent.

    Raises:
        ConfigurationError: The directory cannot be written, or the file is not a key.

    """
    path = directory / _FILE
    try:
        if not path.exists():
            _make_key_file(path)
        text = path.read_text("ascii")
        if os.name == "posix" and path.stat().st_mode & _OTHERS:
            _log.warning("others may read the development key %s: take their rights away (chmod 600)", path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"No development key in {directory} ({type(error).__name__}): set FORGEKIT_SECRET_KEYS.") from error
    return parse_keys(text)


def _make_key_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    line = f"dev-{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode('ascii')}\n"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
        _log.warning("made a development key in %s: set FORGEKIT_SECRET_KEYS before real secrets are stored", path)
    except FileExistsError:
        _log.debug("another process made the development key first")
    finally:
        draft.unlink()
