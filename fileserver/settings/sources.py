"""Where settings stand: flags, the environment, a TOML file; and the words for a fault in any of them."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource

from fileserver.settings.description import describe, variable_of


class SettingsFault(Exception):
    """Settings that cannot be used; the text has one line for each fault, naming where it stands."""


def gathered(model: type[BaseSettings], flags: Mapping[str, Any]) -> dict[str, Any]:
    """What is said by flags, else in the environment, else in the TOML file that one of these names; not judged yet.

    Raises SettingsFault for a file that cannot be read, or has keys that are no settings.
    """
    said = {**EnvSettingsSource(model)(), **flags}
    path = said.get("config")
    return said if path is None else {**_file(path, model.model_fields.keys() - {"config"}), **said}


def fault_of(error: ValidationError, model: type[BaseSettings], flags: Mapping[str, Any]) -> SettingsFault:
    """What the model found wrong, in words for the person who said it."""
    places = {setting.name: setting.flag for setting in describe(model.model_fields) if setting.name in flags}
    config = flags.get("config") or os.environ.get(variable_of("config"))

    def place(name: str) -> str:
        variable = variable_of(name)
        return places.get(name) or (variable if os.environ.get(variable) else f"{config}: `{name}`")

    return SettingsFault("\n".join(f"{place(str(fault['loc'][0]))}: {_said(dict(fault))}" for fault in error.errors()))


def _said(fault: Mapping[str, object]) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]} (it is {fault['input']!r})"


def _file(path: str | Path, known: set[str]) -> dict[str, Any]:
    content = _read_toml(Path(path))
    if unknown := [f"{path}: unknown key `{key}`" for key in content if key not in known]:
        raise SettingsFault("\n".join(unknown))
    return content


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsFault(f"{path}: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise SettingsFault(f"{path}: {error}") from error
