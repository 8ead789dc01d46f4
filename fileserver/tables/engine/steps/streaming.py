"""Whether a query gives rows while its input still comes, as DuckDB has planned it."""

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from fileserver.tables.engine.steps.table import rows_of

_STREAMING = frozenset({"PROJECTION", "FILTER", "STREAMING_LIMIT", "STREAMING_WINDOW", "UNNEST", "UNION"})
_JOINS = frozenset({"HASH_JOIN", "NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN", "CROSS_PRODUCT", "POSITIONAL_JOIN"})
_INPUT = "RANGE"


def stand_in(width: int) -> str:
    """SQL for a relation of so many columns of text, which can be planned instead of the input."""
    columns = ", ".join(f"CAST(range AS VARCHAR) AS c{place}" for place in range(width))
    return f"({rows_of('FROM range(1000000000)', columns)})"


def is_streaming(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether a query over the stand-in has nothing on the way that must have seen all rows."""
    rows = connection.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()
    return all(_streams(node) for node in json.loads(rows[0][1]))


def _streams(node: Mapping[str, Any]) -> bool:
    name, children = node["name"].strip(), node["children"]
    if not _has_input(node) or name == _INPUT:
        return True
    if name in _JOINS:
        # one side is kept in memory, and the other streams by
        return _streams(children[0]) and not _has_input(children[1])
    return name in _STREAMING and all(_streams(child) for child in children)


def _has_input(node: Mapping[str, Any]) -> bool:
    return node["name"].strip() == _INPUT or any(_has_input(child) for child in node["children"])
