"""Faults of tables and plans in words for a terminal: one line that says where."""

from fileserver.tables import EncodingFault, NeedsStoredInput, PlanFault, RowFault, TableFault

_RAW_SHOWN = 200  # characters of a row


def explained(fault: TableFault, source: str) -> str:
    """A line about the fault; positions count from 1, as people and editors do.

    >>> explained(PlanFault("there is no column qyt", "filter", 0), "sales.csv")
    '--filter, character 1: there is no column qyt'
    >>> explained(RowFault("a cell is missing", row=2, line=3, raw="1,2"), "sales.csv")
    'sales.csv, line 3 (row 2): a cell is missing: 1,2'
    """
    match fault:
        case PlanFault(field=""):
            return fault.reason
        case PlanFault():
            return f"{_where(fault)}: {fault.reason}"
        case RowFault():
            return f"{source}{_row(fault)}: {fault.reason}{_raw(fault)}"
        case EncodingFault(offset=int(offset)):
            return f"{source}, byte {offset + 1}: {fault.reason}"
        case NeedsStoredInput():
            return f"{source}: {fault.reason}; give it as a file"
        case _:
            return f"{source}: {fault.reason}"


def is_of_the_plan(fault: TableFault) -> bool:
    """Whether other words on the command line could help, rather than another table."""
    return isinstance(fault, PlanFault | NeedsStoredInput)


def printable(text: str) -> str:
    """The text without what would command a terminal: tables hold anything.

    >>> printable("a\\x1b[2Jb\\nc")
    'a [2Jb c'
    """
    return "".join(each if each.isprintable() else " " for each in text)


def _where(fault: PlanFault) -> str:
    is_flag = fault.field.replace("_", "").isalnum()  # `output_bom`, but steps[2].where of a plan in JSON
    name = f"--{fault.field.replace('_', '-')}" if is_flag else fault.field
    return name if fault.position is None else f"{name}, character {fault.position + 1}"


def _row(fault: RowFault) -> str:
    line = "" if fault.line is None else f", line {fault.line}"
    row = "" if fault.row is None else f" (row {fault.row})"
    column = "" if fault.column is None else f", column {fault.column}"
    return f"{line}{row}{column}"


def _raw(fault: RowFault) -> str:
    return "" if fault.raw is None else f": {printable(fault.raw)[:_RAW_SHOWN]}"
