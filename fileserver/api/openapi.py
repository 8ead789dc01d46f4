"""What the API's description cannot read off the routes: keys, bodies and plans, which the routes take as they come."""

from collections.abc import Iterable, Mapping

from fastapi import FastAPI

from fileserver.api.schemas import COMPONENTS, Schema, reference
from fileserver.http import problems
from fileserver.tables import PARAMETERS, Parameter, Plan

_BINARY: Schema = {"schema": {"type": "string", "format": "binary"}}
_REFERENCE = "#/components/schemas/{model}"
_PLAN_SCHEMA: Schema = {"$ref": _REFERENCE.format(model="Plan")}
_PROBLEM_CONTENT: Schema = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}
_OF_THE_FRAMEWORK = ("HTTPValidationError", "ValidationError")


class DescribedApp(FastAPI):
    """An application whose description holds what its routes refer to."""

    def openapi(self) -> Schema:
        """The description, with the plan of a transform and problems among its schemas."""
        document: Schema = super().openapi()
        for path in document["paths"].values():
            for method, operation in path.items():
                _describe_failures(operation["responses"])
                if method == "post":
                    _describe_locations(operation["responses"])
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for name in _OF_THE_FRAMEWORK:
            schemas.pop(name, None)
        schemas.update(_components())
        return document


def path_parameter(name: str, description: str) -> Schema:
    """A part of the path that may hold slashes."""
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


def problem_responses(*types: problems.ProblemType) -> Schema:
    """Problems as answers, by their status."""
    found: dict[str, list[str]] = {}
    for each in types:
        found.setdefault(str(each.status), []).append(f"`{each.slug}`: {each.title}.")
    return {
        status: {"description": " ".join(lines), "content": _PROBLEM_CONTENT} for status, lines in sorted(found.items())
    }


def _describe_failures(responses: Schema) -> None:
    """Whatever else an operation answers is a problem; of bad parameters FastAPI tells otherwise by itself."""
    bad_parameters = responses.get("422", {}).get("content", {})
    bad_parameters.pop("application/json", None)
    if "422" in responses and not bad_parameters:
        del responses["422"]
    responses["default"] = {"description": "A problem.", "content": _PROBLEM_CONTENT}


def _describe_locations(responses: Schema) -> None:
    """Whatever a POST has made or begun has an address (RFC 9110 s.9.3.3)."""
    for status in {"201", "202"} & responses.keys():
        responses[status]["headers"] = {**responses[status].get("headers", {}), "Location": _LOCATION}


def _components() -> Schema:
    plan = Plan.model_json_schema(ref_template=_REFERENCE)
    return {**plan.pop("$defs"), "Plan": plan, "Problem": _PROBLEM, **COMPONENTS}


def _query_parameter(parameter: Parameter) -> Schema:
    schema = dict(parameter.schema)
    if parameter.is_repeatable:
        schema = {"type": "array", "items": schema}
    described: Schema = {"name": parameter.name, "in": "query", "description": parameter.description}
    if parameter.name == "plan":
        return described | {"content": {"application/json": {"schema": _PLAN_SCHEMA}}}
    return described | {"schema": schema}


def _sorted(parameters: Iterable[Schema]) -> list[Schema]:
    return sorted(parameters, key=lambda parameter: str(parameter["name"]))


def _form(fields: Mapping[str, Schema]) -> Schema:
    files = {"type": "array", "items": _BINARY["schema"]}
    return {"schema": {"type": "object", "properties": {**fields, "file": files}}}


_PROBLEM: Schema = {
    "title": "Problem",
    "description": "RFC 9457. Some types have members of their own.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "A stable name: `urn:problem-type:fileserver:…`."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "parameter": {"type": "string", "description": "The parameter at fault."},
        "field": {"type": "string", "description": "The parameter, or the part of a plan, that is at fault."},
        "position": {"type": "integer", "description": "Where in its value, in characters from 0."},
        "row": {"type": "integer", "description": "Of the table's data, from 1."},
        "line": {"type": "integer", "description": "Of the table's text, from 1."},
        "column": {"type": "string", "description": "The name of the column at fault."},
        "raw": {"type": "string", "description": "The row as it came, or its beginning."},
        "offset": {"type": "integer", "description": "The first byte that is no text in the encoding, from 0."},
    },
}

_LOCATION: Schema = {"schema": {"type": "string", "format": "uri-reference"}, "description": "Its address."}
KEY = path_parameter("key", "The file's name with its folders, `/` between them.")
FOLDER = path_parameter("folder", "Empty for the root, or a folder's name with `/` at its end.")
PLAN = [_query_parameter(parameter) for parameter in PARAMETERS.values()]

