"""Calls over a window, written anew."""

from collections.abc import Sequence

from fileserver.tables.engine.sql.calls import CallWriter
from fileserver.tables.engine.sql.functions import AGGREGATES, WINDOWS
from fileserver.tables.engine.sql.parsing import Node
from fileserver.tables.engine.sql.scope import shown
from fileserver.tables.engine.sql.writing import Written, listed, ordering

_MEMBERS = (
    *("function_name", "qualified_name", "arguments", "arg_orders", "distinct", "filter_expr", "ignore_nulls"),
    *("has_ignore_nulls", "partitions", "orders", "start", "end", "start_expr", "end_expr", "exclude_clause"),
)
_UNITS = ("ROWS", "RANGE", "GROUPS")
_EXCLUDED = {
    "NO_OTHER": "",
    "CURRENT_ROW": " EXCLUDE CURRENT ROW",
    "GROUP": " EXCLUDE GROUP",
    "TIES": " EXCLUDE TIES",
}


def window(writer: CallWriter, node: Node) -> Written:
    """SQL for `function(...) OVER (...)`."""
    writer.knows(node, *_MEMBERS)
    name = writer.name_of(node)
    if name not in AGGREGATES and name not in WINDOWS:
        raise writer.source.fault(f"there is no window function {shown(name)}", node)
    inside = listed(writer.arguments(node))
    if name == "count" and not inside:
        inside = "*"
    distinct = "DISTINCT " if node["distinct"] else ""
    nulls = " IGNORE NULLS" if node["ignore_nulls"] else ""
    sql = f"{name}({distinct}{inside}{_ordered(writer, node['arg_orders'])}{nulls})"
    if node["filter_expr"]:
        sql += f" FILTER (WHERE {writer.condition(node['filter_expr'])})"
    return Written(f"{sql} OVER ({_over(writer, node)})", "any")


def _over(writer: CallWriter, node: Node) -> str:
    partitions = [writer.written(part) for part in node["partitions"]]
    before = f"PARTITION BY {listed(partitions)}" if partitions else ""
    return f"{before}{_ordered(writer, node['orders'])} {_frame(writer, node)}"


def _ordered(writer: CallWriter, orders: Sequence[Node]) -> str:
    keys = [f"{writer.written(order['expression']).sql} {ordering(order, writer.source)}" for order in orders]
    return " ORDER BY " + ", ".join(keys) if keys else ""


def _frame(writer: CallWriter, node: Node) -> str:
    start, end = node["start"], node["end"]
    unit = next((unit for unit in _UNITS if start.endswith(unit) or end.endswith(unit)), "ROWS")
    first, last = _bound(writer, start, node["start_expr"]), _bound(writer, end, node["end_expr"])
    excluded = _EXCLUDED.get(node["exclude_clause"])
    if first is None or last is None or excluded is None:
        raise writer.source.fault("this frame of a window is not allowed", node)
    return f"{unit} BETWEEN {first} AND {last}{excluded}"


def _bound(writer: CallWriter, bound: str, distance: Node | None) -> str | None:
    match bound.split("_")[:2]:
        case ["UNBOUNDED", "PRECEDING" | "FOLLOWING" as side]:
            return f"UNBOUNDED {side}"
        case ["CURRENT", "ROW"]:
            return "CURRENT ROW"
        case ["EXPR", "PRECEDING" | "FOLLOWING" as side] if distance is not None:
            return f"{writer.written(distance).sql} {side}"
    return None
