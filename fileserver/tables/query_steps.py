"""The steps that a query asks for, in the one order that queries have."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from fileserver.tables.faults import PlanFault
from fileserver.tables.names import (
    Word,
    parse_assignments,
    parse_names,
    parse_pairs,
    parse_replacements,
    parse_sort_keys,
    parse_typed,
)

Given: TypeAlias = Mapping[str, Sequence[str]]
"""The values of each parameter, as they came."""
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Place:
    """A parameter, and where in its value (characters from 0)."""

    parameter: str
    position: int


@dataclass(slots=True)
class Made:
    """A step as JSON has it, and where its parts came from, by their paths in it (`.columns.total`; all of it: ``)."""

    values: dict[str, object]
    places: dict[str, Place] = field(default_factory=dict)


def made_steps(given: Given) -> Iterator[Made]:
    """The steps, in their order. Raises PlanFault, whose field is a parameter."""
    for owner, (owners, followers) in _FOLLOWERS.items():
        for follower in followers:
            if follower in given and not any(name in given for name in owners):
                raise PlanFault(f"it goes with {owner}", follower)
    for names, make in _MAKERS:
        if any(name in given for name in names):
            yield from make(given)


def parse_number(parameter: str, value: str) -> int:
    """A count, in digits alone."""
    if not value.isascii() or not value.isdigit() or len(value) > _MAX_DIGITS:
        raise PlanFault(f"a number of at most {_MAX_DIGITS} digits is expected", parameter)
    return int(value)


def _types(given: Given) -> Iterator[Made]:
    yield _by_column("types", "types", parse_typed("types", given["types"][0]))


def _clean(given: Given) -> Iterator[Made]:
    actions = parse_names("clean", given["clean"][0])
    yield _listed("clean", "clean", "actions", actions)


def _replace(given: Given) -> Iterator[Made]:
    steps: dict[str, Made] = {}
    for column, old, new in parse_replacements("replace", given["replace"][0]):
        if not old.text and not old.is_quoted:
            raise PlanFault(
                'a value is expected: fill_null is for nulls, "" for quoted empty ones', "replace", old.position
            )
        step = steps.setdefault(column.text, _replace_step(column))
        values = step.values["map"]
        if not isinstance(values, dict) or old.text in values:
            raise PlanFault("the value is replaced twice", "replace", old.position)
        values[old.text] = new.text if new.text or new.is_quoted else None
        step.places[f".map.{old.text}"] = Place("replace", old.position)
    yield from steps.values()


def _replace_step(column: Word) -> Made:
    place = Place("replace", column.position)
    return Made({"op": "replace", "column": column.text, "map": {}}, {"": place, ".column": place})


def _fill_null(given: Given) -> Iterator[Made]:
    pairs = parse_pairs("fill_null", given["fill_null"][0])
    for _, value in pairs:
        _refuse_nothing("fill_null", value, 'a value is expected; "" is an empty one')
    yield _by_column("fill_null", "fill_null", pairs)


def _cast(given: Given) -> Iterator[Made]:
    step = _by_column("cast", "cast", parse_typed("cast", given["cast"][0]))
    _take(given, step, "cast_format", "format")
    _take(given, step, "cast_on_error", "on_error")
    yield step


def _filters(given: Given) -> Iterator[Made]:
    for parameter in ("filter", "where"):
        for where in given.get(parameter, ()):
            place = Place(parameter, 0)
            yield Made({"op": "filter", "where": where}, {"": place, ".where": place})


def _derives(given: Given) -> Iterator[Made]:
    for value in given["derive"]:
        yield _assigned("derive", "derive", "columns", parse_assignments("derive", value))


def _group_by(given: Given) -> Iterator[Made]:
    values = given.get("group_by")
    step = _listed("group_by", "group_by", "columns", parse_names("group_by", values[0]) if values else ())
    assignments = [pair for value in given.get("aggregate", ()) for pair in parse_assignments("aggregate", value)]
    aggregates = _assigned("group_by", "aggregate", "aggregate", assignments)
    owner = step.places if values else aggregates.places
    step = Made(step.values | aggregates.values, {**step.places, **aggregates.places, "": owner[""]})
    _take(given, step, "having", "having")
    yield step


def _distinct(given: Given) -> Iterator[Made]:
    value = given["distinct"][0]
    is_all = value.strip() == "*"
    step = _listed("distinct", "distinct", "on", () if is_all else parse_names("distinct", value))
    if is_all:
        step.values["on"] = None
    _take(given, step, "keep", "keep")
    yield step


def _sort(given: Given) -> Iterator[Made]:
    step = Made({"op": "sort"}, {"": Place("sort", 0)})
    keys: list[dict[str, object]] = []
    for index, key in enumerate(parse_sort_keys("sort", given["sort"][0])):
        keys.append({"column": key.column.text, "desc": key.is_descending, "type": key.type and key.type.text})
        step.places[f".by[{index}]"] = step.places[f".by[{index}].column"] = Place("sort", key.column.position)
        if key.type:
            step.places[f".by[{index}].type"] = Place("sort", key.type.position)
    step.values["by"] = keys
    yield step


def _sample(given: Given) -> Iterator[Made]:
    step = Made({"op": "sample"}, {"": Place("sample", 0)})
    _take_number(given, step, "sample", "n")
    _take_number(given, step, "seed", "seed")
    yield step


def _limit(given: Given) -> Iterator[Made]:
    step = Made({"op": "limit"}, {"": Place("limit" if "limit" in given else "offset", 0)})
    _take_number(given, step, "limit", "n")
    _take_number(given, step, "offset", "offset")
    yield step


def _select(given: Given) -> Iterator[Made]:
    yield _listed("select", "select", "columns", parse_names("select", given["select"][0]))


def _drop(given: Given) -> Iterator[Made]:
    yield _listed("drop", "drop", "columns", parse_names("drop", given["drop"][0]))


def _rename(given: Given) -> Iterator[Made]:
    pairs = parse_pairs("rename", given["rename"][0])
    for _, name in pairs:
        _refuse_nothing("rename", name, "a new name is expected")
    yield _by_column("rename", "rename", pairs)


def _refuse_nothing(parameter: str, word: Word, reason: str) -> None:
    if not word.text and not word.is_quoted:
        raise PlanFault(reason, parameter, word.position)


def _by_column(op: str, parameter: str, pairs: Iterable[tuple[Word, Word]]) -> Made:
    """A step that has something for each column; a fault of it is most often one of the column's name."""
    columns: dict[str, str] = {}
    step = Made({"op": op, "columns": columns}, {"": Place(parameter, 0)})
    for column, value in pairs:
        if column.text in columns:
            raise PlanFault("the column is named twice", parameter, column.position)
        columns[column.text] = value.text
        step.places[f".columns.{column.text}"] = Place(parameter, column.position)
    return step


