"""Small charts as SVG text: nothing is fetched, and nothing in them runs.

Every mark has its colour and the class of that colour (``stroke-blue``, ``fill-blue``), by which a page's style may give it another one,
such as in the dark. Words are drawn in the colour of the text around the chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import attrs

from forgekit.builds.rendering.wording import one_line

WIDTH = 560
HEIGHT = 190
_LEFT = 52
_RIGHT = 40
_BOTTOM = 22
_TOP = 26
_CELL = 20
_ROW = 24
_MOST_LABELS = 5
_INK = "currentColor"


@attrs.frozen
class Ink:
    """A colour.

    Attributes:
        name: By which a style finds what is drawn with it.
        value: As it is drawn where no style says otherwise.

    """

    name: str
    value: str

    def stroke(self) -> str:
        """Return what makes a line of it."""
        return f'class="stroke-{self.name}" stroke="{self.value}"'

    def fill(self) -> str:
        """Return what fills an area with it."""
        return f'class="fill-{self.name}" fill="{self.value}"'


GREEN = Ink("green", "#2e8b57")
RED = Ink("red", "#c0392b")
BLUE = Ink("blue", "#2c6fbb")


@attrs.frozen(kw_only=True)
class Line:
    """A line over places.

    Attributes:
        name: What it is.
        ink: Its colour.
        values: One for each place, from 0 to the chart's top; None makes a gap.
        dashed: Whether it is broken, to tell it from another without colours.

    """

    name: str
    ink: Ink
    values: Sequence[float | None]
    dashed: bool = False


def _document(width: int, height: int, title: str, told: str, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'font-family="sans-serif" font-size="11"><title>{escape(title)}</title>'
        f"{f'<desc>{escape(told)}</desc>' if told else ''}{''.join(body)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'


def lines(
    title: str,
    labels: Sequence[str],
    series: Sequence[Line],
    *,
    top: float,
    unit: str,
    told: str = "",
    hints: Sequence[str] = (),
    columns: tuple[str, Sequence[int]] | None = None,
) -> str:
    """Return lines over labelled places.

    Args:
        title: The chart's name.
        labels: The places' names.
        series: The lines.
        top: The value at the upper edge.
        unit: Of the values.
        told: What the chart shows, in a sentence.
        hints: What each place says when pointed at.
        columns: What is counted, and how often at each place: pale columns behind the lines, with a scale of their own.

    """
    right = WIDTH - _RIGHT
    wide, high = right - _LEFT, HEIGHT - _TOP - _BOTTOM
    step = wide / max(1, len(labels))
    places = [_LEFT + step * (number + 0.5) for number in range(len(labels))]
    body = _frame(right, high, (f"0{unit}", f"{top / 2:g}{unit}", f"{top:g}{unit}"))
    if columns is not None:
        body += _columns(columns[1], places, step, high, right)
    body += _names_of_places(labels, places)
    for number, line in enumerate(series):
        points = [
            None if value is None else (place, _TOP + high * (1 - value / top)) for place, value in zip(places, line.values, strict=True)
        ]
        dash = ' stroke-dasharray="5 4"' if line.dashed else ""
        body.append(f'<path d="{_path(points)}" fill="none" {line.ink.stroke()} stroke-width="2" stroke-linecap="round"{dash}/>')
        body.append(f'<path d="M{_LEFT + 130 * number} 9h18" fill="none" {line.ink.stroke()} stroke-width="2"{dash}/>')
        body.append(_text(_LEFT + 130 * number + 24, 13, line.name))
    if columns is not None:
        at = _LEFT + 130 * len(series)
        body += [f'<rect x="{at}" y="4" width="12" height="10" {BLUE.fill()} fill-opacity="0.3"/>', _text(at + 18, 13, columns[0])]
    body += [_hint(place - step / 2, _TOP, step, high, words) for place, words in zip(places, hints, strict=False)]
    return _document(WIDTH, HEIGHT, title, told, body)


def _frame(right: float, high: float, scale: tuple[str, str, str]) -> list[str]:
    body = [f'<path d="M{_LEFT} {_TOP}V{_TOP + high}H{right}" fill="none" stroke="{_INK}" stroke-opacity="0.4"/>']
    for number, words in enumerate(scale):
        y = _TOP + high * (1 - number / 2)
        body.append(_text(_LEFT - 5, y + 4, words, "end"))
        if number:
            body.append(f'<path d="M{_LEFT} {y:.1f}H{right}" fill="none" stroke="{_INK}" stroke-opacity="0.12"/>')
    return body


def _columns(counts: Sequence[int], places: Sequence[float], step: float, high: float, right: float) -> list[str]:
    most = max(counts, default=0) or 1
    wide = max(1.0, min(0.7 * step, 40.0))
    drawn = [
        f'<rect x="{place - wide / 2:.1f}" y="{_TOP + high * (1 - count / most):.1f}" width="{wide:.1f}" '
        f'height="{high * count / most:.1f}" {BLUE.fill()} fill-opacity="0.3"/>'
        for place, count in zip(places, counts, strict=True)
        if count
    ]
    return [*drawn, _text(right + 5, _TOP + 4, f"{most:,}"), _text(right + 5, _TOP + high + 4, "0")]


def _names_of_places(labels: Sequence[str], places: Sequence[float]) -> list[str]:
    """Return as many names below the places as have room, the first and the last among them."""
    last = len(labels) - 1
    shown = sorted({round(last * number / (_MOST_LABELS - 1)) for number in range(_MOST_LABELS)}) if labels else []
    return [_text(places[place], HEIGHT - 6, labels[place], "middle") for place in shown]


def _hint(x: float, y: float, width: float, height: float, words: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} fill="none" pointer-events="all"><title>{escape(words)}</title></rect>'


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    parts = []
    pen = False
    for point in points:
        if point is not None:
            parts.append(f"{'L' if pen else 'M'}{point[0]:.1f} {point[1]:.1f}{'' if pen else 'h0'}")
        pen = point is not None
    return "".join(parts)


def bars(title: str, rows: Sequence[tuple[str, float, str]], ink: Ink, *, told: str = "") -> str:
    """Return horizontal bars: name, value, and the value in words."""
    longest = max((value for _, value, _ in rows), default=0) or 1
    # The longest name of one line has its room; short ones leave theirs to the bars.
    left = min(200, 16 + 7 * max((len(name) for name, _, _ in rows), default=0))
    room = WIDTH - left - 90
    body = []
    for number, (name, value, words) in enumerate(rows):
        y, wide = number * _ROW, max(1.0, room * value / longest)
        body.append(_text(left - 8, y + 16, one_line(name, longest=30), "end"))
        body.append(f'<rect x="{left}" y="{y + 3}" width="{wide:.1f}" height="{_ROW - 7}" rx="2" {ink.fill()}/>')
        body.append(_text(left + wide + 6, y + 16, words))
        body.append(_hint(0, y, WIDTH, _ROW, f"{one_line(name)}: {words}"))
    return _document(WIDTH, _ROW * len(rows), title, told, body)


def grid(title: str, names: Sequence[str], cells: Sequence[Sequence[tuple[float, str]]], ink: Ink, *, told: str = "") -> str:
    """Return rows of cells, each a strength from 0 to 1 and what it says when pointed at."""
    body = []
    for row, (name, own) in enumerate(zip(names, cells, strict=True)):
        body.append(_text(_LEFT - 6, row * _CELL + 14, name, "end"))
        for column, (strength, words) in enumerate(own):
            place = f'x="{_LEFT + column * _CELL}" y="{row * _CELL}" width="{_CELL - 1}" height="{_CELL - 1}" rx="2"'
            shown = f'{ink.fill()} fill-opacity="{0.15 + 0.85 * strength:.2f}"' if strength else f'fill="{_INK}" fill-opacity="0.06"'
            body.append(f"<rect {place} {shown}><title>{escape(words)}</title></rect>")
    columns = max(map(len, cells), default=0)
    body += [_text(_LEFT + (column + 0.5) * _CELL, len(names) * _CELL + 14, str(column), "middle") for column in range(0, columns, 3)]
    return _document(_LEFT + columns * _CELL, len(names) * _CELL + 20, title, told, body)
