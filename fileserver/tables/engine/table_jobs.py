"""The jobs behind a table's page: its profile, and slices of its rows. Both leave an index of where its rows are."""

import json
import os
from collections.abc import Mapping
from typing import Any

from fileserver.tables.counts import Counts
from fileserver.tables.engine.beginning import Beginning, beginning_of
from fileserver.tables.engine.context import Job
from fileserver.tables.engine.indexed import indexed, keep_index, known_index, may_be_indexed
from fileserver.tables.engine.profile import Profile, profile
from fileserver.tables.engine.pump import Pump
from fileserver.tables.engine.slices import FORMATS, read_slice
from fileserver.tables.engine.source import relation_of

SAMPLE_ROWS = 200_000
"""Rows that a profile is of unless more are asked for: with a dozen columns they take half a second."""
SAMPLE_SIZE = 32 << 20
"""Bytes of values in them at most, or a little more: 5,000 columns of 200,000 rows would take minutes."""


def profile_table(job: Job) -> Counts:
    """Profile a table into the output: `rows` of the spec, "all", or null for a sample. Raises TableFault."""
    told = job.plan.input
    (pipe,) = job.open_pipes(1)
    table, index = beginning_of(job.channel.input, told, coding=""), known_index(job.channel.files)
    if may_be_indexed(table, job.channel.input):
        table = indexed(table, index)
    rejects = job.rejects(told.max_rejects)
    pump = Pump(table, pipe.write, rejects, aborts=told.on_bad_row == "abort", knows_lines=False)
    job.counts = pump.counts
    pump.start()
    found = profile(job.connection, relation_of(pipe, table, pump), table.names, **_extent(job.spec["rows"]))
    os.close(pipe.read)  # of a table that is not read to its end the pump would wait for ever
    pump.is_done.wait()
    pump.check()
    _begin(job, table)
    counts = pump.counts(found.rows)
    told_of = {"dialect": table.described(), "bytes": job.spec["size"], **_totals(found, counts)}
    job.write(_as_json({**told_of, **found.as_json()}))
    keep_index(index, job.channel.files)
    return counts


def _extent(rows: int | str | None) -> Mapping[str, int | None]:
    """What `profile` is to look at."""
    if rows is None:
        return {"rows": SAMPLE_ROWS, "size": SAMPLE_SIZE}
    return {"rows": None if isinstance(rows, str) else rows}


def slice_table(job: Job) -> Counts:
    """Put rows into the output: up to `limit` from `offset` on in a `format`, all of the spec. Raises TableFault."""
    index = known_index(job.channel.files)
    asked = job.spec
    found = read_slice(job.channel.input, job.plan.input, index, offset=asked["offset"], limit=asked["limit"])
    _begin(job, found.table, next=found.next, total=found.total)
    job.write(FORMATS[asked["format"]](found))
    keep_index(index, job.channel.files)
    return Counts(rows_out=len(found.records), bytes_in=found.table.bytes_in())


def _begin(job: Job, table: Beginning, **more: int | None) -> None:
    begun = {"columns": list(table.names), "dialect": table.described(), "media_type": "application/json", **more}
    job.channel.tell({"type": "begun", "plan": "blocking", **begun})


def _totals(found: Profile, counts: Counts) -> Mapping[str, int | None]:
    """What is known of the rows that are none, if all were read."""
    if found.sampled:
        return {"rejected": None, "blank_lines": None}
    return {"rejected": counts.rows_rejected, "blank_lines": counts.blank_lines}


def _as_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
