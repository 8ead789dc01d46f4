"""Every knob of the server, once.

The same word is a flag (`--max-size`), an environment variable (`FILESERVER_MAX_SIZE`) and a key of a TOML file
(`max_size`). A flag wins over the environment, the environment over the file, the file over the default. The command
line and docs/configuration.md are made from this model, so a default stands here and nowhere else.

`Settings(root=...)` is what it says and the defaults: an application that embeds us is not surprised by variables of
the process it runs in. Only `Settings.load` asks the environment and the file.
"""

from collections.abc import Mapping

from fileserver.settings.description import ENV_PREFIX, Described, describe
from fileserver.settings.model import Settings
from fileserver.settings.sources import SettingsFault
from fileserver.settings.values import is_loopback

__all__ = ["Described", "Settings", "SettingsFault", "described", "is_loopback", "unknown_variables"]


def described() -> tuple[Described, ...]:
    """All settings, in the model's order."""
    return describe(Settings.model_fields)


def unknown_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that look like ours and are not: probably misspelt, which would leave a default in force unnoticed."""
    known = {setting.variable for setting in described()}
    return tuple(sorted(name for name in environment if name.startswith(ENV_PREFIX) and name not in known))
