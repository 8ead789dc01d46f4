"""A plan: how a table is to be read, what becomes of it step by step, and how it leaves.

A plan is data: it can be checked, stored and sent as JSON. What it says of columns and expressions is seen only when
the header is there. `version` is that of this vocabulary.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

MAX_STEPS = 100
MAX_EXPRESSION = 10_000  # characters
TYPE_PATTERN = (
    r"^(text|bool|int32|int64|int128|float64|date|time|timestamp|"
    r"decimal\((?:[1-9]|[12][0-9]|3[0-8]),(?:[0-9]|[12][0-9]|3[0-8])\))$"
)
TABLE_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
_RESERVED = re.compile(r"input|stage\d+|join\d+")  # what the engine calls relations of its own
MAX_PLAN_SIZE = 1 << 20
"""Bytes of a plan in JSON: room for a hundred steps over thousands of columns."""


def _whole(value: str) -> str:
    """What no table may hold is no name or value in a plan either."""
    if "\0" in value:
        raise ValueError("a NUL is no part of a plan")
    return value


Text: TypeAlias = Annotated[str, AfterValidator(_whole)]
Name: TypeAlias = Annotated[Text, StringConstraints(max_length=1000)]
Expression: TypeAlias = Annotated[Text, StringConstraints(min_length=1, max_length=MAX_EXPRESSION)]
_DECIMAL = re.compile(r"decimal\(([0-9]+),([0-9]+)\)")


def _holdable(value: str) -> str:
    found = _DECIMAL.fullmatch(value)
    if found and int(found[2]) > int(found[1]):
        raise ValueError("a decimal has no more digits behind the point than digits")
    return value


Type: TypeAlias = Annotated[
    str,
    StringConstraints(pattern=TYPE_PATTERN),
    AfterValidator(_holdable),
]


def _one_character(value: str) -> str:
    value = "\t" if value == "tab" else value
    if len(value) != 1 or (not " " <= value <= "~" and value != "\t"):
        raise ValueError("one ASCII character is expected, or `tab`")
    return value


def _delimiter(value: str) -> str:
    if value == "auto":
        return value
    if value in ('"', "'"):
        raise ValueError("a quote cannot delimit")
    return _one_character(value)


Character: TypeAlias = Annotated[str, AfterValidator(_one_character)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Part):
    """How the bytes of a table are to be read."""

    delimiter: Annotated[str, AfterValidator(_delimiter)] = Field(
        default="auto",
        description="One ASCII character, `tab`, or `auto`: of comma, semicolon, tab and | what fits the first lines.",
        examples=["tab"],
    )
    quote: Character | None = Field(
        default='"', description="One ASCII character. Null: quotes mean nothing.", examples=["'"]
    )
    escape: Character | None = Field(
        default=None,
        description="What makes a quote within quotes a part of the value. Null: the quote, doubled.",
        examples=["\\"],
    )
    encoding: str = Field(
        default="auto",
        max_length=40,
        description="utf-8, utf-16, cp1252, … by any name that Python knows, or `auto`: told by the first 64 KiB.",
        examples=["cp1252"],
    )
    header: bool = Field(default=True, description="Whether the first record names the columns.")
    columns: tuple[Name, ...] | None = Field(
        default=None, description="Names for the columns, instead of those of the header or column1, column2, …"
    )
    skip_rows: int = Field(default=0, ge=0, le=1_000_000, description="Physical lines before the first record.")
    comment: Character | None = Field(default=None, description="Lines that begin with it are no rows.", examples=["#"])
    on_bad_row: Literal["abort", "skip", "pad"] = Field(
        default="abort",
        description="A malformed row ends the transform, is rejected, or, if it is only short, is filled with nulls.",
    )
    max_rejects: int = Field(default=100_000, ge=0, description="Rejects after which the transform fails all the same.")

    @field_validator("quote", "escape", "comment")
    @classmethod
    def _differs(cls, value: str | None, info: ValidationInfo) -> str | None:
        """One character cannot mean two things, but that an escape which is the quote is the doubled quote."""
        before = ["delimiter"] if info.field_name != "comment" else ["delimiter", "quote", "escape"]
        if value is not None and value in (info.data.get(name) for name in before):
            raise ValueError("a delimiter, quote, escape and comment have to differ")
        return value


class Select(_Part):
    """These columns alone, in this order."""

    op: Literal["select"] = "select"
    columns: Annotated[tuple[Name, ...], Field(min_length=1)]


class Drop(_Part):
    """All columns but these."""

    op: Literal["drop"] = "drop"
    columns: tuple[Name, ...]


class Rename(_Part):
    """New names by old ones."""

    op: Literal["rename"] = "rename"
    columns: Mapping[Name, Name]


class Types(_Part):
    """How expressions see columns: a value that is not of the type is null to them. What leaves stays as it came."""

    op: Literal["types"] = "types"
    columns: Mapping[Name, Type]


class Filter(_Part):
    """The rows for which the expression is true."""

    op: Literal["filter"] = "filter"
    where: Expression


class Derive(_Part):
    """New columns, or new values of old ones, by name; all see the columns as they were before the step."""

    op: Literal["derive"] = "derive"
    columns: Mapping[Name, Expression]


class Cast(_Part):
    """Values become those of a type, and leave as it prints them; null stays null.

    A value that is not of the type ends the transform, rejects its row, becomes null, or becomes null with a word about
    it in the column `_errors` (`mark`).
    """

    op: Literal["cast"] = "cast"
    columns: Mapping[Name, Type]
    format: str | None = Field(
        default=None, min_length=1, max_length=100, description="Of dates and times, as strptime has it: %d/%m/%Y."
    )
    on_error: Literal["abort", "skip", "null", "mark"] = "abort"


class FillNull(_Part):
    """Values for nulls, by column."""

    op: Literal["fill_null"] = "fill_null"
    columns: Mapping[Name, Text]


class Replace(_Part):
    """Other values for whole values of a column."""

    op: Literal["replace"] = "replace"
    column: Name
    map: Mapping[Text, Text | None]


class Clean(_Part):
    """Small repairs of text, in the order given."""

    op: Literal["clean"] = "clean"
    columns: Literal["*"] | tuple[Name, ...] = "*"
    actions: Annotated[
        tuple[Literal["trim", "collapse_spaces", "empty_to_null", "lower", "upper", "nfc"], ...], Field(min_length=1)
    ]


class Distinct(_Part):
    """One row of those that are alike in some columns, or in all: the first, or any (which is quicker)."""

    op: Literal["distinct"] = "distinct"
    on: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    keep: Literal["first", "any"] = "first"


class GroupBy(_Part):
    """A row for each group of rows alike in some columns, with aggregates by name. No columns: one row for all."""

    op: Literal["group_by"] = "group_by"
    columns: tuple[Name, ...] = ()
    aggregate: Mapping[Name, Expression] = Field(default_factory=dict)
    having: Expression | None = None


class Join(_Part):
    """Columns of another stored table for the rows that agree with one of its rows in `on` (ours to theirs)."""

    op: Literal["join"] = "join"
    file: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    on: Annotated[Mapping[Name, Name], Field(min_length=1)]
    how: Literal["inner", "left", "semi", "anti"] = "left"
    columns: Mapping[Name, Name] | None = Field(
        default=None, description="Theirs to the names they get; null: all but those of `on`, under their names."
    )
    input: Input = Input()


class SortKey(_Part):
    """A column to sort by, seen as a type: text by code points, numbers by value."""

    column: Name
    desc: bool = False
    type: Type | None = Field(default=None, description="Null: as `types` has it, else text.")
    nulls: Literal["first", "last"] = "last"


class Sort(_Part):
    """In order; rows that are equal in all keys stay in the order they had."""

    op: Literal["sort"] = "sort"
    by: Annotated[tuple[SortKey, ...], Field(min_length=1)]


class Sample(_Part):
    """So many rows by chance, in the order they had; the same ones for the same seed and the same rows."""

    op: Literal["sample"] = "sample"
    n: int = Field(ge=0, le=1_000_000)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)


class Limit(_Part):
    """At most `n` rows, after the first `offset`."""

    op: Literal["limit"] = "limit"
    n: int | None = Field(default=None, ge=0, lt=10**18)
    offset: int = Field(default=0, ge=0, lt=10**18)


Step: TypeAlias = Annotated[
    Select
    | Drop
    | Rename
    | Types
    | Filter
    | Derive
    | Cast
    | FillNull
    | Replace
    | Clean
    | Distinct
    | GroupBy
    | Join
    | Sort
    | Sample
    | Limit,
    Field(discriminator="op"),
]


class Output(_Part):
    """How the table leaves."""

    format: Literal["csv", "tsv", "ndjson", "json", "parquet", "arrow", "xlsx"] = Field(
        default="csv", description="What the table leaves as."
    )
    delimiter: Annotated[str, AfterValidator(_delimiter)] = Field(
        default="auto", description="Of csv; `auto`: as the input has it.", examples=[";"]
    )
    quote_style: Literal["necessary", "always", "non_numeric", "never"] = Field(
        default="necessary",
        description="Which cells stand in quotes; what needs them and may not have them (`never`) is a fault.",
    )
    header: bool | None = Field(default=None, description="Whether the names are told. Null: as the input has it.")
    null_value: Annotated[Text, StringConstraints(max_length=100)] = Field(
        default="", description="What a null is written as, in csv and tsv."
    )
    line_ending: Literal["auto", "lf", "crlf"] = Field(
        default="auto", description="Of csv and tsv; `auto`: as the input has it."
    )
    encoding: str = Field(
        default="utf-8", max_length=40, description="Of csv and tsv; a character that it lacks is a fault."
    )
    bom: bool = Field(default=False, description="A byte order mark first, as Excel likes it.")
    formula_guard: Literal["off", "quote", "tab"] = Field(
        default="off",
        description="In csv and tsv: what is put before text that a spreadsheet would take for a formula, ' or a tab. "
        "It changes data.",
    )
    end_record: bool = Field(default=False, description="NDJSON's last line says the counts, and that all is there.")


class Plan(_Part):
    """A whole transform: steps in their order, or one SELECT in SQL over `input` and `tables`, never both."""

    version: Literal[1] = 1
    input: Input = Input()
    steps: Annotated[tuple[Step, ...], Field(max_length=MAX_STEPS)] = ()
    sql: Annotated[str, StringConstraints(min_length=1, max_length=MAX_EXPRESSION)] | None = Field(
        default=None, description="One SELECT over `input`, whose columns are all text, and the names in `tables`."
    )
    tables: Mapping[Annotated[str, StringConstraints(pattern=TABLE_PATTERN)], str] = Field(
        default_factory=dict, description="Keys of other stored tables by the names that `sql` gives them."
    )
    output: Output = Output()
    delivery: Literal["stream", "complete"] = Field(
        default="stream", description="As it comes, or all or nothing, with its length and digest."
    )

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if self.sql is not None and self.steps:
            raise ValueError("`sql` and `steps` exclude each other")
        if self.tables and self.sql is None:
            raise ValueError("`tables` belong to `sql`")
        names = [name.lower() for name in self.tables]  # SQL knows no other difference
        if len(set(names)) < len(names) or any(map(_RESERVED.fullmatch, names)):
            raise ValueError("names in `tables` are taken, or differ in case alone")
        return self
