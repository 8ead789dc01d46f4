"""A plan out of JSON, and what pydantic finds wrong with one in words meant for the person who asked."""

import json
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from fileserver.tables.faults import PlanFault
from fileserver.tables.plan import TABLE_PATTERN, TYPE_PATTERN, Plan


def parse_plan(text: str | bytes) -> Plan:
    """The plan that a JSON document holds.

    >>> parse_plan('{"steps": [{"op": "limit", "n": 3}]}').steps
    (Limit(op='limit', n=3, offset=0),)

    Raises PlanFault, whose field is the part of the plan at fault.
    """
    try:
        plan = Plan.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise plan_fault(error) from None
    try:
        json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise PlanFault(str(error), "plan") from None
    return plan


def plan_fault(error: ValidationError) -> PlanFault:
    """The first of the things that are wrong with a plan."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = _field_path(first["loc"]) or "plan"
    match first["type"]:
        case "extra_forbidden":
            return PlanFault("a plan has no such part", field)
        case "union_tag_not_found":
            return PlanFault("`op` says what the step does: it is missing", field)
        case "missing":
            return PlanFault("it is missing", field)
        case "literal_error" | "union_tag_invalid":
            expected = first["ctx"].get("expected") or first["ctx"]["expected_tags"]
            return PlanFault(f"one of these is expected: {expected}", field)
        case "string_pattern_mismatch":
            return PlanFault(_PATTERNS.get(first["ctx"]["pattern"], first["msg"]), field)
    reason = first["msg"].removeprefix("Value error, ")
    return PlanFault(reason[:1].lower() + reason[1:], field)


def _field_path(location: Sequence[str | int]) -> str:
    """A part of a plan, from where pydantic found a fault: `steps[2].columns.total`."""
    parts = list(location)
    if len(parts) > 2 and parts[0] == "steps":
        del parts[2]  # the name of the operation, which JSON does not have there
    named = (part for part in parts if not (isinstance(part, str) and part.startswith(_NO_PARTS)))
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in named).removeprefix(".")


_NO_PARTS = ("[key]", "literal[", "tuple[")
"""What pydantic puts into a location besides names: a key rather than its value is wrong, a choice of shapes."""
_PATTERNS: Mapping[str, str] = {
    TYPE_PATTERN: "a type is expected: text, bool, int32, int64, int128, float64, decimal(18,2), date, time, timestamp",
    TABLE_PATTERN: "a table's name has letters, digits and _ alone, and begins with no digit",
}


def _once(members: list[tuple[str, object]]) -> dict[str, object]:
    """An object's members. JSON leaves open what a second member of one name means: here it is refused."""
    once: dict[str, object] = {}
    for name, value in members:
        if name in once:
            raise ValueError(f"{name!r} stands twice in one object")
        once[name] = value
    return once
