"""Write the pages of ``docs/reference`` from the code, or check that they are up to date.

``python docs/generate.py`` writes, ``python docs/generate.py --check`` only tells what is missing or stale and fails then.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
WIDTH = 100

_SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields):")
_ENTRY = re.compile(r"\*{0,2}([\w.]+): (.*)")


class _Text(str):
    """An annotation that ``inspect`` prints as it was written, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


# Parts of pages


def heading(name: str) -> str:
    """Return a page's first lines."""
    return f"# {name}\n\n<!-- Written by docs/generate.py: edit the code instead. -->"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; bars in cells are escaped."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines)


def prose(text: str | None) -> str:
    """Turn a docstring into Markdown: sections become lists, double backticks single ones, ``::`` blocks fenced ones."""
    lines = inspect.cleandoc(text or "").splitlines()
    return re.sub(r"``([^`]+)``", r"`\1`", "\n".join(_sections(lines))).strip()


def _sections(lines: Sequence[str]) -> Iterator[str]:
    inside = False
    for line in lines:
        entry = _ENTRY.fullmatch(line.strip())
        if _SECTION.fullmatch(line):
            inside = True
            yield f"\n{line}\n"
        elif inside and line.startswith("    ") and not line.startswith("     ") and entry:
            yield f"- `{entry[1]}`: {entry[2]}"
        elif inside and line.startswith("    "):
            yield f"  {line.strip()}"
        else:
            inside = inside and not line
            yield line


def signature(function: Callable[..., Any]) -> str:
    """Return a function's signature as it was written, without ``self``."""
    found = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=_Text(parameter.annotation) if isinstance(parameter.annotation, str) else parameter.annotation)
        for name, parameter in found.parameters.items()
        if name not in {"self", "cls"}
    ]
    returns = _Text(found.return_annotation) if isinstance(found.return_annotation, str) else found.return_annotation
    whole = str(found.replace(parameters=parameters, return_annotation=returns))
    return whole if len(whole) <= WIDTH else _folded(parameters, whole)


def _folded(parameters: Sequence[inspect.Parameter], whole: str) -> str:
    """Put each parameter on a line of its own."""
    lines = [f"    {parameter}," for parameter in parameters]
    named = next((at for at, parameter in enumerate(parameters) if parameter.kind is parameter.KEYWORD_ONLY), None)
    if named is not None and not any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        lines.insert(named, "    *,")
    return "\n".join(["(", *lines, ")"]) + whole[whole.rindex(") -> ") + 1 :]


def adapters() -> list[Any]:
    """Import the adapters of this repository, and no stranger's."""
    return [importlib.import_module(f"forgekit_{path.parent.name}") for path in sorted(ROOT.glob("adapters/*/pyproject.toml"))]


# Pages


def errors_page() -> str:
    """Every error class: its code, what it means, and its usual HTTP status."""
    from forgekit import errors
    from forgekit.http import detail_problems, failures

    status_of = detail_problems().status_of
    trees = [inspect.cleandoc(module.__doc__ or "").split("::\n")[1].split("\n\n")[1] for module in (errors, failures)]
    parts = [heading("Errors"), "All derive from `forgekit.ForgekitError`.", f"```text\n{inspect.cleandoc(trees[0])}\n```"]
    parts += ["What a request can be refused for before any operation sees it:", f"```text\n{inspect.cleandoc(trees[1])}\n```"]
    ours = [kind for module in (errors, failures) for kind in vars(module).values() if inspect.isclass(kind)]
    kinds = [kind for kind in ours if issubclass(kind, errors.ForgekitError)]
    for kind in kinds:
        facts = [f"Code `{kind.code}`", "retryable" if kind.retryable else "not retryable"]
        facts.append(f"HTTP {status_of(kind) or 500} where a surface says nothing else")
        parts.append(f"## {kind.__name__}\n\n{prose(kind.__doc__)}\n\n{', '.join(facts)}.")
    return "\n\n".join(parts)


def settings_page() -> str:
    """Every setting of the forge and of the adapters, with its environment variable."""
    from forgekit.kernel.settings import declared

    _forge().close()  # whatever declares settings is imported by then
    parts = [
        heading("Settings"),
        "A program gives settings by name: `Forge.open(config={namespace: {name: value}})`.",
        "What is stored comes next, then the environment, then the default.",
    ]
    for found in (each for each in declared() if each.cls.__module__.startswith("forgekit")):
        rows = [
            [f"`{name}`", f"`{each.env}`", _default(each), _traits(each), prose(each.doc)] for name, each in sorted(found.settings.items())
        ]
        parts.append(f"## {found.namespace}\n\n{prose((found.cls.__doc__ or '').partition('Attributes:')[0])}")
        parts.append(table(["Name", "Environment", "Default", "Traits", "Meaning"], rows))
    return "\n\n".join(parts)


