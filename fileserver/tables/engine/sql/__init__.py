"""The user's expressions and queries: parsed by DuckDB, checked against lists of what is allowed, written anew."""

from fileserver.tables.engine.sql.binding import described
from fileserver.tables.engine.sql.expressions import expression
from fileserver.tables.engine.sql.queries import Select, select
from fileserver.tables.engine.sql.scope import Column, Scope, literal, quoted

__all__ = ["Column", "Scope", "Select", "described", "expression", "literal", "quoted", "select"]
