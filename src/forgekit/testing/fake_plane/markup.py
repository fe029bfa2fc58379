"""What Plane makes of a description: parsed, scripts taken out, written again."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_DROPPED = frozenset({"script", "style"})


class _Writer(HTMLParser):
    """Writes again what it reads, and counts what stands at the top."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.open: list[str] = []
        self.dropping = 0
        self.top_elements = 0
        self.top_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self.dropping += 1
        if self.dropping:
            return
        self.top_elements += not self.open
        self.parts.append("<" + tag + "".join(f' {name}="{escape(value or "")}"' for name, value in attrs) + ">")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _DROPPED:
            self.dropping = max(0, self.dropping - 1)
        elif not self.dropping and tag in self.open:
            while self.open:
                closed = self.open.pop()
                self.parts.append(f"</{closed}>")
                if closed == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self.dropping:
            self.top_text = self.top_text or not self.open
            self.parts.append(escape(data, quote=False))


def rewrite(html: str) -> str | None:
    """Return the HTML as Plane stores it: plain text in a ``<span>``, several elements in a ``<div>``; None where it refuses."""
    if not html.strip():
        return None
    writer = _Writer()
    writer.feed(html)
    writer.close()
    inner = "".join(writer.parts) + "".join(f"</{tag}>" for tag in reversed(writer.open))
    if writer.top_elements == 0:
        return f"<span>{inner}</span>"
    return inner if writer.top_elements == 1 and not writer.top_text else f"<div>{inner}</div>"
