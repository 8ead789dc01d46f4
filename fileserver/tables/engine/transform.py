"""A transform at work: a table in, a program of SQL, the table out in its format, as it comes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from fileserver.tables.counts import Counts
from fileserver.tables.engine.compile import Program, compiled, stage_name
from fileserver.tables.engine.context import Job
from fileserver.tables.engine.formats import writer
from fileserver.tables.engine.pump import Rejects
from fileserver.tables.engine.session import count_readers
from fileserver.tables.engine.source import Pipe, Source, open_source
from fileserver.tables.engine.sql import quoted
from fileserver.tables.engine.stages import batches_of
from fileserver.tables.faults import NeedsStoredInput, RowFault
from fileserver.tables.media_types import media_type
from fileserver.tables.plan import (
    Cast,
    Clean,
    Derive,
    Drop,
    FillNull,
    Input,
    Join,
    Limit,
    Plan,
    Rename,
    Replace,
    Select,
    Types,
)

_ROW_FOR_ROW = (Select, Drop, Rename, Types, Derive, FillNull, Replace, Clean)


@dataclass(frozen=True, slots=True)
class _Other:
    """Another stored table that the plan names: what its descriptor is called, and the relation that it becomes."""

    file: str
    relation: str
    told: Input


def transform(job: Job) -> Counts:
    """Carry out a plan over the table that comes in. Raises TableFault, duckdb.Error."""
    plan = job.plan
    others = _others(plan)
    own, *pipes = job.open_pipes(1 + len(others))
    rejects = job.rejects(plan.input.max_rejects)
    headers = {
        other.relation: _materialised(job, other, pipe, rejects) for other, pipe in zip(others, pipes, strict=True)
    }
    source = open_source(
        job.channel.input,
        plan.input,
        own,
        rejects,
        coding=job.spec["content_encoding"],
        knows_lines=any(isinstance(step, Cast) and step.on_error in ("abort", "skip") for step in plan.steps),
    )
    job.counts = source.pump.counts
    _create(job, "VIEW", stage_name(0), source.scan)
    program = _program(job, plan, source, headers)
    return _printed(job, plan, source, program, rejects)


def _others(plan: Plan) -> tuple[_Other, ...]:
    joins = (
        _Other(f"join:{number}", f"join{number}", step.input)
        for number, step in enumerate(plan.steps)
        if isinstance(step, Join)
    )
    named = (_Other(f"table:{name}", name, Input()) for name in plan.tables)
    return (*joins, *named)


def _materialised(job: Job, other: _Other, pipe: Pipe, rejects: Rejects) -> tuple[str, ...]:
    """Read another table whole, as a join needs it; the names of its columns."""
    source = open_source(job.channel.files[other.file], other.told, pipe, rejects)
    _create(job, "TABLE", other.relation, source.scan)
    source.pump.join()
    try:
        source.pump.check()
    except RowFault as fault:
        raise RowFault(f"in the table that is joined: {fault.reason}", fault.row, fault.line, raw=fault.raw) from fault
    return source.beginning.names


def _create(job: Job, kind: str, name: str, source: str) -> None:
    """Make a relation that every stage sees: temporary ones are seen by the connection alone that made them."""
    job.connection.execute(f"CREATE {kind} {quoted(name)} AS SELECT * FROM {source}")  # noqa: S608 (of our own making)


def _program(job: Job, plan: Plan, source: Source, headers: Mapping[str, Sequence[str]]) -> Program:
    joins = {number: headers[f"join{number}"] for number, step in enumerate(plan.steps) if isinstance(step, Join)}
    tables = {name: headers[name] for name in plan.tables}
    program = compiled(job.connection, plan, source.beginning.names, joins, tables)
    if plan.sql is not None and count_readers(job.connection, program.stages[0].sql) > 1:
        _keep(job, source)
    return program


def _keep(job: Job, source: Source) -> None:
    """A pipe is read once: a query that needs the table again gets it from memory, or from disk where that is full."""
    if job.is_live:
        raise NeedsStoredInput("the query reads its input more than once: store the table first, then transform it")
    job.connection.execute(f"DROP VIEW {stage_name(0)}")
    _create(job, "TABLE", stage_name(0), source.scan)
    source.pump.join()
    source.pump.check()


@dataclass(slots=True)
class _Answer:
    """Output that waits until it is certain that there is an answer."""

    job: Job
    held: list[bytes] = field(default_factory=list)
    is_begun: bool = False

    def write(self, piece: bytes) -> None:
        """Take the next output."""
        if self.is_begun:
            self.job.write(piece)
        else:
            self.held.append(piece)

    def begin(self, message: Mapping[str, object]) -> None:
        """Say what the answer is, and send what waits."""
        self.job.channel.tell({"type": "begun", **message})
        self.is_begun = True
        self.job.write(b"".join(self.held))
        self.held.clear()


def _printed(job: Job, plan: Plan, source: Source, program: Program, rejects: Rejects) -> Counts:
    """Print all that leaves; nothing of it before the first rows are there."""
    pump, rows, answer = source.pump, 0, _Answer(job)
    shape = source.beginning.shape
    printer = writer(plan.output, program.columns, shape, answer.write)
    batches = batches_of(job.connection, program.as_text() if printer.is_text else program, pump, rejects)
    most = _most_rows(plan) if program.is_streaming else None
    for batch in batches:
        rows += batch.num_rows
        if rows != most:
            pump.check()
        printer.write(batch)
        job.counts = partial(pump.counts, rows)
        if not answer.is_begun:
            answer.begin(_described(plan, source, program))
    if rows != most:
        pump.check()
    printer.close(pump.counts(rows))
    if not answer.is_begun:
        answer.begin(_described(plan, source, program))
    return pump.counts(rows)


def _most_rows(plan: Plan) -> int | None:
    """How many rows can leave at most: once they are there, nothing that follows in the table matters any more."""
    for step in reversed(plan.steps):
        if isinstance(step, Limit):
            return step.n
        if not isinstance(step, _ROW_FOR_ROW):
            return None
    return None


def _described(plan: Plan, source: Source, program: Program) -> Mapping[str, object]:
    return {
        "columns": [column.name for column in program.columns],
        "dialect": source.beginning.described(),
        "plan": "streaming" if program.is_streaming else "blocking",
        "media_type": media_type(plan.output, has_header=plan.input.header),
    }
