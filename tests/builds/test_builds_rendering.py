"""How an analysis is shown."""

from __future__ import annotations

import html
import html.parser
import io
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from xml.dom import minidom

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from forgekit.builds import BuildRecord, Incident, Job, analyse
from forgekit.builds.rendering.charts import charts
from forgekit.builds.rendering.wording import change, length, one_line, percent, share
from forgekit.errors import ConfigurationError

EVIL = "[x](javascript:alert(1)) <script>alert(1)</script> $\\frac$ | `#` \n# heading & \x1b[31m"
START = datetime(2026, 1, 5, tzinfo=UTC)
PLOTS = ("trend", "durations", "heat_map", "jobs", "projects")


def everything(name=EVIL):
    """Return builds that fill every part of an analysis, with one name wherever there is one."""
    names = {"project": name, "branch": name, "workflow": name, "language": name}
    for number in range(120):
        started = START + timedelta(days=number)
        jobs = [Job(name=name, status="passed", started_at=started, finished_at=started + timedelta(minutes=1 + number % 9))]
        status = "failed" if number % 2 or number > 100 else "passed"
        times = {"started_at": started, "finished_at": started + timedelta(minutes=5), "committed_at": started, "environment": "production"}
        yield BuildRecord(build_id=f"{name}{number}", status=status, jobs=jobs, end_estimated=True, **times, **names)
    yield BuildRecord(build_id="open", status="running", project=name, started_at=START)
    yield BuildRecord(build_id="undated", status="queued", project="another")
    for number in range(300):
        yield BuildRecord(
            build_id=f"{number}", status="passed", project="quick", started_at=START, duration_seconds=1.5, branch=f"b{number}"
        )


@pytest.fixture(scope="module")
def full():
    """An analysis with every part."""
    return analyse(everything(), incidents=[Incident(id="i", project="p")], expected=1000)


@pytest.fixture(params=["full", "empty"])
def analysis(request, full):
    """An analysis with every part, and one with none."""
    return full if request.param == "full" else analyse([])


def test_values_are_json(analysis):
    """Every field becomes JSON, with the numerators of its rates."""
    told = json.loads(json.dumps(analysis.to_dict(), allow_nan=False))
    assert told["success"].keys() == {"value", "numerator", "denominator"}
    assert told["health"]["open_builds"] == analysis.health.open_builds


def test_markdown_keeps_names_in_their_place(full):
    """A name can make neither a heading, nor a link, nor markup, nor another line."""
    text = full.to_markdown()
    assert str(full) == text
    assert [line for line in text.splitlines() if line.startswith("#") and "heading" in line] == []
    assert not re.search(r"(?<!\\)\]\(", text)
    assert "<script>" not in text
    assert "\x1b" not in text
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert len(titles) == 15


@given(
    st.text(st.sampled_from("-+*_#.)(1 \\`~[]<>!&;:/|$=\"'w@x\n\t{}^") | st.characters(codec="utf-8"), min_size=1, max_size=12)
    | st.sampled_from(["www.x.org", "http://x", "---", "1. x", "1) x", "&lt;", "    x"])
)
def test_a_name_in_markdown_is_what_a_reader_sees(name):
    """Whatever a project is called, its item in a list shows that name and nothing else; an address becomes no link."""
    risky = [
        BuildRecord(build_id=f"{n}", status="failed", project=name, started_at=START + timedelta(hours=n), duration_seconds=1)
        for n in range(10)
    ]
    section = analyse(risky).to_markdown().partition("## Projects at Risk\n\n")[2].partition("\n\n")[0]
    page = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(section)
    assert page == f"<ul>\n<li>{html.escape(one_line(name).strip() or '?').replace('&#x27;', chr(39))}</li>\n</ul>\n"
    assert not re.search(r"www\.|\w://", section)


def test_markdown_of_days_that_are_red():
    """The days of a window are told, and of many red branches the ten oldest."""
    red = [
        BuildRecord(build_id=f"{n}", status="failed", project="p", branch=f"b{n}", started_at=START, duration_seconds=1) for n in range(12)
    ]
    text = analyse(red, since=START.date()).to_markdown()
    assert "- Days: 2026-01-05 to 2026-01-05" in text
    assert "- and 2 more" in text


@given(st.text(max_size=40))
def test_a_name_takes_one_line(name):
    """Whatever a name holds, it is one line of printable characters."""
    assert one_line(name).isprintable()
    assert "\n" not in one_line(name)


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"href", "src"}]


