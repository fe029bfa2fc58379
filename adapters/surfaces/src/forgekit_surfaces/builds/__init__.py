"""Builds and their analysis: ``/api/v1``, bare JSON."""

from __future__ import annotations

from forgekit_surfaces.builds import analysing, submitting, webhooks
from forgekit_surfaces.builds.contract import surface

__all__ = ["analysing", "submitting", "surface", "webhooks"]
