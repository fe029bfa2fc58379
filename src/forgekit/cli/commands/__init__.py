"""The commands, one module a group; importing them registers them."""

from forgekit.cli.commands import maintenance, project, sprint, webhook

__all__ = ["maintenance", "project", "sprint", "webhook"]
