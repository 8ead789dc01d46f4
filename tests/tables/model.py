"""What the steps of a plan mean, in the plainest Python: whole lists of rows, one step after the other. Obvious, slow.

A value is text or null as it came, or one of Python's own types once a step has made it so.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from fileserver.tables import plan
from tests.tables.model_types import Value, as_type, number_in, printed

Texts: TypeAlias = Sequence[str | None]

_WHITE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"


@dataclass(frozen=True)
class Column:
    """A column: its name, the type of its values (None: text), and the one that `types` declared."""

    name: str
    type: str | None = None
    declared: str | None = None


class Aborted(Exception):
    """A cast has ended the transform, at the row of this number."""

    def __init__(self, number: int | None, words: str) -> None:
        super().__init__(words)
        self.number = number


@dataclass
class Model:
    """A table; `numbers` are those that its rows had at first, None for rows that were not there."""

    columns: list[Column]
    rows: list[list[Value]]
    numbers: list[int | None]
    rejected: list[int | None] = field(default_factory=list)

    @classmethod
    def of(cls, header: Sequence[str], rows: Sequence[Texts]) -> "Model":
        """The table as it comes."""
        return cls([Column(name) for name in header], [list(row) for row in rows], list(range(1, len(rows) + 1)))

    def printed(self) -> list[tuple[str | None, ...]]:
        """The rows as text."""
        return [tuple(printed(value) for value in row) for row in self.rows]

    def place(self, name: str) -> int:
        """Where the column of this name is."""
        exact = [place for place, column in enumerate(self.columns) if column.name == name]
        alike = [place for place, column in enumerate(self.columns) if column.name.casefold() == name.casefold()]
        (place,) = exact or alike
        return place

    def named(self, row: Sequence[Value], quoted: str) -> Value:
        """A value as expressions see it, by the name of its column as they have it between double quotes."""
        return self.view(row, quoted.replace('""', '"'))

    def view(self, row: Sequence[Value], name: str, type_: str | None = None) -> Value:
        """A value as expressions see it, or as it is seen as a type."""
        place = self.place(name)
        wanted = type_ or self.columns[place].declared
        return row[place] if wanted is None else as_type(row[place], wanted)

    def keep(self, chosen: Sequence[int]) -> None:
        """Keep the rows at these places, in their order."""
        self.rows = [self.rows[place] for place in chosen]
        self.numbers = [self.numbers[place] for place in chosen]

    def change(self, name: str, values: Sequence[Value], column: Column) -> None:
        """Put other values in the place of a column, or behind the last one."""
        place = self.place(name) if any(each.name == name for each in self.columns) else len(self.columns)
        self.columns[place : place + 1] = [column]
        for row, value in zip(self.rows, values, strict=True):
            row[place : place + 1] = [value]


def evaluated(model: Model, row: Sequence[Value], expression: str) -> Value:
    """The value of an expression of the few forms that the tests make."""
    if found := re.fullmatch(r'"(.*)" IS NULL', expression):
        return model.named(row, found[1]) is None
    if found := re.fullmatch(r'(upper|length)\("(.*)"\)', expression):
        value = model.named(row, found[2])
        return None if value is None else _upper(value) if found[1] == "upper" else len(value)
    if found := re.fullmatch(r"\"(.*)\" (=|<>|<|>) '(.*)'", expression):
        return _compared(model.named(row, found[1]), found[2], found[3])
    if found := re.fullmatch(r'"(.*)" (=|<>|<|>) ([0-9]+)', expression):
        value = model.named(row, found[1])
        return _compared(number_in(value) if isinstance(value, str) else value, found[2], int(found[3]))
    if found := re.fullmatch(r'"(.*)" / 2', expression):
        value = model.named(row, found[1])
        return None if value is None else value / 2
    raise ValueError(expression)


def type_of(expression: str) -> str | None:
    """The type of an expression, None for text."""
    if expression.startswith("upper"):
        return None
    return "int64" if expression.startswith("length") else "float64" if expression.endswith("/ 2") else "bool"


def _compared(left: Value, operator: str, right: Value) -> bool | None:
    if left is None:
        return None
    return bool({"=": left == right, "<>": left != right, "<": left < right, ">": left > right}[operator])


def follow(model: Model, step: plan.Step, theirs: tuple[Sequence[str], Sequence[Texts]] | None = None) -> None:
    """Change the table as the step says. Raises Aborted."""
    match step:
        case plan.Cast():
            _cast(model, step)
        case plan.FillNull() | plan.Replace() | plan.Clean():
            _repair(model, step)
        case plan.GroupBy():
            _group_by(model, step)
        case plan.Join():
            assert theirs is not None
            _join(model, step, *theirs)
        case plan.Filter():
            model.keep([p for p, row in enumerate(model.rows) if evaluated(model, row, step.where) is True])
        case plan.Distinct() | plan.Sort() | plan.Sample() | plan.Limit():
            _choose_rows(model, step)
        case _:
            _change_columns(model, step)


def _change_columns(model: Model, step: plan.Select | plan.Drop | plan.Rename | plan.Types | plan.Derive) -> None:
    match step:
        case plan.Select() | plan.Drop():
            _select(model, step)
        case plan.Rename():
            renames = {model.place(old): new for old, new in step.columns.items()}
            model.columns = [replace(each, name=renames.get(p, each.name)) for p, each in enumerate(model.columns)]
        case plan.Types():
            for name, type_ in step.columns.items():
                place = model.place(name)
                model.columns[place] = replace(model.columns[place], declared=type_)
        case plan.Derive():
            made = {name: [evaluated(model, row, text) for row in model.rows] for name, text in step.columns.items()}
            for name, values in made.items():
                model.change(name, values, Column(name, type_of(step.columns[name])))


def _select(model: Model, step: plan.Select | plan.Drop) -> None:
    places = [model.place(name) for name in step.columns]
    if step.op == "drop":
        places = [place for place in range(len(model.columns)) if place not in places]
    model.columns = [model.columns[place] for place in places]
    model.rows = [[row[place] for place in places] for row in model.rows]


def _cast(model: Model, step: plan.Cast) -> None:
    words: list[list[str]] = [[] for _ in model.rows]
    for key, type_ in step.columns.items():
        place = model.place(key)
        name = model.columns[place].name
        for row, said in zip(model.rows, words, strict=True):
            before, row[place] = row[place], as_type(row[place], type_, step.format)
            if before is not None and row[place] is None:
                said.append(f"{name}: cannot cast {printed(before)} to {type_}")
        model.columns[place] = Column(name, None if type_ == "text" else type_)
    if step.on_error == "mark":
        old = [printed(row[model.place("_errors")]) if _has(model, "_errors") else None for row in model.rows]
        marks = [_marked(before, said) for before, said in zip(old, words, strict=True)]
        model.change("_errors", marks, Column("_errors"))
    bad = [place for place, said in enumerate(words) if said]
    if bad and step.on_error == "abort":
        raise Aborted(model.numbers[bad[0]], words[bad[0]][0])
    if step.on_error == "skip":
        model.rejected += [model.numbers[place] for place in bad]
        model.keep([place for place in range(len(words)) if place not in bad])


def _marked(before: str | None, said: list[str]) -> str | None:
    return "; ".join([before, *said] if before else said) if said else before


def _has(model: Model, name: str) -> bool:
    return any(column.name == name for column in model.columns)


def _repair(model: Model, step: plan.FillNull | plan.Replace | plan.Clean) -> None:
    for row in model.rows:
        match step:
            case plan.FillNull():
                for name, text in step.columns.items():
                    place = model.place(name)
                    row[place] = _of_column(model.columns[place], text) if row[place] is None else row[place]
            case plan.Replace():
                place = model.place(step.column)
                old = printed(row[place])
                if old is not None and old in step.map:
                    row[place] = _of_column(model.columns[place], step.map[old])
            case plan.Clean():
                names = [column.name for column in model.columns] if step.columns == "*" else step.columns
                texts = [place for place, column in enumerate(model.columns) if column.type is None]
                for place in texts if step.columns == "*" else map(model.place, names):
                    for action in step.actions:
                        row[place] = _cleaned(row[place], action)


def _of_column(column: Column, text: str | None) -> Value:
    return text if column.type is None else as_type(text, column.type)


def _upper(text: str) -> str:
    return "".join(letter.upper() if len(letter.upper()) == 1 else letter for letter in text)


def _cleaned(text: str | None, action: str) -> str | None:
    if text is None:
        return None
    match action:
        case "trim":
            return text.strip(_WHITE)
        case "collapse_spaces":
            return re.sub(f"[{_WHITE}]+", " ", text)
        case "empty_to_null":
            return text or None
        case "lower":
            return "".join(letter.lower() for letter in text)
        case "upper":
            return _upper(text)
        case _:
            return unicodedata.normalize("NFC", text)


def _group_by(model: Model, step: plan.GroupBy) -> None:
    places = [model.place(name) for name in step.columns]
    groups: dict[tuple[Value, ...], list[list[Value]]] = {} if places else {(): []}
    for row in model.rows:
        groups.setdefault(tuple(row[place] for place in places), []).append(row)
    keys = sorted(
        groups, key=lambda key: [part for p, v in zip(places, key, strict=True) for part in _order(model, p, v)]
    )
    rows = [[*key, *(_aggregated(model, groups[key], text) for text in step.aggregate.values())] for key in keys]
    columns = [model.columns[place] for place in places]
    columns += [Column(name, None if text.startswith("m") else "int128") for name, text in step.aggregate.items()]
    model.columns, model.rows, model.numbers = columns, rows, [None] * len(rows)
    if step.having is not None:
        model.keep([p for p, row in enumerate(rows) if evaluated(model, row, step.having) is True])


def _order(model: Model, place: int, value: Value) -> list[tuple[bool, Value]]:
    declared = model.columns[place].declared
    view = value if declared is None else as_type(value, declared)
    return [(each is None, 0 if each is None else each) for each in (view, value)]


def _aggregated(model: Model, rows: Sequence[Sequence[Value]], text: str) -> Value:
    if text == "count(*)":
        return len(rows)
    found = re.fullmatch(r'(count|min|max|sum)\("(.*)"\)', text)
    assert found is not None
    values = [value for row in rows if (value := model.named(row, found[2])) is not None]
    if found[1] == "count":
        return len(values)
    if not values:
        return None
    return min(values) if found[1] == "min" else max(values) if found[1] == "max" else sum(values)


def _join(model: Model, step: plan.Join, header: Sequence[str], rows: Sequence[Texts]) -> None:
    ours = [model.place(name) for name in step.on]
    keys = [header.index(name) for name in step.on.values()]
    taken = [p for p in range(len(header)) if p not in keys]
    names = [header[place] for place in taken]
    if step.columns is not None:
        taken, names = [header.index(name) for name in step.columns], list(step.columns.values())
    numbers, joined = [], []
    for number, row in zip(model.numbers, model.rows, strict=True):
        wanted = [printed(row[place]) for place in ours]
        found = [each for each in rows if None not in wanted and [each[place] for place in keys] == wanted]
        if step.how in ("semi", "anti"):
            extra: list[list[Value]] = [[]] if bool(found) == (step.how == "semi") else []
        else:
            extra = [[each[place] for place in taken] for each in found]
            extra = extra or [[None] * len(taken)] * (step.how == "left")
        joined += [row + each for each in extra]
        numbers += [number] * len(extra)
    if step.how in ("inner", "left"):
        model.columns = model.columns + [Column(name) for name in names]
    model.rows, model.numbers = joined, numbers


def _choose_rows(model: Model, step: plan.Distinct | plan.Sort | plan.Sample | plan.Limit) -> None:
    places = list(range(len(model.rows)))
    match step:
        case plan.Distinct():
            keys = [model.place(name) for name in step.on] if step.on else list(range(len(model.columns)))
            seen: dict[tuple[Value, ...], int] = {}
            for place, row in enumerate(model.rows):
                seen.setdefault(tuple(row[key] for key in keys), place)
            model.keep(list(seen.values()))
        case plan.Sort():
            for key in reversed(step.by):
                places = _sorted(model, places, key)
            model.keep(places)
        case plan.Sample():
            chance = [hashlib.md5(f"{step.seed}:{place + 1}".encode()).hexdigest() for place in places]
            model.keep(sorted(sorted(places, key=lambda place: chance[place])[: step.n]))
        case plan.Limit():
            model.keep(places[step.offset :][: step.n])


def _sorted(model: Model, places: Sequence[int], key: plan.SortKey) -> list[int]:
    seen = {place: model.view(model.rows[place], key.column, key.type) for place in places}
    nulls = [place for place in places if seen[place] is None]
    others = [place for place in places if seen[place] is not None]
    # stable both ways: Python's reverse keeps the order of equals
    others.sort(key=lambda place: seen[place], reverse=key.desc)
    return nulls + others if key.nulls == "first" else others + nulls
