"""What settings of an outside system must be, as validators: told when they are given, not by the first call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from forgekit.errors import ConfigurationError
from forgekit.kernel.net.rules import check_base_url, check_header
from forgekit.kernel.secrets import Secret


def base_url(_instance: object, _attribute: attrs.Attribute[Any], value: str) -> None:
    """Refuse what is no base address (see ``check_base_url``).

    Raises:
        ValueError: It is none; the message does not repeat it.

    """
    try:
        check_base_url(value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None


def fits_header(name: str) -> Callable[[object, attrs.Attribute[Any], Secret], None]:
    """Return a validator that refuses a secret which the header of this name cannot carry (see ``check_header``)."""

    def validate(_instance: object, _attribute: attrs.Attribute[Any], value: Secret) -> None:
        try:
            check_header(name, value.reveal())
        except ConfigurationError as error:
            raise ValueError(str(error)) from None

    return validate
