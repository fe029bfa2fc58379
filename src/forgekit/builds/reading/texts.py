"""Text that can be kept: PostgreSQL takes no NUL, and no encoding takes half a surrogate pair."""

from __future__ import annotations

from forgekit.builds.models import BuildRecord

UNSTORABLE = "must not hold a NUL character or half a surrogate pair"
"""What to tell whose text holds one."""


def is_storable(text: str) -> bool:
    """Tell whether text can be kept."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def build_is_storable(build: BuildRecord) -> bool:
    """Tell whether every text of a build can be kept: databases differ in what they refuse, and here all refuse alike."""
    told = (build.project, build.build_id, build.provider, build.branch, build.commit, build.workflow, build.event, build.actor)
    texts = (text for text in (*told, build.language, build.url, build.environment) if isinstance(text, str))
    return is_storable("".join(texts)) and all(is_storable(job.name) for job in build.jobs)
