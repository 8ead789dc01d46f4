"""What the engine raises, as faults: whose it is, and in words that a person can use."""

import re

import duckdb
from polars.exceptions import PanicException

from fileserver.tables.engine.sql.bounds import refusal
from fileserver.tables.faults import EngineFailed, OutOfMemory, PlanFault, TableFault

_INTERNALS = re.compile(r"(?:\bcolumn )?\b(?:(?:stage|join)\d+|c\d+)\b")
_SHOWN = 300  # characters


def fault_from(error: BaseException) -> TableFault:
    """The fault that an error of a job is."""
    match error:
        case TableFault():
            return error
        case duckdb.OutOfMemoryException() | MemoryError() | PanicException():  # Polars panics for want of memory
            return OutOfMemory("the transform needs more memory or disk than it may have")
        case duckdb.BinderException() | duckdb.ParserException() | duckdb.CatalogException():
            return PlanFault(_first_line(error))
        case duckdb.ConversionException() if reason := refusal(str(error)):
            return TableFault(reason)
        case duckdb.ConversionException() | duckdb.OutOfRangeException() | duckdb.InvalidInputException():
            return TableFault(_first_line(error))
        case _:
            return EngineFailed(f"the engine failed: {type(error).__name__}")


def _first_line(error: BaseException) -> str:
    """What the engine says, up to where it shows SQL that nobody wrote."""
    text = str(error).partition("\n")[0].partition("LINE ")[0]
    text = re.sub(r"^[A-Z][A-Za-z ]* Error: ", "", text)
    return _INTERNALS.sub("a column", text)[:_SHOWN] or "the engine refused it"
