"""A GitLab on the loopback: projects, pipelines and their jobs, as far as the source asks for them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from types import SimpleNamespace
from urllib.parse import unquote

from forgekit.testing.loopback import Answer, Fake

TOKEN = "glpat-made-up"
_PATH = re.compile(r"/api/v4/projects/([^/]+)(/.*)?", re.ASCII)
_BRIEF = {"id", "iid", "project_id", "status", "source", "ref", "sha", "name", "web_url", "created_at", "updated_at"}


def text(moment):
    """Return a moment as GitLab writes it."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class FakeGitLab(Fake):
    """A GitLab.

    ``created_filters`` tells whether lists know ``created_after`` and ``created_before``, which older servers do not.
    """

    FAULT = (500, b'{"message": "500 Internal Server Error"}')

    def __init__(self, *, created_filters=True, counts=True):
        super().__init__(SimpleNamespace(url="", answer=self.answer), name="fake-gitlab")
        self.created_filters, self.counts = created_filters, counts
        self.projects, self.pipelines, self.jobs, self.deployments = {}, {}, {}, {}
        self.headers = {}

    def add_project(self, name, *, private=False, default_branch="main"):
        self.projects[name] = {
            "path_with_namespace": name,
            "visibility": "private" if private else "public",
            "default_branch": default_branch,
        }
        self.pipelines[name] = {}
        self.deployments[name] = {}

    def add_pipeline(self, project, *, created, status="success", ref="main", name=None, **more):
        number = max((each for own in self.pipelines.values() for each in own), default=0) + 1
        begun = None if status in {"created", "pending"} else created + timedelta(seconds=5)
        ended = created + timedelta(minutes=3) if status in {"success", "failed", "canceled"} else None
        row = {"id": number, "status": status, "source": "push", "ref": ref, "sha": f"{number:040x}", "name": name}
        row |= {"created_at": text(created), "updated_at": text(ended or created), "started_at": text(begun), "finished_at": text(ended)}
        row |= {"duration": 42 if ended else None, "user": {"username": "ada"}, "web_url": f"{self.url}/{project}/-/pipelines/{number}"}
        self.pipelines[project][number] = row | more
        return str(number)

    # answering

    def answer(self, raw):
        found = _PATH.fullmatch(raw.path)
        name = unquote(found[1]) if found else ""
        token = raw.headers.get("private-token")
        if token not in {None, TOKEN}:
            return Answer(401, {"message": f"401 Unauthorized: {token}"})
        project = self.projects.get(name)
        if project is None or (project["visibility"] == "private" and token is None):
            return Answer(404, {"message": "404 Project Not Found"})
        status, body, headers = self._below(name, found[2] or "", raw.query)
        return Answer(status, body, headers={**headers, **self.headers})

    def _below(self, name, path, query):
        parts = path.strip("/").split("/")
        known = {"pipelines": self.pipelines[name], "deployments": self.deployments[name]}
        match parts:
            case [""]:
                return 200, self.projects[name], {}
            case ["pipelines"]:
                return self._list(name, query)
            case [kind, number] if kind in known and number.isdigit() and int(number) in known[kind]:
                return 200, known[kind][int(number)], {}
            case ["pipelines", number, "jobs"] if number.isdigit() and int(number) in self.pipelines[name]:
                return self._page(self.jobs.get(int(number), []), query)
            case _:
                return 404, {"message": "404 Not found"}, {}

    def _list(self, name, query):
        rows = [row for _, row in sorted(self.pipelines[name].items(), reverse=True)]
        tests = {"ref": lambda row, value: row["ref"] == value, "updated_after": lambda row, value: row["updated_at"] >= value}
        if self.created_filters:
            tests |= {"name": lambda row, value: row["name"] == value}
            tests |= {"created_after": lambda row, value: datetime.fromisoformat(row["created_at"]) >= datetime.fromisoformat(value)}
            tests |= {"created_before": lambda row, value: datetime.fromisoformat(row["created_at"]) <= datetime.fromisoformat(value)}
        for parameter, test in tests.items():
            if parameter in query:
                rows = [row for row in rows if test(row, query[parameter])]
        return self._page([{key: row[key] for key in row.keys() & _BRIEF} for row in rows], query)

    def _page(self, rows, query):
        page, size = int(query.get("page", 1)), min(int(query.get("per_page", 20)), 100)
        found = rows[(page - 1) * size : page * size]
        more = str(page + 1) if len(rows) > page * size else ""
        return 200, found, {"x-next-page": more, "x-total": str(len(rows))} if self.counts else {}
