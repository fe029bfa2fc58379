"""HTML to text: the shapes of Plane's editor, and anything at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forgekit_plane.html import MAX_OUTPUT, clean_line, html_to_text, remembered

BOX = '<li data-checked="{}" data-type="taskItem"><label><input type="checkbox"><span></span></label><div><p>{}</p></div></li>'
BOXES = f'<ul data-type="taskList">{BOX.format("false", "open")}{BOX.format("true", "done")}</ul>'
TAGS = [
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "h1",
    "h4",
    "a",
    "b",
    "code",
    "pre",
    "br",
    "table",
    "tr",
    "td",
    "script",
    "span",
    "blockquote",
    "svg",
    "label",
]
WORD = st.text("abc \n\t-#*`", max_size=8)
DOCUMENT = st.lists(st.tuples(st.sampled_from(["open", "close", "text"]), st.sampled_from(TAGS), WORD), max_size=40).map(
    lambda parts: "".join({"open": f"<{tag}>", "close": f"</{tag}>", "text": text}[kind] for kind, tag, text in parts)
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("  \n", ""),
        ("<p></p>", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div><p>one</p>\n<p>two</p></div>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("one<br>two<br><br>three", "one\ntwo\nthree"),
        ("<h3>Acceptance Criteria</h3><ul><li>a</li></ul>", "# Acceptance Criteria\n\n- a"),
        ("<ul><li>a</li><li>b</li></ul><p>end</p>", "- a\n- b\n\nend"),
        ("<ul><li><p>a</p></li><li><p>b</p></li></ul>", "- a\n- b"),
        ("<ul><li><p>a</p><p>more</p></li></ul>", "- a\n  more"),
        ("<ul><li>a<ul><li>b<ol><li>c</li></ol></li></ul></li><li>d</li></ul>", "- a\n  - b\n    - c\n- d"),
        ("<ul><li></li><li>b</li></ul>", "- b"),
        (BOXES, "- [ ] open\n- [x] done"),
        (
            '<ul><li><input type="checkbox" checked> a</li><li><input type="checkbox">b</li><li><input type="text">c</li></ul>',
            "- [x] a\n- [ ] b\n- c",
        ),
        ('<ul data-type="taskList"><li data-type="taskItem">a</li></ul>', "- [ ] a"),
        ("<p>a <code>x &lt; y</code></p>", "a `x < y`"),
        ("<pre><code>if x:\n    y\n\n\nz</code></pre>", "if x:\n    y\n\nz"),
        ("<p>a</p><pre>b\n  c</pre><p>d</p>", "a\n\nb\n  c\n\nd"),
        ('<a href="https://x.test/a">here</a>', "here (https://x.test/a)"),
        ('<a href="https://x.test/a">https://x.test/a</a>', "https://x.test/a"),
        ('<a href="mailto:a@x.test">a@x.test</a>', "a@x.test"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<a>here</a>", "here"),
        ('<p>a<img src="x" alt="a cat"></p><img>', "aa cat"),
        ("<p>a<script>alert(1)</script><style>b{}</style></p><svg><text>x</text></svg>", "a"),
        ("<p>&amp;lt; &eacute; &#x4efb; \u4efb&nbsp;\u52a1</p>", "&lt; é 任 任 务"),
        ("<p>a\x00b\x1b[1m</p>", "a b [1m"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n1 | 2"),
        ("<blockquote><p>said</p></blockquote><hr>x", "said\n\nx"),
        ("<p>Given a\n   b</p>", "Given a b"),
        ("a < b & c", "a < b & c"),
        ("<!-- note --><p>a</p>", "a"),
        ("<mention-component entity_name='user'></mention-component> hi", "hi"),
        ("<ul><li><h3>Title</h3>text</li></ul>", "- Title\n  text"),
    ],
)
def test_known_shapes(html, text):
    """Each shape of the editor reads as a person would write it."""
    assert html_to_text(html) == text


@given(DOCUMENT)
def test_no_tag_is_left(html):
    """Whatever tags there are, and however they are nested, none of them is left."""
    text = html_to_text(html)
    assert "<" not in text
    assert ">" not in text
    assert text == text.strip("\n").rstrip()


@given(st.text(max_size=300))
def test_nothing_is_raised(html):
    """Any text at all gives a text, bounded and without control characters."""
    text = html_to_text(html)
    assert len(text) <= MAX_OUTPUT
    assert not any(ord(character) < 32 and character not in "\n\t" for character in text)


@pytest.mark.parametrize(
    "html", ["<ul><li>" * 20_000 + "x", "<b>" * 80_000 + "x", "<p>" * 60_000, "x" * 1_000_000, "<a href='" * 20_000, "&lt;" * 100_000]
)
def test_hostile_input_is_bounded(html):
    """Deep and long input costs little and gives a bounded text."""
    started = time.process_time()
    assert len(html_to_text(html)) <= MAX_OUTPUT
    assert time.process_time() - started < 2


def test_long_lists_are_cut():
    """Of an endless list the first items are read."""
    assert html_to_text(f"<ul>{'<li>a</li>' * 4000}</ul>").count("- a") == 3000


@given(st.text(max_size=400))
def test_a_line_is_one_line(text):
    """A name becomes one bounded line, and stays as it is from then on."""
    line = clean_line(text, 255)
    assert len(line) <= 255
    assert line.splitlines() == ([line] if line else [])
    assert clean_line(line, 255) == line


def test_only_short_texts_are_remembered():
    """Converting a description again costs nothing, and what is kept for that stays small."""
    remembered.cache_clear()
    texts = [html_to_text(html) for html in ("<p>short</p>", "<p>short</p>", f"<p>{'long ' * 2_000}</p>")]
    assert texts[0] == texts[1] == "short"
    assert (remembered.cache_info().hits, remembered.cache_info().currsize) == (1, 1)
