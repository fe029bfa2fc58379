"""The metrics of builds as a data scientist writes them with pandas: what the fold is compared with, in its results and in its time."""

from __future__ import annotations

import numpy as np
import pandas as pd

COUNTED = ["passed", "failed", "errored", "timed_out"]
BROKEN = ["failed", "errored", "timed_out"]
FINISHED = [*COUNTED, "canceled", "skipped"]
LINE = ["project", "branch", "workflow"]
COLUMNS = [
    "provider", "project", "build_id", "attempt", "status", "branch", "workflow", "commit", "language",
    "queued_at", "started_at", "finished_at", "duration_seconds", "tests_run", "tests_failed",
]  # fmt: skip


def frame_of(records):
    """Return records as a frame, a column a field."""
    rows = [[getattr(record, name) for name in COLUMNS] for record in records]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["status"] = frame["status"].astype(str)
    for name in ("queued_at", "started_at", "finished_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    for name in ("duration_seconds", "tests_run", "tests_failed"):
        frame[name] = pd.to_numeric(frame[name])
    return frame.fillna({"branch": "", "workflow": "", "commit": ""})


def metrics(frame):
    """Return every metric by name."""
    frame = frame.drop_duplicates(["provider", "project", "build_id", "attempt"]).copy()
    frame["wall"] = (frame["finished_at"] - frame["started_at"]).dt.total_seconds()
    frame["took"] = frame["duration_seconds"].fillna(frame["wall"])
    frame["end"] = frame["finished_at"].fillna(frame["started_at"] + pd.to_timedelta(frame["duration_seconds"], unit="s"))
    finished = frame[frame["status"].isin(FINISHED)].copy()
    counted = finished[finished["status"].isin(COUNTED)]
    return {
        **_overall(frame, finished, counted),
        "projects": _projects(frame, counted),
        "weekly": _weekly(finished),
        "heat": _heat(counted),
        **_minutes(finished),
        **_timelines(finished),
        **_runs(finished),
        **_flaky(finished),
    }


def _quantiles(values):
    values = values.dropna()
    return [values.quantile(share) for share in (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)] if len(values) else None


def _overall(frame, finished, counted):
    waited = (finished["started_at"] - finished["queued_at"]).dt.total_seconds().clip(lower=0)
    days = frame["started_at"].fillna(frame["queued_at"]).dt.floor("D")
    return {
        "n_builds": len(frame),
        "status_counts": frame["status"].value_counts().to_dict(),
        "language_counts": frame["language"].value_counts().to_dict(),
        "success": (int((counted["status"] == "passed").sum()), len(counted)),
        "failure": (int((counted["status"] == "failed").sum()), len(counted)),
        "error": (int(counted["status"].isin(["errored", "timed_out"]).sum()), len(counted)),
        "throughput": (len(finished), (days.max() - days.min()).days + 1),
        "duration": _quantiles(counted["took"]),
        "success_duration": _quantiles(counted.loc[counted["status"] == "passed", "took"]),
        "queue": _quantiles(waited[finished["attempt"] == 1]),
        "range": (frame["started_at"].min(), frame["started_at"].max()),
    }


def _projects(frame, counted):
    groups = counted.groupby("project")
    finished = frame[frame["status"].isin(FINISHED)].groupby("project")
    table = pd.DataFrame({"n": frame.groupby("project").size()})
    table["passed"] = counted["status"].eq("passed").groupby(counted["project"]).sum()
    table["failed"] = counted["status"].eq("failed").groupby(counted["project"]).sum()
    table["counted"] = groups.size()
    table["median"] = groups["took"].median()
    table["p90"] = groups["took"].quantile(0.9)
    table["tests_run"] = finished["tests_run"].mean()
    table["tests_failed"] = finished["tests_failed"].mean()
    return table


def _weekly(finished):
    started = finished["started_at"].dt.tz_localize(None).dt.floor("D")
    week = started - pd.to_timedelta(started.dt.day_of_week, unit="D")
    passed = finished["took"].where(finished["status"] == "passed")
    right = finished["status"].isin(COUNTED)
    keys = [week.rename("week")]
    return pd.DataFrame(
        {
            "builds": finished.groupby(keys).size(),
            "counted": right.groupby(keys).sum(),
            "passed": finished["status"].eq("passed").groupby(keys).sum(),
            "p50": passed.groupby(keys).median(),
            "p95": passed.groupby(keys).quantile(0.95),
        }
    )


def _heat(counted):
    started = counted["started_at"]
    broken = counted["status"].isin(BROKEN)
    return broken.groupby([started.dt.day_of_week, started.dt.hour]).agg(["sum", "count"])


def _minutes(finished):
    billed = np.ceil(finished["took"].fillna(0) / 60)
    own = finished["status"].isin([*BROKEN, "canceled"])
    later = finished.groupby(["provider", "project", "build_id"])["attempt"].transform("max") > finished["attempt"]
    superseded = later & (finished["status"] == "passed")
    return {"minutes": billed.sum(), "wasted": billed[own | superseded].sum()}


def _timelines(finished):
    points = finished[finished["end"].notna() & finished["started_at"].notna()]
    points = points.sort_values([*LINE, "end", "started_at", "provider", "build_id", "attempt"], kind="stable")
    lines = points.groupby(LINE, sort=False)
    before, gap = lines["status"].shift(), lines["end"].diff().dt.total_seconds()
    follows = before.notna()
    edges = gap[follows].groupby([before[follows], points.loc[follows, "status"]]).agg(["count", "median"])
    return {"edges": edges, **_spells(points[points["status"].isin(COUNTED)].copy())}


def _spells(points):
    points["red"] = points["status"].isin(BROKEN)
    lines = points.groupby(LINE, sort=False)
    earlier = lines["red"].shift()
    points["between"] = lines["end"].diff().dt.total_seconds()
    turns = points[earlier.isna() | (earlier != points["red"])].copy()
    turned = turns.groupby(LINE, sort=False)
    turns["closed"] = turned["end"].shift(-1)
    lasted = (turns["closed"] - turns["end"]).dt.total_seconds()
    default = points[points["branch"].isin(["", "main", "master", "trunk"]) & earlier.notna()]
    red_before = earlier.loc[default.index].astype(bool)
    return {
        "mttr": (lasted[turns["red"]].sum(), int(lasted[turns["red"]].notna().sum())),
        "mttf": (lasted[~turns["red"]].sum(), int(lasted[~turns["red"]].notna().sum())),
        "open": int((turns["closed"].isna() & turns["red"]).sum()),
        "red_time": (default["between"][red_before].sum(), default["between"].sum()),
    }


def _runs(finished):
    ordered = finished.sort_values(["provider", "project", "build_id", "attempt"])
    runs = ordered.groupby(["provider", "project", "build_id"], sort=False)
    most, n = runs["attempt"].max(), runs.size()
    after = runs["status"].shift().isin(BROKEN)
    return {
        "rerun": (int(((most > 1) | (n > 1)).sum()), len(n)),
        "rescue": (int((ordered.loc[after, "status"] == "passed").sum()), int(after.sum())),
    }


def _flaky(finished):
    told = finished[finished["status"].isin(["passed", "failed"]) & (finished["commit"] != "") & finished["started_at"].notna()]
    told = told.sort_values(["project", "workflow", "commit", "started_at"])
    gap = told.groupby(["project", "workflow", "commit"], sort=False)["started_at"].diff()
    episode = (gap.isna() | (gap > pd.Timedelta(days=14))).cumsum()
    passed = told["status"].eq("passed").groupby(episode)
    both = passed.any() & ~passed.all()
    return {"flaky": (int(both.sum()), len(both))}
