"""Secrets: a type that nothing prints, and sealing for storage."""

from forgekit.kernel.secrets.keys import SealingKey, development_key, parse_keys
from forgekit.kernel.secrets.sealer import Sealer
from forgekit.kernel.secrets.secret import Secret

__all__ = ["Sealer", "SealingKey", "Secret", "development_key", "parse_keys"]
