"""A text that nothing prints."""

from __future__ import annotations

import hmac
from typing import NoReturn, final

from forgekit.errors import EmptySecret

_MASK = "Secret(****)"


@final
class Secret:
    """A secret text: masked wherever it is printed, compared in constant time, opened by ``reveal()`` alone.

    It pickles with its content, because worker processes need it; keep pickles as safe as the secret.
    """

    __slots__ = ("__value",)

    __value: str

    def __init__(self, value: str) -> None:
        """Keep a text.

        Raises:
            EmptySecret: The text is empty.

        """
        if not value:
            raise EmptySecret
        object.__setattr__(self, "_Secret__value", value)

    def reveal(self) -> str:
        """Return the text itself."""
        return self.__value

    def __repr__(self) -> str:
        """Tell that there is a secret, not even its length."""
        return _MASK

    def __format__(self, spec: str) -> str:
        """Mask, whatever the format asks for."""
        return _MASK

    def __eq__(self, other: object) -> bool:
        """Compare in constant time; equal to no plain text."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self.__value), _bytes(other.__value))

    def __hash__(self) -> int:
        """Hash by content, as equality goes by it."""
        return hash((Secret, self.__value))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        """Refuse: a secret is immutable."""
        raise AttributeError("a Secret is immutable")

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        """Copy and pickle by content."""
        return Secret, (self.__value,)


def _bytes(text: str) -> bytes:
    # An environment variable that is no UTF-8 arrives with lone surrogates; comparing must not stumble, nor print it.
    return text.encode("utf-8", "surrogatepass")
