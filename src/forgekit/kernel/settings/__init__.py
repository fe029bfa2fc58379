"""Settings: declared by adapters, given by the program, the storage or the environment, strict everywhere."""

from forgekit.kernel.settings.declare import Declaration, Setting, declaration, declared, setting, settings, unset
from forgekit.kernel.settings.service import Settings, SettingsStore

__all__ = ["Declaration", "Setting", "Settings", "SettingsStore", "declaration", "declared", "setting", "settings", "unset"]
