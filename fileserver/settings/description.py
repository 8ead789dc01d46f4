"""Settings as people are told of them, in `--help` and in docs/configuration.md."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ByteSize
from pydantic.fields import FieldInfo

from fileserver.settings.values import Shown

ENV_PREFIX = "FILESERVER_"


@dataclass(frozen=True, slots=True)
class Described:
    """A setting as people are told of it."""

    name: str
    flag: str
    variable: str
    value: str
    default: str
    description: str
    is_switch: bool


def describe(fields: Mapping[str, FieldInfo]) -> tuple[Described, ...]:
    """The settings of a model, in its order."""
    return tuple(_described(name, field) for name, field in fields.items())


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"{ENV_PREFIX}{name.upper()}"


def _described(name: str, field: FieldInfo) -> Described:
    shown = next(item for item in field.metadata if isinstance(item, Shown))
    return Described(
        name=name,
        flag=shown.flag or ("ROOT" if name == "root" else f"--{name.replace('_', '-')}"),
        variable=variable_of(name),
        value=shown.value,
        default=shown.default or _default_text(field.default, shown.value),
        description=field.description or "",
        is_switch=shown.flag is not None,
    )


def _default_text(default: object, unit: str) -> str:
    match default:
        case None | "":
            return "none"
        case bool():
            return str(default).lower()
        case int() if unit == "BYTES":
            return ByteSize(default).human_readable(separator="").replace(".0", "")
        case float():
            return f"{default:g}"
        case _:
            return str(default)
