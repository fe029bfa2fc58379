"""HTML to plain text, as ``TrackerItem.description`` has it: ``- `` for list items, ``- [ ] `` for boxes, ``# `` for headings.

Plane's editor writes ProseMirror's HTML, its API whatever a program sent; both are strangers' input, so the size is bounded and
nothing here recurses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

import attrs
from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_INPUT = 256 * 1024
"""Characters of HTML that are read; the rest is left out."""

MAX_OUTPUT = 100_000
"""Characters of text that are returned at most."""

_SHORT = 8 * 1024
"""Characters of HTML up to which the last results are kept, so that they take few megabytes."""

_DROPPED = frozenset(
    {"applet", "audio", "canvas", "embed", "head", "iframe", "math", "noscript", "object", "script", "style", "svg", "template", "video"}
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS = frozenset({"ul", "ol", "menu", "dl"})
_ITEMS = frozenset({"li", "dt", "dd"})
_APART = _HEADINGS | _LISTS | {"p", "pre", "table", "blockquote"}
_BLOCKS = _APART | {
    *("address", "article", "aside", "body", "caption", "details", "div", "figcaption", "figure", "footer", "form", "header", "hr"),
    *("label", "main", "nav", "section", "summary", "tbody", "tfoot", "thead", "tr"),
}
_CELLS = frozenset({"td", "th"})
_TEXT = "-text"
_MAX_INDENT = 8
_MAX_ITEMS = 3000
_ITEM_TAG = re.compile(r"<(?:li|dd|dt)\b", re.ASCII | re.IGNORECASE)
_SPACES = re.compile(r"\s+")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINK = re.compile(r"(?:https?://|mailto:)[!-~]{1,2000}", re.ASCII | re.IGNORECASE)


def html_to_text(html: str) -> str:
    """Return the text of a piece of HTML; text without any tag is returned as it is, with its white space folded.

    Raises nothing, whatever the input. Scripts, styles and embedded objects are left out; entities are resolved, so the text may
    hold ``<`` where the author wrote ``&lt;``: whoever shows it must escape it.
    """
    return remembered(html) if len(html) <= _SHORT else _convert(html)


def _convert(html: str) -> str:
    if not html.strip():
        return ""
    body = LexborHTMLParser(_CONTROLS.sub(" ", _bounded(html)).encode("utf-8", "replace")).body
    writer = _Writer()
    if body is not None:
        for node, tag, entering in _walk(body):
            if entering:
                writer.enter(node, tag)
            else:
                writer.leave(node, tag)
    return writer.text()[:MAX_OUTPUT].rstrip()


# Every look at a cycle sends all its descriptions again, nearly all unchanged, and converting them is most of what a look costs.
remembered = lru_cache(maxsize=2_000)(_convert)


def _bounded(html: str) -> str:
    """Cut what would take long: the parser's time grows with the square of the depth of open list items."""
    html = html[:MAX_INPUT]
    beyond = next(islice(_ITEM_TAG.finditer(html), _MAX_ITEMS, None), None)
    return html[: beyond.start()] if beyond else html


def clean_line(text: str, limit: int) -> str:
    """Return a text as one line of at most ``limit`` characters, without control characters."""
    return _SPACES.sub(" ", _CONTROLS.sub(" ", text)).strip()[:limit].rstrip()


def _walk(root: LexborNode) -> Iterator[tuple[LexborNode, str, bool]]:
    """Yield each node, with its tag, when it is entered and (text apart) when it is left, without those that are dropped."""
    stack: list[tuple[LexborNode, str, bool]] = [(root, "body", True)]
    while stack:
        node, tag, entering = stack.pop()
        yield node, tag, entering
        if not entering or tag == _TEXT:
            continue
        stack.append((node, tag, False))
        child = node.last_child
        while child is not None:
            # Read once: the parser makes a new string each time.
            child_tag = child.tag or ""
            if child_tag not in _DROPPED:
                stack.append((child, child_tag, True))
            child = child.prev


