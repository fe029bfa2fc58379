"""``forgekit webhook``: sign, send, verify and replay."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import IO, Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import click

from forgekit.cli.app import Session, cli
from forgekit.errors import InvalidInput
from forgekit.kernel.clock import SystemClock
from forgekit.kernel.net.http import Response
from forgekit.testing.samples import CONCLUSIONS, GITHUB_EVENTS, SampleBuild, sample_flat, sample_github
from forgekit.testing.signing import PayloadSigner
from forgekit.webhooks.signatures import SCHEMES, SigningSecret, verifier_for

_VARIABLE = "FORGEKIT_WEBHOOK_SECRET"
_MAX_BODY = 25_000_000
_HERE = "http://127.0.0.1:8000/api/v1/webhook"
_REPOSITORY = re.compile(r"[^/\s]+/[^/\s]+")
_OF_HOSTS = {"generic": "FORGEKIT_BUILDS_WEBHOOK_SECRET", "github": "GITHUB_WEBHOOK_SECRET", "plane": "PLANE_WEBHOOK_SECRET"}
"""Where a host's own environment has the secret."""


@cli.group()
def webhook() -> None:
    """Incoming webhooks: sign and send test deliveries, verify captured ones, replay stored ones."""


def _secret(file: IO[str] | None, scheme: str) -> str:
    """Return the secret from a file or the environment: a command line is seen by every user of the machine."""
    if file is not None:
        return file.read().strip()
    names = [_VARIABLE, *([_OF_HOSTS[scheme]] if scheme in _OF_HOSTS else [])]
    for name in names:
        if name in os.environ:
            return os.environ[name]
    message = f"A secret is needed: set {' or '.join(names)}, or name a file with --secret-file."
    raise click.UsageError(message)


def _signed(scheme: str, body: bytes, secret: str, event: str | None, delivery_id: str | None = None) -> dict[str, str]:
    return PayloadSigner(scheme, secret).sign(body, now=SystemClock().now(), event=event, delivery_id=delivery_id)


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
    headers = _signed(scheme, body.read(_MAX_BODY), _secret(secret_file, scheme), event)
    session.output.json(headers)
    for name, value in headers.items():
        session.output.line(f"{name}: {value}")


def _made_up(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what a made-up build is like."""
    for option in (
        click.option("--workflow", default="CI", show_default=True, help="The workflow's name; made up."),
        click.option("--run-id", type=click.IntRange(min=1), help="The build's id; another one each time when absent."),
        click.option("--conclusion", type=click.Choice(CONCLUSIONS), default="success", show_default=True, help="How it ended."),
        click.option("--branch", default="main", show_default=True, help="Its branch."),
        click.option("--repository", default="octo-org/example", show_default=True, help="What is built."),
    ):
        function = option(function)
    return function


@webhook.command()
@_scheme
@click.argument("body", required=False)
@click.argument("url", required=False)
@_secret_file
@_event
@_made_up
@click.pass_obj
def send(
    session: Session, /, scheme: str, body: str | None, url: str | None, *, secret_file: IO[str] | None, event: str | None, **build: Any
) -> None:
    """Sign the file BODY (``-`` for standard input) as SCHEME does, and post it to URL.

    Without BODY a webhook of a made-up build is sent, for github (--event workflow_run, workflow_job, check_suite, deployment_status or
    ping) and for generic. Without URL it goes to a host on this machine: http://127.0.0.1:8000/api/v1/webhook/SCHEME.
    """
    if url is None and body is not None and "://" in body:
        body, url = None, body
    content, event = _composed(scheme, event, build) if body is None else (_content(body), event)
    delivery_id = str(uuid4()) if body is None else None  # of a file it is made from the content, so that a retry has the same
    headers = _signed(scheme, content, _secret(secret_file, scheme), event, delivery_id)
    answer = _post(session, url or f"{_HERE}/{scheme}", content, headers)
    text = answer.content.decode("utf-8", "replace")
    session.output.json({"status": answer.status, "body": text})
    session.output.line(f"{answer.status} {text}")
    if answer.status >= 400:  # noqa: PLR2004 - HTTP's own boundary
        raise click.exceptions.Exit(1)


def _content(body: str) -> bytes:
    try:
        with click.open_file(body, "rb") as file:
            return bytes(file.read(_MAX_BODY))
    except OSError as error:
        raise click.BadParameter(f"{body!r}: {error.strerror}", param_hint="BODY") from error


def _composed(scheme: str, event: str | None, asked: Mapping[str, Any]) -> tuple[bytes, str | None]:
    """Return the body of a webhook that tells of a made-up build, and its event's name."""
    if scheme == "github" and not _REPOSITORY.fullmatch(asked["repository"]):
        raise click.BadParameter(f"{asked['repository']!r} is not of the form owner/name.", param_hint="'--repository'")
    build = SampleBuild(ended_at=SystemClock().now(), **{name: value for name, value in asked.items() if value is not None})
    if scheme == "generic":
        return json.dumps(sample_flat(build)).encode(), event
    if scheme != "github":
        raise click.UsageError(f"Webhooks of {scheme} are not made up here: name a file with the body.")
    event = event or "workflow_run"
    if event not in GITHUB_EVENTS:
        raise click.UsageError(f"The event {event} is not made up here ({', '.join(GITHUB_EVENTS)} are): name a file with the body.")
    return json.dumps(sample_github(event, build)).encode(), event


def _post(session: Session, url: str, content: bytes, headers: Mapping[str, str]) -> Response:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidInput(f"{url!r} is not an http or https address.")
    outside = session.forge.http.session(
        system="webhook receiver", base_url=f"{parts.scheme}://{parts.netloc}", headers={"Content-Type": "application/json", **headers}
    )
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return outside.request("POST", parts.path or "/", params=query, content=content, retry=False)


@webhook.command()
@_scheme
@_body
@_secret_file
@click.option("--header", "-H", "headers", multiple=True, metavar="NAME:VALUE", help="A header of the delivery; repeat for each.")
@click.pass_obj
def verify(session: Session, scheme: str, body: IO[bytes], secret_file: IO[str] | None, headers: tuple[str, ...]) -> None:
    """Verify a captured delivery: the file BODY, with the headers that came with it."""
    verifier = verifier_for(scheme, [SigningSecret(id="given", value=_secret(secret_file, scheme))])
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
    names = ("id", "kind", "state", "received_at", "attempts", "error")
    session.output.json([{name: getattr(entry, name) for name in names} for entry in entries])
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
