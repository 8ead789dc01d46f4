"""A plan out of the pairs of a query, or of the fields of a form. `PARAMETERS` lists what they may be.

Each parameter is given once, those that may be repeated aside. The steps are made in one order, whatever the order of
the query: types, clean, replace, fill_null, cast, filter, derive, group_by, distinct, sort, sample, limit, select,
drop, rename. What goes beyond that order is a plan in JSON, which may be given as `plan`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from pydantic import ValidationError

from fileserver.tables.faults import PlanFault
from fileserver.tables.names import parse_names
from fileserver.tables.parameters import NULLABLE, PARAMETERS
from fileserver.tables.plan import Plan
from fileserver.tables.plan_json import parse_plan, plan_fault
from fileserver.tables.query_steps import Given, Made, Place, made_steps, parse_number

_BESIDE_PLAN = frozenset({"plan", "delivery"})
_Scalar: TypeAlias = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A plan, and which parameter each of its parts came from (`steps[0].where`: `filter`); none for a plan in JSON."""

    plan: Plan
    parameters: Mapping[str, str] = field(default_factory=dict)
    positions: Mapping[str, int] = field(default_factory=dict)
    """Where a part begins in the value of its parameter."""

    def as_asked(self, fault: PlanFault) -> PlanFault:
        """A fault of the plan, with the parameter as its field and the place in its value as its position.

        A fault of a part that no parameter is known for stays as it is.
        """
        part = fault.field
        while part and part not in self.parameters:
            part = part[: max(part.rfind("."), part.rfind("["), 0)]
        if not part:
            return fault
        begins = self.positions.get(part) if part == fault.field else None
        position = begins if begins is None or fault.position is None else begins + fault.position
        return replace(fault, field=self.parameters[part], position=position)


def parse_query(pairs: Iterable[tuple[str, str]]) -> Asked:
    """The plan that the pairs of a query ask for.

    >>> parse_query([("filter", "qty > 10"), ("limit", "3")]).plan.steps
    (Filter(op='filter', where='qty > 10'), Limit(op='limit', n=3, offset=0))

    Raises PlanFault, whose field is the parameter at fault, or a part of the plan that `plan` holds.
    """
    given = _given(pairs)
    if "plan" in given:
        return _from_json(given)
    parts: dict[str, dict[str, object]] = {"input": {}, "output": {}}
    places: dict[str, Place] = {}
    document: dict[str, object] = dict(parts)
    for name, values in given.items():
        target = PARAMETERS[name].part
        if not target:
            continue
        part, _, member = target.rpartition(".")
        (parts[part] if part else document)[member] = _scalar(name, values[0])
        places[target] = Place(name, 0)
    if "columns" in given:
        parts["input"]["columns"] = [word.text for word in parse_names("columns", given["columns"][0])]
        places["input.columns"] = Place("columns", 0)
    document["steps"] = _steps(made_steps(given), places)
    if "sql" in given:
        _refuse_steps(places)
        document["sql"] = given["sql"][0]
        places["sql"] = Place("sql", 0)
    return _checked(document, places)


def _given(pairs: Iterable[tuple[str, str]]) -> Given:
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            raise PlanFault("there is no such parameter", name)
        if name in given and not PARAMETERS[name].is_repeatable:
            raise PlanFault("the parameter is given twice", name)
        for position, character in enumerate(value):
            if character == "\0" or "\ud800" <= character <= "\udfff":
                raise PlanFault("a NUL or half of a surrogate pair", name, position)
        given.setdefault(name, []).append(value)
    return given


def _from_json(given: Given) -> Asked:
    for name in given:
        if name not in _BESIDE_PLAN:
            raise PlanFault("it cannot stand beside `plan`, which has a place for it", name)
    plan = parse_plan(given["plan"][0])
    if "delivery" in given:
        plan = _checked(
            {**plan.model_dump(), "delivery": given["delivery"][0]}, {"delivery": Place("delivery", 0)}
        ).plan
    return Asked(plan)


def _refuse_steps(places: Mapping[str, Place]) -> None:
    for part, place in places.items():
        if part.startswith("steps"):
            raise PlanFault("it cannot stand beside `sql`, which can say the same", place.parameter)


def _scalar(name: str, value: str) -> _Scalar:
    """A value as the plan's JSON has it."""
    match PARAMETERS[name].schema["type"]:
        case "boolean":
            if value not in ("true", "false"):
                raise PlanFault("true or false is expected", name)
            return value == "true"
        case "integer":
            return parse_number(name, value)
    return None if name in NULLABLE and value == "none" else value


def _steps(made: Iterable[Made], places: dict[str, Place]) -> list[dict[str, object]]:
    """The steps as JSON; `places` learns where their parts came from."""
    steps = []
    for index, step in enumerate(made):
        places.update({f"steps[{index}]{part}": place for part, place in step.places.items()})
        steps.append(step.values)
    return steps


def _checked(document: Mapping[str, object], places: Mapping[str, Place]) -> Asked:
    parameters = {part: place.parameter for part, place in places.items()}
    positions = {part: place.position for part, place in places.items()}
    try:
        return Asked(Plan.model_validate(document), parameters, positions)
    except ValidationError as error:
        raise Asked(Plan(), parameters, positions).as_asked(plan_fault(error)) from None
