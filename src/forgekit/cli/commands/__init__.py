"""The commands, one module a group; importing them registers them."""

from forgekit.cli.commands import key, maintenance, project, sprint, webhook

__all__ = ["key", "maintenance", "project", "sprint", "webhook"]
