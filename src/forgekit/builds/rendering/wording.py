"""Numbers and names in words, the same in every form."""

from __future__ import annotations

from forgekit.builds.models import Mean, Rate

_MINUTE = 60
_HOUR = 3600
_DAY = 86_400


def percent(rate: Rate | None) -> str:
    """Return a rate with the counts that it comes from."""
    if rate is None or rate.value is None:
        return "-"
    return f"{rate.value:.1%} ({rate.numerator:,} of {rate.denominator:,})"


def share(value: float | None) -> str:
    """Return a share as a percentage."""
    return "-" if value is None else f"{value:.1%}"


def length(seconds: float | None) -> str:
    """Return a length of time in the unit that fits it."""
    if seconds is None:
        return "-"
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s" if seconds >= 1 or not seconds else f"{seconds:.2f} s"


def mean(value: Mean) -> str:
    """Return an average length of time and how many it comes from."""
    return "-" if value.value is None else f"{length(value.value)} (of {value.count:,})"


def change(value: float | None) -> str:
    """Return a change as a signed percentage."""
    return "-" if value is None else f"{value:+.1%}"


def one_line(text: str | None, *, longest: int = 120) -> str:
    """Return a name without line breaks and control characters, and not longer than fits a line."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text or "-")
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"