_TEXT: Schema = {"type": "string"}
_SAVE = {"name": "save", "in": "query", "schema": _TEXT, "description": "A key to store the table under, too."}
_SAVE_RESULT = {
    "name": "save_result",
    "in": "query",
    "schema": _TEXT,
    "description": "A key to store the result under, instead of sending it; `replace=true`: also over a file.",
}
_DOWNLOAD = {
    "name": "download",
    "in": "query",
    "schema": _TEXT,
    "description": "Have the browser save the result, under this name if there is one.",
}
_FIELDS: Mapping[str, Schema] = {
    parameter["name"]: parameter.get("schema", _PLAN_SCHEMA)
    for parameter in _sorted([*PLAN, _SAVE, _SAVE_RESULT, _DOWNLOAD])
}

LAST_EVENT_ID: Schema = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": _TEXT,
    "description": "The last id that the client has seen, as browsers send it; it goes before `last_event_id`.",
}

READ = {"parameters": [KEY]}
READ_ON = {"parameters": [KEY, LAST_EVENT_ID]}
WRITE = {"parameters": [KEY], "requestBody": {"content": {"application/octet-stream": _BINARY}}}
ADD = {"parameters": [FOLDER], "requestBody": {"content": {"multipart/form-data": _form({})}}}
PIECE = {
    "requestBody": {"content": {"application/offset+octet-stream": _BINARY, "application/partial-upload": _BINARY}}
}

_COUNTS = {
    f"Transform-{name}": {"schema": {"type": "string"}, "description": description}
    for name, description in {
        "Id": "Names the job: `/jobs/{id}` tells how it goes, and why it failed.",
        "Plan": "`streaming`: rows leave as they come; `blocking`: when all have come.",
        "Rows-In": "Where the result is small or `delivery=complete`.",
        "Rows-Out": "Likewise.",
        "Rows-Rejected": "Likewise.",
    }.items()
}
_TABLE_MEDIA_TYPES = (
    "text/csv",
    "text/tab-separated-values",
    "application/x-ndjson",
    "application/json",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
_TABLE = {
    "description": "The transformed table. What fails after its first byte cuts the connection.",
    "headers": _COUNTS,
    "content": {media_type: {} for media_type in _TABLE_MEDIA_TYPES},
}
_PREFER = {
    "name": "Prefer",
    "in": "header",
    "schema": _TEXT,
    "description": "`respond-async`, with `save_result`: the answer is 202 at once, and the job goes on (RFC 7240).",
}
_BEGUN = {
    "description": "The job goes on: `Location` is its address.",
    "content": {"application/json": {"schema": reference("Job")}},
}
_STORED = {"description": "The transformed table is stored: `save_result`.", "content": {"application/json": {}}}
_FAILURES = problem_responses(
    problems.PLAN_FAULT,
    problems.SQL_OFF,
    problems.KEY_TAKEN,
    problems.NEEDS_STORED_INPUT,
    problems.BAD_ENCODING,
    problems.MALFORMED_ROW,
    problems.MALFORMED_TABLE,
    problems.OUT_OF_TIME,
    problems.TABLE_FAULT,
    problems.TOO_MANY_REJECTS,
    problems.ENGINE_FAILED,
    problems.TOO_MANY_JOBS,
    problems.TOO_MANY_TRANSFORMS,
    problems.NO_SPACE,
    problems.OUT_OF_MEMORY,
)
_WANTING = problem_responses(problems.UNSUPPORTED_MEDIA_TYPE)
_MISSING = problem_responses(problems.NOT_FOUND)

TRANSFORM_BODY = {
    "parameters": _sorted([*PLAN, _SAVE, _SAVE_RESULT, _DOWNLOAD]),
    "requestBody": {"content": {"text/csv": _BINARY, "multipart/form-data": _form(_FIELDS)}},
    "responses": {"200": _TABLE, "201": _STORED, **_FAILURES, **_WANTING},
}
TRANSFORM_STORED = {
    "parameters": [KEY, *_sorted([*PLAN, _DOWNLOAD])],
    "responses": {"200": _TABLE, **_FAILURES, **_MISSING},
}
TRANSFORM_STORED_BY_PLAN = {
    "parameters": [KEY, *_sorted([*PLAN, _SAVE_RESULT, _DOWNLOAD]), _PREFER],
    "requestBody": {"content": {"application/json": {"schema": _PLAN_SCHEMA}}},
    "responses": {"200": _TABLE, "201": _STORED, "202": _BEGUN, **_FAILURES, **_WANTING, **_MISSING},
}
"""For `POST /transform/{key}`, whose body is the plan."""
