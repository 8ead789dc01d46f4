"""What a request for a transform says beside its table: the plan, the tables it joins, what is to be stored."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fastapi import Request

from fileserver.api.requests import must_be_writable
from fileserver.api.service import service_of
from fileserver.api.writes import is_free, key_taken
from fileserver.http import problems
from fileserver.http.problems import Problem, ProblemError
from fileserver.tables import Asked, Plan, PlanFault, parse_query
from fileserver.tables.plan import Join
from storage import Condition, InvalidKey, Key, always, key_to_read, key_to_write

MOST_JOINS = 16
"""Other tables that one transform may read."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Wish:
    """A plan, and the keys under which the table and its transformation are to be stored.

    `download` has a browser save the answer, under this name if it is not empty.
    """

    asked: Asked
    save: Key | None
    save_result: Key | None
    is_replacing: bool
    download: str | None

    @property
    def condition(self) -> Condition:
        """What has to be true of a key that is stored under."""
        return always if self.is_replacing else is_free


async def wish_of(request: Request, pairs: Iterable[tuple[str, str]]) -> Wish:
    """What the parameters ask for. Raises PlanFault, InvalidKey, and ProblemError where it may not be."""
    ours: dict[str, str] = {}
    plans: list[tuple[str, str]] = []
    for name, value in pairs:
        if name in ("save", "save_result", "download") or (name == "replace" and value in _TRUTH):
            if name in ours:
                raise PlanFault("the parameter is given twice", name)
            ours[name] = value
        else:
            plans.append((name, value))
    asked = parse_query(plans)
    _refuse_sql(request, asked.plan)
    replace = _TRUTH[ours.get("replace", "false")]
    wish = Wish(asked, _key(ours, "save"), _key(ours, "save_result"), replace, ours.get("download"))
    await _require_storable(request, wish)
    return wish


def prefers_async(lines: Iterable[str]) -> bool:
    """Whether the lines of Prefer ask for an answer before the work is done (RFC 7240 s.2, s.4.1).

    >>> [prefers_async([line]) for line in ("wait=5, Respond-Async; x=1", 'a="b, respond-async"', "respond-asyncs")]
    [True, False, False]
    """
    preferences = _QUOTED.sub("", ",".join(lines)).split(",")
    return any(each.partition(";")[0].strip().lower() == "respond-async" for each in preferences)


def joins_of(plan: Plan) -> Mapping[str, Key]:
    """The keys of the other tables, by the names that a worker knows them by. Raises PlanFault."""
    files = {f"join:{index}": (f"steps[{index}].file", step.file) for index, step in _join_steps(plan)}
    files |= {f"table:{name}": (f"tables.{name}", key) for name, key in plan.tables.items()}
    if len(files) > MOST_JOINS:
        raise PlanFault(f"at most {MOST_JOINS} other tables can be read", "steps" if plan.sql is None else "tables")
    return {name: _key_of_plan(field, text) for name, (field, text) in files.items()}


def _join_steps(plan: Plan) -> Iterable[tuple[int, Join]]:
    return ((index, step) for index, step in enumerate(plan.steps) if isinstance(step, Join))


def _key_of_plan(field: str, text: str) -> Key:
    try:
        return key_to_read(text)
    except InvalidKey as error:
        raise PlanFault(error.reason, field) from error


def _key(ours: Mapping[str, str], name: str) -> Key | None:
    return key_to_write(ours[name]) if name in ours else None


def _refuse_sql(request: Request, plan: Plan) -> None:
    service = service_of(request)
    allowed = service.settings.allow_sql
    if plan.sql is not None and not (not service.workshop.missing if allowed is None else allowed):
        detail = "This server takes steps and no SQL." if allowed is False else _UNCONFINED
        raise ProblemError(Problem(problems.SQL_OFF, detail))


_UNCONFINED = "SQL is off: this machine cannot confine it. Start the server with --allow-sql to run it all the same."


async def _require_storable(request: Request, wish: Wish) -> None:
    """Refuse early what could not be stored at the end."""
    keys = [key for key in (wish.save, wish.save_result) if key is not None]
    if not keys:
        return
    must_be_writable(request)
    if request.method != "POST":
        raise PlanFault("a GET stores nothing: use POST", "save" if wish.save else "save_result")
    if wish.save == wish.save_result:
        raise PlanFault("the table and its transformation cannot have one name", "save_result")
    library = service_of(request).library
    for key in keys:
        if not wish.condition(await library.stat(key)):
            raise key_taken(key)
