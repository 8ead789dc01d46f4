"""Every knob of the server, once.

The same word is a flag (`--max-size`), an environment variable (`FILESERVER_MAX_SIZE`) and a key of a TOML file
(`max_size`). A flag wins over the environment, the environment over the file, the file over the default. The command
line and docs/configuration.md are made from this model, so a default stands here and nowhere else.

`Settings(root=...)` is what it says and the defaults: an application that embeds us is not surprised by variables of
the process it runs in. Only `Settings.load` asks the environment and the file.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

ENV_PREFIX = "FILESERVER_"

KIB = 1024
GIB = 1024**3
DAY_S = 86400


class SettingsFault(Exception):
    """Settings that cannot be used; the text has one line for each fault, naming where it stands."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a setting looks to people: the kind or unit of its value, its default if None, its own flags."""

    value: str
    default: str | None = None
    flag: str | None = None


def _size(value: object) -> object:
    return _SIZE.validate_python(value) if isinstance(value, str) else value


def _unlimited(value: object) -> object:
    return None if value == "unlimited" else value


def _prefix(value: str) -> str:
    path = value.rstrip("/")
    if path and not path.startswith("/"):
        raise ValueError("a prefix starts with /")
    return path


def _addresses(value: str) -> str:
    for part in value.split(",") if value.strip() not in ("", "*") else ():
        ip_network(part.strip(), strict=False)
    return value.strip()


_SIZE = TypeAdapter(ByteSize)
Size = Annotated[int, BeforeValidator(_size)]
"""Bytes, also written as 500MB or 10GiB."""


class Settings(BaseSettings):
    """What the server is told. Frozen. Made of its arguments alone; `load` also asks the environment and the file."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    root: Annotated[Path, Shown("FOLDER")] = Field(
        default=Path("files"),
        description="The folder to serve. The default is made if missing, any other has to exist.",
    )
    config: Annotated[Path | None, Shown("FILE")] = Field(
        default=None, description="A TOML file with these settings as keys, this one excepted."
    )
    host: Annotated[str, Shown("ADDRESS")] = Field(
        default="127.0.0.1", min_length=1, description="The address to listen on."
    )
    port: Annotated[int, Shown("NUMBER")] = Field(
        default=8000, ge=0, le=65535, description="The TCP port; 0 takes a free one."
    )
    uds: Annotated[Path | None, Shown("PATH")] = Field(
        default=None, description="Listen on this Unix domain socket, and on no address."
    )
    workers: Annotated[int, Shown("COUNT")] = Field(default=1, ge=1, le=256, description="Server processes.")
    allow_write: Annotated[bool | None, Shown("BOOLEAN", "by address", "--allow-write/--read-only")] = Field(
        default=None,
        description="Whether clients may change files. If not said, they may on a loopback address or a Unix domain "
        "socket, and on no other address.",
    )
    max_size: Annotated[Size | None, BeforeValidator(_unlimited), Shown("BYTES", default="unlimited")] = Field(
        default=None, ge=1, description="The largest file that a client may store, as 500MB or 10GiB, or `unlimited`."
    )
    max_spill: Annotated[Size, Shown("BYTES")] = Field(
        default=10 * GIB,
        ge=1,
        description="Disk that one transform may use for output that its client does not read yet.",
    )
    chunk_size: Annotated[Size, Shown("BYTES")] = Field(
        default=256 * KIB,
        ge=4 * KIB,
        le=16 * KIB * KIB,
        description="How much of a file is read at a time; every download holds two such chunks in memory.",
    )
    zero_copy: Annotated[bool, Shown("BOOLEAN", flag="--zero-copy/--no-zero-copy")] = Field(
        default=True,
        description="Whether files go from the page cache to the socket without being copied, where the system can.",
    )
    limit_rate: Annotated[Size | None, BeforeValidator(_unlimited), Shown("BYTES", default="unlimited")] = Field(
        default=None, ge=1, description="Bytes per second that each download gets at most, or `unlimited`."
    )
    header_timeout: Annotated[float, Shown("SECONDS")] = Field(
        default=10.0, gt=0, le=DAY_S, description="How long the head of a request may take from its first byte."
    )
    keep_alive_timeout: Annotated[float, Shown("SECONDS")] = Field(
        default=15.0, gt=0, le=DAY_S, description="How long a connection may be idle between requests."
    )
    min_rate: Annotated[Size, Shown("BYTES")] = Field(
        default=KIB,
        ge=0,
        description="Bytes per second that a client must send of a body, or take of an answer that waits for it; 0 "
        "lets it take its time.",
    )
    # Not 30: a kernel opens a full receive buffer of 32 MiB again by 2 MiB, for which a reader of 50 KB/s takes 40 s.
    min_rate_period: Annotated[float, Shown("SECONDS")] = Field(
        default=60.0, gt=0, le=DAY_S, description="The time over which `min_rate` is averaged."
    )
    max_request_line: Annotated[Size, Shown("BYTES")] = Field(
        default=8 * KIB, ge=64, le=64 * KIB - 1, description="The longest address of a request, with its query."
    )
    max_header_size: Annotated[Size, Shown("BYTES")] = Field(
        default=64 * KIB,
        ge=KIB,
        le=16 * KIB * KIB,
        description="The most that all header fields of a request may have.",
    )
    max_header_fields: Annotated[int, Shown("COUNT")] = Field(
        default=128, ge=8, le=10_000, description="The most header fields that a request may have."
    )
    max_connections: Annotated[int, Shown("COUNT")] = Field(
        default=10_000, ge=1, description="Connections that each server process has at most."
    )
    max_connections_per_address: Annotated[
        int | None, BeforeValidator(_unlimited), Shown("COUNT", default="by address")
    ] = Field(
        default=None,
        ge=1,
        description="Connections that one client address has at most, a trusted proxy's excepted. If not said, 256; on "
        "a loopback address or a Unix domain socket any number.",
    )
    allowed_hosts: Annotated[str | None, Shown("NAMES", default="by address")] = Field(
        default=None,
        description="The names that the server answers to, with commas between them: `*.example.com` for all below "
        "one, `*` for any; IP addresses and `localhost` always. If not said, no other on a loopback address, else any.",
    )
    drain_timeout: Annotated[float, Shown("SECONDS")] = Field(
        default=30.0,
        ge=0,
        le=DAY_S,
        description="How long transfers in progress may go on when the server is told to stop.",
    )
    root_path: Annotated[str, AfterValidator(_prefix), Shown("PATH")] = Field(
        default="",
        description="The prefix under which a proxy shows the server, when it strips it before passing requests on.",
    )
    forwarded_allow_ips: Annotated[str, AfterValidator(_addresses), Shown("ADDRESSES")] = Field(
        default="",
        description="Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks with "
        "commas between them, or * for whoever connects.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], Shown("LEVEL")] = Field(
        default="info", description="The least serious message to log: debug, info, warning or error."
    )
    access_log: Annotated[bool, Shown("BOOLEAN", flag="--access-log/--no-access-log")] = Field(
        default=True, description="Whether each request is logged, as one line of JSON on standard error."
    )

    @classmethod
    def load(cls, flags: Mapping[str, Any]) -> Self:
        """Settings from these flags (by field name; those not given are left out), the environment and the TOML file.

        Raises SettingsFault.
        """
        try:
            return cls(**_Gathered(**flags).model_dump())
        except ValidationError as error:
            faults = (f"{_place(str(fault['loc'][0]), flags)}: {_said(dict(fault))}" for fault in error.errors())
            raise SettingsFault("\n".join(faults)) from error

    @property
    def may_write(self) -> bool:
        """Whether clients may change files. Without credentials only this machine's may, unless told otherwise."""
        if self.allow_write is not None:
            return self.allow_write
        return self.is_local

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the server, or a proxy on it."""
        return self.uds is not None or is_loopback(self.host)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, and nothing that is not said."""
        return (init_settings,)


