"""The commands, one module a group; importing them registers them."""

from forgekit.cli.commands import builds, key, maintenance, project, sprint, webhook

__all__ = ["builds", "key", "maintenance", "project", "sprint", "webhook"]
