"""An analysis as text of several forms."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

from rich.console import Console

from forgekit.builds import Analysis

_WIDTH = 120
_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Build analysis</title></head>
<body>
{}
</body>
</html>
"""


def _table(analysis: Analysis) -> str:
    text = io.StringIO()
    Console(file=text, width=_WIDTH, highlight=False).print(analysis)
    return text.getvalue()


_FORMS: Mapping[str, Callable[[Analysis], str]] = {
    "table": _table,
    "markdown": Analysis.to_markdown,
    "json": lambda analysis: analysis.to_json() + "\n",
    "html": lambda analysis: _PAGE.format(analysis._repr_html_()),
}

FORMS = tuple(_FORMS)
"""The forms, by name."""


def rendered(analysis: Analysis, form: str) -> str:
    """Return an analysis in one of the forms, with a line's end at its end."""
    return _FORMS[form](analysis)
