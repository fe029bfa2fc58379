"""Documents are true: generated pages are fresh, links lead somewhere, variables and commands are described."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("adapters/*/README.md"), *ROOT.glob("examples/*/README.md")])
CODE = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("adapters/*/src/**/*.py"), *ROOT.glob("examples/**/*.py"), ROOT / "conftest.py"])
VARIABLE = re.compile(r"[\"'](FORGEKIT_[A-Z_]*[A-Z])[\"']")
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
SHELL = re.compile(r"^```(?:sh|console)\n(.*?)^```|(`forgekit [^`]*`)", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^(?:[$#] )?|`|\$\(|bin/)forgekit ([a-z][a-z-]*(?: [a-z][a-z-]*)*)", re.MULTILINE)
FRAGMENT = re.compile(r"(\+[a-z0-9-]+|\d+)\.(feature|change|fix|removal|security)\.md")


@pytest.fixture(scope="module")
def generate():
    """The generator of the reference pages, imported by its path."""
    spec = importlib.util.spec_from_file_location("forgekit_docs_generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _slugs(text):
    """Collect the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _leads_somewhere(document, target, anchor):
    page = document.parent / target if target else document
    return page.exists() and (not anchor or page.suffix != ".md" or anchor.lstrip("#") in _slugs(page.read_text()))


def test_the_reference_is_up_to_date(generate, capsys):
    """Every generated page is there and says what the code says: run ``python3 noxfile.py -s docs``."""
    assert generate.main(["--check"]) == 0, capsys.readouterr().out


def test_a_missing_or_stale_page_is_told(generate, tmp_path, monkeypatch):
    """A page that is missing or differs is named; one that is written by hand is left alone."""
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    (tmp_path / "differs.md").write_text("old")
    (tmp_path / "by-hand.md").write_text("")
    (tmp_path / "same.md").write_text("new")
    assert generate.stale({"differs.md": "new", "missing.md": "new", "same.md": "new"}) == ["differs.md", "missing.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    """Every relative link of a document names a file, and every anchor a heading, that exists."""
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link[0] and not link[0].startswith("mailto:")]
    assert not [target + anchor for target, anchor in links if not _leads_somewhere(document, target, anchor)]


def test_every_command_that_a_document_names_exists():
    """What a page tells to type, in a fence or between backquotes, is a command of ``forgekit``."""
    from forgekit.cli import commands  # noqa: F401 - registers them
    from forgekit.cli.app import cli

    missing = []
    for document in DOCUMENTS:
        shell = "\n".join("".join(found) for found in SHELL.findall(document.read_text()))
        for line in COMMAND.findall(shell):
            known, words = cli.commands, line.split()
            while words and known:
                word = words.pop(0)
                if word not in known:
                    missing.append(f"{document.name}: forgekit {line}")
                    break
                known = getattr(known[word], "commands", None)
    assert not missing


def test_every_page_can_be_reached():
    """No page of the docs is left out of its part's index."""
    indexes = {path.parent: path.read_text() for path in ROOT.glob("docs/*/index.md")}
    pages = [path for path in ROOT.glob("docs/*/*.md") if path.name != "index.md"]
    assert not [path for path in pages if f"({path.name})" not in indexes[path.parent]]


def test_every_variable_is_described():
    """A variable that the code names stands in .env.example."""
    described = (ROOT / ".env.example").read_text()
    named = {name for path in CODE for name in VARIABLE.findall(path.read_text())}
    assert not sorted(name for name in named if not re.search(rf"^#{name}=", described, flags=re.MULTILINE))


def test_every_declared_setting_is_described(generate):
    """A setting's variable stands in .env.example, and under no other name."""
    from forgekit.kernel.settings import declared

    generate._forge().close()
    described = (ROOT / ".env.example").read_text()
    named = {each.env for found in declared() if found.cls.__module__.startswith("forgekit") for each in found.settings.values()}
    assert not sorted(name for name in named if f"#{name}=" not in described)


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("limits.md", r"\blimit\(\s*\"([a-z.-]+)\""),
        ("events.md", r"\bname: ClassVar\[str\] = \"([a-z_.]+)\""),
        ("hooks.md", r"@hookspec\s+def (forgekit_\w+)"),
        ("errors.md", r"\n    code = \"([a-z_]+)\""),
        ("command.md", r"\.command\(\s*\"([a-z-]+)\""),
        ("command.md", r"\.command\([^\"]*?\)\n(?:@.*\n|    .*\n)*?def ([a-z]+)"),
    ],
)
def test_nothing_is_left_out(page, told):
    """What a source file declares stands in the reference, even where nothing that the generator opens imports that file."""
    sources = [path.read_text() for path in CODE if "src" in path.parts]
    declared = {name for source in sources for name in re.findall(told, source)}
    text = (ROOT / "docs" / "reference" / page).read_text()
    assert declared
    assert not sorted(name for name in declared if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])", text))


def test_ci_runs_what_the_readme_says():
    """The README's test command is the one that CI runs."""
    command = "python3 noxfile.py -s tests"
    assert command in (ROOT / "README.md").read_text()
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_changelog_fragments_have_a_known_kind():
    """A fragment of an unknown kind would be left out of the changelog."""
    names = [path.name for path in (ROOT / "changelog.d").iterdir() if not path.name.startswith(".")]
    assert not [name for name in names if not FRAGMENT.fullmatch(name)]
