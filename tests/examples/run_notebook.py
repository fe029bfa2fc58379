"""Run a notebook's cells as a kernel does: in order, in one namespace, showing what the last line of each comes to.

``python run_notebook.py NOTEBOOK`` prints a line a shown object: the number of the cell, its type, and whether it has HTML of its own.
It needs no Jupyter.
"""

from __future__ import annotations

import ast
import io
import json
import sys
from pathlib import Path


def run(path):
    """Run the notebook at a path."""
    namespace = {"__name__": "__main__"}
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            body = ast.parse("".join(cell["source"]))
            last = body.body.pop() if body.body and isinstance(body.body[-1], ast.Expr) else None
            exec(compile(body, f"<cell {number}>", "exec"), namespace)  # noqa: S102 - that is what a notebook is for
            if last is not None:
                value = eval(compile(ast.Expression(last.value), f"<cell {number}>", "eval"), namespace)  # noqa: S307 - likewise
                show(number, value)
            show_figures(number)


def show(number, value):
    """Print what a kernel would show of a value."""
    if value is not None:
        html = getattr(value, "_repr_html_", None)
        print(f"\n[shown] {number} {type(value).__name__} {'html' if html is not None and html() else 'text'}")


def show_figures(number):
    """Draw the figures that are open after a cell, show and close them, as notebooks do."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    for each in pyplot.get_fignums() if pyplot is not None else ():
        figure = pyplot.figure(each)
        figure.savefig(io.BytesIO())
        show(number, figure)
        pyplot.close(figure)


if __name__ == "__main__":
    run(sys.argv[1])
