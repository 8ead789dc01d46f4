"""A DuckDB connection that can do nothing but its job: no files, no network, no extensions, no settings.

`open_connection` does all that needs no job, and is called while a worker waits for one. `lock` closes the connection
for a job, and comes before any text of a user is parsed or planned, as constants are folded while planning.
"""

import json
from collections.abc import Sequence

import duckdb

from fileserver.tables.engine.sql.scope import literal

_OPENED = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_unsigned_extensions": "false",
    # a name in SQL must never mean a variable of ours
    "python_enable_replacements": "false",
    "python_scan_all_frames": "false",
    # rows leave in the order in which they came
    "preserve_insertion_order": "true",
    # a sandbox does not hold a thread that is older than it: `lock` allows more of them
    "threads": "1",
    "async_threads": "0",
}
_JOBLESS = (
    # DuckDB 2.0 pushes TRY_CAST into its CSV reader, where it raises, and drops the row with ignore_errors
    "SET disabled_optimizers = 'type_pushdown'",
    # there is no terminal to draw on
    "SET enable_progress_bar = false",
    # dates and times mean the same on every machine
    "SET TimeZone = 'UTC'",
    "SET Calendar = 'gregorian'",
    # arithmetic that has no answer is null, and ends no transform
    "SET error_on_division_by_zero = false",
    "SET default_null_order = 'nulls_last'",
)


def open_connection() -> duckdb.DuckDBPyConnection:
    """A database in memory, with every setting that is the same for all jobs."""
    connection = duckdb.connect(":memory:", config=dict(_OPENED))
    for statement in _JOBLESS:
        connection.execute(statement)
    # the first statement of these loads what the next one then finds
    connection.execute("SELECT json_serialize_sql('SELECT 1')").fetchall()
    return connection


def lock(
    connection: duckdb.DuckDBPyConnection,
    *,
    paths: Sequence[str],
    folder: str,
    memory: int,
    threads: int,
    spill: int,
) -> None:
    """Let the connection read `paths` alone and write nothing but spilled data, at most `spill` bytes, into `folder`.

    `memory` are the bytes that DuckDB manages: single functions can take more, which the limits of the process hold.
    No setting can be changed after it, nor by anything that runs on a cursor of the connection.
    """
    allowed = ", ".join(literal(path) for path in paths)
    for statement in (
        f"SET memory_limit = '{memory} bytes'",
        f"SET threads = {threads}",
        f"SET temp_directory = {literal(folder)}",
        f"SET max_temp_directory_size = '{spill} bytes'",
        f"SET allowed_paths = [{allowed}]",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ):
        connection.execute(statement)


def count_readers(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """How often the query, once planned, reads a CSV: a table that arrives live can be read once only."""
    rows = connection.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()
    return sum(_readers(node) for node in json.loads(rows[0][1]))


def _readers(node: dict[str, object]) -> int:
    children = node.get("children")
    below = sum(_readers(child) for child in children) if isinstance(children, list) else 0
    return below + (str(node.get("name", "")).strip() == "READ_CSV")
