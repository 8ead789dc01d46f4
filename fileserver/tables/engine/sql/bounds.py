"""Calls that could make a giant of a small table: what each would make, or cost, is worked out before it runs.

A call that would pass a limit raises, so no value outgrows them, and no single call takes long. All other functions
give at most a few times what they get, whatever it is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from fileserver.tables.engine.sql.scope import literal
from fileserver.tables.engine.sql.writing import Written, listed

MOST_BYTES = 10_000_000  # of a value: a worker has room for several of them, in each of its threads
MOST_PAIRS = 25_000_000  # of characters that are compared: 0.2 s, and 200 MB for damerau_levenshtein
MOST_PIECES = 1_000_000  # of a text that is split: each takes 16 bytes and more
MOST_STEPS = 200_000_000  # of a regular expression, which takes up to one for each of its parts at each byte
_COUNTED = 100  # what a part such as `{500}` is taken to make of a pattern: the engine allows up to 1000
_WIDEST = 999  # characters of a field of printf and format
_NUMBER = 100  # bytes that a number, a date or a truth is printed with at most

_REFUSED = "beyond the limits"
_FOUND = re.compile(f"'{_REFUSED}: (.*?)' to ")

_FIELD = {"printf": "%[^a-zA-Z%]*([0-9]{4}|[*])", "format": "[{][^}]*([0-9]{4}|:[^}]*[{])"}
_Parts: TypeAlias = Sequence["_Part"]


@dataclass(frozen=True, slots=True)
class _Part:
    """An argument: its SQL, how many bytes it has as text, and what kind it is."""

    written: Written
    sql: str

    @property
    def size(self) -> str:
        if is_literal(self.written):
            return str(len(self.sql.encode()))
        match self.written.kind:
            case "number" | "truth" | "moment":
                return str(_NUMBER)
            case "text" | "string":
                return f"coalesce(strlen({self.sql}), 0)"
        return f"coalesce(strlen(CAST({self.sql} AS VARCHAR)), 0)"

    @property
    def number(self) -> str:
        return f"greatest(CAST({self.sql} AS DOUBLE), 0)"


@dataclass(frozen=True, slots=True)
class _Bound:
    """At most `most` of `amount`, which is SQL of a DOUBLE."""

    amount: Callable[[_Parts], str]
    most: int = MOST_BYTES
    reason: str = field(default=f"a text of more than {MOST_BYTES:,} bytes")


def bounded(name: str, arguments: Sequence[Written]) -> str:
    """SQL for a call, which raises where it would make or cost too much; `refusal` tells why."""
    bounds = _BOUNDS.get(name, ())
    if not bounds or len(arguments) < _LEAST.get(name, 1) or all(part.kind in _SHORT for part in arguments):
        return _call(name, arguments)
    are_simple = all(is_literal(part) or part.name is not None for part in arguments)
    if are_simple and not all(map(is_literal, arguments)):
        return _checked(name, bounds, arguments)
    return _once(name, bounds, arguments)


def refusal(message: str) -> str | None:
    """Why a call was refused, if it is that what the engine's message tells of."""
    found = _FOUND.search(message)
    return found and found[1]


def is_literal(part: Written) -> bool:
    """Whether it is a number or a string that the user wrote."""
    return part.number is not None or part.is_literal


def _once(name: str, bounds: Sequence[_Bound], arguments: Sequence[Written]) -> str:
    """The call over names for its arguments: written twice in each call, they would grow with two to their depth."""
    # options and formats must stay literals, but one argument must be none: see `_raised`
    moved = [place for place, part in enumerate(arguments) if not is_literal(part)] or [0]
    named = [
        Written(f"it.a{place}", part.kind, name=part.name) if place in moved else part
        for place, part in enumerate(arguments)
    ]
    members = ", ".join([f"a{place}: {arguments[place].sql}" for place in moved])
    return f"list_transform([{{{members}}}], lambda it: {_checked(name, bounds, named)})[1]"


def _checked(name: str, bounds: Sequence[_Bound], arguments: Sequence[Written]) -> str:
    parts = [_Part(part, part.sql) for part in arguments]
    value = next(part.sql for part in arguments if not is_literal(part))
    whens = [
        f"WHEN {bound.amount(parts)} > {bound.most} THEN {_raised(f'`{name}` would make {bound.reason}', value)}"
        for bound in bounds
    ]
    return f"(CASE {' '.join(whens)} ELSE {_call(name, arguments)} END)"


def _call(name: str, arguments: Sequence[Written]) -> str:
    if name == "||":
        return f"({' || '.join([part.sql for part in arguments])})"
    return f"{name}({listed(arguments)})"


def _raised(reason: str, value: str) -> str:
    """SQL of no type that raises. It takes nothing of the value, but without one it would run before it is reached.

    The engine's own `error` is of those that differ from call to call: TRY and names of SELECT in WHERE refuse them.
    """
    text = f"concat({literal(f'{_REFUSED}: {reason}')}, left(CAST({value} AS VARCHAR), 0))"
    return f"CASE WHEN CAST({text} AS TINYINT) IS NULL THEN NULL END"


def _sum(parts: _Parts) -> str:
    return " + ".join([f"CAST({part.size} AS DOUBLE)" for part in parts])


