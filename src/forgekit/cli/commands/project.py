"""``forgekit project``."""

from __future__ import annotations

from pathlib import Path

import click

from forgekit.cli.app import Session, cli


@cli.group()
def project() -> None:
    """Projects, and where their git work trees are."""


@project.command("add")
@click.argument("key")
@click.option("--name", help="For people; the key when absent.")
@click.option("--repository", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The project's git work tree.")
@click.pass_obj
def add(session: Session, key: str, name: str | None, repository: Path | None) -> None:
    """Make the project KEY, or set the repository of one that exists."""
    forge = session.forge
    known = {known.key: known for known in forge.work.projects()}
    if key in known and repository is not None:
        made = forge.work.set_repository(key, repository.resolve())
    else:
        made = forge.work.create_project(key, name=name, repository=repository and repository.resolve())
    session.output.json(made)
    session.output.line(f"project {made.key}" + (f" with repository {made.repository}" if made.repository else ""))


@project.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """List the projects."""
    projects = session.forge.work.projects()
    session.output.json(projects)
    session.output.table(
        ["key", "name", "repository"],
        [(known.key, known.name, known.repository) for known in projects],
        empty="no projects yet: `forgekit project add KEY`, or import a sprint",
    )