def _default(setting: Any) -> str:
    import attrs

    if setting.default is attrs.NOTHING:
        return "must be given"
    return f"`{setting.default!r}`" if setting.default or setting.default == 0 else ""


def _traits(setting: Any) -> str:
    traits = {"secret": setting.secret, "needed": setting.needed, "not stored": not setting.stored}
    return ", ".join(name for name, holds in traits.items() if holds)


def limits_page() -> str:
    """Every named limit on what comes in, with its rate."""
    from forgekit.kernel.net.buckets import Limit

    with _forge() as forge:
        for make in forge.surfaces().values():  # a surface declares its limits when it is first asked for
            make(forge)
    rates = "Another rate is given by name in `FORGEKIT_LIMITS`, such as `600/minute`, `10/second;100/hour` or `unlimited`."
    parts = [heading("Limits"), rates]
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("forgekit")]
    limits = {each.name: each for module in modules for each in vars(module).values() if isinstance(each, Limit)}
    parts.append(
        table(["Name", "Rate", "What it counts"], [[f"`{name}`", each.default, each.doc] for name, each in sorted(limits.items())])
    )
    return "\n\n".join(parts)


def environment_page() -> str:
    """Every variable of ``.env.example``."""
    parts = [heading("Environment"), "Also as a file to copy: `.env.example` at the root of the repository."]
    comment: list[str] = []
    for line in (ROOT / ".env.example").read_text().splitlines():
        variable = re.fullmatch(r"#([A-Z_]+)=(.*)", line)
        if line.startswith("## "):
            parts.append(line)
        elif variable:
            parts.append("\n\n".join([f"### {variable[1]}", *([" ".join(comment)] if comment else []), f"```sh\n{line[1:]}\n```"]))
        elif line.startswith("# ") and comment and not comment[0]:
            comment = [line[2:]]
        else:
            comment = [*comment, line[2:]] if line else [""]
    return "\n\n".join(parts)


def hooks_page() -> str:
    """Every hook that a plugin may implement."""
    from forgekit import hookspecs

    parts = [heading("Hooks"), prose(hookspecs.__doc__), f"Version of this contract: {hookspecs.API_VERSION}."]
    for name, hook in vars(hookspecs.Hooks).items():
        if name.startswith("forgekit_"):
            parts.append(f"## {name}\n\n```text\n{name}{signature(hook)}\n```\n\n{prose(hook.__doc__)}")
    return "\n\n".join(parts)


def events_page() -> str:
    """Every event that can be listened to."""
    from forgekit.kernel.events.models import Event

    _forge().close()  # every domain is imported by then
    kinds = sorted((kind for kind in _descendants(Event) if kind.__module__.startswith("forgekit")), key=lambda kind: kind.name)
    parts = [heading("Events"), "Recorded in the transaction that caused them. `forge.on(Kind, receiver)` calls after the commit."]
    parts += [f"## {kind.__name__}\n\n`{kind.name}`, from `{kind.__module__}`.\n\n{prose(kind.__doc__)}" for kind in kinds]
    return "\n\n".join(parts)


def _descendants(kind: type[Any]) -> set[type[Any]]:
    return {below for child in kind.__subclasses__() for below in (child, *_descendants(child))}


def library_page() -> str:
    """The forge and its services, verb by verb."""
    from forgekit import Forge

    parts = [heading("Library")]
    with _forge() as forge:
        services = {"forge": Forge, **{f"forge.{name}": type(getattr(forge, name)) for name in ("work", "sprints", "webhooks", "settings")}}
    for path, kind in services.items():
        parts.append(f"## {path}\n\n{prose(kind.__doc__)}")
        for name, verb in vars(kind).items():
            function = verb.__func__ if isinstance(verb, classmethod | staticmethod) else verb
            if not name.startswith("_") and inspect.isfunction(function):
                owner = "Forge" if isinstance(verb, classmethod) else path
                parts.append(f"### {owner}.{name}\n\n```text\n{name}{signature(function)}\n```\n\n{prose(function.__doc__)}")
    return "\n\n".join(parts)