def _assigned(op: str, parameter: str, member: str, pairs: Iterable[tuple[Word, Word]]) -> Made:
    """A step that has an expression for each name."""
    expressions: dict[str, str] = {}
    step = Made({"op": op, member: expressions}, {"": Place(parameter, 0)})
    for name, expression in pairs:
        if name.text in expressions:
            raise PlanFault("the name is given twice", parameter, name.position)
        expressions[name.text] = expression.text
        step.places[f".{member}.{name.text}"] = Place(parameter, expression.position)
    return step


def _listed(op: str, parameter: str, member: str, words: Sequence[Word]) -> Made:
    step = Made({"op": op, member: [word.text for word in words]}, {"": Place(parameter, 0)})
    seen: set[str] = set()
    for index, word in enumerate(words):
        if word.text in seen:
            raise PlanFault("it is named twice", parameter, word.position)
        seen.add(word.text)
        step.places[f".{member}[{index}]"] = Place(parameter, word.position)
    return step


def _take(given: Given, step: Made, parameter: str, member: str) -> None:
    if parameter in given:
        step.values[member] = given[parameter][0]
        step.places[f".{member}"] = Place(parameter, 0)


def _take_number(given: Given, step: Made, parameter: str, member: str) -> None:
    if parameter in given:
        step.values[member] = parse_number(parameter, given[parameter][0])
        step.places[f".{member}"] = Place(parameter, 0)


_FOLLOWERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "`cast`": (("cast",), ("cast_format", "cast_on_error")),
    "`group_by` or `aggregate`": (("group_by", "aggregate"), ("having",)),
    "`distinct`": (("distinct",), ("keep",)),
    "`sample`": (("sample",), ("seed",)),
}
"""Parameters that say nothing without another."""

_MAKERS: Sequence[tuple[tuple[str, ...], Callable[[Given], Iterator[Made]]]] = (
    (("types",), _types),
    (("clean",), _clean),
    (("replace",), _replace),
    (("fill_null",), _fill_null),
    (("cast",), _cast),
    (("filter", "where"), _filters),
    (("derive",), _derives),
    (("group_by", "aggregate"), _group_by),
    (("distinct",), _distinct),
    (("sort",), _sort),
    (("sample",), _sample),
    (("limit", "offset"), _limit),
    (("select",), _select),
    (("drop",), _drop),
    (("rename",), _rename),
)
"""Rows are worked on before columns leave, so that a sort may use a column that is not selected."""
