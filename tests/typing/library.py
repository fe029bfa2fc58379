"""What a program written on forgekit looks like to a type checker: this file is never run, it only has to type-check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TextIO, assert_type

import forgekit
from forgekit import Forge, ForgekitError, ImportProgress, Secret, SprintCompleted, hookimpl
from forgekit.accounts.models import ApiKey, IssuedKey
from forgekit.builds import (
    Analysis,
    BuildRecord,
    Fold,
    Key,
    ProjectMetrics,
    Rate,
    Scope,
    Status,
    Taken,
    Tally,
    Trend,
    analyse,
    compatible,
    read_csv,
    records,
    to_flat,
    to_travistorrent,
)
from forgekit.builds.events import BuildImportChanged
from forgekit.builds.imports import BuildImport
from forgekit.builds.imports import ImportReport as BuildsReport
from forgekit.builds.service import Submission
from forgekit.errors import InvalidInput, RemoteError, WebhookRejected
from forgekit.sprints.models import Cycle, Sprint
from forgekit.sprints.reports import CompletionReport, ImportDetail, ImportReport
from forgekit.webhooks.models import Receipt, ReceiptAction
from forgekit.webhooks.signatures import VerifiedWebhook
from forgekit.work.models import Project, TestRun, WorkItem


def opens() -> None:
    """A forge is a context manager, configured by plain mappings."""
    with Forge.open("sqlite:///forge.db", discover=True, config={"plane": {"api_url": "https://plane.example.org"}}) as forge:
        assert_type(forge, Forge)
        assert_type(forge.plugins, list[str])


def works(forge: Forge) -> None:
    """The verbs return models, by key or by model alike."""
    project = forge.work.create_project("shop")
    assert_type(project, Project)
    item = forge.work.create_item("shop", name="Basket")
    assert_type(item, WorkItem)
    assert_type(forge.work.items(project), Sequence[WorkItem])
    assert_type(forge.work.record_test_run(item, passed=True), TestRun)


def imports(forge: Forge) -> None:
    """A cycle is imported into a project, by key or by model, and the report has its counts."""
    assert_type(forge.sprints.cycles(), Sequence[Cycle])
    report = forge.sprints.import_cycle("cycle-1", project="shop", progress=print)
    assert_type(report, ImportReport)
    assert_type(report.imported + report.updated + report.skipped, int)
    assert_type(report.details, tuple[ImportDetail, ...])
    assert_type(forge.sprints.import_cycle("cycle-1", project=forge.work.project("shop")), ImportReport)


def wrong_import(forge: Forge) -> None:
    """The project is named by keyword, and cannot be left out."""
    forge.sprints.import_cycle("cycle-1", "shop")  # type: ignore[call-arg]
    forge.sprints.import_cycle("cycle-1")  # type: ignore[call-arg]


def completes(forge: Forge) -> None:
    """Sprints are made here, too, and completed."""
    assert_type(forge.sprints.create("shop", name="Sprint 5", goal="Sell"), Sprint)
    assert_type(forge.sprints.complete("shop"), CompletionReport)


def several_verbs_one_commit(forge: Forge, connection: object, on_commit: Callable[[Callable[[], None]], object]) -> None:
    """A transaction of the forge's own, and one of the host's, are passed on alike."""
    with forge.transaction() as tx:
        forge.work.create_project("shop", tx=tx)
    with forge.transaction(connection=connection, on_commit=on_commit) as tx:
        forge.work.create_project("stall", tx=tx)
        forge.sprints.create("stall", name="Sprint 1", tx=tx)
        forge.webhooks.receive("plane", {}, b"{}", tx=tx)


def takes_builds(forge: Forge, rows: list[dict[str, object]]) -> None:
    """Builds are submitted as records or as rows, and what became of them is counted."""
    record = BuildRecord(build_id="1", project="org/shop", status=Status.PASSED, started_at=datetime.now(UTC))
    submission = forge.builds.submit([record, *rows], on_error=lambda error: print(error.message))
    assert_type(submission, Submission)
    assert_type(submission.accepted + submission.updated + submission.duplicates, int)
    assert_type(submission.refused, tuple[InvalidInput, ...])
    assert_type(forge.builds.observe([record]), Submission)
    assert_type(forge.builds.build(record.key), BuildRecord | None)
    assert_type(forge.builds.builds(project="org/shop", open_only=True), Iterator[BuildRecord])
    assert_type(forge.builds.rebuild(progress=print), int)
    assert_type(forge.builds.prune(), int)
    with forge.transaction() as tx:
        forge.builds.submit([record], tx=tx)
    forge.builds.submit(record)  # type: ignore[arg-type]
    forge.builds.submit([1])  # type: ignore[list-item]


def imports_builds(forge: Forge, week_ago: datetime) -> None:
    """An import reports what it brought, in the foreground; in the background it is a thing to ask after."""
    assert_type(forge.builds.import_github("org/shop", since=week_ago, progress=print, waiting=print), BuildsReport)
    assert_type(forge.builds.import_builds("gitlab", "org/shop", branch="main", jobs=True).complete, bool | None)
    asked = forge.builds.request_import("github", "org/shop", workflow="ci.yml")
    assert_type(asked, BuildImport)
    assert_type(forge.builds.import_state(asked.id), BuildImport | None)
    assert_type(forge.builds.imports(limit=5), Sequence[BuildImport])
    forge.builds.import_github("org/shop", since="2026-01-01")  # type: ignore[arg-type]


def analyses_builds(forge: Forge, source: Path) -> None:
    """Stored builds and any others come to the same type, whose rates have their counts."""
    analysis = forge.builds.analysis(project="org/shop", since=date(2026, 1, 1), zone=UTC, compat="travistorrent")
    assert_type(analysis, Analysis)
    assert_type(analyse(source, scope=Scope(branch="main"), on_error=print), Analysis)
    assert_type(analysis.success, Rate)
    assert_type((analysis.success.numerator, analysis.success.value), tuple[int, float | None])
    assert_type(analysis.mttr.value, float | None)
    assert_type(analysis.duration.p95, float | None)
    assert_type(analysis.project_metrics, tuple[ProjectMetrics, ...])
    assert_type(analysis.trend, Trend | None)
    assert_type(analysis.to_markdown(), str)
    assert_type(analysis.to_dict(), dict[str, Any])
    assert_type(compatible(analysis, "travistorrent"), Analysis)
    assert_type(forge.builds.request_analysis(branch="main"), str)
    analyse(source, compat="travis")  # type: ignore[arg-type]
    forge.builds.analysis(since="2026-01-01")  # type: ignore[arg-type]


def folds_builds(source: Path, file: TextIO) -> None:
    """A fold takes records one by one, and folds merge; readers yield records of anything."""
    assert_type(records(source), Iterator[BuildRecord])
    assert_type(read_csv(file), Iterator[BuildRecord])
    fold = Fold(records([{"build_id": 1}]))
    for record in fold:
        assert_type(fold.add(record), Taken)
        assert_type(record.key, Key)
    assert_type(Fold.merge(fold, fold), Fold)
    assert_type(fold.tally(), Tally)
    assert_type(analyse(fold), Analysis)
    assert_type(to_flat(next(iter(fold))), dict[str, Any])
    assert_type(to_travistorrent(next(iter(fold))), dict[str, Any])


def issues_keys(forge: Forge) -> None:
    """A key's secret is there once, when it is issued; afterwards the key is known by its id."""
    issued = forge.accounts.issue_key("CI", scopes=["builds"])
    assert_type(issued, IssuedKey)
    assert_type(issued.secret, Secret)
    assert_type(forge.accounts.authenticate_key(issued.secret.reveal()), ApiKey | None)
    assert_type(forge.accounts.keys(), Sequence[ApiKey])
    assert_type(forge.accounts.revoke_key(issued.key.id), ApiKey)


