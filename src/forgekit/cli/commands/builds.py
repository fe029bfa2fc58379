"""``forgekit builds``: bring builds here, and tell what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs
import click

from forgekit.builds import Analysis, BuildRecord, Compat, Scope, analyse
from forgekit.builds.imports import BuildImport, ImportReport
from forgekit.cli.app import Session, cli
from forgekit.cli.files import builds_of, file_argument, kind_option
from forgekit.cli.forms import FORMS, rendered
from forgekit.errors import Conflict, InvalidInput

_INTERRUPTED = 130
_CHUNK = 10_000
_TELL_EVERY = 1_000
_MOST_REFUSED = 20
_NONE_STORED = "no such builds are stored: `forgekit builds import` and `forgekit builds submit` bring some here"


class _Moment(click.ParamType[datetime]):
    """A day, or a moment; without an offset it is UTC."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment, aware."""
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no day or time such as 2026-02-10 or 2026-02-10T14:30:00Z.", param, ctx)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


class _Zone(click.ParamType[ZoneInfo]):
    """A time zone."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ZoneInfo:
        """Return the zone of that name."""
        try:
            return ZoneInfo(str(value))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{value!r} is no time zone such as Europe/Berlin.", param, ctx)


_day = click.DateTime(["%Y-%m-%d"])


@cli.group()
def builds() -> None:
    """Builds of any CI system: import and submit them, and tell what they come to."""


# Bringing them here


@builds.command("import")
@click.argument("project")
@click.option("--source", default="github", show_default=True, help="The system that the builds come from; a plugin offers it.")
@click.option("--branch", help="Of this branch only.")
@click.option("--workflow", help="Of this workflow only: its file (ci.yml) or its id.")
@click.option("--since", type=_Moment(), metavar="DAY", help="From this day or moment on; from the beginning when absent.")
@click.option("--jobs", is_flag=True, help="Fetch the jobs of each build too: a call each.")
@click.option("--background", is_flag=True, help="Have a worker do it, and do not wait.")
@click.pass_context
def import_(context: click.Context, /, project: str, source: str, *, background: bool, **asked: Any) -> None:
    """Import the builds of PROJECT (owner/repository); again, and only what is new comes.

    A limit of the system is waited for, a quarter of an hour at most. What came is stored at once: an import that was stopped goes on
    where it was when the same command is given again.
    """
    session: Session = context.obj
    if background:
        _show_request(session, session.forge.builds.request_import(source, project, **asked))
        return
    report = None
    try:
        with session.output.progress(f"importing {project}") as progress:
            report = session.forge.builds.import_builds(source, project, **asked, progress=progress, waiting=_tell_wait)
    except KeyboardInterrupt:
        click.echo("stopped; what came is stored, and the same command goes on from here", err=True)
    if report is None:
        # Not inside the handler: what the traceback holds there would keep the import from letting go.
        context.exit(_INTERRUPTED)
    _show_import(session, project, report)


def _tell_wait(until: datetime) -> None:
    click.echo(f"the limit on calls is used up: going on at {until:%H:%M:%S} UTC; Ctrl-C stops, and what came is stored", err=True)


def _show_import(session: Session, project: str, report: ImportReport) -> None:
    session.output.json(report)
    new = f"{report.accepted} new, {report.updated} updated, {report.duplicates} known"
    calls = "" if report.calls is None else f"; {report.calls} calls"
    session.output.line(f"{project}: {report.fetched} builds came, {new}{calls}")
    if report.open:
        session.output.line(f"{report.open} have not ended: the next import asks for them again")
    if report.complete is False:
        session.output.line(f"the system tells of {report.total} builds, and not all of them came")


def _show_request(session: Session, asked: BuildImport) -> None:
    session.output.json(asked)
    session.output.line(f"import {asked.id} of {asked.project} is {asked.status.value}: a worker does it; see `forgekit builds imports`")


@builds.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.pass_obj
def imports(session: Session, limit: int) -> None:
    """List the latest imports in the background, and how they stand."""
    found = session.forge.builds.imports(limit=limit)
    session.output.json(found)
    session.output.table(
        ["asked for", "project", "status", "came", "of", "new", "goes on", "error"],
        [_import_row(each) for each in found],
        empty="no import was asked for: `forgekit builds import --background`",
    )


def _import_row(one: BuildImport) -> Sequence[object]:
    counts = (one.fetched, one.total, one.accepted)
    return (_minute(one.requested_at), one.project, one.status.value, *counts, _minute(one.retry_at), one.error)


def _minute(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


@builds.command()
@click.argument("file", type=file_argument)
@kind_option
@click.option("--partial", is_flag=True, help="Pass over what cannot be taken, and list it.")
@click.pass_obj
def submit(session: Session, file: str, kind: str | None, *, partial: bool) -> None:
    """Store the builds of FILE (``-`` for standard input): all of them or, when one cannot be taken, none.

    JSON (a list, or {"builds": […]}), JSON lines, CSV with TravisTorrent's columns or with the names of the flat form, Parquet.
    """
    refused: list[InvalidInput] = []
    try:
        rows, taken = _read_all(session, file, kind, refused if partial else None)
        with session.output.progress("storing") as progress, session.forge.transaction() as tx:
            counts = Counter[str]()
            for start in range(0, len(taken), _CHUNK):
                stored = session.forge.builds.submit(taken[start : start + _CHUNK], on_error=_pass_over if partial else None, tx=tx)
                for error in stored.refused:
                    error.data["row"] = rows[start + error.data["row"] - 1]  # of the file, not of this part of it
                refused += stored.refused
                counts.update(accepted=stored.accepted, updated=stored.updated, duplicates=stored.duplicates)
                progress(min(start + _CHUNK, len(taken)), len(taken))
    except InvalidInput as error:
        more = "; --partial passes over such builds" if "row" in error.data else ""
        raise InvalidInput(f"{error.message} Nothing was stored{more}.", **error.data) from error
    _show_submission(session, {name: counts[name] for name in ("accepted", "updated", "duplicates")}, refused)


def _pass_over(_error: InvalidInput) -> None:
    """Let a build be passed over; the submission tells which were."""


def _read_all(session: Session, file: str, kind: str | None, refused: list[InvalidInput] | None) -> tuple[list[int], list[BuildRecord]]:
    """Return the builds of a file, and the row of each."""
    rows: list[int] = []
    taken: list[BuildRecord] = []
    on_error = None if refused is None else refused.append
    with session.output.progress("reading") as progress, builds_of(file, kind, on_error) as found:
        for build in found:
            taken.append(build)
            rows.append(len(taken) + len(refused or ()))
            if len(taken) % _TELL_EVERY == 0:
                progress(len(taken), None)
    return rows, taken


def _show_submission(session: Session, counts: Mapping[str, int], refused: Sequence[InvalidInput]) -> None:
    told = [{"row": error.data.get("row"), "message": error.message} for error in refused]
    session.output.json({**counts, "refused": told})
    session.output.line(", ".join(f"{number} {name}" for name, number in counts.items()) + (f", {len(refused)} refused" if refused else ""))
    if refused:
        session.output.table(["row", "what is wrong"], [tuple(each.values()) for each in told[:_MOST_REFUSED]], empty="")
    if len(refused) > _MOST_REFUSED:
        session.output.line(f"and {len(refused) - _MOST_REFUSED} more; --json lists all")


# Telling what they come to


@builds.command("analyse")
@click.argument("file", type=file_argument, required=False)
@kind_option
@click.option("--partial", is_flag=True, help="Pass over rows of the file that cannot be read.")
@click.option("--project", help="Of this project only.")
@click.option("--branch", help="Of this branch only.")
@click.option("--workflow", help="Of this workflow only.")
@click.option("--event", help="Caused by this only.")
@click.option("--actor", help="Caused by them only.")
@click.option("--since", type=_day, help="First UTC day that counts.")
@click.option("--until", type=_day, help="Last UTC day that counts.")
@click.option("--zone", type=_Zone(), default="UTC", show_default=True, help="Time zone of the heat map.")
@click.option("--environment", default="production", show_default=True, help="Whose deployments the DORA metrics are about.")
@click.option("--compat", type=click.Choice(get_args(Compat)), help="Rates as another tool makes them: over all builds.")
@click.option("--format", "form", type=click.Choice(FORMS), help="How to tell it; by the end of --output's name, else a table.")
@click.option("--output", "target", type=click.Path(dir_okay=False), help="Write it to this file.")
@click.pass_obj
def analyse_(
    session: Session,
    /,
    file: str | None,
    *,
    kind: str | None,
    partial: bool,
    form: str | None,
    target: str | None,
    **asked: Any,
) -> None:
    """Tell what the stored builds come to; or those of FILE (``-`` for standard input), without a database.

    Rates are of counted builds: finished, neither cancelled nor skipped.
    """
    form = "json" if session.output.as_json else form or _form_of(target)
    asked.update({name: asked[name] and asked[name].date() for name in ("since", "until")})
    analysis = session.forge.builds.analysis(**asked) if file is None else _of_file(file, kind, asked, partial=partial)
    if target is not None:
        _write(target, rendered(analysis, form))
    elif form == "table" and not analysis.n_builds:
        click.echo(
            "there are no such builds" if file else "no such builds are stored: `forgekit builds import` or `submit` brings some here"
        )
    elif form == "table":
        session.output.show(analysis)
    else:
        click.echo(rendered(analysis, form), nl=False)


def _form_of(target: str | None) -> str:
    return {".md": "markdown", ".json": "json", ".html": "html", ".htm": "html"}.get(Path(target or "").suffix.lower(), "table")


def _of_file(file: str, kind: str | None, asked: dict[str, Any], *, partial: bool) -> Analysis:
    refused: list[InvalidInput] = []
    scope = Scope(**{field.name: asked.pop(field.name) for field in attrs.fields(Scope)})
    with builds_of(file, kind, refused.append if partial else None) as found:
        analysis = analyse(found, scope=scope, **asked)
    if refused:
        click.echo(f"{len(refused)} rows were passed over; the first: row {refused[0].data['row']}: {refused[0].message}", err=True)
    return analysis


def _write(target: str, text: str) -> None:
    try:
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror or error}.") from error


# Keeping


@builds.command()
@click.pass_obj
def projects(session: Session) -> None:
    """List the projects that builds are stored of, with how many there ever were."""
    service = session.forge.builds
    found = {name: service.count(project=name) for name in service.projects()}
    session.output.json([{"project": name, "builds": count} for name, count in found.items()])
    session.output.table(["project", "builds"], list(found.items()), empty=_NONE_STORED)


@builds.command()
@click.option("--forget-pruned", is_flag=True, help="Let go of the numbers of builds that were pruned; only stored ones count then.")
@click.pass_obj
def rebuild(session: Session, *, forget_pruned: bool) -> None:
    """Count all numbers anew from the stored builds: for a database that was changed by other means."""
    try:
        with session.output.progress("counting") as progress:
            count = session.forge.builds.rebuild(forget_pruned=forget_pruned, progress=progress)
    except Conflict as error:
        raise Conflict(f"{error.message} --forget-pruned lets go of them.", **error.data) from error
    session.output.json({"builds": count})
    session.output.line(f"{count} builds were counted")


@builds.command()
@click.pass_obj
def prune(session: Session) -> None:
    """Delete builds past the retention (FORGEKIT_BUILDS_RETENTION_DAYS); their numbers stay. The worker does so every day."""
    count = session.forge.builds.prune()
    session.output.json({"pruned": count})
    session.output.line(f"{count} builds were deleted; their numbers stay")
