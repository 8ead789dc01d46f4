"""The command `fileserver`. Its flags are made of the settings, so that nothing is said twice."""

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from fileserver.client.command_line import Header, Retries
from fileserver.client.commands import get, put
from fileserver.client.live_commands import job, watch
from fileserver.client.live_commands import verify as verify_url
from fileserver.client.retries import LIVE_RETRIES
from fileserver.server import ApplicationFailed, CannotListen, run
from fileserver.settings import Described, Settings, SettingsFault, described, unknown_variables
from fileserver.transform_command import transform

# Faults of settings, and how typer itself ends for a flag that it does not know.
_USAGE = 2
_CANNOT_START = 1

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Serve files.",
)


@app.callback(invoke_without_command=True)
def main(show_version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False) -> None:
    """Serve a folder of files and media: exact ranges, safe uploads, streaming CSV transforms."""
    if show_version:
        typer.echo(f"fileserver {version('fileserver')}")
        raise typer.Exit


def serve(**flags: Any) -> None:
    """Serve a folder over HTTP until told to stop.

    Each flag is also an environment variable (--max-size is FILESERVER_MAX_SIZE) and a key of the TOML file that
    --config names (max_size). A flag wins over the environment, the environment over the file.
    """
    settings = _settings({name: value for name, value in flags.items() if value is not None})
    _check_root(settings)
    try:
        run(settings, announce=lambda urls: _say(greeting(settings, urls)))
    except (CannotListen, ApplicationFailed) as error:
        _end(str(error), _CANNOT_START)


def greeting(settings: Settings, urls: Sequence[str]) -> str:
    """What a person wants to see when the server has started."""
    return "\n".join(
        (
            f"fileserver {version('fileserver')} serves {settings.root.absolute()}",
            *(f"  at {url}" for url in urls),
            f"  {allowed(settings)}",
        )
    )


def allowed(settings: Settings) -> str:
    """Who may do what, in a sentence."""
    if settings.may_write:
        return "Anyone who can reach this address may read and write."
    why = (
        "as asked" if settings.allow_write is False else "this address is not loopback; --allow-write lets anyone write"
    )
    return f"Read-only ({why}). Anyone who can reach this address may read."


def _settings(flags: dict[str, Any]) -> Settings:
    try:
        settings = Settings.load(flags)
    except SettingsFault as fault:
        _end(str(fault), _USAGE)
    for name in unknown_variables(os.environ):
        _say(f"fileserver: the environment variable {name} is not one of ours and is ignored")
    return settings


def _check_root(settings: Settings) -> None:
    """End with one line where the folder cannot be served."""
    from storage import catalogue_fault, catalogue_path  # the database takes long to load; other commands need none

    root = settings.root
    if root == Settings.model_fields["root"].default and not os.path.lexists(root):
        _make(root)
    if not os.path.exists(root):
        _end(f"{root} does not exist", _CANNOT_START)
    if not os.path.isdir(root):
        _end(f"{root} is not a folder", _CANNOT_START)
    if not os.access(root, os.R_OK | os.X_OK):
        _end(f"{root} cannot be read", _CANNOT_START)
    if settings.may_write and not os.access(root, os.W_OK):
        _end(f"{root} cannot be written to: start with --read-only", _CANNOT_START)
    if (fault := catalogue_fault(catalogue_path(root))) is not None:
        _end(fault, _CANNOT_START)


def _make(root: Path) -> None:
    try:
        root.mkdir()
    except OSError as error:
        _end(f"{root} cannot be made: {error.strerror}", _CANNOT_START)


def _end(text: str, code: int) -> NoReturn:
    for line in text.splitlines():
        _say(f"fileserver: {line}")
    raise typer.Exit(code)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _parameter(setting: Described) -> inspect.Parameter:
    """The setting as typer sees it: a text for the model to judge, or a pair of flags; None when it is not given."""
    said = f"{setting.description} [{setting.variable}; default: {setting.default}]"
    if setting.name == "root":
        annotation: Any = Annotated[Path | None, typer.Argument(metavar="ROOT", help=said, show_default=False)]
    elif setting.is_switch:
        annotation = Annotated[bool | None, typer.Option(setting.flag, help=said, show_default=False)]
    else:
        annotation = Annotated[
            str | None, typer.Option(setting.flag, metavar=setting.value, help=said, show_default=False)
        ]
    return inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _command() -> Callable[..., None]:
    """`serve` with a parameter for each setting, which is where typer looks for them."""
    parameters = [_parameter(setting) for setting in described()]
    vars(serve)["__signature__"] = inspect.Signature(parameters)
    serve.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return serve


app.command()(_command())
app.command()(put)
app.command()(get)
app.command()(transform)
app.command()(job)
app.command()(watch)


@app.command("verify")
def verify_folder(
    root: Annotated[str, typer.Argument(metavar="ROOT", help="The folder that is, or was, served; or a URL of it.")],
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="Only files whose keys begin so.")] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell of damaged and missing files alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object for each line, a summary at last.")] = False,
    learn: Annotated[bool, typer.Option("--learn", help="Record the digests of foreign files.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Forget missing files once they are told of.")] = False,
    parallel: Annotated[int, typer.Option(metavar="COUNT", min=1, max=64, help="Files read at a time.")] = 2,
    header: Header = None,
    retries: Retries = LIVE_RETRIES,
) -> None:
    """Read all files again and tell which are damaged, missing, or foreign.

    Damaged: the bytes are not those of the recorded digest. Missing: a digest is recorded, and there is no file.
    Foreign: the file came in or was changed by other ways than the server, and no digest of it is known yet.

    Of a folder, a server may run on it meanwhile. Of a URL (http://host/files/videos/), its server reads the files, and
    an interrupt ends that too; --learn, --forget and --parallel are for folders, --header and --retries for URLs.

    Ends with 0 when no file is damaged or missing, with 1 when one is, with 2 when that cannot be found out.
    """
    if root.startswith(("http://", "https://")):
        if learn or forget:
            _end("--learn and --forget are for folders", _USAGE)
        verify_url(root, prefix, header, retries, is_quiet=quiet, is_json=as_json)
    from fileserver.verify import (
        Asked,
        CannotVerify,
        verify,
    )  # the database takes long to load; --help has no use for it

    try:
        code = verify(Asked(Path(root), prefix, quiet, as_json, learn, forget, parallel))
    except CannotVerify as error:
        _end(str(error), _USAGE)
    raise typer.Exit(code)
