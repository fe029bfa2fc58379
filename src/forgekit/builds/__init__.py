"""Builds: records of any CI system, folded into metrics in any order, shown as text, tables, pages and plots."""

from __future__ import annotations

from forgekit.builds.analysing import Scope, analyse
from forgekit.builds.analysis import Analysis
from forgekit.builds.fold import Fold, Taken
from forgekit.builds.models import BROKEN, COUNTED, FINISHED, BuildRecord, Incident, Job, Key, Mean, Rate, Status, Window
from forgekit.builds.reading.flat import parse_build, to_flat
from forgekit.builds.reading.sources import read_csv, read_frame, read_json, read_json_lines, read_parquet, read_rows, records
from forgekit.builds.reading.travistorrent import to_travistorrent
from forgekit.builds.results import (
    Anomaly,
    Bottleneck,
    Change,
    Dora,
    Edge,
    Health,
    JobMetrics,
    OpenSpell,
    ProjectMetrics,
    Trend,
    Variant,
    Week,
)
from forgekit.builds.rules.buckets import Percentiles
from forgekit.builds.rules.changes import ChangePoint, change_points, daily_medians
from forgekit.builds.rules.compatibility import Compat, compatible
from forgekit.builds.rules.measuring import measure
from forgekit.builds.rules.statuses import parse_status
from forgekit.builds.rules.summary import Question, summarise
from forgekit.builds.rules.tally import Measure, Tally

__all__ = [
    "BROKEN",
    "COUNTED",
    "FINISHED",
    "Analysis",
    "Anomaly",
    "Bottleneck",
    "BuildRecord",
    "Change",
    "ChangePoint",
    "Compat",
    "Dora",
    "Edge",
    "Fold",
    "Health",
    "Incident",
    "Job",
    "JobMetrics",
    "Key",
    "Mean",
    "Measure",
    "OpenSpell",
    "Percentiles",
    "ProjectMetrics",
    "Question",
    "Rate",
    "Scope",
    "Status",
    "Taken",
    "Tally",
    "Trend",
    "Variant",
    "Week",
    "Window",
    "analyse",
    "change_points",
    "compatible",
    "daily_medians",
    "measure",
    "parse_build",
    "parse_status",
    "read_csv",
    "read_frame",
    "read_json",
    "read_json_lines",
    "read_parquet",
    "read_rows",
    "records",
    "summarise",
    "to_flat",
    "to_travistorrent",
]
