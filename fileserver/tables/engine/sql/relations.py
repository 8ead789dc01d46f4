"""What stands behind FROM, written anew: the tables of the plan, joins of them, subqueries, VALUES, unnest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fileserver.tables.engine.sql.expressions import ExpressionWriter
from fileserver.tables.engine.sql.functions import LISTS, SCALARS
from fileserver.tables.engine.sql.names import Names, is_private
from fileserver.tables.engine.sql.parsing import Node, Source
from fileserver.tables.engine.sql.scope import Scope, quoted, shown, suggestion
from fileserver.tables.engine.sql.writing import called

_JOINS = {
    "INNER": "JOIN",
    "LEFT": "LEFT JOIN",
    "RIGHT": "RIGHT JOIN",
    "FULL": "FULL JOIN",
    "SEMI": "SEMI JOIN",
    "ANTI": "ANTI JOIN",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a query by the names that it has for them: the names of their columns, and SQL for what they are.

    The real columns are c0, c1, …
    """

    columns: Mapping[str, Sequence[str]]
    relations: Mapping[str, str]

    def named(self, name: str) -> str | None:
        """The table's name as the plan has it: SQL does not tell upper case from lower."""
        return next((known for known in self.columns if known.lower() == name.lower()), None)


class RelationWriter(ExpressionWriter):
    """Writes relations. `visible` are the names of WITH that may be used here, to the ones that the query gets."""

    def __init__(self, source: Source, tables: Tables, names: Names) -> None:
        super().__init__(source, Scope(()), is_aggregate=True)
        self.functions = {**SCALARS, **LISTS}
        self.names = names
        self.visible: Mapping[str, str] = {}
        self.uses: Counter[str] = Counter()
        self._tables = tables

    def query(self, node: Node) -> str:
        """SQL for a query; QueryWriter knows."""
        raise NotImplementedError

    def name(self, name: str) -> str:
        """A column name of the user as an identifier of the query."""
        if is_private(name):
            raise self.source.fault("a control character is no part of a name")
        return quoted(self.names.inside(name))

    def named(self, names: Sequence[str]) -> str:
        """Column names in brackets."""
        return f"({', '.join([self.name(name) for name in names])})"

    def relation(self, node: Node) -> str:
        """SQL for what FROM names, with its alias."""
        match node["type"]:
            case "BASE_TABLE":
                return self._table(node)
            case "SUBQUERY":
                self.knows(node, "subquery", "column_name_alias")
                return f"({self.query(node['subquery']['node'])}){self._alias(node, node['alias'])}"
            case "JOIN":
                return self._join(node)
            case "EXPRESSION_LIST":
                self.knows(node, "values")
                rows = [f"({', '.join([self.written(value).sql for value in row])})" for row in node["values"]]
                return f"(VALUES {', '.join(rows)}) AS {quoted(node['alias'] or 'valueslist')}"
            case "TABLE_FUNCTION":
                return self._unnest(node)
        raise self.source.fault(f"{called(node)} is not allowed behind FROM", node)

    def _table(self, node: Node) -> str:
        self.knows(node, "table_name", "qualified_name", "column_name_alias")
        name: str = node["table_name"]
        is_alone = node["qualified_name"]["path"] == [name]
        alias = self._alias(node, node["alias"] or name)
        if is_alone and (private := self.visible.get(name.lower())):
            self.uses[private] += 1
            return quoted(private) + alias
        table = self._tables.named(name) if is_alone else None
        if table is None:
            known = [*self._tables.columns, *self.visible]
            raise self.source.fault(f"there is no table {shown(name)}" + suggestion(name, known), node)
        names = self.names.columns(self._tables.columns[table])
        columns = ", ".join([f"c{number} AS {quoted(column)}" for number, column in enumerate(names)])
        return f"(SELECT {columns} FROM {self._tables.relations[table]}){alias}"  # noqa: S608

    def _alias(self, node: Node, alias: str) -> str:
        if not alias:
            return ""
        if is_private(alias):
            raise self.source.fault("a control character is no part of a name", node)
        columns: Sequence[str] = node["column_name_alias"]
        return f" AS {quoted(alias)}{self.named(columns) if columns else ''}"

    def _join(self, node: Node) -> str:
        self.knows(
            node,
            *("left", "right", "condition", "join_type", "ref_type", "using_columns", "is_implicit", "nearest_count"),
            "nearest_order_type",
        )
        left, right = self.relation(node["left"]), self.relation(node["right"])
        word = _JOINS.get(node["join_type"])
        match node["ref_type"]:
            case "CROSS":
                return f"({left} CROSS JOIN {right})"
            case "NATURAL" if word:
                return f"({left} NATURAL {word} {right})"
            case "REGULAR" if word:
                return f"({left} {word} {right} {self._joined_on(node)})"
            case "ASOF" if word:
                return f"({left} ASOF {word} {right} {self._joined_on(node)})"
        raise self.source.fault("this kind of join is not allowed", node)

    def _joined_on(self, node: Node) -> str:
        if node["using_columns"]:
            return f"USING {self.named(node['using_columns'])}"
        if node["condition"] is None:
            raise self.source.fault("a join needs a condition", node)
        return f"ON {self.condition(node['condition'])}"

    def _unnest(self, node: Node) -> str:
        self.knows(node, "function", "column_name_alias", "with_ordinality")
        name = node["function"]["function_name"]
        if name != "unnest" or node["with_ordinality"] != "WITHOUT_ORDINALITY":
            raise self.source.fault(f"the table function {shown(name)} is not allowed", node)
        return self.written(node["function"]).sql + self._alias(node, node["alias"] or "unnest")
