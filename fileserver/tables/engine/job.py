"""What a worker does: one job, told as it goes, over as soon as anything is wrong.

`prepare` is called once in the process that workers are forked from, `warm` in each worker while it waits, `run` when a
job is there.
"""

from collections.abc import Callable, Mapping
from typing import Any

import duckdb
from polars.exceptions import PanicException

from fileserver.tables.counts import Counts
from fileserver.tables.engine.context import Channel, Job
from fileserver.tables.engine.failures import fault_from
from fileserver.tables.engine.formats import load_encodings
from fileserver.tables.engine.session import open_connection
from fileserver.tables.engine.table_jobs import profile_table, slice_table
from fileserver.tables.engine.transform import transform

KINDS: Mapping[str, Callable[[Job], Counts]] = {
    "transform": transform,
    "profile": profile_table,
    "slice": slice_table,
}


def prepare() -> None:
    """Load what every worker needs: in `run` no file is within reach, and codecs are modules that load when named."""
    load_encodings()


def warm() -> duckdb.DuckDBPyConnection:
    """All that takes time and needs no job."""
    return open_connection()


def run(connection: duckdb.DuckDBPyConnection, spec: Mapping[str, Any], channel: Channel) -> None:
    """Do a job; the last message says how it ended."""
    job = Job(connection, spec, channel)
    try:
        with job.telling_progress():
            counts = KINDS[spec["kind"]](job)
    except BrokenPipeError:
        return  # nobody reads the answer any more
    except (Exception, PanicException) as error:  # of any kind: it is told, and the process ends
        fault = fault_from(error)
        channel.tell({"type": "failed", **fault.as_message(), "counts": job.counts().as_message()})
    else:
        channel.tell({"type": "done", **counts.as_message()})
