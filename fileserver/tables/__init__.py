"""CSV and its kin: bytes in, bytes out. No HTTP, no storage.

A value that no step touches leaves byte for byte as it came, its quotes included.
"""

from fileserver.tables.counts import Counts
from fileserver.tables.engine import Engine
from fileserver.tables.faults import HeaderFault, PlanFault, RowFault, TableFault
from fileserver.tables.plan import PARAMETERS, Plan, parse_plan
from fileserver.tables.transform import Transform

__all__ = [
    "PARAMETERS",
    "Counts",
    "Engine",
    "HeaderFault",
    "Plan",
    "PlanFault",
    "RowFault",
    "TableFault",
    "Transform",
    "parse_plan",
]
