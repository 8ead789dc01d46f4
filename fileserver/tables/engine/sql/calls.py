"""Calls of functions, aggregates and operators, written anew."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from fileserver.tables.engine.sql.bounds import bounded
from fileserver.tables.engine.sql.functions import (
    AGGREGATES,
    OPERATORS,
    PREFIXES,
    SCALARS,
    UNSTEADY,
    Function,
    Kind,
)
from fileserver.tables.engine.sql.parsing import Node, Source
from fileserver.tables.engine.sql.scope import shown, suggestion
from fileserver.tables.engine.sql.writing import Writer, Written, listed, ordering

_MEMBERS = ("function_name", "qualified_name", "arguments", "is_operator", "distinct", "filter", "order_bys")


class CallWriter(Writer):
    """Writes calls. `functions` are those that a single row is enough for."""

    def __init__(self, source: Source, *, is_aggregate: bool) -> None:
        super().__init__(source)
        self.functions: Mapping[str, Function] = SCALARS
        self._is_aggregate = is_aggregate

    def call(self, node: Node) -> Written:
        """SQL for a call, or for an operator that the parser takes for one."""
        self.knows(node, *_MEMBERS)
        name = self.name_of(node)
        arguments = self.arguments(node)
        if node["is_operator"] and (name in OPERATORS or name in PREFIXES):
            return self._infix(name, arguments, node)
        if name in AGGREGATES:
            return self._aggregate(name, arguments, node)
        if node["distinct"] or node["filter"] or node["order_bys"]["orders"]:
            raise self.source.fault(f"{shown(name)} is no aggregate", node)
        if name in ("if", "nullif"):
            return self._conditional(name, arguments, node)
        function = self.functions.get(name)
        if function is None:
            self._refuse_function(name, node)
        self._check(name, function, arguments, node)
        kind = self.alike(arguments, node) if function.gives == "same" else function.gives
        return Written(bounded(name, arguments), kind)

    def name_of(self, node: Node) -> str:
        """The name of what is called, which stands alone."""
        name: str = node["function_name"]
        if node["qualified_name"]["path"] != [name]:
            raise self.source.fault("a function has one name, without a schema before it", node)
        return name

    def arguments(self, node: Node) -> Sequence[Written]:
        """What it is called with."""
        for argument in node["arguments"]:
            if argument["name"]:
                raise self.source.fault("arguments have no names", argument["expression"])
        return [self.written(argument["expression"]) for argument in node["arguments"]]

    def refuse_unsteady(self, name: str, node: Node) -> NoReturn:
        """Refuse what differs from run to run."""
        raise self.source.fault(f"{shown(name)} is not allowed: it would differ from run to run", node)

    def _infix(self, symbol: str, arguments: Sequence[Written], node: Node) -> Written:
        function = (PREFIXES if len(arguments) == 1 else OPERATORS).get(symbol)
        if function is None or len(arguments) > 2:
            raise self.source.fault(f"the operator `{symbol}` is not allowed", node)
        self._check(symbol, function, arguments, node)
        if symbol == "||":
            return _joined(arguments)
        before = "" if len(arguments) == 2 else f"{symbol} "
        sql = f"({before}{f' {symbol} '.join([part.sql for part in arguments])})"
        # a date less a date is a number, a date less a number is none: only the engine tells
        is_sure = function.gives != "number" or all(part.kind == "number" for part in arguments)
        return Written(sql, _given(function, arguments) if is_sure else "any")

    def _conditional(self, name: str, arguments: Sequence[Written], node: Node) -> Written:
        wanted = 3 if name == "if" else 2
        if len(arguments) != wanted:
            raise self.source.fault(f"{shown(name)} takes {wanted} arguments", node)
        if name == "nullif":
            value, other = arguments
            is_same = self.compared(value, "=", other, node)
            return Written(f"(CASE WHEN {is_same} THEN NULL ELSE {value.sql} END)", value.kind)
        condition, yes, no = arguments
        if condition.kind == "text":
            self.refuse_text(condition, "a condition is expected", node)
        sql = f"(CASE WHEN {condition.sql} THEN {yes.sql} ELSE {no.sql} END)"
        return Written(sql, self.alike((yes, no), node))

    def _aggregate(self, name: str, arguments: Sequence[Written], node: Node) -> Written:
        if not self._is_aggregate:
            raise self.source.fault(f"{shown(name)} looks at many rows: it belongs to `group_by`", node)
        orders = [(self.written(order["expression"]), order) for order in node["order_bys"]["orders"]]
        function = AGGREGATES[name]
        # quantile_cont(0.5) WITHIN GROUP (ORDER BY x) has its argument behind ORDER BY
        self._check(name, function, arguments or [key for key, _ in orders], node)
        inside = ("DISTINCT " if node["distinct"] else "") + listed(arguments)
        if orders:
            inside += " ORDER BY " + ", ".join([f"{key.sql} {ordering(order, self.source)}" for key, order in orders])
        sql = "count(*)" if name == "count_star" else f"{name}({inside})"
        if node["filter"]:
            sql += f" FILTER (WHERE {self.condition(node['filter'])})"
        return Written(sql, _given(function, arguments))

    def _check(self, name: str, function: Function, arguments: Sequence[Written], node: Node) -> None:
        for argument in arguments:
            if argument.kind == "text" and function.takes != "any":
                self.refuse_text(argument, f"`{name}` needs a {function.takes}", node)

    def _refuse_function(self, name: str, node: Node) -> NoReturn:
        if name in UNSTEADY:
            self.refuse_unsteady(name, node)
        raise self.source.fault(f"there is no function {shown(name)}" + suggestion(name, [*SCALARS, *AGGREGATES]), node)


def _joined(arguments: Sequence[Written]) -> Written:
    """`a || b || c` is one call of three, whose sizes are added up once."""
    first, *others = arguments
    parts = (*(first.parts or (first,)), *others)
    return Written(bounded("||", parts), "text", parts=parts)


def _given(function: Function, arguments: Sequence[Written]) -> Kind:
    if function.gives != "same":
        return function.gives
    return arguments[0].kind if arguments else "any"
