"""What a program written on forgekit looks like to a type checker: this file is never run, it only has to type-check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_type

import forgekit
from forgekit import Forge, ForgekitError, ImportProgress, Secret, SprintCompleted, hookimpl
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
