"""``forgekit key``: the API keys of programs that call."""

from __future__ import annotations

from datetime import timedelta

import click

from forgekit.accounts.models import EVERYTHING, ApiKey
from forgekit.cli.app import Session, cli
from forgekit.kernel.clock import SystemClock


@cli.group()
def key() -> None:
    """API keys of programs that call; those of FORGEKIT_API_KEYS are the environment's own affair."""


@key.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="What it allows, e.g. builds; repeat for each. Everything without.")
@click.option("--days", type=click.IntRange(1, 3650), help="For how many days it is good; without an end if not given.")
@click.pass_obj
def issue(session: Session, name: str, scopes: tuple[str, ...], days: int | None) -> None:
    """Issue a key called NAME, and print it: nobody can tell it again."""
    expires_at = None if days is None else SystemClock().now() + timedelta(days=days)
    issued = session.forge.accounts.issue_key(name, scopes=scopes or (EVERYTHING,), expires_at=expires_at)
    session.output.json({"id": issued.key.id, "name": name, "scopes": issued.key.scopes, "secret": issued.secret.reveal()})
    session.output.line(issued.secret.reveal())


@key.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """List the issued keys; their secrets are not kept."""
    keys = session.forge.accounts.keys()
    session.output.json(keys)
    session.output.table(
        ["id", "name", "scopes", "issued", "state"],
        [(found.id, found.name, " ".join(found.scopes), f"{found.created_at:%Y-%m-%d}", _state(found)) for found in keys],
        empty="no keys were issued: `forgekit key issue NAME`",
    )


def _state(found: ApiKey) -> str:
    if found.revoked_at is not None:
        return f"revoked {found.revoked_at:%Y-%m-%d}"
    if found.expires_at is None:
        return "good"
    return f"good until {found.expires_at:%Y-%m-%d}" if found.usable_at(SystemClock().now()) else f"expired {found.expires_at:%Y-%m-%d}"


@key.command()
@click.argument("key_id")
@click.pass_obj
def revoke(session: Session, key_id: str) -> None:
    """Revoke the key KEY_ID: every host refuses it at once."""
    revoked = session.forge.accounts.revoke_key(key_id)
    session.output.json(revoked)
    session.output.line(f"key {revoked.id} ({revoked.name}) is revoked")
