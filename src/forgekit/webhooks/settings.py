"""Secrets of senders that no adapter speaks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import attrs

from forgekit.kernel.settings import setting, settings
from forgekit.webhooks.signatures import SigningSecret


@settings("webhooks", env_prefix="FORGEKIT_WEBHOOK_")
@attrs.frozen(kw_only=True, slots=False)
class WebhookSettings:
    """Settings of incoming webhooks; given by the program or its environment, never stored."""

    secrets: Mapping[str, str] = setting(
        default=MappingProxyType({}),
        stored=False,
        doc='The secrets of senders without an adapter, by provider: `{"github": "…"}`; more of one provider as `"github/name"`.',
    )

    def __repr__(self) -> str:
        """Tell whose secrets there are, not the secrets."""
        return f"WebhookSettings(secrets of {', '.join(sorted(self.secrets)) or 'nobody'})"

    @cached_property
    def signing_secrets(self) -> Mapping[str, Sequence[SigningSecret]]:
        """The secrets by provider, each with the key that it was given by as its id.

        Raises:
            EmptySecret: One of them is empty.

        """
        found: dict[str, list[SigningSecret]] = {}
        for name, value in self.secrets.items():
            found.setdefault(name.partition("/")[0], []).append(SigningSecret(id=name, value=value))
        return {provider: tuple(secrets) for provider, secrets in found.items()}
