"""What a spreadsheet would take for a formula, and the guard put before it (OWASP: CSV Injection)."""

import re
from typing import Literal, TypeAlias

import polars as pl

Guard: TypeAlias = Literal["off", "quote", "tab"]

_MARKS = {"quote": "'", "tab": "\t"}
_FORMULA = r"^(?:[\t\r\n]|[\s\x00]*[=+\-@＝＋－＠])"  # the wide forms are the same keys to a Japanese Excel
_NUMBER = r"^[+-](?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"  # -5 is no formula


def guarded(text: str, guard: Guard) -> str:
    """The text, with the guard before it if it looks like a formula.

    >>> guarded("=1+1", "quote"), guarded("-5", "quote"), guarded("=1+1", "off")
    ("'=1+1", '-5', '=1+1')
    """
    if guard == "off" or not re.search(_FORMULA, text) or re.search(_NUMBER, text):
        return text
    return _MARKS[guard] + text


def guarded_frame(frame: pl.DataFrame, guard: Guard) -> pl.DataFrame:
    """The same of all values."""
    if guard == "off":
        return frame
    return frame.select(_guarded(name, _MARKS[guard]) for name in frame.columns)


def _guarded(name: str, mark: str) -> pl.Expr:
    text = pl.col(name)
    is_formula = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    return pl.when(is_formula).then(mark + text).otherwise(text).alias(name)
