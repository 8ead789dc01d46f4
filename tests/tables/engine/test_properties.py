"""Random tables through random plans: the program of a plan does what the plain model of its steps does."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fileserver.tables.plan import Plan
from tests.tables import model
from tests.tables.engine.programs import Other, shared_runner
from tests.tables.model import Model

_CELLS = [
    None,
    "",
    "a",
    "b",
    "A",
    "Köln",
    "Żółć",
    "e\u0301",
    "😀",
    " x ",
    "x  y",
    "\u3000z\t",
    "it's",
    'q"q',
    "{c0}",
    "%s",
]
_CELLS += [
    "0",
    "5",
    "05",
    "007",
    " 7 ",
    "\t8\n",
    "-3",
    "+4",
    "1.0",
    "2.",
    "1.5",
    "-0.005",
    "1e5",
    ".5",
    "0x1F",
    "2147483648",
]
_CELLS += ["12345678901234567890", "9223372036854775807", "-9223372036854775808", "0.1", "999999999999999999", "NULL"]
_CELLS += ["2024-02-29", "2023-02-29", "2024-03-01", "01/02/2024", "true", "F", "yes", "1"]
_NAMES = ["id", "qty", "Name", "a b", 'q"q', "Größe", "select", "c0", "_row", "x,y", "t"]
_TYPES = ["text", "bool", "int32", "int64", "int128", "float64", "decimal(18,2)", "date"]
_WHOLE = ["int32", "int64"]

_cells = st.sampled_from(_CELLS)
_names = st.sampled_from(_NAMES)
_runner = shared_runner()


def _table(draw: st.DrawFn, most: int) -> Other:
    header = draw(st.lists(_names, min_size=1, max_size=4, unique=True))
    narrow = st.sampled_from(draw(st.lists(_cells, min_size=1, max_size=4)))
    row = st.tuples(*(draw(st.sampled_from([_cells, narrow])) for _ in header))
    return header, draw(st.lists(row, max_size=most))


class _Steps:
    """Draws steps that the table at its place can take."""

    def __init__(self, draw: st.DrawFn, now: Model) -> None:
        self.draw = draw
        self.columns = now.columns
        self.names = [column.name for column in now.columns]
        self.texts = [column.name for column in now.columns if column.type is None]
        self.other: Other | None = None

    def name(self, names: Sequence[str] | None = None) -> str:
        return self.draw(st.sampled_from(names or self.names))

    def some(self, names: Sequence[str] | None = None) -> list[str]:
        return self.draw(st.lists(st.sampled_from(names or self.names), min_size=1, max_size=3, unique=True))

    def new_name(self) -> str:
        """A name that is not taken in another case: which of two is meant is another test's question."""
        taken = {name.casefold() for name in self.names}
        return self.draw(st.sampled_from([f"new{n}" for n in range(9) if f"new{n}" not in taken]))

    def expression(self) -> str:
        column = self.draw(st.sampled_from(self.columns))
        name = '"' + column.name.replace('"', '""') + '"'
        seen = column.declared or column.type
        match seen:
            case None | "text":
                number, text = self.draw(st.integers(0, 9)), self.draw(st.sampled_from(["a", "Köln", "x", "05"]))
                forms = [f"{name} IS NULL", f"upper({name})", f"length({name})", f"{name} > {number}"]
                forms += [f"{name} = {number}", f"{name} = '{text}'", f"{name} < '{text}'", f"{name} <> '{text}'"]
            case "int32" | "int64":
                forms = [f"{name} > 5", f"{name} <> 7", f"{name} IS NULL", f"{name} / 2"]
            case "bool" | "date":
                forms = [f"{name} IS NULL"]
            case _:
                forms = [f"{name} IS NULL", f"{name} < 7"]
        return self.draw(st.sampled_from(forms))

    def condition(self) -> str:
        text = self.expression()
        return text if model.type_of(text) == "bool" else '"' + self.names[0].replace('"', '""') + '" IS NULL'


def _types(steps: _Steps) -> Mapping[str, Any]:
    return {"op": "types", "columns": {name: steps.draw(st.sampled_from(_TYPES)) for name in steps.some(steps.texts)}}


def _cast(steps: _Steps) -> Mapping[str, Any]:
    columns = {name: steps.draw(st.sampled_from(_TYPES)) for name in steps.some(steps.texts)}
    form = "%d/%m/%Y" if "date" in columns.values() and steps.draw(st.booleans()) else None
    on_error = steps.draw(st.sampled_from(["abort", "skip", "skip", "null", "mark", "mark"]))
    return {"op": "cast", "columns": columns, "format": form, "on_error": on_error}


def _clean(steps: _Steps) -> Mapping[str, Any]:
    actions = st.lists(
        st.sampled_from(["trim", "collapse_spaces", "empty_to_null", "lower", "upper", "nfc"]), min_size=1
    )
    columns = steps.draw(st.sampled_from(["*", steps.some(steps.texts)]))
    return {"op": "clean", "columns": columns, "actions": steps.draw(actions)}


def _replace(steps: _Steps) -> Mapping[str, Any]:
    fillers = {f"filler {n}": "y" for n in range(steps.draw(st.sampled_from([0, 0, 60])))}
    pairs = steps.draw(st.dictionaries(_cells.filter(lambda cell: cell is not None), _cells, max_size=3))
    return {"op": "replace", "column": steps.name(steps.texts), "map": fillers | pairs}


