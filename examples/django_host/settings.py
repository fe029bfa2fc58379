"""Settings of a small Django project whose database is the forge's too."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

FORGE_URL = os.environ.get("FORGEKIT_DATABASE_URL", "sqlite:///forge.db")


def _database(url: str) -> dict[str, object]:
    """Name the forge's database in Django's words: one database, so that one transaction can hold both sides' writes."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        name = Path(parts.path.removeprefix("/")).resolve()
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20}}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


DATABASES = {"default": _database(FORGE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["backoffice"]
ROOT_URLCONF = "backoffice.urls"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
# Nothing here is signed across restarts: no sessions, no cookies.
SECRET_KEY = secrets.token_urlsafe(32)
USE_TZ = True
