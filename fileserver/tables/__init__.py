"""CSV and its kin: plans for tables, and the engine that carries them out in a worker.

What is named here is the vocabulary that server and worker share. `engine` is the worker's alone: nothing outside of
it imports it, and so the server never loads the libraries that chew on a stranger's bytes.
"""

from fileserver.tables.counts import Counts
from fileserver.tables.faults import (
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
    fault_of,
)
from fileserver.tables.parameters import PARAMETERS, Parameter
from fileserver.tables.plan import MAX_PLAN_SIZE, Plan
from fileserver.tables.plan_json import parse_plan
from fileserver.tables.query import Asked, parse_query

__all__ = [
    "MAX_PLAN_SIZE",
    "PARAMETERS",
    "Asked",
    "Counts",
    "EncodingFault",
    "EngineFailed",
    "HeaderFault",
    "NeedsStoredInput",
    "OutOfMemory",
    "OutOfTime",
    "Parameter",
    "Plan",
    "PlanFault",
    "RowFault",
    "TableFault",
    "TooManyRejects",
    "fault_of",
    "parse_plan",
    "parse_query",
]