def _group_by(steps: _Steps) -> Mapping[str, Any]:
    keys = steps.some() if steps.draw(st.booleans()) else []
    whole = [column.name for column in steps.columns if (column.declared or column.type) in _WHOLE]
    texts = [column.name for column in steps.columns if (column.declared or column.type) in (None, "text")]
    forms = ["count(*)"] + [f'count("{_inside(name)}")' for name in steps.names]
    forms += [f'{each}("{_inside(name)}")' for each in ("min", "max") for name in texts]
    forms += [f'sum("{_inside(name)}")' for name in whole]
    names = [name for name in ("n0", "n1", "n2", "n3") if name not in steps.names][: steps.draw(st.integers(1, 2))]
    aggregate = {name: steps.draw(st.sampled_from(forms)) for name in names}
    having = f'"{names[0]}" IS NULL' if steps.draw(st.integers(0, 5)) == 0 else None
    return {"op": "group_by", "columns": keys, "aggregate": aggregate, "having": having}


def _inside(name: str) -> str:
    return name.replace('"', '""')


def _join(steps: _Steps) -> Mapping[str, Any]:
    header, rows = _table(steps.draw, 5)
    # their names must not be ours: which of two is meant is another test's question
    header = [f"their {name}" for name in header]
    steps.other = header, rows
    on = {steps.name(): steps.draw(st.sampled_from(header)) for _ in range(steps.draw(st.integers(1, 2)))}
    columns = steps.draw(st.sampled_from([None, {}, {header[-1]: steps.new_name()}]))
    if columns is None and any(f"their {name}" in steps.names for name in _NAMES):
        columns = {}
    how = steps.draw(st.sampled_from(["inner", "left", "left", "semi", "anti"]))
    return {"op": "join", "file": "other.csv", "on": on, "how": how, "columns": columns}


def _sort(steps: _Steps) -> Mapping[str, Any]:
    key = st.fixed_dictionaries(
        {"desc": st.booleans(), "nulls": st.sampled_from(["first", "last"])},
        optional={"type": st.sampled_from(["float64", "text"])},
    )
    keys = []
    for name in steps.some():
        drawn = steps.draw(key)
        keys.append({k: v for k, v in drawn.items() if k != "type" or name in steps.texts} | {"column": name})
    return {"op": "sort", "by": keys}


_DRAWN: Mapping[str, Callable[[_Steps], Mapping[str, Any]]] = {
    "select": lambda steps: {"op": "select", "columns": steps.some()},
    "drop": lambda steps: {"op": "drop", "columns": steps.some()[: len(steps.names) - 1]},
    "rename": lambda steps: {"op": "rename", "columns": {steps.name(): steps.new_name()}},
    "filter": lambda steps: {"op": "filter", "where": steps.condition()},
    "derive": lambda steps: {
        "op": "derive",
        "columns": {steps.new_name(): steps.expression(), steps.name(): steps.expression()},
    },
    "limit": lambda steps: {"op": "limit", "n": steps.draw(st.integers(0, 5)), "offset": steps.draw(st.integers(0, 2))},
    "sample": lambda steps: {"op": "sample", "n": steps.draw(st.integers(0, 4)), "seed": steps.draw(st.integers(0, 9))},
    "distinct": lambda steps: {"op": "distinct", "on": steps.draw(st.sampled_from([None, steps.some()]))},
    "group_by": _group_by,
    "join": _join,
    "sort": _sort,
}
_OF_TEXTS: Mapping[str, Callable[[_Steps], Mapping[str, Any]]] = {
    "types": _types,
    "cast": _cast,
    "clean": _clean,
    "replace": _replace,
    "fill_null": lambda steps: {
        "op": "fill_null",
        "columns": {name: steps.draw(st.sampled_from(["", "unknown", "7"])) for name in steps.some(steps.texts)},
    },
}


def _draw_step(steps: _Steps) -> Mapping[str, Any]:
    kinds = {**_DRAWN, **_OF_TEXTS} if steps.texts else _DRAWN
    return kinds[steps.draw(st.sampled_from(sorted(kinds)))](steps)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_random_plan_over_a_random_table_does_what_the_model_does(data: st.DataObject) -> None:
    header, rows = data.draw(st.composite(_table)(8))
    expected = Model.of(header, rows)
    steps: list[Mapping[str, Any]] = []
    joins: dict[int, Other] = {}
    aborted: model.Aborted | None = None
    for place in range(data.draw(st.integers(1, 5))):
        drawn = data.draw(st.composite(lambda draw: (steps_ := _Steps(draw, expected), _draw_step(steps_)))())
        steps.append(drawn[1])
        if drawn[0].other is not None:
            joins[place] = drawn[0].other
        step = Plan.model_validate({"steps": [drawn[1]]}).steps[0]
        try:
            model.follow(expected, step, joins.get(place))
        except model.Aborted as fault:
            aborted = fault
            break
    ran = _runner.run(Plan.model_validate({"steps": steps}), header, rows, joins)
    if aborted is not None:
        assert ran.is_aborted
        assert ran.faults[-1][::2] == (aborted.number, str(aborted))
        return
    assert ran.names == [column.name for column in expected.columns]
    assert ran.rows == expected.printed()
    assert [row for row, _, _ in ran.faults] == expected.rejected
