"""The project's one forge, opened when it is first needed: not at import, not in ``ready()``."""

from __future__ import annotations

import atexit
from functools import cache

from django.conf import settings

from forgekit import Forge


@cache
def the_forge() -> Forge:
    """Return the forge of this process."""
    forge = Forge.open(settings.FORGE_URL, discover=True)
    atexit.register(forge.close)
    return forge
