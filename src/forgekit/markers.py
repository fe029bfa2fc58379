"""The marks by which pluggy knows forgekit's hooks; apart from the hooks, so that a plugin that marks a function imports nothing else."""

from __future__ import annotations

import pluggy

hookspec = pluggy.HookspecMarker("forgekit")
"""Marks a hook's specification."""

hookimpl = pluggy.HookimplMarker("forgekit")
"""Marks a plugin's implementation of a hook."""
