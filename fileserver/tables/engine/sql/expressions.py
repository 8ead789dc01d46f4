"""Expressions of the user, checked and written anew.

`json_serialize_sql` gives the tree; each class of node has one writer here, which takes the members that it knows and
refuses a node that has others. What has no writer is refused: subqueries, windows, stars, lambdas, parameters, lists.
"""

import re
from collections.abc import Sequence

import duckdb

from fileserver.tables.engine.sql import numbers
from fileserver.tables.engine.sql.calls import CallWriter
from fileserver.tables.engine.sql.functions import TYPES, UNSTEADY, kind_of
from fileserver.tables.engine.sql.parsing import Node, Source, parsed, refuse_unknown
from fileserver.tables.engine.sql.scope import Scope, literal, shown, suggestion
from fileserver.tables.engine.sql.writing import Written, called, listed
from fileserver.tables.faults import PlanFault

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMPARISONS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_DISTINCT_FROM": "IS DISTINCT FROM",
    "COMPARE_NOT_DISTINCT_FROM": "IS NOT DISTINCT FROM",
}


def expression(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    scope: Scope,
    *,
    field: str,
    is_aggregate: bool = False,
    is_condition: bool = False,
) -> str:
    """SQL of ours that says what the expression says, over the columns of `scope` as they are viewed.

    With `is_aggregate` aggregate functions may be called; with `is_condition` it must not be text. Text from the table
    compared with a literal number is compared by value; where it would have to be a number, a date or a truth, it is
    refused. Raises PlanFault, with the position in `text`. What only the engine sees, as arguments of the wrong type,
    `described` finds.
    """
    source = Source(text, field, "SELECT ")
    node = _only_expression(parsed(connection, source), source)
    try:
        writer = ExpressionWriter(source, scope, is_aggregate=is_aggregate)
        return writer.condition(node) if is_condition else writer.written(node).sql
    except RecursionError as error:
        raise PlanFault("this is nested too deeply", field) from error


def _only_expression(query: Node, source: Source) -> Node:
    """The one thing that `SELECT <text>` selects, when the text adds nothing else to it."""
    if query["type"] != "SELECT_NODE" or query["from_table"]["type"] != "EMPTY" or query["cte_map"]["map"]:
        raise source.fault("an expression is expected, not a query")
    known = frozenset({"type", "select_list", "from_table", "cte_map", "aggregate_handling"})
    refuse_unknown(source, query, known, "an expression")
    if query["aggregate_handling"] != "STANDARD_HANDLING":
        raise source.fault("an expression is expected, not a query")
    selected: Sequence[Node] = query["select_list"]
    if len(selected) != 1:
        raise source.fault("one expression is expected", selected[1])
    if selected[0]["alias"]:
        raise source.fault(f"an operator is missing before {shown(selected[0]['alias'])}", selected[0])
    return selected[0]


