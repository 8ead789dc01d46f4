"""What the API's description cannot read off the routes: keys, bodies and plans, which the routes take as they come."""

from typing import Any

from fileserver.tables import PARAMETERS

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {
    "schema": {"type": "object", "properties": {"file": {"type": "array", "items": _BINARY["schema"]}}},
}


def path_parameter(name: str, description: str) -> dict[str, Any]:
    """A part of the path that may hold slashes."""
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": description}


KEY = path_parameter("key", "The file's name with its folders, `/` between them.")
FOLDER = path_parameter("folder", "Empty for the root, or a folder's name with `/` at its end.")
PLAN = [
    {"name": name, "in": "query", "schema": {"type": "string"}, "description": description}
    for name, description in PARAMETERS.items()
]

READ = {"parameters": [KEY]}
WRITE = {"parameters": [KEY], "requestBody": {"content": {"application/octet-stream": _BINARY}}}
ADD = {"parameters": [FOLDER], "requestBody": {"content": {"multipart/form-data": _FORM}}}
PIECE = {
    "requestBody": {"content": {"application/offset+octet-stream": _BINARY, "application/partial-upload": _BINARY}}
}
TRANSFORM_BODY = {
    "parameters": PLAN,
    "requestBody": {"content": {"text/csv": _BINARY, "multipart/form-data": _FORM}},
}
TRANSFORM_STORED = {"parameters": [KEY, *PLAN]}