def command_page() -> str:
    """Every command with its help."""
    import click

    from forgekit.cli import commands  # noqa: F401 - registers them
    from forgekit.cli.app import cli

    def helps(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
        context = click.Context(
            command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH, **command.context_settings
        )
        yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```"
        for word, below in sorted(getattr(command, "commands", {}).items()):
            yield from helps(below, word, context)

    return "\n\n".join([heading("Command"), *helps(cli, "forgekit", None)])


def operations_page() -> str:
    """Every HTTP operation, surface by surface."""
    from forgekit.http.openapi import openapi_document

    with _forge() as forge:
        document = openapi_document([make(forge) for _, make in sorted(forge.surfaces().items())], title="forgekit", version="")
    parts = [heading("Operations"), "What `/openapi.json` says of a host that mounts every surface of this repository."]
    descriptions = {tag["name"]: tag.get("description", "") for tag in document.get("tags", [])}
    by_tag: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "responses" in operation:
                by_tag.setdefault(operation.get("tags", ["other"])[0], []).append(_operation(method, path, operation))
    for tag, operations in sorted(by_tag.items()):
        parts += [f"## {tag}\n\n{prose(descriptions.get(tag))}".strip(), *operations]
    for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()):
        parts.append(_schema(name, schema))
    return "\n\n".join(parts)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [f"### {method.upper()} {path}", f"{operation.get('summary', '')}\n\n{prose(operation.get('description'))}".strip()]
    parameters = [
        [f"`{each['name']}`", each["in"], "yes" if each.get("required") else "", _type(each["schema"]), each.get("description", "")]
        for each in operation.get("parameters", [])
    ]
    if parameters:
        parts.append(table(["Parameter", "In", "Required", "Type", "Meaning"], parameters))
    body = _content(operation.get("requestBody", {}))
    if body:
        parts.append(f"Body: {body}.")
    answers = [
        [status, _content(answer), answer.get("description", "")]
        for status, answer in sorted(operation["responses"].items())
        if "$ref" not in answer
    ]
    return "\n\n".join([*(part for part in parts if part), table(["Status", "Body", "Meaning"], answers)])


def _content(holder: Mapping[str, Any]) -> str:
    kinds = holder.get("content", {}).items()
    return " or ".join(
        f"{_type(kind.get('schema', {}))} (`{media}`)" if media != "application/json" else _type(kind.get("schema", {}))
        for media, kind in kinds
    )


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        [f"`{field}`", "yes" if field in required else "", _type(each), each.get("description", "")]
        for field, each in schema.get("properties", {}).items()
    ]
    fields = table(["Field", "Required", "Type", "Meaning"], rows) if rows else _type(schema)
    return "\n\n".join(part for part in [f"### {name}", prose(schema.get("description")), fields] if part)


def _type(schema: Mapping[str, Any]) -> str:
    """Say a JSON Schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    for choice in ("oneOf", "anyOf", "allOf"):
        if choice in schema:
            return " or ".join(_type(each) for each in schema[choice])
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    kinds = schema.get("type", "any")
    words = [kinds] if isinstance(kinds, str) else list(kinds)
    if "items" in schema:
        words = [f"{word} of {_type(schema['items'])}" if word == "array" else word for word in words]
    bounds = [f"{name} {schema[name]}" for name in ("format", "minLength", "maxLength", "minimum", "maximum", "maxItems") if name in schema]
    return " or ".join(words) + (f" ({', '.join(bounds)})" if bounds else "")


def index_page() -> str:
    """What there is."""
    generated = {name: page.__doc__ or "" for name, page in PAGES.items() if name != "index.md"}
    written = {path.name: path.read_text().split("\n\n")[1] for path in REFERENCE.glob("*.md") if path.name not in PAGES}
    entries = [f"- [{_title(name)}]({name}): {_first(text)}" for name, text in sorted({**generated, **written}.items())]
    note = "Pages that say so are written from the code by `docs/generate.py`; a test fails when one is missing or stale."
    return "\n\n".join([heading("Reference"), note, "\n".join(entries)])


def _title(name: str) -> str:
    return name.removesuffix(".md").replace("-", " ").capitalize()


def _first(text: str) -> str:
    sentence = prose(text).replace("\n", " ").split(". ")[0]
    return sentence.rstrip(".") + "."


def _forge() -> Any:
    from forgekit import Forge

    return Forge.open("sqlite://", plugins=adapters(), environ={})


PAGES: Mapping[str, Callable[[], str]] = {
    "command.md": command_page,
    "environment.md": environment_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "hooks.md": hooks_page,
    "index.md": index_page,
    "library.md": library_page,
    "limits.md": limits_page,
    "operations.md": operations_page,
    "settings.md": settings_page,
}


def stale(pages: Mapping[str, str]) -> list[str]:
    """Name the pages whose file is missing or differs."""
    return sorted(name for name, text in pages.items() if not (REFERENCE / name).is_file() or (REFERENCE / name).read_text() != text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check every page; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is missing or stale")
    check = parser.parse_args(arguments).check
    pages = {name: re.sub(r"\n{3,}", "\n\n", page()).rstrip() + "\n" for name, page in PAGES.items()}
    wrong = stale(pages)
    if check:
        print(f"missing or stale: {', '.join(wrong)}; run python docs/generate.py" if wrong else "the reference is up to date")
        return 1 if wrong else 0
    for name in wrong:
        (REFERENCE / name).write_text(pages[name])
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
