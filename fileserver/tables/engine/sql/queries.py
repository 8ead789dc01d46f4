"""One SELECT of the user, checked and written anew. What it says is kept, of its text nothing but names and literals.

Allowed are WITH, joins, subqueries, windows and set operations over the tables of the plan; not allowed is all that
is no query or no table of the plan: other statements, files, table functions but unnest, recursion, samples,
parameters, PIVOT, SHOW, and functions that are not listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from fileserver.tables.engine.sql.binding import described
from fileserver.tables.engine.sql.functions import UNSTEADY
from fileserver.tables.engine.sql.names import Names, is_private
from fileserver.tables.engine.sql.parsing import MAX_DEPTH, Node, Source, parsed, refuse_unknown
from fileserver.tables.engine.sql.relations import RelationWriter, Tables
from fileserver.tables.engine.sql.scope import Column, quoted, shown
from fileserver.tables.engine.sql.windows import window
from fileserver.tables.engine.sql.writing import Written, listed, ordering
from fileserver.tables.faults import PlanFault

# names that the engine takes for functions where there is no column of that name
_SPOKEN = UNSTEADY | {"user", "current_user", "session_user", "current_role", "current_catalog", "current_schema"}
_COMPARED = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_SET_OPERATIONS = {"UNION": "UNION", "UNION_BY_NAME": "UNION", "EXCEPT": "EXCEPT", "INTERSECT": "INTERSECT"}
_ORDER_OF_CLAUSES = ("DISTINCT_MODIFIER", "ORDER_MODIFIER", "LIMIT_MODIFIER")
_FRAMES_OF_QUERY = 3  # a query within a query costs as many calls here as so many levels of an expression


@dataclass(frozen=True, slots=True)
class Select:
    """SQL of ours, whose columns are c0, c1, …, and what the user calls them: `columns`, with the types of DuckDB.

    `trial` is the same over the relations that stand in for the real ones.
    """

    sql: str
    columns: tuple[Column, ...]
    trial: str


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of WITH: the name that the query gets for it, the names of its columns, and what it is."""

    private: str
    aliases: str
    sql: str


def select(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    tables: Mapping[str, Sequence[str]],
    *,
    field: str = "sql",
    relations: Mapping[str, str] | None = None,
    trials: Mapping[str, str] | None = None,
) -> Select:
    """The query that the text is, over `tables`: the names of their columns, by the name that the query has for them.

    The real columns are c0, c1, …, all text, of the relation of the same name, or of that in `relations` (SQL, which
    goes into the query as it is). `trials` are what the query is bound over, if not tables without rows.
    Raises PlanFault, also when the engine cannot bind the query.
    """
    source = Source(text, field)
    node = parsed(connection, source)
    names = Names.of(tables.values())
    trial = Tables(tables, trials or {name: _no_rows(len(columns)) for name, columns in tables.items()})
    real = Tables(tables, relations or {name: quoted(name) for name in tables})
    try:
        tried = QueryWriter(source, trial, names).query(node)
        bound = described(connection, tried, field=field, names=names)
        query = QueryWriter(source, real, names).query(node)
    except RecursionError as error:
        raise PlanFault("this is nested too deeply", field) from error
    if any(is_private(type_) for _, type_ in bound):
        raise source.fault("a whole row cannot be a value: name its columns")
    columns = tuple(
        Column(names.outside(name), f"c{number}", f"c{number}", type_ == "VARCHAR", type_)
        for number, (name, type_) in enumerate(bound)
    )
    internal = ", ".join([column.sql for column in columns])
    return Select(f"SELECT * FROM ({query}) AS result({internal})", columns, tried)  # noqa: S608


def _no_rows(width: int) -> str:
    return f"(SELECT {', '.join([f'CAST(NULL AS VARCHAR) AS c{number}' for number in range(width)])})"


