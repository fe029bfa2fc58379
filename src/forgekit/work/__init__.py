"""Projects, work items and test runs."""

from __future__ import annotations

from forgekit.work.models import (
    ItemChanged,
    Kind,
    Origin,
    Project,
    ProjectCreated,
    RunSummary,
    State,
    TestRun,
    TestRunRecorded,
    WorkItem,
)
from forgekit.work.ports import WorkRepositories, WorkRepository
from forgekit.work.rules import check_project_key
from forgekit.work.service import WorkService

__all__ = [
    "ItemChanged",
    "Kind",
    "Origin",
    "Project",
    "ProjectCreated",
    "RunSummary",
    "State",
    "TestRun",
    "TestRunRecorded",
    "WorkItem",
    "WorkRepositories",
    "WorkRepository",
    "WorkService",
    "check_project_key",
]
