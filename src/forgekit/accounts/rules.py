"""Pure rules of API keys: their text, their hash, and those that the environment gives."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence

import attrs

from forgekit.accounts.models import EVERYTHING, ApiKey
from forgekit.errors import ConfigurationError, InvalidInput

PREFIX = "fk_"
"""What every issued key begins with, so that scanners for leaked secrets find it."""

MAX_TEXT = 512
"""Characters that a key may have; a longer text is refused unread."""

_TEXT = re.compile(r"fk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}", re.ASCII)
_SCOPE = re.compile(r"[a-z][a-z0-9_.:-]{0,49}", re.ASCII)
_HASHED = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_HASH_MARK = "sha256:"
_MAX_NAME = 100


@attrs.frozen(kw_only=True)
class GivenKey:
    """A key that the environment gives.

    Attributes:
        key: What is known of it.
        digest: SHA-256 of its text.

    """

    key: ApiKey
    digest: bytes = attrs.field(repr=False)


def new_key_text() -> tuple[str, str]:
    """Return a new key's id, and its whole text with 256 random bits."""
    key_id = secrets.token_hex(8)
    return key_id, f"{PREFIX}{key_id}_{secrets.token_urlsafe(32)}"


def key_id_of(text: str) -> str | None:
    """Return the id in the text of an issued key; None where it is none."""
    found = _TEXT.fullmatch(text) if len(text) <= MAX_TEXT else None
    return found[1] if found else None


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of a key's text, whatever its characters."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def check_name(name: str) -> None:
    """Refuse a name that people could not read.

    Raises:
        InvalidInput: It is empty, too long, or has characters that do not print.

    """
    if not name.strip() or len(name) > _MAX_NAME or not name.isprintable():
        raise _invalid("name", f"must have 1 to {_MAX_NAME} characters that print")


def check_scopes(scopes: Collection[str]) -> tuple[str, ...]:
    """Return scopes sorted, each once.

    Raises:
        InvalidInput: There is none, or one is no scope.

    """
    if isinstance(scopes, str) or not scopes or any(scope != EVERYTHING and not _SCOPE.fullmatch(scope) for scope in scopes):
        raise _invalid("scopes", f"must be at least one word such as builds, or {EVERYTHING}")
    return tuple(sorted(set(scopes)))


def _invalid(field: str, message: str) -> InvalidInput:
    return InvalidInput(f"The key's {field} {message}.", problems=[{"pointer": f"/{field}", "message": message}])


def parse_given_keys(text: str) -> tuple[GivenKey, ...]:
    """Read ``FORGEKIT_API_KEYS``: keys separated by commas, each as its text or as ``sha256:`` and the hash of its text in hex.

    Raises:
        ConfigurationError: An entry is empty or cannot be a key; the message counts entries and shows none.

    """
    return tuple(_given_key(place, entry.strip()) for place, entry in enumerate(text.split(","), 1))


def _given_key(place: int, entry: str) -> GivenKey:
    key = ApiKey(id=f"environment-{place}", name=f"key {place} of the environment")
    if not entry:
        raise ConfigurationError(f"API key {place} is empty: remove the comma too many, or leave the keys out where there are none.")
    if entry.lower().startswith(_HASH_MARK):
        digest = entry[len(_HASH_MARK) :].strip()
        if not _HASHED.fullmatch(digest):
            raise ConfigurationError(f"API key {place}: sha256: is followed by 64 hexadecimal digits.")
        return GivenKey(key=key, digest=bytes.fromhex(digest))
    if len(entry) > MAX_TEXT or not all("!" <= character <= "~" for character in entry):
        raise ConfigurationError(f"API key {place}: it must be printable ASCII without spaces, {MAX_TEXT} characters at most.")
    return GivenKey(key=key, digest=digest_of(entry))


def matching_key(digest: bytes, given: Sequence[GivenKey]) -> ApiKey | None:
    """Return the given key with this hash. Every one is compared, so that the time tells nothing."""
    found = None
    for each in given:
        if hmac.compare_digest(each.digest, digest):
            found = each.key
    return found