def _times(factor: int) -> Callable[[_Parts], str]:
    return lambda parts: f"{factor} * {_double(parts[0])}"


def _double(part: _Part) -> str:
    return f"CAST({part.size} AS DOUBLE)"


def _padded(parts: _Parts) -> str:
    text, length, pad = parts[:3]
    return f"{_double(text)} + {length.number} * least({pad.size}, 4)"


def _joined(parts: _Parts) -> str:
    return f"{_sum(parts[1:])} + {len(parts)} * {_double(parts[0])}"


def _replaced(parts: _Parts) -> str:
    """What is certain, and where that is too much, what is exact."""
    text, old, new = parts[:3]
    most = f"{_double(text)} * (1 + {new.size} / greatest({old.size}, 1))"
    times = f"({text.size} - strlen(replace({text.sql}, {old.sql}, ''))) / greatest({old.size}, 1)"
    return f"(CASE WHEN {most} <= {MOST_BYTES} THEN 0 ELSE {_double(text)} + {times} * {new.size} END)"


def _rewritten(parts: _Parts) -> str:
    """With `g` each byte may be replaced; without, each two bytes of the new text (`\\1`) may stand for all."""
    text, _, new = parts[:3]
    if len(parts) > 3:
        return f"{_double(text)} * (2 + {new.size})"
    return f"{_double(text)} * (1 + {new.size} / 2) + {new.size}"


def _searched(parts: _Parts) -> str:
    text, pattern = parts[:2]
    factor = f"CASE WHEN contains({pattern.sql}, '{{') THEN {_COUNTED} ELSE 1 END"
    return f"{_double(text)} * {pattern.size} * {factor}"


def _compared(parts: _Parts) -> str:
    one, other = parts[:2]
    return f"CAST(length({one.sql}) AS DOUBLE) * length({other.sql})"


def _printed(parts: _Parts) -> str:
    form, *values = parts
    return f"{_double(form)} * ({_WIDEST} + {_sum(values) if values else 0}) / 2"


def _wide(name: str) -> Callable[[_Parts], str]:
    return lambda parts: f"CASE WHEN regexp_matches({parts[0].sql}, {literal(_FIELD[name])}) THEN 1 ELSE 0 END"


def _put_together(parts: _Parts) -> str:
    values, between = parts[:2]
    return f"{_double(values)} + CAST(len({values.sql}) AS DOUBLE) * {between.size}"


_DISTANCES = ("levenshtein", "editdist3", "damerau_levenshtein", "jaro_similarity", "jaro_winkler_similarity")
_SHORT = frozenset({"truth", "moment"})
_LEAST: Mapping[str, int] = {
    **dict.fromkeys(("repeat", "concat_ws", "array_to_string", *_DISTANCES), 2),
    **dict.fromkeys(("lpad", "rpad", "replace", "regexp_replace", "to_base"), 3),
    **dict.fromkeys(("regexp_matches", "regexp_full_match", "regexp_extract", "regexp_extract_all"), 2),
    **dict.fromkeys(("regexp_split_to_array", "string_split_regex", "str_split_regex", "strftime"), 2),
}
_STEPS = _Bound(_searched, MOST_STEPS, "too many steps: the text is too long for this pattern")
_PIECES = _Bound(_times(1), MOST_PIECES, f"too much: it splits at most {MOST_PIECES:,} bytes")
_PAIRS = _Bound(_compared, MOST_PAIRS, f"more than {MOST_PAIRS:,} comparisons: the texts are too long")
_BOUNDS: Mapping[str, Sequence[_Bound]] = {
    **dict.fromkeys(("||", "concat", "overlay"), (_Bound(_sum),)),
    "concat_ws": (_Bound(_joined),),
    "repeat": (_Bound(lambda parts: f"{_double(parts[0])} * {parts[1].number}"),),
    "to_base": (_Bound(lambda parts: parts[2].number),),
    **dict.fromkeys(("lpad", "rpad"), (_Bound(_padded),)),
    "replace": (_Bound(_replaced),),
    "regexp_replace": (_STEPS, _Bound(_rewritten)),
    **dict.fromkeys(("hex", "to_hex", "regexp_escape"), (_Bound(_times(2)),)),
    **dict.fromkeys(("bin", "to_binary"), (_Bound(_times(8)),)),
    "url_encode": (_Bound(_times(3)),),
    "strftime": (_Bound(lambda parts: f"16 * ({_sum(parts)})"),),
    **{
        name: (_Bound(_wide(name), 0, f"fields of more than {_WIDEST} characters"), _Bound(_printed))
        for name in ("printf", "format")
    },
    **dict.fromkeys(_DISTANCES, (_PAIRS,)),
    **dict.fromkeys(("regexp_matches", "regexp_full_match", "regexp_extract"), (_STEPS,)),
    **dict.fromkeys(("regexp_split_to_array", "string_split_regex", "str_split_regex"), (_STEPS, _PIECES)),
    **dict.fromkeys(("string_split", "str_split", "split", "string_to_array"), (_PIECES,)),
    "regexp_extract_all": (_STEPS, _PIECES),
    "array_to_string": (_Bound(_put_together),),
}