@attrs.define
class _Writer:
    """Builds the text line by line.

    Attributes:
        lines: Those that are finished.
        line: The words of the one under way.
        bullet: What the next line begins with instead of blanks: a list item's mark.
        depth: How many lists are open.
        verbatim: How many ``<pre>`` are open.
        blank: Whether an empty line goes before the next one.

    """

    lines: list[str] = attrs.field(factory=list)
    line: str = ""
    bullet: str = ""
    depth: int = 0
    verbatim: int = 0
    blank: bool = False

    def enter(self, node: LexborNode, tag: str) -> None:
        """Take up a node."""
        if tag == _TEXT:
            self._write(node.text_content or "")
        elif tag == "br":
            self._end_line()
        elif tag in _ITEMS:
            self._end_line()
            self.bullet = _box(node) or "- "
        elif tag in _BLOCKS:
            self._begin_block(tag)
        else:
            self._enter_inline(tag, node)

    def leave(self, node: LexborNode, tag: str) -> None:
        """Finish a node."""
        if tag in _ITEMS:
            self._end_line()
            self.bullet = ""
        elif tag in _BLOCKS:
            self._end_line()
            self.verbatim -= tag == "pre"
            self.depth -= tag in _LISTS
            self.blank = self.blank or (tag in _APART and not self.depth)
        elif tag == "code" and not self.verbatim:
            self.line += "`"
        elif tag == "a":
            self._add_target(node)

    def _begin_block(self, tag: str) -> None:
        self._end_line()
        self.blank = self.blank or (tag in _APART and not self.depth)
        self.depth += tag in _LISTS
        self.verbatim += tag == "pre"
        if tag in _HEADINGS and not self.bullet:
            self.bullet = "# "

    def _enter_inline(self, tag: str, node: LexborNode) -> None:
        if tag in _CELLS and self.line.strip():
            self.line += " | "
        elif tag == "code" and not self.verbatim:
            self.line += "`"
        elif tag == "img":
            self._write(node.attributes.get("alt") or "")
        elif tag == "input" and self.bullet == "- " and (node.attributes.get("type") or "").lower() == "checkbox":
            self.bullet = "- [x] " if "checked" in node.attributes else "- [ ] "

    def _write(self, text: str) -> None:
        if not self.verbatim:
            self.line += text
            return
        *finished, last = text.split("\n")
        for part in finished:
            self.line += part
            self._end_line(keep_empty=True)
        self.line += last

    def _add_target(self, node: LexborNode) -> None:
        """Write where a link leads, unless its text says so."""
        target = node.attributes.get("href") or ""
        if _LINK.fullmatch(target) and target.removeprefix("mailto:") not in self.line:
            self.line += f" ({target})"

    def _end_line(self, *, keep_empty: bool = False) -> None:
        line = self.line.rstrip() if self.verbatim else " ".join(self.line.split())
        self.line = ""
        if not line and not (keep_empty and self.lines and self.lines[-1]):
            return
        if self.blank and self.lines and self.lines[-1]:
            self.lines.append("")
        self.blank = False
        # The mark of an item stands one step left of the further lines of that item.
        steps = max(self.depth - bool(self.bullet), 0)
        self.lines.append("  " * min(steps, _MAX_INDENT) + self.bullet + line)
        self.bullet = ""

    def text(self) -> str:
        """Return everything."""
        self._end_line()
        return "\n".join(self.lines).strip("\n")


def _box(item: LexborNode) -> str | None:
    """Return the mark of an item of a task list (ProseMirror: ``<li data-checked="true">``); None for any other."""
    checked = item.attributes.get("data-checked", item.attributes.get("aria-checked"))
    if checked is None and item.attributes.get("data-type") != "taskItem":
        return None
    return "- [x] " if (checked or "").lower() in ("true", "checked") else "- [ ] "
