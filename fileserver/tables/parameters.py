"""The parameters a plan may be given by: in a query, in the fields of a form, and as options of the command.

Those of `Input` and `Output` say here what their fields say there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from pydantic import BaseModel

from fileserver.tables.plan import Input, Output

Schema: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What may be given under a name: `schema` is JSON Schema for one value, `part` where it goes in the plan."""

    name: str
    description: str
    example: str = ""
    schema: Schema = field(default_factory=lambda: MappingProxyType({"type": "string"}))
    is_repeatable: bool = False
    part: str = ""


_NUMBER: Schema = {"type": "integer", "minimum": 0}
_INPUT = ("comment", "delimiter", "encoding", "escape", "header", "max_rejects", "on_bad_row", "quote", "skip_rows")
_OUTPUT = {
    "format": "format",
    "formula_guard": "formula_guard",
    "output_bom": "bom",
    "output_delimiter": "delimiter",
    "output_encoding": "encoding",
    "output_end_record": "end_record",
    "output_header": "header",
    "output_line_ending": "line_ending",
    "output_null_value": "null_value",
    "output_quote_style": "quote_style",
}
NULLABLE = frozenset({"comment", "escape", "quote"})
"""Where `none` means that there is none."""


def _of_field(name: str, member: str, part: type[BaseModel]) -> Parameter:
    schema: dict[str, Any] = dict(part.model_json_schema()["properties"][member])
    options: list[Schema] = schema.pop("anyOf", [])
    schema |= next((option for option in options if option.get("type") != "null"), {})
    kept: Schema = {
        word: schema[word] for word in ("type", "enum", "minimum", "maximum", "maxLength") if word in schema
    }
    description = str(schema["description"])
    example = str(next(iter(schema.get("examples", [])), ""))
    return Parameter(name, description, example, kept, part=f"{part.__name__.lower()}.{member}")


_DELIVERY = Parameter(
    "delivery",
    "`stream`: as it comes. `complete`: all or nothing, with its length and digest.",
    "complete",
    {"type": "string", "enum": ["stream", "complete"]},
    part="delivery",
)
_OF_STEPS = (
    Parameter(
        "aggregate",
        "Aggregates by name, a row for each group of `group_by`, or one row for all: `n=count(*);most=max(qty)`.",
        "n=count(*)",
        is_repeatable=True,
    ),
    Parameter("cast", "Columns whose values become those of a type: `signup:date,qty:int64`.", "signup:date"),
    Parameter("cast_format", "Of the dates and times in `cast`, as strptime has it: `%d/%m/%Y`.", "%d/%m/%Y"),
    Parameter(
        "cast_on_error",
        "At a value that is not of the type: `abort`, `skip` the row, `null`, or `mark` it in a column `_errors`.",
        "mark",
        {"type": "string", "enum": ["abort", "skip", "null", "mark"]},
    ),
    Parameter(
        "clean",
        "Repairs of all columns, in this order: `trim`, `collapse_spaces`, `empty_to_null`, `lower`, `upper`, `nfc`.",
        "trim,empty_to_null",
    ),
    Parameter("columns", "Names for the columns, instead of those of the header: `id,city,qty`.", "id,city,qty"),
    Parameter(
        "derive",
        "New columns, or new values of old ones: `total=amount*qty;label=upper(city)`.",
        "double=qty*2",
        is_repeatable=True,
    ),
    Parameter("distinct", "One row of those alike in these columns, or in all (`*`).", "city"),
    Parameter("drop", "Columns that do not leave.", "flag"),
    Parameter("fill_null", "Values for nulls: `flag:unknown`.", "flag:unknown"),
    Parameter("filter", "Rows for which an expression is true; `where` is the same.", "qty > 100", is_repeatable=True),
    Parameter("group_by", "One row for each group of rows alike in these columns, with `aggregate`.", "city"),
    Parameter("having", "Groups for which an expression over `group_by` and `aggregate` is true.", "n > 1"),
    Parameter(
        "keep",
        "Of `distinct`: the `first` of rows that are alike, or `any`, which is quicker.",
        "any",
        {"type": "string", "enum": ["first", "any"]},
    ),
    Parameter("limit", "At most so many rows.", "100", _NUMBER),
    Parameter("offset", "So many rows are passed over first.", "100", _NUMBER),
    Parameter("plan", "A whole plan as JSON; then nothing but `delivery` stands beside it.", '{"steps":[]}'),
    Parameter("rename", "New names: `id:ID,qty:quantity`.", "id:ID"),
    Parameter("replace", "Other values for whole values: `city:Köln:Cologne,city:NA:`.", "city:Köln:Cologne"),
    Parameter("sample", "So many rows by chance.", "10", _NUMBER),
    Parameter("seed", "Of `sample`: another number, other rows.", "7", _NUMBER),
    Parameter("select", "Columns that leave, in this order.", "id,qty"),
    Parameter("sort", "Columns to sort by; `-` before: descending, `:type` behind: seen as that.", "-qty:int64,id"),
    Parameter("sql", "One SELECT over the table `input`, instead of steps.", "select count(*) as n from input"),
    Parameter("types", "How expressions see columns: `qty:int64,amount:decimal(18,2)`.", "qty:int64"),
    Parameter("where", "The same as `filter`.", "qty > 100", is_repeatable=True),
)

PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        parameter.name: parameter
        for parameter in sorted(
            (
                _DELIVERY,
                *_OF_STEPS,
                *(_of_field(name, name, Input) for name in _INPUT),
                *(_of_field(name, member, Output) for name, member in _OUTPUT.items()),
            ),
            key=lambda parameter: parameter.name,
        )
    }
)
"""All of them, in alphabetical order."""
