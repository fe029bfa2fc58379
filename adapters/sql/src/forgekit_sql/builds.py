"""Builds, their timelines and their roll-ups: many rows at a time, in the driver's own statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from forgekit.builds import BuildRecord, Key
from forgekit.builds.models import BROKEN, COUNTED, FINISHED, Status
from forgekit.builds.ports import BuildFilter, Node, Run
from forgekit.builds.rules.applying import Stretch
from forgekit.builds.rules.counts import Numbers
from forgekit.builds.rules.nodes import NodeKey, PartKey, Span
from forgekit.builds.rules.runs import VERDICTS, Verdict
from forgekit.builds.rules.timelines import Line, LineState
from forgekit_sql import build_rows as rows
from forgekit_sql.repository import Repository
from forgekit_sql.tables.types import dump_json, load_json

_BATCH = 10_000
_STREAM = 2_000

_LINE_COLUMNS = ("project", "line", "length", "last_at", "last_status", "counted_at", "red", "turn_at", "turn_day")
_NODE_COLUMNS = ("span", "project", "day", "counts", "digest", "first_at", "last_at", "latest_at")
_WHAT_ENDED = ", ".join(f"'{status.value}'" for status in sorted(FINISHED))
_RED = ", ".join(f"'{status.value}'" for status in sorted(BROKEN))
_GREEN = ", ".join(f"'{status.value}'" for status in sorted(COUNTED - BROKEN))
_JUDGED = ", ".join(f"'{status.value}'" for status in sorted(VERDICTS))


@attrs.frozen(kw_only=True)
class _Dialect:
    """How a driver takes parameters.

    Attributes:
        value: What stands for one.
        among: A table of keys, ``k``, from one parameter or several: takes their number.
        keys: Makes these parameters.
        using: Makes a table be read by an index. SQLite, which knows nothing of how many rows there are, would take the primary key for
            any other index that begins alike, and with it read a whole project for each key.

    """

    value: str
    among: Callable[[Sequence[str]], str]
    keys: Callable[[Collection[Sequence[Any]]], tuple[Any, ...]]
    using: Callable[[str], str]


def _sqlite_keys(types: Sequence[str]) -> str:
    columns = ", ".join(f"json_extract(value, '$[{place}]') AS c{place}" for place in range(len(types)))
    return f"(SELECT {columns} FROM json_each(?)) AS k CROSS"  # noqa: S608 - numbers only


def _postgresql_keys(types: Sequence[str]) -> str:
    columns = ", ".join(f"c{place}" for place in range(len(types)))
    return f"unnest({', '.join(f'%s::{kind}[]' for kind in types)}) AS k({columns})"


_DIALECTS = {
    "sqlite": _Dialect(
        value="?",
        among=_sqlite_keys,
        keys=lambda keys: (json.dumps([list(key) for key in keys]),),
        using=lambda index: f" INDEXED BY {index}",
    ),
    "postgresql": _Dialect(
        value="%s",
        among=_postgresql_keys,
        keys=lambda keys: tuple(list(column) for column in zip(*keys, strict=True)),
        using=lambda _: "",
    ),
}


def _upsert(table: str, columns: Sequence[str], key: Sequence[str], value: str) -> str:
    replaced = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join([value] * len(columns))}) "  # noqa: S608 - names of ours
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {replaced}"
    )


class SqlBuilds(Repository):
    """Implements ``BuildRepository``."""

    @property
    def _dialect(self) -> _Dialect:
        return _DIALECTS[self._reading.dialect.name]

    def lock(self) -> None:
        """Hold the roll-ups until the commit: who stores builds takes turns."""
        if self._writing.dialect.name == "postgresql":
            # SQLite has one writer at a time anyway.
            self._writing.exec_driver_sql("LOCK TABLE forgekit_build_nodes IN SHARE ROW EXCLUSIVE MODE")

    # Builds

    def attempts(self, runs: Collection[Run]) -> Sequence[BuildRecord]:
        """Return every attempt of these runs."""
        columns = ", ".join(f"b.{name}" for name in rows.COLUMNS)
        on = "b.project = k.c0 AND b.provider = k.c1 AND b.build_id = k.c2"
        return [rows.build_of(row) for row in self._among("forgekit_builds", columns, on, ("text", "text", "text"), runs)]

    def verdicts(self, commits: Collection[tuple[str, str]]) -> Sequence[Verdict]:
        """Return what builds say of these commits (project, commit)."""
        columns = ", ".join(f"b.{name}" for name in rows.VERDICT)
        on = f"b.project = k.c0 AND b.commit_id = k.c1 AND b.status IN ({_JUDGED}) AND b.started_at IS NOT NULL"
        found = self._among("forgekit_builds", columns, on, ("text", "text"), commits, index="ix_forgekit_builds_commit_id")
        return [rows.verdict_of(row) for row in found]

    def save(self, builds: Sequence[BuildRecord]) -> None:
        """Store or replace builds, in one statement whatever their number."""
        self._many(_upsert("forgekit_builds", rows.COLUMNS, rows.KEY, self._dialect.value), [rows.row_of(build) for build in builds])

    def build(self, key: Key) -> BuildRecord | None:
        """Return one build."""
        found = self.attempts([(key.project, key.provider, key.build_id)])
        return next((build for build in found if build.key == key), None)

    def builds(self, wanted: BuildFilter) -> Iterator[BuildRecord]:
        """Yield builds, by project, provider, id and attempt; few are in memory at a time."""
        value = self._dialect.value
        conditions, parameters = _conditions(wanted, value)
        after: tuple[Any, ...] = ()
        while True:
            more = [*conditions, f"({', '.join(rows.KEY)}) > ({', '.join([value] * 4)})"] if after else conditions
            statement = f"SELECT {', '.join(rows.COLUMNS)} FROM forgekit_builds"  # noqa: S608 - names of ours
            statement += (f" WHERE {' AND '.join(more)}" if more else "") + f" ORDER BY {', '.join(rows.KEY)} LIMIT {_STREAM}"
            found = self._reading.exec_driver_sql(statement, (*parameters, *after)).all()
            yield from map(rows.build_of, found)
            if len(found) < _STREAM:
                return
            after = tuple(found[-1][:4])

    def count(self) -> int:
        """Return how many builds are stored; pruned ones are not."""
        return int(self._reading.exec_driver_sql("SELECT count(*) FROM forgekit_builds").scalar_one())

    def moments(self, project: str, *, since: datetime | None = None, until: datetime | None = None) -> Node:
        """Return the first and last start, and the latest moment, that a project's builds tell of; of those that start in a time."""
        conditions, parameters = ["project = " + self._dialect.value], [project]
        for moment, comparison in ((since, ">="), (until, "<")):
            if moment is not None:
                conditions.append(f"started_at {comparison} {self._dialect.value}")
                parameters.append(rows.micros(moment))  # type: ignore[arg-type]
        ends = "max(started_at), max(ended_at), max(queued_at)"
        statement = f"SELECT min(started_at), {ends} FROM forgekit_builds WHERE {' AND '.join(conditions)}"  # noqa: S608 - names of ours
        first, last, *others = self._reading.exec_driver_sql(statement, tuple(parameters)).one()
        latest = max((each for each in (last, *others) if each is not None), default=None)
        return Node(counts=None, first_at=rows.moment_of(first), last_at=rows.moment_of(last), latest_at=rows.moment_of(latest))

    def delete(self, keys: Collection[Key]) -> None:
        """Delete builds; their roll-ups stay."""
        value = self._dialect.value
        statement = f"DELETE FROM forgekit_builds WHERE {' AND '.join(f'{name} = {value}' for name in rows.KEY)}"  # noqa: S608 - names of ours
        self._many(statement, [(key.project, key.provider, key.build_id, key.attempt) for key in keys])

    # Timelines

    def lines(self, lines: Collection[Line]) -> Mapping[Line, LineState]:
        """Return where timelines stand."""
        columns = ", ".join(f"b.{name}" for name in _LINE_COLUMNS)
        keys = [(line.project, rows.line_text(line)) for line in lines]
        on = "b.project = k.c0 AND b.line = k.c1"
        return dict(map(_line_state, self._among("forgekit_build_lines", columns, on, ("text", "text"), keys)))

    def save_lines(self, states: Mapping[Line, LineState | None]) -> None:
        """Store or replace where timelines stand; None deletes."""
        kept = [_line_row(line, state) for line, state in states.items() if state is not None]
        gone = [(line.project, rows.line_text(line)) for line, state in states.items() if state is None]
        value = self._dialect.value
        self._many(_upsert("forgekit_build_lines", _LINE_COLUMNS, ("project", "line"), value), kept)
        self._many(f"DELETE FROM forgekit_build_lines WHERE project = {value} AND line = {value}", gone)  # noqa: S608 - names of ours

    def red_lines(self, project: str | None, *, until: int | None, oldest: int) -> tuple[int, Sequence[tuple[Line, LineState]]]:
        """Return how many timelines are red, and those that have been so longest; see the port."""
        value = self._dialect.value
        given = {"project": project, "turn_day": until}
        signs = {"project": "=", "turn_day": "<="}
        conditions = ["red = 1", *(f"{name} {signs[name]} {value}" for name, each in given.items() if each is not None)]
        parameters = tuple(each for each in given.values() if each is not None)
        where = " AND ".join(conditions)
        count = self._reading.exec_driver_sql(f"SELECT count(*) FROM forgekit_build_lines WHERE {where}", parameters).scalar_one()  # noqa: S608 - names of ours
        last = f"SELECT turn_at FROM forgekit_build_lines WHERE {where} ORDER BY turn_at LIMIT 1 OFFSET {value}"  # noqa: S608 - names of ours
        found = self._reading.exec_driver_sql(last, (*parameters, oldest - 1)).scalar()
        if found is not None:
            where += f" AND turn_at <= {value}"
            parameters = (*parameters, found // 1000 * 1000 + 999)
        statement = f"SELECT {', '.join(_LINE_COLUMNS)} FROM forgekit_build_lines WHERE {where}"  # noqa: S608 - names of ours
        return count, list(map(_line_state, self._reading.exec_driver_sql(statement, parameters)))

    def stretch(self, line: Line, *, first: datetime, last: datetime) -> Stretch:
        """Return the points of a timeline around a change (see ``Stretch``) whose moments lie from ``first`` to ``last``."""
        begin = self._turn(line, first, "<", "DESC")
        end = self._turn(line, last, ">", "ASC")
        value, parameters = self._dialect.value, [line.project, rows.line_text(line)]
        conditions = [f"project = {value}", f"line = {value}", f"status IN ({_WHAT_ENDED})", "started_at IS NOT NULL"]
        for moment, comparison in ((begin, ">="), (end, "<=")):
            if moment is not None:
                conditions.append(f"ended_at {comparison} {value}")
                parameters.append(moment)  # type: ignore[arg-type]
        conditions.append("ended_at IS NOT NULL")
        statement = f"SELECT {', '.join(rows.POINT)} FROM forgekit_builds WHERE {' AND '.join(conditions)}"  # noqa: S608 - names of ours
        points = sorted(map(rows.point_of, self._reading.exec_driver_sql(statement, tuple(parameters))))
        return Stretch(points, to_end=end is None)

    def _turn(self, line: Line, moment: datetime, comparison: str, order: str) -> int | None:
        """Return the end of the nearest counted build whose colour differs from that of the one nearest to a moment, on one side of it."""
        near = self._nearest(line, rows.micros(moment), comparison, order, f"{_RED}, {_GREEN}")
        if near is None:
            return None
        other = self._nearest(line, near[0], comparison, order, _GREEN if Status(near[1]) in BROKEN else _RED)
        return None if other is None else int(other[0])

    def _nearest(self, line: Line, moment: int | None, comparison: str, order: str, statuses: str) -> Any:
        value = self._dialect.value
        statement = (
            f"SELECT ended_at, status FROM forgekit_builds WHERE project = {value} AND line = {value} "  # noqa: S608 - names of ours
            f"AND ended_at {comparison} {value} AND status IN ({statuses}) AND started_at IS NOT NULL ORDER BY ended_at {order} LIMIT 1"
        )
        return self._reading.exec_driver_sql(statement, (line.project, rows.line_text(line), moment)).first()

    # Roll-ups

    def nodes(self, keys: Collection[NodeKey], *, counts: bool = True) -> Mapping[NodeKey, Node]:
        """Return roll-ups, with or without their counts."""
        columns = ", ".join(f"b.{name}" if counts or name != "counts" else "NULL" for name in _NODE_COLUMNS)
        on = "b.span = k.c0 AND b.project = k.c1 AND b.day = k.c2"
        wanted = [(key.span.value, key.project, key.day) for key in keys]
        return dict(map(_node, self._among("forgekit_build_nodes", columns, on, ("text", "text", "int"), wanted)))

    def save_nodes(self, nodes: Mapping[NodeKey, Node | None]) -> None:
        """Store or replace roll-ups; None deletes."""
        value, key = self._dialect.value, ("span", "project", "day")
        kept = [_node_row(place, node) for place, node in nodes.items() if node is not None]
        gone = [(place.span.value, place.project, place.day) for place, node in nodes.items() if node is None]
        self._many(_upsert("forgekit_build_nodes", _NODE_COLUMNS, key, value), kept)
        statement = f"DELETE FROM forgekit_build_nodes WHERE span = {value} AND project = {value} AND day = {value}"  # noqa: S608 - names of ours
        self._many(statement, gone)

    def read_nodes(
        self, span: Span, projects: Collection[str] | None, *, days: tuple[int, int] | None = None, counts: bool = True
    ) -> Iterator[tuple[NodeKey, Node]]:
        """Yield roll-ups of a span, by project and day; see the port."""
        value = self._dialect.value
        columns = ", ".join(name if counts or name != "counts" else "NULL" for name in _NODE_COLUMNS)
        span_days = f" AND day BETWEEN {value} AND {value}" if days is not None else ""
        for project in sorted(projects) if projects is not None else (None,):
            one = f"project = {value}" if project is not None else "project <> ''"
            statement = (
                f"SELECT {columns} FROM forgekit_build_nodes WHERE span = {value} AND {one}{span_days} "  # noqa: S608 - names of ours
                "ORDER BY project, day"
            )
            parameters = (span.value, *(() if project is None else (project,)), *(days or ()))
            yield from map(_node, self._reading.exec_driver_sql(statement, parameters))

    def parts(self, keys: Collection[PartKey]) -> Mapping[PartKey, Numbers]:
        """Return parts of roll-ups."""
        on = "b.span = k.c0 AND b.project = k.c1 AND b.day = k.c2 AND b.part = k.c3"
        wanted = [_part_place(key) for key in keys]
        found = self._among(
            "forgekit_build_parts", "b.span, b.project, b.day, b.part, b.counts", on, ("text", "text", "int", "int"), wanted
        )
        return {PartKey(NodeKey(project, Span(span), day), part): load_json(counts) for span, project, day, part, counts in found}

    def save_parts(self, parts: Mapping[PartKey, Numbers | None]) -> None:
        """Store or replace parts of roll-ups; None deletes."""
        value, key = self._dialect.value, ("span", "project", "day", "part")
        kept = [(*_part_place(place), dump_json(counts)) for place, counts in parts.items() if counts is not None]
        gone = [_part_place(place) for place, counts in parts.items() if counts is None]
        self._many(_upsert("forgekit_build_parts", (*key, "counts"), key, value), kept)
        conditions = " AND ".join(f"{name} = {value}" for name in key)
        self._many(f"DELETE FROM forgekit_build_parts WHERE {conditions}", gone)  # noqa: S608 - names of ours

    def clear_rollups(self) -> None:
        """Delete all roll-ups and timelines."""
        self._writing.exec_driver_sql("DELETE FROM forgekit_build_parts")
        self._writing.exec_driver_sql("DELETE FROM forgekit_build_nodes")
        self._writing.exec_driver_sql("DELETE FROM forgekit_build_lines")

    def _among(
        self, table: str, columns: str, on: str, types: Sequence[str], keys: Collection[Sequence[Any]], *, index: str | None = None
    ) -> Iterator[Any]:
        """Yield the rows that fit one of many keys, ``_BATCH`` of them a statement."""
        dialect, every = self._dialect, list(keys)
        using = "" if index is None else dialect.using(index)
        statement = f"SELECT {columns} FROM {dialect.among(types)} JOIN {table} AS b{using} ON {on}"  # noqa: S608 - names of ours
        for start in range(0, len(every), _BATCH):
            yield from self._reading.exec_driver_sql(statement, dialect.keys(every[start : start + _BATCH]))

    def _many(self, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
        connection = self._writing
        if values:
            connection.exec_driver_sql(statement, list(values))


def _conditions(wanted: BuildFilter, value: str) -> tuple[list[str], list[Any]]:
    equal = {
        "project": wanted.project,
        "branch": wanted.branch,
        "workflow": wanted.workflow,
        "event": wanted.event,
        "actor": wanted.actor,
        "environment": wanted.environment,
    }
    conditions = [f"{name} = {value}" for name, given in equal.items() if given is not None]
    parameters: list[Any] = [given for given in equal.values() if given is not None]
    for moment, comparison in ((wanted.since, ">="), (wanted.until, "<")):
        if moment is not None:
            conditions.append(f"coalesce(started_at, queued_at) {comparison} {value}")
            parameters.append(rows.micros(moment))
    if wanted.open_only:
        conditions.append("status IN ('running', 'queued')")
    return conditions, parameters


def _line_state(row: Any) -> tuple[Line, LineState]:
    project, text, length, last_at, last_status, counted_at, red, turn_at, turn_day = row
    state = LineState(
        length=length,
        last_at=rows.moment_of(last_at),  # type: ignore[arg-type]
        last_status=Status(last_status),
        counted_at=rows.moment_of(counted_at),
        red=bool(red),
        turn_at=rows.moment_of(turn_at),  # type: ignore[arg-type]
        turn_day=turn_day,
    )
    return rows.line_of(project, text), state


def _line_row(line: Line, state: LineState) -> tuple[Any, ...]:
    return (
        line.project,
        rows.line_text(line),
        state.length,
        rows.micros(state.last_at),
        state.last_status.value,
        rows.micros(state.counted_at),
        int(state.red),
        rows.micros(state.turn_at),
        state.turn_day,
    )


def _node(row: Any) -> tuple[NodeKey, Node]:
    span, project, day, counts, digest, first_at, last_at, latest_at = row
    node = Node(
        counts=None if counts is None else load_json(counts),
        digest=None if digest is None else load_json(digest),
        first_at=rows.moment_of(first_at),
        last_at=rows.moment_of(last_at),
        latest_at=rows.moment_of(latest_at),
    )
    return NodeKey(project, Span(span), day), node


def _part_place(key: PartKey) -> tuple[str, str, int, int]:
    return key.node.span.value, key.node.project, key.node.day, key.part


def _node_row(key: NodeKey, node: Node) -> tuple[Any, ...]:
    digest = None if node.digest is None else dump_json(node.digest)
    moments = (rows.micros(node.first_at), rows.micros(node.last_at), rows.micros(node.latest_at))
    return (key.span.value, key.project, key.day, dump_json(node.counts or {}), digest, *moments)