class ExpressionWriter(CallWriter):
    """Writes an expression over the columns of a scope."""

    def __init__(self, source: Source, scope: Scope, *, is_aggregate: bool) -> None:
        super().__init__(source, is_aggregate=is_aggregate)
        self._scope = scope
        self.writers = {
            "COLUMN_REF": self.column,
            "CONSTANT": self._constant,
            "COMPARISON": self._comparison,
            "BETWEEN": self._between,
            "CONJUNCTION": self._conjunction,
            "OPERATOR": self.operator,
            "CASE": self._case,
            "CAST": self._cast,
            "FUNCTION": self.call,
        }

    def column(self, node: Node) -> Written:
        """SQL for a column that is named."""
        self.knows(node, "column_names")
        names: Sequence[str] = node["column_names"]
        if len(names) != 1:
            whole = ".".join(names)
            raise self.source.fault(
                f"columns have one name here: if it is {shown(whole)}, put it in double quotes", node
            )
        if names[0].lower() in UNSTEADY and all(column.name != names[0] for column in self._scope.columns):
            self.refuse_unsteady(names[0], node)
        column = self._scope.find(names[0], field=self.source.field, position=self.source.position(node))
        return Written(column.view, "text" if column.is_text else kind_of(column.type), name=column.name)

    def operator(self, node: Node) -> Written:
        """SQL for what the parser calls operators."""
        self.knows(node, "children")
        children: Sequence[Node] = node["children"]
        match node["type"]:
            case "OPERATOR_NOT":
                return Written(f"(NOT {self.condition(children[0])})", "truth")
            case "OPERATOR_IS_NULL" | "OPERATOR_IS_NOT_NULL" as kind:
                word = "IS NULL" if kind == "OPERATOR_IS_NULL" else "IS NOT NULL"
                return Written(f"({self.written(children[0]).sql} {word})", "truth")
            case "COMPARE_IN":
                return self._in([self.written(child) for child in children], node)
            case "OPERATOR_COALESCE":
                parts = [self.written(child) for child in children]
                return Written(f"coalesce({listed(parts)})", self.alike(parts, node))
            case "OPERATOR_TRY":
                inner = self.written(children[0])
                return Written(f"TRY({inner.sql})", inner.kind)
            case "ARRAY_EXTRACT" | "ARRAY_SLICE" if len(children) <= 3:
                value, *places = [self.written(child) for child in children]
                return Written(f"({value.sql})[{':'.join([place.sql for place in places])}]", value.kind)
        raise self.source.fault(f"{called(node)} is not allowed here", node)

    def _constant(self, node: Node) -> Written:
        self.knows(node, "literal")
        text: str = node["literal"].get("text") or ""
        match node["literal"]["kind"]:
            case "STRING":
                return Written(literal(text), "string", is_literal=True)
            case "INTEGER" | "NUMERIC" if _NUMBER.fullmatch(number := text.replace("_", "")):
                # in brackets, as -(-5) without them would begin a comment
                return Written(f"({number})" if number.startswith("-") else number, "number", number=number)
            case "BOOLEAN" if text in ("true", "false"):
                return Written(text.upper(), "truth")
            case "NULL_LITERAL":
                return Written("NULL", "any")
        raise self.source.fault("a literal of this kind is not allowed", node)

    def _comparison(self, node: Node) -> Written:
        self.knows(node, "left", "right")
        operator = _COMPARISONS.get(node["type"])
        if operator is None:
            raise self.source.fault("this comparison is not allowed", node)
        left, right = self.written(node["left"]), self.written(node["right"])
        return Written(self.compared(left, operator, right, node), "truth")

    def _between(self, node: Node) -> Written:
        self.knows(node, "input", "lower", "upper")
        value, lower, upper = (self.written(node[part]) for part in ("input", "lower", "upper"))
        first, last = self.compared(value, ">=", lower, node), self.compared(value, "<=", upper, node)
        return Written(f"({first} AND {last})", "truth")

    def _conjunction(self, node: Node) -> Written:
        self.knows(node, "children")
        word = {"CONJUNCTION_AND": " AND ", "CONJUNCTION_OR": " OR "}[node["type"]]
        return Written(f"({word.join([self.condition(child) for child in node['children']])})", "truth")

    def _in(self, parts: Sequence[Written], node: Node) -> Written:
        value, wanted = parts[0], parts[1:]
        if value.kind != "text":
            text = next((part for part in wanted if part.kind == "text"), None)
            if text and value.kind not in ("string", "any"):
                self.refuse_text(text, f"it is compared with a {value.kind}", node)
            return Written(f"({value.sql} IN ({listed(wanted)}))", "truth")
        by_value = [part.number for part in wanted if part.number is not None]
        for number in by_value:
            self.check_size(number, node)
        others = [part for part in wanted if part.number is None]
        for part in others:
            if part.kind not in ("text", "string", "any"):
                self.refuse_text(value, f"it is compared with a {part.kind}", node)
        answers = [f"({value.sql} IN ({listed(others)}))"] if others else []
        answers += [numbers.is_any(value.sql, by_value)] if by_value else []
        return Written(f"({' OR '.join(answers)})", "truth")

    def _case(self, node: Node) -> Written:
        self.knows(node, "case_checks", "else_expr")
        conditions = [self.condition(check["when_expr"]) for check in node["case_checks"]]
        results = [self.written(check["then_expr"]) for check in node["case_checks"]]
        otherwise = self.written(node["else_expr"])
        whens = [f"WHEN {condition} THEN {result.sql}" for condition, result in zip(conditions, results, strict=True)]
        return Written(f"(CASE {' '.join(whens)} ELSE {otherwise.sql} END)", self.alike([*results, otherwise], node))

    def _cast(self, node: Node) -> Written:
        self.knows(node, "child", "try_cast", "type_expr")
        type_ = self._type(node["type_expr"], node)
        inner = self.written(node["child"])
        # `x IS TRUE` is a CAST that the user did not write: it must not end a transform
        is_try = node["try_cast"] or (inner.kind == "text" and self.source.position(node["type_expr"]) is None)
        return Written(f"{'TRY_CAST' if is_try else 'CAST'}({inner.sql} AS {type_})", kind_of(type_))

    def _type(self, node: Node, cast: Node) -> str:
        self.knows(node, "type_name", "children", "qualified_name")
        name: str = node["type_name"]
        type_ = TYPES.get(name.lower())
        if type_ is None or node["qualified_name"]["path"] != [name]:
            raise self.source.fault(f"there is no type {shown(name)}" + suggestion(name.lower(), list(TYPES)), cast)
        sizes = [child.get("literal", {}).get("text", "") for child in node["children"]]
        if not sizes:
            return type_
        if type_ != "DECIMAL" or len(sizes) > 2 or not all(re.fullmatch("[0-9]{1,2}", size) for size in sizes):
            raise self.source.fault(f"the type {shown(name)} cannot have these sizes", cast)
        return f"{type_}({','.join(sizes)})"