class QueryWriter(RelationWriter):
    """Writes a query; `query` is called for each that it holds."""

    def __init__(self, source: Source, tables: Tables, names: Names) -> None:
        super().__init__(source, tables, names)
        self.writers = {**self.writers, "SUBQUERY": self._subquery, "WINDOW": lambda node: window(self, node)}

    def query(self, node: Node) -> str:
        """SQL for a query with all that belongs to it."""
        outside = self.visible
        self._depth += _FRAMES_OF_QUERY
        if self._depth > MAX_DEPTH:
            raise self.source.fault("this is nested too deeply")
        tables = self._with(node["cte_map"]["map"])
        match node["type"]:
            case "SELECT_NODE":
                sql = self._select(node)
            case "SET_OPERATION_NODE":
                sql = self._set_operation(node)
            case "RECURSIVE_CTE_NODE":
                raise self.source.fault("recursion is not allowed")
            case _:
                raise self.source.fault("only SELECT is allowed")
        sql = " ".join([sql, *self._modifiers(node["modifiers"])])
        self._depth -= _FRAMES_OF_QUERY
        self.visible = outside
        return self._defined(tables) + sql

    def _with(self, entries: Sequence[Node]) -> Sequence[_Table]:
        """The tables of WITH, which are visible from here on."""
        tables = []
        for entry in entries:
            name, value = entry["key"], entry["value"]
            refuse_unknown(self.source, value, frozenset({"aliases", "materialized", "query_node"}), "WITH")
            aliases = self.named(value["aliases"]) if value["aliases"] else ""
            inner = self.query(value["query_node"])
            # a number tells it from those of the same name elsewhere, and from the tables of the plan and of ours
            private = f"with {len(self.uses)} {name}"
            self.uses[private] = 0
            self.visible = {**self.visible, name.lower(): private}
            tables.append(_Table(private, aliases, inner))
        return tables

    def _defined(self, tables: Sequence[_Table]) -> str:
        """WITH, now that it is known how often each is used: what is used twice is kept, so its tables are read once.

        What is used once is a part of the query like others: kept, it would hold back the rows until it has all.
        """
        parts = []
        for table in tables:
            kept = "MATERIALIZED" if self.uses[table.private] > 1 else "NOT MATERIALIZED"
            parts.append(f"{quoted(table.private)}{table.aliases} AS {kept} ({table.sql})")
        return f"WITH {', '.join(parts)} " if parts else ""

    def _select(self, node: Node) -> str:
        known = "type modifiers cte_map select_list from_table where_clause group_expressions group_sets having qualify"
        refuse_unknown(self.source, node, frozenset([*known.split(), "aggregate_handling"]), "SELECT")
        parts = ["SELECT" + self._distinct(node["modifiers"])]
        parts.append(", ".join([self._selected(selected) for selected in node["select_list"]]))
        if node["from_table"]["type"] != "EMPTY":
            parts.append("FROM " + self.relation(node["from_table"]))
        if node["where_clause"]:
            parts.append("WHERE " + self.condition(node["where_clause"]))
        parts += self._grouping(node)
        if node["having"]:
            parts.append("HAVING " + self.condition(node["having"]))
        if node["qualify"]:
            parts.append("QUALIFY " + self.condition(node["qualify"]))
        return " ".join(parts)

    def _selected(self, node: Node) -> str:
        if node["class"] == "STAR":
            return self._star(node)
        sql = self.written(node).sql
        # what has no name is called as the user wrote it, not as the engine would print what we wrote
        alias: str = node["alias"] or ("" if node["class"] == "COLUMN_REF" else self.source.words(node))
        return sql + (f" AS {self.name(alias)}" if alias else "")

    def _star(self, node: Node) -> str:
        self.knows(node, "relation_name", "exclude_list", "replace_list", "rename_list")
        sql = f"{quoted(node['relation_name'])}.*" if node["relation_name"] else "*"
        if node["exclude_list"]:
            sql += f" EXCLUDE {self.named(node['exclude_list'])}"
        if node["replace_list"]:
            new = [f"{self.written(entry['value']).sql} AS {self.name(entry['key'])}" for entry in node["replace_list"]]
            sql += f" REPLACE ({', '.join(new)})"
        if node["rename_list"]:
            pairs = [(entry["key"]["column"], entry["value"]) for entry in node["rename_list"]]
            sql += f" RENAME ({', '.join([f'{self.name(old)} AS {self.name(new)}' for old, new in pairs])})"
        return sql

    def _distinct(self, modifiers: Sequence[Node]) -> str:
        for modifier in modifiers:
            if modifier["type"] == "DISTINCT_MODIFIER":
                targets = listed([self.written(target) for target in modifier["distinct_on_targets"]])
                return f" DISTINCT ON ({targets})" if targets else " DISTINCT"
        return ""

    def _grouping(self, node: Node) -> Sequence[str]:
        if node["aggregate_handling"] == "FORCE_AGGREGATES":
            return ["GROUP BY ALL"]
        keys = [self.written(key).sql for key in node["group_expressions"]]
        sets: Sequence[Sequence[int]] = node["group_sets"]
        if node["aggregate_handling"] != "STANDARD_HANDLING" or (not keys and any(sets)):
            raise self.source.fault("this grouping is not allowed")
        if len(sets) == 1 and list(sets[0]) == list(range(len(keys))) and keys:
            return ["GROUP BY " + ", ".join(keys)]
        groups = [f"({', '.join([keys[index] for index in one])})" for one in sets]
        return [f"GROUP BY GROUPING SETS ({', '.join(groups)})"] if sets else []

    def _modifiers(self, modifiers: Sequence[Node]) -> Sequence[str]:
        kinds = [modifier["type"] for modifier in modifiers]
        if kinds != [kind for kind in _ORDER_OF_CLAUSES if kind in kinds]:
            raise self.source.fault("clauses of this kind, or in this order, are not allowed")
        parts = []
        for modifier in modifiers:
            if modifier["type"] == "ORDER_MODIFIER":
                parts.append("ORDER BY " + ", ".join([self._order(order) for order in modifier["orders"]]))
            if modifier["type"] == "LIMIT_MODIFIER":
                parts += self._limit(modifier)
        return parts

    def _order(self, order: Node) -> str:
        key = order["expression"]
        is_all = key["class"] == "STAR" and key["columns"] and not key["expr"]
        return f"{'ALL' if is_all else self.written(key).sql} {ordering(order, self.source)}"

    def _limit(self, modifier: Node) -> Sequence[str]:
        if modifier["limit_type"] != "ROW_COUNT":
            raise self.source.fault("LIMIT is a number of rows", modifier["limit"])
        words = (("LIMIT", modifier["limit"]), ("OFFSET", modifier["offset"]))
        return [f"{word} {self.written(value).sql}" for word, value in words if value]

    def _set_operation(self, node: Node) -> str:
        known = frozenset({"type", "modifiers", "cte_map", "setop_type", "setop_all", "children"})
        refuse_unknown(self.source, node, known, "a set operation")
        word = _SET_OPERATIONS.get(node["setop_type"])
        if word is None or any(modifier["type"] == "DISTINCT_MODIFIER" for modifier in node["modifiers"]):
            raise self.source.fault("this set operation is not allowed")
        word += " ALL" if node["setop_all"] else ""
        word += " BY NAME" if node["setop_type"] == "UNION_BY_NAME" else ""
        return f" {word} ".join([f"({self.query(child)})" for child in node["children"]])

    def column(self, node: Node) -> Written:
        """SQL for a column, with the table before it or without; which one it is, the engine finds."""
        self.knows(node, "column_names")
        names: Sequence[str] = node["column_names"]
        if len(names) > 2:
            raise self.source.fault(f"there is no column {shown('.'.join(names))}", node)
        if names[-1] in self.names.ambiguous:
            raise self.source.fault(f"more than one column is called {shown(names[-1])}", node)
        if len(names) == 1 and names[0].lower() in _SPOKEN and names[0].casefold() not in self.names.known:
            raise self.source.fault(f"{shown(names[0])} is not allowed: there is no column of that name", node)
        return Written(".".join([*map(quoted, names[:-1]), self.name(names[-1])]), "any", name=names[-1])

    def operator(self, node: Node) -> Written:
        """SQL for an operator, GROUPING among them."""
        if node["type"] != "GROUPING_FUNCTION":
            return super().operator(node)
        self.knows(node, "children")
        return Written(f"grouping({listed([self.written(child) for child in node['children']])})", "number")

    def _subquery(self, node: Node) -> Written:
        self.knows(node, "subquery", "subquery_type", "child", "comparison_type")
        inner = self.query(node["subquery"]["node"])
        match node["subquery_type"]:
            case "SCALAR":
                return Written(f"({inner})", "any")
            case "EXISTS":
                return Written(f"EXISTS ({inner})", "truth")
            case "ANY" if node["comparison_type"] in _COMPARED:
                child = self.written(node["child"]).sql
                return Written(f"({child} {_COMPARED[node['comparison_type']]} ANY ({inner}))", "truth")
        raise self.source.fault("this kind of subquery is not allowed", node)
