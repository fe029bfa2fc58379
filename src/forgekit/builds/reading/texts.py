"""Text that can be kept: PostgreSQL takes no NUL, and no encoding takes half a surrogate pair."""

from __future__ import annotations

from forgekit.builds.models import BuildRecord

UNSTORABLE = "must not hold a NUL character or half a surrogate pair"
"""What to tell whose text holds one."""


NO_TEXT = "must have text wherever it names something: an id of 7 is written '7'"
"""What to tell whose name is a number, or anything else."""


def is_storable(text: str) -> bool:
    """Tell whether text can be kept."""
    if "\0" in text:
        return False
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def text_problem(build: BuildRecord) -> str | None:
    """Return what is wrong with a build's texts, None where all can be kept: databases differ in what they refuse, here all do alike."""
    told = (build.project, build.build_id, build.provider, build.branch, build.commit, build.workflow, build.event, build.actor)
    names = [job.name for job in build.jobs]
    try:
        together = "".join([text for text in (*told, build.language, build.url, build.environment, *names) if text is not None])
    except TypeError:
        # One database would keep the number 7 as the text "7", and not know it again when it comes again.
        return NO_TEXT
    return None if is_storable(together) else UNSTORABLE
