"""Secrets at rest: AES-256-GCM, the key's id in the envelope, the place of storage as associated data."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence

from forgekit.errors import SealBroken
from forgekit.kernel.secrets.keys import KEY_ID, check_keys

_VERSION = "v1"
_NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: random, so one key may seal up to 2**32 texts


class Sealer:
    """Seals and opens texts. Thread-safe.

    An envelope is ``v1.<key id>.<base64url of nonce and ciphertext>``. It opens only in the context it was sealed for, so
    a row copied to another place is worth nothing there.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """Keep the keys: the first seals, all of them open.

        Args:
            keys: Pairs of key id and 32 bytes.

        Raises:
            ConfigurationError: The keys are unusable.

        """
        checked = check_keys(keys)
        self.current = checked[0].kid
        self._keys = dict(checked)

    def __repr__(self) -> str:
        """Name the keys without showing them."""
        return f"Sealer({', '.join(self._keys)})"

    def seal(self, plain: str, context: str) -> str:
        """Return the envelope of a text.

        Args:
            plain: The text.
            context: Where the envelope will lie, such as ``settings|plane|api_key``.

        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._keys[self.current]).encrypt(nonce, plain.encode("utf-8", "surrogatepass"), _bound_to(self.current, context))
        return f"{_VERSION}.{self.current}.{_encode(nonce + sealed)}"

    def open(self, envelope: str, context: str) -> str:
        """Return the text in an envelope.

        Raises:
            SealBroken: The envelope was altered, belongs to another context, or its key is not among ours.

        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        kid, content = _parse(envelope)
        if kid not in self._keys:
            raise SealBroken(key_id=kid)
        try:
            plain = AESGCM(self._keys[kid]).decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], _bound_to(kid, context))
        except (InvalidTag, ValueError):
            raise SealBroken(key_id=kid) from None
        return plain.decode("utf-8", "surrogatepass")

    def key_id(self, envelope: str) -> str:
        """Return the id of the key that an envelope was sealed with, known or not.

        Raises:
            SealBroken: It is no envelope.

        """
        return _parse(envelope)[0]


def _bound_to(kid: str, context: str) -> bytes:
    return f"{_VERSION}|{kid}|{context}".encode("utf-8", "surrogatepass")


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def _parse(envelope: str) -> tuple[str, bytes]:
    version, _, rest = envelope.partition(".")
    kid, _, encoded = rest.partition(".")
    if version != _VERSION or not KEY_ID.fullmatch(kid):
        raise SealBroken
    try:
        content = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        raise SealBroken from None
    # The last character of base64 has bits to spare: only the one spelling we write counts as unaltered.
    if _encode(content) != encoded:
        raise SealBroken
    return kid, content