def receives(forge: Forge, headers: dict[str, str], body: bytes) -> None:
    """Headers may be a mapping or pairs, of text or bytes."""
    receipt = forge.webhooks.receive("plane", headers, body)
    assert_type(receipt, Receipt)
    assert_type(receipt.action, ReceiptAction)
    assert_type(forge.webhooks.submit("plane", headers, body).result(), Receipt)
    try:
        assert_type(forge.webhooks.verify("github", list(headers.items()), body), VerifiedWebhook)
    except WebhookRejected as error:
        assert_type(error.code, str)
    forge.webhooks.verify("github", [(b"x-hub-signature-256", b"sha256=00")], body)
    forge.webhooks.verify("github", headers, "text")  # type: ignore[arg-type]


def listens(forge: Forge) -> None:
    """A receiver gets the very event it asked for."""

    def announce(event: SprintCompleted) -> None:
        print(event)

    unsubscribe = forge.on(SprintCompleted, announce)
    assert_type(unsubscribe, Callable[[], None])
    forge.on(SprintCompleted, print)
    forge.on(ImportProgress, lambda event: print(event.fetched, event.total))
    forge.on(BuildImportChanged, lambda event: print(event.status, event.retry_at))


def wrong_receiver(forge: Forge) -> None:
    """A receiver of something else is refused."""

    def count(number: int) -> None:
        print(number)

    forge.on(SprintCompleted, count)  # type: ignore[arg-type]


async def from_async_code(forge: Forge) -> None:
    """``offload`` keeps a verb's parameters and result, and refuses wrong ones."""
    assert_type(await forgekit.offload(forge.work.create_project, "shop", name="Shop"), Project)
    assert_type(await forgekit.offload(forge.sprints.import_cycle, "cycle-1", project="shop"), ImportReport)
    assert_type(await forge.webhooks.submit("plane", {}, b"{}"), Receipt)
    await forgekit.offload(forge.work.create_project, 5)  # type: ignore[arg-type]
    await forgekit.offload(forge.work.create_project, "shop", nam="Shop")  # type: ignore[call-arg]


def runs_in_the_background(forge: Forge) -> None:
    """A worker is a context manager too."""
    with forge.worker():
        pass
    assert_type(forge.worker().drain(), int)


def errors_carry_data(error: ForgekitError) -> tuple[str, bool, float | None]:
    """Every error has a code, and says whether and when to try again."""
    if isinstance(error, RemoteError | InvalidInput):
        assert_type(error.message, str)
    return error.code, error.retryable, error.retry_after


def secrets_are_no_text(secret: Secret) -> str:
    """A secret does not pass for text: it is revealed on purpose."""
    text: str = secret  # type: ignore[assignment]
    return text + secret.reveal()


@hookimpl
def forgekit_completion_rules() -> dict[str, object]:
    """A marked function keeps its type."""
    return {}


assert_type(forgekit_completion_rules(), dict[str, object])
