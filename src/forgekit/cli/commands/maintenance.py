"""``forgekit doctor``, ``db``, ``worker`` and ``plugins``."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version

import click

from forgekit.cli.app import Session, cli
from forgekit.errors import ForgekitError
from forgekit.forge import Forge
from forgekit.webhooks.settings import WebhookSettings


@cli.group()
def db() -> None:
    """The database's schema."""


@db.command()
@click.pass_obj
def upgrade(session: Session) -> None:
    """Bring the schema up to date; harmless when it is."""
    applied = Forge.upgrade(session.database, discover=True)
    session.output.json({"applied": applied})
    session.output.line("applied: " + ", ".join(applied) if applied else "the schema is up to date")


@cli.group()
def secrets() -> None:
    """The keys that stored secrets are sealed with."""


@secrets.command()
@click.pass_obj
def rotate(session: Session) -> None:
    """Seal every stored secret with the first of FORGEKIT_SECRET_KEYS; may be stopped and started again."""
    count = session.forge.settings.rotate()
    session.output.json({"sealed": count})
    session.output.line(f"{count} secrets were sealed anew")


@cli.command()
@click.option("--drain", is_flag=True, help="Run what is due and end, instead of staying.")
@click.pass_obj
def worker(session: Session, *, drain: bool) -> None:
    """Run loops, deliveries and chores until stopped (Ctrl-C or SIGTERM)."""
    running = session.forge.worker()
    if drain:
        count = running.drain()
        session.output.json({"rows": count})
        session.output.line(f"{count} rows of work done")
        return
    running.serve(lambda: session.output.line("the worker runs; Ctrl-C stops it"))
    session.output.line("stopped")


@cli.command()
@click.pass_obj
def plugins(session: Session) -> None:
    """List the plugins in use, and those that could not be loaded."""
    forge = session.forge
    broken = forge.broken_plugins
    session.output.json({"plugins": forge.plugins, "broken": broken})
    rows = [(name, "in use") for name in forge.plugins] + [(plugin.name, f"broken: {plugin.reason}") for plugin in broken]
    session.output.table(["plugin", "state"], rows, empty="no plugins are installed")


@cli.command()
@click.option("--offline", is_flag=True, help="Do not call outside systems.")
@click.pass_context
def doctor(context: click.Context, *, offline: bool) -> None:
    """Check the installation, the configuration and the outside systems; ends with 1 when something is wrong."""
    session: Session = context.obj
    findings = list(_examine(session, offline=offline))
    session.output.json([{"what": what, "ok": ok, "finding": finding} for what, ok, finding in findings])
    session.output.table(["", "what", "finding"], [("ok" if ok else "BAD", what, finding) for what, ok, finding in findings], empty="")
    context.exit(0 if all(ok for _, ok, _ in findings) else 1)


def _examine(session: Session, *, offline: bool) -> Iterator[tuple[str, bool, str]]:
    yield "forgekit", True, f"{version('forgekit-core')} on Python {platform.python_version()}"
    try:
        forge = session.forge
    except ForgekitError as error:
        yield "forge", False, error.message
        return
    yield "database", True, forge.storage.describe()
    yield "plugins", True, ", ".join(forge.plugins) or "none"
    for plugin in forge.broken_plugins:
        yield f"plugin {plugin.name}", False, plugin.reason
    for name, adapter in forge.trackers.items():
        yield _tracker(forge, name, adapter.settings, offline=offline)
    for name, source in forge.build_sources.items():
        yield _source(forge, name, source.settings)
    yield _senders(forge)


def _senders(forge: Forge) -> tuple[str, bool, str]:
    what = "webhook secrets"
    try:
        secrets = forge.settings.load(WebhookSettings).signing_secrets
    except ForgekitError as error:
        return what, False, error.message
    unknown = sorted(set(secrets).difference(forge.webhooks.providers))
    if unknown:
        return what, False, f"nobody who sends is called {unknown[0]!r} (known: {', '.join(forge.webhooks.providers)})"
    return what, True, ", ".join(sorted(secrets)) or "none"


def _source(forge: Forge, name: str, settings: type) -> tuple[str, bool, str]:
    what = f"builds of {name}"
    try:
        missing = forge.settings.missing(settings)
        if missing:
            return what, True, f"not configured ({', '.join(missing)})"
        token = getattr(forge.settings.load(settings), "token", None)
    except ForgekitError as error:
        return what, False, error.message
    # Not asked: of a system there is nothing to ask for without a project's name.
    return what, True, "configured, public projects only: no token" if token is None else "configured, not asked"


def _tracker(forge: Forge, name: str, settings: type, *, offline: bool) -> tuple[str, bool, str]:
    what = f"tracker {name}"
    try:
        missing = forge.settings.missing(settings)
        if missing:
            return what, True, f"not configured ({', '.join(missing)})"
        if offline:
            return what, True, "configured, not asked"
        found = forge.sprints.check(name)
    except ForgekitError as error:
        return what, False, error.message
    return what, True, f"{found.project} in {found.workspace}, version {found.version or 'unknown'}"
