"""Small charts as SVG text: nothing is fetched, and nothing in them runs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from forgekit.builds.rendering.wording import one_line

WIDTH = 560
HEIGHT = 160
_LEFT = 44
_BOTTOM = 22
_TOP = 8
_CELL = 20
_INK = "currentColor"


def _document(width: int, height: int, title: str, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'font-family="sans-serif" font-size="10"><title>{escape(title)}</title>{"".join(body)}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'


def lines(title: str, labels: Sequence[str], series: Sequence[tuple[str, str, Sequence[float | None]]], *, top: float, unit: str) -> str:
    """Return lines over labelled places, each with its name, colour and values from 0 to ``top``; a None makes a gap."""
    inner, high = WIDTH - _LEFT - 8, HEIGHT - _TOP - _BOTTOM
    step = inner / max(1, len(labels) - 1)
    body = [f'<path d="M{_LEFT} {_TOP}V{_TOP + high}H{WIDTH - 8}" fill="none" stroke="{_INK}" stroke-opacity="0.4"/>']
    body += [_text(_LEFT - 4, _TOP + 8, f"{top:g}{unit}", "end"), _text(_LEFT - 4, _TOP + high, f"0{unit}", "end")]
    if labels:
        body += [_text(_LEFT, HEIGHT - 6, labels[0]), _text(WIDTH - 8, HEIGHT - 6, labels[-1], "end")]
    for number, (name, colour, values) in enumerate(series):
        points = [None if value is None else (_LEFT + step * place, _TOP + high * (1 - value / top)) for place, value in enumerate(values)]
        body.append(f'<path d="{_path(points)}" fill="none" stroke="{colour}" stroke-width="2" stroke-linecap="round"/>')
        body.append(f'<text x="{_LEFT + 8 + 120 * number}" y="{_TOP + 8}" fill="{colour}">{escape(name)}</text>')
    return _document(WIDTH, HEIGHT, title, body)


def _path(points: Sequence[tuple[float, float] | None]) -> str:
    parts = []
    pen = False
    for point in points:
        if point is not None:
            parts.append(f"{'L' if pen else 'M'}{point[0]:.1f} {point[1]:.1f}{'' if pen else 'h0'}")
        pen = point is not None
    return "".join(parts)


def bars(title: str, rows: Sequence[tuple[str, float, str]], colour: str) -> str:
    """Return horizontal bars: name, value, and the value in words."""
    longest = max((value for _, value, _ in rows), default=0) or 1
    body = []
    for number, (name, value, words) in enumerate(rows):
        y = _TOP + number * _CELL
        body.append(_text(190, y + 13, one_line(name, longest=34), "end"))
        body.append(f'<rect x="196" y="{y + 3}" width="{max(1, 280 * value / longest):.1f}" height="{_CELL - 6}" fill="{colour}"/>')
        body.append(_text(202 + 280 * value / longest, y + 13, words))
    return _document(WIDTH, 2 * _TOP + _CELL * len(rows), title, body)


def grid(title: str, names: Sequence[str], cells: Sequence[Sequence[tuple[float, str]]], colour: str) -> str:
    """Return rows of cells, each a strength from 0 to 1 and what it says when pointed at."""
    body = []
    for row, (name, own) in enumerate(zip(names, cells, strict=True)):
        body.append(_text(_LEFT - 6, row * _CELL + 13, name, "end"))
        for column, (strength, words) in enumerate(own):
            place = f'x="{_LEFT + column * _CELL}" y="{row * _CELL}" width="{_CELL - 1}" height="{_CELL - 1}"'
            told = f"<title>{escape(words)}</title>"
            body.append(f'<rect {place} fill="{colour}" fill-opacity="{0.05 + 0.95 * strength:.2f}">{told}</rect>')
    columns = max(map(len, cells), default=0)
    body += [_text(_LEFT + column * _CELL + 2, len(names) * _CELL + 12, str(column)) for column in range(0, columns, 3)]
    return _document(_LEFT + columns * _CELL, len(names) * _CELL + 18, title, body)
