"""The model of all settings: their types, limits, defaults and descriptions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fileserver.settings.description import ENV_PREFIX
from fileserver.settings.sources import fault_of, gathered
from fileserver.settings.values import (
    DAY_S,
    DECADE_S,
    GIB,
    KIB,
    MIB,
    Shown,
    Size,
    addresses,
    is_loopback,
    off,
    origins,
    prefix,
    unlimited,
)


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
    max_size: Annotated[Size | None, BeforeValidator(unlimited), Shown("BYTES", default="unlimited")] = Field(
        default=None, ge=1, description="The largest file that a client may store, as 500MB or 10GiB, or `unlimited`."
    )
    max_uploads: Annotated[int, Shown("COUNT")] = Field(
        default=1000, ge=1, description="Resumable uploads that each owner may have open at a time."
    )
    upload_lifetime: Annotated[float, Shown("SECONDS")] = Field(
        default=7.0 * DAY_S,
        gt=0,
        le=DECADE_S,
        description="How long an unfinished upload is kept after its last byte.",
    )
    hash_rate: Annotated[Size | None, BeforeValidator(unlimited), Shown("BYTES")] = Field(
        default=64 * MIB,
        ge=0,
        description="Bytes per second at which files that came in by other ways are read in the background to learn "
        "their digests, or `unlimited`; 0 never reads them.",
    )
    scrub_period: Annotated[float | None, BeforeValidator(off), Shown("SECONDS", default="off")] = Field(
        default=None,
        gt=0,
        le=DECADE_S,
        description="The time in which all stored files are read again and compared with their digests, or `off`: "
        "2592000 is 30 days.",
    )
    max_spill: Annotated[Size, Shown("BYTES")] = Field(
        default=10 * GIB,
        ge=1,
        description="Disk that one transform may use for what does not fit into its memory, and as much again for "
        "output that its client does not read yet.",
    )
    scratch: Annotated[Path | None, Shown("FOLDER", default="by root")] = Field(
        default=None,
        description="Where transforms keep what they are working on and what they tell of it. If not said, below the "
        "root in `.fileserver`; of a read-only server a private folder among the system's temporary files.",
    )
    transform_jobs: Annotated[int, Shown("COUNT")] = Field(
        default=4, ge=1, le=1000, description="Transforms that each server process runs at a time."
    )
    transform_queue: Annotated[int, Shown("COUNT")] = Field(
        default=16, ge=0, le=10_000, description="Transforms that wait for their turn; more are refused."
    )
    transform_memory: Annotated[Size, Shown("BYTES")] = Field(
        default=GIB,
        ge=64 * MIB,
        description="Memory that one transform sorts and groups in before it turns to the disk; three times as much, "
        "and 4GiB at least, ends it.",
    )
    transform_timeout: Annotated[float, Shown("SECONDS")] = Field(
        default=3600.0,
        gt=0,
        le=DAY_S,
        description="How long one transform may take, the time its client takes to read included.",
    )
    job_lifetime: Annotated[float, Shown("SECONDS")] = Field(
        default=3600.0,
        gt=0,
        le=DECADE_S,
        description="How long the state of a job, and the rows it rejected, can be asked for after its end.",
    )
    feed_lifetime: Annotated[float, Shown("SECONDS")] = Field(
        default=7.0 * DAY_S,
        gt=0,
        le=DECADE_S,
        description="How long a client may be away and still be told by `/events` all that it missed; a million "
        "changes are kept at most.",
    )
    trash_lifetime: Annotated[float, Shown("SECONDS")] = Field(
        default=7.0 * DAY_S,
        ge=0,
        le=DECADE_S,
        description="How long what is moved to the trash can be restored; 0 has no trash, and removes everything for "
        "good.",
    )
    media_jobs: Annotated[int, Shown("COUNT")] = Field(
        default=2, ge=1, le=1000, description="Media files that each server process works on at a time."
    )
    media_queue: Annotated[int, Shown("COUNT")] = Field(
        default=64, ge=0, le=10_000, description="Work on media files that waits for its turn; more is refused."
    )
    media_memory: Annotated[Size, Shown("BYTES")] = Field(
        default=GIB, ge=256 * MIB, description="Memory that work on one media file may use."
    )
    media_timeout: Annotated[float, Shown("SECONDS")] = Field(
        default=60.0, gt=0, le=DAY_S, description="How long one piece of work on a media file may take."
    )
    media_cache: Annotated[Size, Shown("BYTES")] = Field(
        default=GIB,
        ge=0,
        description="Disk for what was made of media files: posters, storyboards, converted sound. What was asked for "
        "longest ago goes first.",
    )
    video_transcode: Annotated[bool, Shown("BOOLEAN", flag="--video-transcode/--no-video-transcode")] = Field(
        default=False,
        description="Whether film that browsers do not know is converted while it plays, which takes a processor core "
        "or more for each viewer.",
    )
    allow_sql: Annotated[bool | None, Shown("BOOLEAN", "by kernel", "--allow-sql/--no-sql")] = Field(
        default=None,
        description="Whether clients may ask in SQL. If not said, they may where the kernel has all that confines a "
        "transform.",
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
    limit_rate: Annotated[Size | None, BeforeValidator(unlimited), Shown("BYTES", default="unlimited")] = Field(
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
        int | None, BeforeValidator(unlimited), Shown("COUNT", default="by address")
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
    allowed_origins: Annotated[str | None, AfterValidator(origins), Shown("ORIGINS")] = Field(
        default=None,
        description="Web origins whose pages may use this server, with commas between them, as "
        "`https://photos.example`, or `*` for any.",
    )
    drain_timeout: Annotated[float, Shown("SECONDS")] = Field(
        default=30.0,
        ge=0,
        le=DAY_S,
        description="How long transfers in progress may go on when the server is told to stop.",
    )
    root_path: Annotated[str, AfterValidator(prefix), Shown("PATH")] = Field(
        default="",
        description="The prefix under which a proxy shows the server, when it strips it before passing requests on.",
    )
    forwarded_allow_ips: Annotated[str, AfterValidator(addresses), Shown("ADDRESSES")] = Field(
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

    @field_validator("scratch")
    @classmethod
    def _is_not_served(cls, value: Path | None, others: ValidationInfo) -> Path | None:
        """What is below the root is served, our own folder aside."""
        if value is not None and "root" in others.data:
            place, root = value.absolute(), Path(others.data["root"]).absolute()
            if place.is_relative_to(root) and not place.is_relative_to(root / ".fileserver"):
                raise ValueError("it is below the root, whose files are served")
        return value

    @classmethod
    def load(cls, flags: Mapping[str, Any]) -> Self:
        """Settings from these flags (by field name; those not given are left out), the environment and the TOML file.

        Raises SettingsFault.
        """
        try:
            return cls(**gathered(cls, flags))
        except ValidationError as error:
            raise fault_of(error, cls, flags) from error

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
