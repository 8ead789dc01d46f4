"""Faults of tables and plans as problems."""

from collections.abc import Mapping

from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemType
from fileserver.tables import (
    PARAMETERS,
    EncodingFault,
    EngineFailed,
    HeaderFault,
    NeedsStoredInput,
    OutOfMemory,
    OutOfTime,
    PlanFault,
    RowFault,
    TableFault,
    TooManyRejects,
)

_TYPES: Mapping[type[TableFault], ProblemType] = {
    EncodingFault: problems.BAD_ENCODING,
    EngineFailed: problems.ENGINE_FAILED,
    HeaderFault: problems.MALFORMED_TABLE,
    NeedsStoredInput: problems.NEEDS_STORED_INPUT,
    OutOfMemory: problems.OUT_OF_MEMORY,
    OutOfTime: problems.OUT_OF_TIME,
    PlanFault: problems.PLAN_FAULT,
    RowFault: problems.MALFORMED_ROW,
    TableFault: problems.TABLE_FAULT,
    TooManyRejects: problems.TOO_MANY_REJECTS,
}


def problem_of_fault(fault: TableFault) -> Problem:
    """The problem that a fault is, with what is known of its place as members of the document."""
    members = {
        name: value
        for name, value in fault.as_message().items()
        if name not in ("code", "reason") and value is not None
    }
    if isinstance(fault, PlanFault) and fault.field in PARAMETERS:
        members["parameter"] = fault.field
    return Problem(_TYPES[type(fault)], fault.reason, members)
