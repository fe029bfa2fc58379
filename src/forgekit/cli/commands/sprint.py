"""``forgekit sprint``."""

from __future__ import annotations

import click

from forgekit.cli.app import Session, cli
from forgekit.cli.output import plain
from forgekit.errors import ItemNotFound
from forgekit.sprints.reports import CompletionReport, ImportReport, SyncStatus


@cli.group()
def sprint() -> None:
    """A sprint in the tracker, and the work that it becomes here."""


@sprint.command()
@click.pass_obj
def cycles(session: Session) -> None:
    """List the tracker's cycles."""
    found = session.forge.sprints.cycles()
    session.output.json(found)
    session.output.table(
        ["id", "name", "status", "starts", "ends", "items", "completed"],
        [(cycle.id, cycle.name, cycle.status.value, cycle.starts_on, cycle.ends_on, cycle.total, cycle.completed) for cycle in found],
        empty="the tracker's project has no cycles",
    )


@sprint.command("import")
@click.argument("cycle_id")
@click.option("--project", required=True, metavar="KEY", help="The project that the items become work of; made where there is none.")
@click.pass_obj
def import_(session: Session, cycle_id: str, project: str) -> None:
    """Import the cycle CYCLE_ID."""
    with session.output.progress("importing") as progress:
        report = session.forge.sprints.import_cycle(cycle_id, project=project, progress=progress)
    _show_import(session, report)


def _show_import(session: Session, report: ImportReport) -> None:
    counts = {"imported": report.imported, "updated": report.updated, "skipped": report.skipped}
    session.output.json({**counts, "details": report.details, "relations_pending": report.relations_pending})
    session.output.table(
        ["#", "name", "action", "reason"],
        [(detail.number, detail.name, detail.action.value, detail.reason) for detail in report.details],
        empty="the cycle has no items",
    )
    session.output.line(f"{report.sprint.name}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))


@sprint.command()
@click.argument("project")
@click.argument("number", type=click.IntRange(min=1))
@click.option("--passed/--failed", required=True, help="The result.")
@click.option("--note", default="", help="What the run has to say.")
@click.pass_obj
def record(session: Session, project: str, number: int, *, passed: bool, note: str) -> None:
    """Record a test run of work item NUMBER of PROJECT."""
    work = session.forge.work
    item = next((item for item in work.items(project) if item.number == number), None)
    if item is None:
        message = f"The project {project} has no work item {number}."
        raise ItemNotFound(message, project=project, number=number)
    run = work.record_test_run(item, passed, note=note)
    session.output.json(run)
    session.output.line(f"#{number} {item.name}: {'passed' if passed else 'failed'}")


@sprint.command()
@click.pass_obj
def status(session: Session) -> None:
    """Show where the synchronisation stands."""
    _show_status(session, session.forge.sprints.status())


def _show_status(session: Session, found: SyncStatus) -> None:
    state, numbers = found.state, found.statistics
    session.output.json({**plain(found), "pass_rate": numbers.pass_rate, "complete": numbers.complete})
    rows = [
        ("tracker", state.tracker),
        ("loop", ("on" if state.enabled else "off") + (", running" if found.running else "")),
        ("sprint", state.active_cycle_name or "none active"),
        ("items", f"{numbers.passing} of {numbers.total} pass"),
        ("test runs", f"{numbers.test_runs}, {numbers.pass_rate} % passed"),
        ("last sync", state.last_sync_at.strftime("%Y-%m-%d %H:%M:%S UTC") if state.last_sync_at else "never"),
        ("last error", state.last_error or "none"),
    ]
    session.output.table(["what", "how it stands"], rows, empty="")


@sprint.command()
@click.option("--on/--off", "enabled", default=None, help="Turn the background loop on or off; the other way round when absent.")
@click.pass_obj
def toggle(session: Session, *, enabled: bool | None) -> None:
    """Start or stop the background loop; the choice is kept."""
    _show_status(session, session.forge.sprints.toggle(enabled))


@sprint.command()
@click.pass_obj
def sync(session: Session) -> None:
    """Do one round of the loop now: fetch, and tell the tracker what changed here."""
    session.forge.sprints.sync()
    _show_status(session, session.forge.sprints.status())


@sprint.command()
@click.argument("project")
@click.pass_context
def complete(context: click.Context, project: str) -> None:
    """Complete PROJECT's active sprint: checks, tag, release notes, comments, retrospective."""
    session: Session = context.obj
    report = session.forge.sprints.complete(project)
    session.output.json(report)
    _show_completion(session, report)
    context.exit(0 if report.success else 1)


def _show_completion(session: Session, report: CompletionReport) -> None:
    if not report.success:
        session.output.line(f"not completed: {report.error}")
        return
    session.output.line(f"completed: {report.features_completed} items pass")
    rows = [("tag", report.git_tag), ("release notes", report.release_notes_path), ("note", report.error)]
    session.output.table(["what", "where"], [row for row in rows if row[1]], empty="without a repository there is no tag")
    if report.change_log:
        session.output.line(report.change_log)


@sprint.command()
@click.argument("project")
@click.pass_obj
def report(session: Session, project: str) -> None:
    """Show PROJECT's test runs, item by item."""
    found = session.forge.sprints.report(project)
    session.output.json({"total_items": found.total_items, "tested": found.tested, "statistics": found.statistics, "items": found.items})
    session.output.table(
        ["#", "name", "runs", "passed", "last", "result"],
        [
            (item.number, item.name, item.total, item.passed, f"{item.last_at:%Y-%m-%d %H:%M}", "passed" if item.last_passed else "failed")
            for item in found.items
        ],
        empty="no test runs yet: `forgekit sprint record`",
    )
    session.output.line(f"{found.tested} of {found.total_items} items tested, {found.statistics.pass_rate} % of the runs passed")
