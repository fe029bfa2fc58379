"""``forgekit webhook``: sign, send, verify and replay."""

from __future__ import annotations

import os
from typing import IO
from urllib.parse import urlsplit

import click

from forgekit.cli.app import Session, cli
from forgekit.errors import InvalidInput
from forgekit.kernel.clock import SystemClock
from forgekit.testing.signing import PayloadSigner
from forgekit.webhooks.signatures import SCHEMES, SigningSecret, verifier_for

_VARIABLE = "FORGEKIT_WEBHOOK_SECRET"
_MAX_BODY = 25_000_000


@cli.group()
def webhook() -> None:
    """Incoming webhooks: sign and send test deliveries, verify captured ones, replay stored ones."""


def _secret(file: IO[str] | None) -> str:
    """Return the secret from a file or the environment: a command line is seen by every user of the machine."""
    if file is not None:
        return file.read().strip()
    if _VARIABLE in os.environ:
        return os.environ[_VARIABLE]
    message = f"A secret is needed: set {_VARIABLE}, or name a file with --secret-file."
    raise click.UsageError(message)


def _signed(scheme: str, body: bytes, secret: str, event: str | None) -> dict[str, str]:
    return PayloadSigner(scheme, secret).sign(body, now=SystemClock().now(), event=event)


_scheme = click.argument("scheme", type=click.Choice(sorted(SCHEMES)))
_body = click.argument("body", type=click.File("rb"))
_secret_file = click.option("--secret-file", type=click.File("r"), help=f"File that holds the secret (else the variable {_VARIABLE}).")
_event = click.option("--event", help="The event's name, where the scheme sends one in a header.")


@webhook.command()
@_scheme
@_body
@_secret_file
@_event
@click.pass_obj
def sign(session: Session, scheme: str, body: IO[bytes], secret_file: IO[str] | None, event: str | None) -> None:
    """Print the headers that SCHEME sends with the file BODY (``-`` for standard input)."""
    headers = _signed(scheme, body.read(_MAX_BODY), _secret(secret_file), event)
    session.output.json(headers)
    for name, value in headers.items():
        session.output.line(f"{name}: {value}")


@webhook.command()
@_scheme
@_body
@click.argument("url")
@_secret_file
@_event
@click.pass_obj
def send(session: Session, scheme: str, body: IO[bytes], url: str, secret_file: IO[str] | None, event: str | None) -> None:
    """Sign the file BODY as SCHEME does and post it to URL."""
    content = body.read(_MAX_BODY)
    headers = _signed(scheme, content, _secret(secret_file), event)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        message = f"{url!r} is not an http or https address."
        raise InvalidInput(message)
    outside = session.forge.http.session(
        system="webhook receiver", base_url=f"{parts.scheme}://{parts.netloc}", headers={"Content-Type": "application/json", **headers}
    )
    answer = outside.request("POST", parts.path or "/", content=content, retry=False)
    text = answer.content.decode("utf-8", "replace")
    session.output.json({"status": answer.status, "body": text})
    session.output.line(f"{answer.status} {text}")
    if answer.status >= 400:  # noqa: PLR2004 - HTTP's own boundary
        raise click.exceptions.Exit(1)


@webhook.command()
@_scheme
@_body
@_secret_file
@click.option("--header", "-H", "headers", multiple=True, metavar="NAME:VALUE", help="A header of the delivery; repeat for each.")
@click.pass_obj
def verify(session: Session, scheme: str, body: IO[bytes], secret_file: IO[str] | None, headers: tuple[str, ...]) -> None:
    """Verify a captured delivery: the file BODY, with the headers that came with it."""
    verifier = verifier_for(scheme, [SigningSecret(id="given", value=_secret(secret_file))])
    pairs = [(name.strip(), value.strip()) for name, _, value in (header.partition(":") for header in headers)]
    verified = verifier.verify(pairs, body.read(_MAX_BODY), SystemClock().now())
    session.output.json({"provider": scheme, "event": verified.event, "dedup_key": verified.dedup_key})
    session.output.line(f"authentic: event {verified.event or '(in the body)'}, recognised by {verified.dedup_key}")


@webhook.command("list")
@click.argument("provider")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.pass_obj
def list_(session: Session, provider: str, limit: int) -> None:
    """List the newest stored webhooks of PROVIDER."""
    entries = session.forge.webhooks.entries(provider, limit=limit)
    session.output.json([{"id": entry.id, "kind": entry.kind, "state": entry.state, "received_at": entry.received_at} for entry in entries])
    session.output.table(
        ["id", "received", "event", "state", "attempts", "error"],
        [(entry.id, f"{entry.received_at:%Y-%m-%d %H:%M:%S}", entry.kind, entry.state, entry.attempts, entry.error) for entry in entries],
        empty=f"nothing from {provider} is stored",
    )


@webhook.command()
@click.argument("inbox_id", type=click.IntRange(min=1))
@click.pass_obj
def replay(session: Session, inbox_id: int) -> None:
    """Have the stored webhook INBOX_ID handled again (by the running worker)."""
    session.forge.webhooks.replay(inbox_id)
    session.output.json({"id": inbox_id, "state": "ready"})
    session.output.line(f"webhook {inbox_id} is due again; a worker takes it up")