def test_html_fetches_and_runs_nothing(analysis):
    """The page has tables and charts, is well formed, and has neither a script nor an address but the name space of SVG."""
    page = analysis._repr_html_()
    minidom.parseString(page)  # noqa: S318 - our own page
    tags = Tags()
    tags.feed(page)
    assert tags.found <= {"div", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "svg", "title", "desc", "path", "rect", "text"}
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_html_has_its_charts(full):
    """Success, durations, hours and jobs are drawn, each under its name and with a sentence about it."""
    page = full._repr_html_()
    for title in (
        "Success rate and builds by week",
        "Duration of passed builds by week",
        "Builds by weekday and hour",
        "Slowest jobs, p95",
    ):
        assert f"<title>{title}</title>" in page


def test_every_chart_has_a_table_and_says_what_it_shows(full):
    """Who does not see the drawing has its numbers as plain rows and a sentence in it."""
    made = {chart.name: chart for chart in charts(full)}
    assert list(made) == ["trend", "durations", "percentiles", "heat-map", "jobs"]
    for chart in made.values():
        drawing = minidom.parseString(chart.svg).documentElement  # noqa: S318 - our own drawing
        assert drawing.getAttribute("role") == "img"
        assert [node.tagName for node in drawing.childNodes[:2]] == ["title", "desc"]
        assert chart.rows
        assert all(len(row) == len(chart.columns) and "".join(row).isprintable() for row in chart.rows)
    assert made["trend"].rows[0] == ("2026-01-05", "307", "99.0% (304 of 307)")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (56.5, ["30 min", "60 min"]),
        (4, ["2 min", "4 min"]),
        (0, ["0.5 min", "1 min"]),
        (0.03, ["0.02 min", "0.04 min"]),
        (99, ["50 min", "100 min"]),
    ],
)
def test_the_scale_of_durations_is_round(minutes, words):
    """The longest duration has room below a number that is short enough for its place, and so has that number's half."""
    started = datetime(2026, 3, 2, 9, tzinfo=UTC)
    build = BuildRecord(build_id="1", project="p", status="passed", started_at=started, duration_seconds=60 * minutes)
    (drawing,) = (chart.svg for chart in charts(analyse([build])) if chart.name == "durations")
    assert re.findall(r">([\d.]+ min)<", drawing)[:3] == ["0 min", *words]


def test_nothing_makes_no_chart():
    """Where there is nothing to show nothing is drawn."""
    assert charts(analyse([])) == []


def test_a_style_may_give_charts_other_colours(full):
    """Whatever is drawn in a colour has the class of it, beside the colour for where there is no style."""
    drawn = "".join(chart.svg for chart in charts(full))
    assert re.findall(r'(?:stroke|fill)="#\w+"', drawn)
    assert re.findall(r'(?<!class="stroke-green" )(?<!class="stroke-blue" )(?<!class="stroke-red" )stroke="#', drawn) == []
    assert re.findall(r'(?<!class="fill-blue" )fill="#', drawn) == []


def test_the_terminal_shows_tables(analysis):
    """Rich draws the tables, and brackets in names are no markup."""
    console = pytest.importorskip("rich.console").Console(file=io.StringIO(), width=200)
    console.print(analysis)
    shown = console.file.getvalue()
    assert f"Builds: {analysis.n_builds}" in shown
    assert ("[x](javascript" in shown) is bool(analysis.project_metrics)


@pytest.mark.parametrize("name", PLOTS)
def test_plots(analysis, name):
    """Each plot is drawn on axes of its own or on those that are given, whatever the names hold."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = getattr(analysis, f"plot_{name}")()
    axes.figure.savefig(io.BytesIO())
    assert getattr(analysis, f"plot_{name}")(axes) is axes
    assert axes.get_title()
    pytest.importorskip("matplotlib.pyplot").close("all")


def test_without_matplotlib_there_is_a_clear_error(full, monkeypatch):
    """What is missing is named."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ConfigurationError, match="matplotlib"):
        full.plot_trend()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0, "0 s"), (0.25, "0.25 s"), (59, "59 s"), (150, "2.5 min"), (7200, "2.0 h"), (3 * 86_400, "3.0 d")],
)
def test_lengths(seconds, words):
    """A length of time has the unit that fits it."""
    assert length(seconds) == words


def test_shares_of_nothing():
    """What cannot be told is a dash."""
    assert (percent(None), share(None), change(None), change(0.5), one_line(None)) == ("-", "-", "-", "+50.0%", "-")


def test_builds_need_nothing_but_the_core():
    """Importing and analysing imports no data-frame library, no plots, no rich and no network."""
    heavy = "{'pandas', 'polars', 'pyarrow', 'matplotlib', 'numpy', 'rich', 'duckdb', 'httpx', 'sqlite3', 'cattrs'}"
    shown = "a.to_markdown(), a._repr_html_(), a.to_json()"
    code = f"import sys, forgekit.builds as b; a = b.analyse([]); {shown}; print({heavy} & set(sys.modules))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
