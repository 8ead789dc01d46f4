"""A plan: what becomes of a table, as `parse_plan` reads it from the parameters of a query.

    select=id,total            these columns, in this order; a name with a comma or colon in double quotes: "a,b"
    rename=id:ID,qty:quantity  columns that leave under other names
    filter=qty > 100           rows that match; if given again, all must match; also city = 'Köln', "odd name" != ''
    limit=10                   at most so many rows (from 0)
    format=ndjson              csv (default) or ndjson: a JSON object a row
    delimiter=;                of the input: one ASCII character, `tab`, or auto (default: , ; tab | by the first line)
    header=false               the first record is a row; columns are named column1, column2, ... (default true)
    output_delimiter=tab       of the output (default: that of the input)
    output_header=false        whether the output names its columns (default: as `header`)
    on_error=skip              abort (default) at a malformed row, or skip and count it

The work is done in the order filter, limit, select, rename; every parameter names columns as the input does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

from fileserver.tables.dialect import Dialect
from fileserver.tables.faults import PlanFault
from fileserver.tables.filters import Comparison, parse_comparison
from fileserver.tables.names import ColumnName, Rename, parse_names, parse_renames

Format: TypeAlias = Literal["csv", "ndjson"]

_MAX_LIMIT_DIGITS = 18  # more rows than any table has
_NO_DELIMITERS = frozenset('"\r\n\0')


@dataclass(frozen=True, slots=True)
class Plan:
    """A transform that is sound in itself; whether its columns exist is seen when the header comes.

    An output delimiter or header of None is as the input has it.
    """

    dialect: Dialect = field(default_factory=Dialect)
    filters: tuple[Comparison, ...] = ()
    limit: int | None = None
    select: tuple[ColumnName, ...] | None = None
    renames: tuple[Rename, ...] = ()
    format: Format = "csv"
    output_delimiter: bytes | None = None
    output_header: bool | None = None
    skips_malformed: bool = False

    @property
    def has_output_header(self) -> bool:
        """Whether a CSV output begins with the names of its columns."""
        return self.dialect.has_header if self.output_header is None else self.output_header

    @property
    def media_type(self) -> str:
        """The media type of the output (RFC 4180 s.3).

        >>> Plan().media_type
        'text/csv; charset=utf-8; header=present'
        """
        if self.format == "ndjson":
            return "application/x-ndjson"
        return f"text/csv; charset=utf-8; header={'present' if self.has_output_header else 'absent'}"


def parse_plan(parameters: Sequence[tuple[str, str]]) -> Plan:
    """The plan that the pairs of a query ask for.

    >>> parse_plan([("limit", "10")]).limit
    10

    Raises PlanFault for the first parameter that is unknown, given twice (but for `filter`), or malformed.
    """
    plan = Plan()
    seen: set[str] = set()
    for name, value in parameters:
        if name not in _READERS:
            raise PlanFault(name, 0, "there is no such parameter")
        if name in seen and name != "filter":
            raise PlanFault(name, 0, "the parameter is given twice")
        seen.add(name)
        _refuse_unprintable(name, value)
        plan = _READERS[name](plan, value)
    for name in ("output_delimiter", "output_header"):
        if plan.format != "csv" and name in seen:
            raise PlanFault(name, 0, f"{plan.format} has none")
    return plan


def _refuse_unprintable(parameter: str, value: str) -> None:
    """What no table may hold is no name or text in a plan either."""
    for position, character in enumerate(value):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise PlanFault(parameter, position, "a NUL or half of a surrogate pair")


def _format(value: str) -> Format:
    match value:
        case "csv" | "ndjson":
            return value
    raise PlanFault("format", 0, "csv or ndjson is expected")


def _limit(value: str) -> int:
    for position, character in enumerate(value):
        if character not in "0123456789" or position == _MAX_LIMIT_DIGITS:
            raise PlanFault("limit", position, f"a number of at most {_MAX_LIMIT_DIGITS} digits is expected")
    if not value:
        raise PlanFault("limit", 0, "a number is expected")
    return int(value)


def _delimiter(parameter: str, value: str) -> bytes:
    if value == "tab":
        return b"\t"
    if len(value) != 1 or not value.isascii() or value in _NO_DELIMITERS:
        raise PlanFault(parameter, 0, "one ASCII character that is no quote or line end, or `tab`, is expected")
    return value.encode()


def _is_chosen(parameter: str, value: str, *, yes: str, no: str) -> bool:
    if value not in (yes, no):
        raise PlanFault(parameter, 0, f"{yes} or {no} is expected")
    return value == yes


def _read_delimiter(plan: Plan, value: str) -> Plan:
    delimiter = None if value == "auto" else _delimiter("delimiter", value)
    return replace(plan, dialect=replace(plan.dialect, delimiter=delimiter))


def _read_header(plan: Plan, value: str) -> Plan:
    has_header = _is_chosen("header", value, yes="true", no="false")
    return replace(plan, dialect=replace(plan.dialect, has_header=has_header))


def _read_output_header(plan: Plan, value: str) -> Plan:
    return replace(plan, output_header=_is_chosen("output_header", value, yes="true", no="false"))


def _read_on_error(plan: Plan, value: str) -> Plan:
    return replace(plan, skips_malformed=_is_chosen("on_error", value, yes="skip", no="abort"))


_READERS: Mapping[str, Callable[[Plan, str], Plan]] = MappingProxyType(
    {
        "select": lambda plan, value: replace(plan, select=parse_names(value)),
        "rename": lambda plan, value: replace(plan, renames=parse_renames(value)),
        "filter": lambda plan, value: replace(plan, filters=(*plan.filters, parse_comparison(value))),
        "limit": lambda plan, value: replace(plan, limit=_limit(value)),
        "format": lambda plan, value: replace(plan, format=_format(value)),
        "delimiter": _read_delimiter,
        "header": _read_header,
        "output_delimiter": lambda plan, value: replace(plan, output_delimiter=_delimiter("output_delimiter", value)),
        "output_header": _read_output_header,
        "on_error": _read_on_error,
    }
)

PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "select": "Columns that leave, in this order: `id,total`.",
        "rename": "New names: `id:ID,qty:quantity`.",
        "filter": "Rows that match: `qty > 100`, `city = 'Köln'`. May be given several times.",
        "limit": "At most so many rows.",
        "format": "`csv` or `ndjson`.",
        "delimiter": "Of the input: one character, `tab` or `auto`.",
        "header": "Whether the first record names the columns: `true` or `false`.",
        "output_delimiter": "Of the output.",
        "output_header": "Whether the output names its columns.",
        "on_error": "At a malformed row: `abort`, or `skip` and count it.",
    }
)
"""What a plan may be made of, for people."""
