"""Settings of builds."""

from __future__ import annotations

import attrs

from forgekit.kernel.secrets import Secret
from forgekit.kernel.settings import setting, settings

FEWEST_DAYS = 60
"""A run can be run again for 30 days, and builds of a commit are compared for 14."""


MOST_DAYS = 30
"""After these the body of every webhook is emptied, whatever sent it."""


@settings("builds", env_prefix="FORGEKIT_BUILDS_")
class BuildSettings:
    """How long builds are kept, and what their webhooks are signed with."""

    retention_days: int | None = setting(
        default=None,
        validator=attrs.validators.ge(FEWEST_DAYS),
        doc="Builds that ended longer ago are deleted and refused, their roll-ups stay; at least 60, kept for ever when absent.",
    )
    webhook_secret: Secret | None = setting(
        default=None,
        secret=True,
        doc="What senders of generic build webhooks sign with (`X-Signature-256`); without it they show an API key.",
    )
    keep_webhooks_days: int = setting(
        default=0,
        validator=(attrs.validators.ge(0), attrs.validators.le(MOST_DAYS)),
        doc="Days for which the raw bodies of handled build webhooks are kept for replay, at most 30; 0 drops each once it is handled.",
    )
