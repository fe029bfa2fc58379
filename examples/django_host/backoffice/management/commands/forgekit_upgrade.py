"""``manage.py forgekit_upgrade``: the forge's tables, beside Django's own ``migrate``."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from forgekit import Forge


class Command(BaseCommand):
    """Brings the forge's schema up to date."""

    help = __doc__

    def handle(self, **_options: Any) -> None:
        """Apply what is missing."""
        applied = Forge.upgrade(settings.FORGE_URL, discover=True)
        self.stdout.write("applied: " + ", ".join(applied) if applied else "the schema is up to date")