class _Gathered(Settings):
    """Settings from everywhere they may stand."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file."""
        return init_settings, env_settings, _ConfigFile(settings_cls)


class _ConfigFile(PydanticBaseSettingsSource):
    """The TOML file that a flag or the environment names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Part of the base class's contract; `__call__` answers for all fields at once."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The file's keys and values. Raises SettingsFault."""
        path = self.current_state.get("config")
        if path is None:
            return {}
        content = _read_toml(Path(path))
        known = self.settings_cls.model_fields.keys() - {"config"}
        if unknown := [f"{path}: unknown key `{key}`" for key in content if key not in known]:
            raise SettingsFault("\n".join(unknown))
        return content


@dataclass(frozen=True, slots=True)
class Described:
    """A setting as people are told of it, in `--help` and in docs/configuration.md."""

    name: str
    flag: str
    variable: str
    value: str
    default: str
    description: str
    is_switch: bool


def described() -> tuple[Described, ...]:
    """All settings, in the model's order."""
    return tuple(_described(name, field) for name, field in Settings.model_fields.items())


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "files.example")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def unknown_variables(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that look like ours and are not: probably misspelt, which would leave a default in force unnoticed."""
    known = {setting.variable for setting in described()}
    return tuple(sorted(name for name in environment if name.startswith(ENV_PREFIX) and name not in known))


def _described(name: str, field: FieldInfo) -> Described:
    shown = next(item for item in field.metadata if isinstance(item, Shown))
    return Described(
        name=name,
        flag=shown.flag or ("ROOT" if name == "root" else f"--{name.replace('_', '-')}"),
        variable=_variable(name),
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


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsFault(f"{path}: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise SettingsFault(f"{path}: {error}") from error


def _place(name: str, flags: Mapping[str, object]) -> str:
    if name in flags:
        return next((setting.flag for setting in described() if setting.name == name), name)
    if os.environ.get(variable := _variable(name)):
        return variable
    return f"{flags.get('config') or os.environ.get(_variable('config'))}: `{name}`"


def _variable(name: str) -> str:
    return f"{ENV_PREFIX}{name.upper()}"


def _said(fault: Mapping[str, object]) -> str:
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]} (it is {fault['input']!r})"
