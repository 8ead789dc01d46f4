"""Values as the cells of a sheet (ECMA-376 part 1, 18.3.1.4): what becomes of each column, in Polars' expressions."""

import polars as pl

from fileserver.tables.engine.formats.kinds import exact, is_boolean, is_number
from fileserver.tables.engine.formats.workbook import DATE_STYLE
from fileserver.tables.engine.shape import OutColumn

ROW = "row number"  # the column of the sheet's row numbers, as text; no internal name has a space

_EXACT_INTEGER = 10**15 - 1  # Excel keeps 15 digits
_EPOCH = pl.date(1899, 12, 30)  # day 0 of those that count right, behind a February 29th of 1900 that Excel believes in
_FIRST_DATE, _LAST_DATE = pl.date(1900, 3, 1), pl.date(9999, 12, 31)

# XML 1.0 lacks these characters, or does not keep them as they are: then _xHHHH_ is written (part 1, 22.9.2.19)
_UNPRINTABLE = [chr(code) for code in range(0x20) if chr(code) not in "\t\n"] + ["\ufffe", "\uffff"]
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", **{char: f"_x{ord(char):04X}_" for char in _UNPRINTABLE}}
_CLOSE = "</v></c>"
_LIKE_AN_ESCAPE = "_x[0-9A-Fa-f]{4}_"
_SPECIAL = f"[{''.join(_ESCAPES)}]|{_LIKE_AN_ESCAPE}"


def letters(index: int) -> str:
    """The name of the column at the 0-based index.

    >>> letters(0), letters(25), letters(26), letters(16_383)
    ('A', 'Z', 'AA', 'XFD')
    """
    name = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def cells(column: OutColumn, index: int) -> pl.Expr:
    """The XML of the column's cells, whose texts are `escaped`; nothing for null."""
    value = pl.col(column.internal)
    if is_number(column):
        content = _either(exact(column, integers_to=_EXACT_INTEGER), "><v>" + value + _CLOSE, value)
    elif is_boolean(column):
        content = ' t="b"><v>' + value.replace({"true": "1", "false": "0"}) + _CLOSE
    elif column.type == "DATE":
        date = value.str.to_date("%Y-%m-%d", strict=False)
        days = (date - _EPOCH).dt.total_days().cast(pl.String)
        content = _either(date.is_between(_FIRST_DATE, _LAST_DATE), f' s="{DATE_STYLE}"><v>' + days + _CLOSE, value)
    else:
        content = _text(value)
    placed = f'<c r="{letters(index)}' + pl.col(ROW) + '"' + content
    return placed.fill_null("").alias(column.internal)


def escaped(frame: pl.DataFrame) -> pl.DataFrame:
    """The texts as XML has them."""
    needs = frame.select(pl.all().str.contains(_SPECIAL).any())
    return frame.with_columns(_escaped(name) for name in frame.columns if needs[name].item())


def _escaped(name: str) -> pl.Expr:
    text = pl.col(name)
    literal = pl.when(text.str.contains(_LIKE_AN_ESCAPE)).then(text.str.replace_all("_x", "_x005F_x", literal=True))
    return literal.otherwise(text).str.replace_many(list(_ESCAPES), list(_ESCAPES.values())).alias(name)


def _either(may: pl.Expr, typed: pl.Expr, value: pl.Expr) -> pl.Expr:
    return pl.when(may).then(typed).otherwise(_text(value))


def _text(value: pl.Expr) -> pl.Expr:
    return ' t="inlineStr"><is><t xml:space="preserve">' + value + "</t></is></c>"
