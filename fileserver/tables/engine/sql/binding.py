"""What a query yields, and what the engine has against it, in words for the person who asked."""

import duckdb

from fileserver.tables.engine.sql.names import Names
from fileserver.tables.engine.sql.parsing import first_sentence
from fileserver.tables.faults import OutOfMemory, PlanFault

_HINT = ": columns are text here, and TRY_CAST(column AS DOUBLE) makes numbers of them"


def described(
    connection: duckdb.DuckDBPyConnection, sql: str, *, field: str, names: Names | None = None
) -> tuple[tuple[str, str], ...]:
    """Names and types of the columns of a query of ours. Raises PlanFault when the engine cannot bind it.

    `names` are those of a query of the user, whose columns are all text: with them the engine's words become clearer.
    """
    try:
        rows = connection.execute(f"DESCRIBE {sql}").fetchall()
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        raise OutOfMemory("the plan needs more memory than a transform may have") from error
    except duckdb.Error as error:
        reason = first_sentence(str(error))
        if names is not None:
            reason = names.outside(reason) + (_HINT if "VARCHAR" in reason else "")
        raise PlanFault(reason, field) from error
    return tuple((row[0], row[1]) for row in rows)
