"""``manage.py forgekit_worker``: loops, deliveries and chores in a process of their own."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from backoffice.forge import the_forge


class Command(BaseCommand):
    """Runs the forge's worker until it is told to stop."""

    help = __doc__

    def handle(self, **_options: Any) -> None:
        """Run until SIGINT or SIGTERM."""
        the_forge().worker().serve()
